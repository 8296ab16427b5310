import Glibc

/// Memory of tensors, of which a little is kept for the next ones.
///
/// A run makes the same large tensors over and over, and fresh memory costs a page fault for every 4 KB: for small networks more
/// than their arithmetic. A block that was given back last is taken first, also for a tensor that does not fill it: it is still in
/// the caches.
package enum TensorMemory {
  /// A piece of memory; it may be larger than what was asked for.
  struct Block {
    let start: UnsafeMutableRawPointer
    let byteCount: Int
    fileprivate let source: Source

    fileprivate func deallocate() {
      switch source {
      case .heap: start.deallocate()
      case .system: munmap(start, byteCount)
      case .slab: break
      }
    }
  }

  /// Where a block came from, and goes back to.
  fileprivate enum Source {
    case heap
    case system
    /// Given back with the last of its blocks.
    case slab(Slab)
  }

  /// Huge pages that blocks are cut from.
  fileprivate final class Slab {
    static let byteCount = 2 * hugePage
    private let pages = TensorMemory.hugePages(byteCount)
    var start: UnsafeMutableRawPointer { pages.start }
    deinit { pages.deallocate() }
  }

  /// Bytes that are kept at most.
  private static let limit = 128 << 20
  /// Smaller blocks are left to malloc, which keeps them itself.
  private static let least = 64 << 10
  /// How many times larger than what was asked for a block may be.
  private static let excess = 2
  private static let alignment = 64
  /// A huge page, which saves a fault and an entry of the page table for every 4 KB.
  ///
  /// Larger blocks are asked for as such, others are cut from slabs of them.
  private static let hugePage = 2 << 20

  /// Free blocks, those given back last at the end.
  private struct Free {
    var blocks: [Block] = []
    var bytes = 0
    /// What new blocks are cut from, and how much of it is.
    var slab: Slab?
    var used = 0

    mutating func cut(_ size: Int) -> Block {
      let current: Slab
      if let slab, used + size <= Slab.byteCount {
        current = slab
      } else {
        current = Slab()
        (slab, used) = (current, 0)
      }
      defer { used += size }
      return Block(start: current.start + used, byteCount: size, source: .slab(current))
    }
  }

  private static let free = Locked(Free())

  /// Rounded up to an eighth of its power of two, so that similar sizes share blocks.
  private static func rounded(_ bytes: Int) -> Int {
    let step = max(alignment, 1 << max(0, Int.bitWidth - bytes.leadingZeroBitCount - 4))
    return (bytes + step - 1) / step * step
  }

  /// Calls `body` with memory for `count` numbers, which is not cleared and must not outlive the call.
  package static func withFloats<Result>(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    let block = take(bytes: max(1, count) * MemoryLayout<Float>.stride)
    defer { give(block) }
    return try body(block.start.bindMemory(to: Float.self, capacity: max(1, count)))
  }

  static func take(bytes: Int) -> Block {
    let size = rounded(bytes)
    guard size >= least else {
      return Block(start: .allocate(byteCount: size, alignment: alignment), byteCount: size, source: .heap)
    }
    let found = free.withLock { free -> Free in
      guard let place = free.blocks.lastIndex(where: { (size...size * excess).contains($0.byteCount) }) else {
        return Free(blocks: size < hugePage ? [free.cut(size)] : [])
      }
      let block = free.blocks.remove(at: place)
      free.bytes -= block.byteCount
      return Free(blocks: [block])
    }
    return found.blocks.first ?? hugePages(size)
  }

  /// Memory from the system, to which it goes back when it is freed: malloc would keep it.
  private static func hugePages(_ bytes: Int) -> Block {
    guard case (let all, false) = bytes.addingReportingOverflow(hugePage),
      let mapped = mmap(nil, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), mapped != MAP_FAILED
    else {
      // There may be less behind the limit than is asked for; malloc says so, and ends the process.
      return Block(start: .allocate(byteCount: bytes, alignment: hugePage), byteCount: bytes, source: .heap)
    }
    // What is too much before and behind goes back at once.
    let before = (hugePage - Int(bitPattern: mapped) % hugePage) % hugePage
    let start = mapped + before
    if before > 0 { munmap(mapped, before) }
    munmap(start + bytes, hugePage - before)
    // Without huge pages it is slower, not wrong.
    _ = madvise(start, bytes, MADV_HUGEPAGE)
    return Block(start: start, byteCount: bytes, source: .system)
  }

  /// Gives the memory that is kept for the next tensors back to the system.
  package static func releaseFree() {
    // Freed when the lock is open again.
    let all = free.withLock { free -> Free in
      defer { free = Free() }
      return free
    }
    for block in all.blocks { block.deallocate() }
  }

  /// Takes a block back; what is too much then is freed, what was given back first before the rest.
  static func give(_ block: Block) {
    guard block.byteCount >= least, block.byteCount <= limit else { return block.deallocate() }
    let given = Free(blocks: [block])
    let surplus = free.withLock { free -> Free in
      free.blocks += given.blocks
      free.bytes += block.byteCount
      var surplus = Free()
      while free.bytes > limit {
        let oldest = free.blocks.removeFirst()
        free.bytes -= oldest.byteCount
        surplus.blocks.append(oldest)
      }
      return surplus
    }
    for block in surplus.blocks { block.deallocate() }
  }
}
