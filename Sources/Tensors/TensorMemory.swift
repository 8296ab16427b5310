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
  }

  /// Bytes that are kept at most.
  private static let limit = 128 << 20
  /// Smaller blocks are left to malloc, which keeps them itself.
  private static let least = 64 << 10
  /// How many times larger than what was asked for a block may be.
  private static let excess = 2
  private static let alignment = 64
  /// A huge page: blocks that fill some are asked for as such, which saves a fault and an entry of the page table for every 4 KB.
  private static let hugePage = 2 << 20

  /// Free blocks, those given back last at the end.
  private struct Free {
    var blocks: [Block] = []
    var bytes = 0
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
    if size >= least {
      let found = free.withLock { free -> Free in
        guard let place = free.blocks.lastIndex(where: { (size...size * excess).contains($0.byteCount) }) else {
          return Free()
        }
        let block = free.blocks.remove(at: place)
        free.bytes -= block.byteCount
        return Free(blocks: [block])
      }
      if let block = found.blocks.first { return block }
    }
    guard size >= hugePage else {
      return Block(start: .allocate(byteCount: size, alignment: alignment), byteCount: size)
    }
    let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: hugePage)
    // Without them it is slower, not wrong.
    _ = madvise(start, size, MADV_HUGEPAGE)
    return Block(start: start, byteCount: size)
  }

  /// Takes a block back; what is too much then is freed, what was given back first before the rest.
  static func give(_ block: Block) {
    guard block.byteCount >= least, block.byteCount <= limit else { return block.start.deallocate() }
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
    for block in surplus.blocks { block.start.deallocate() }
  }
}
