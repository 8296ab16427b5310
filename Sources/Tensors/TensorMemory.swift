import Glibc
import Synchronization

/// Memory of tensors, of which a little is kept for the next ones.
///
/// A run makes the same large tensors over and over, and fresh memory costs a page fault for every 4 KB: for small networks more
/// than their arithmetic.
package enum TensorMemory {
  /// Bytes that are kept at most.
  private static let limit = 128 << 20
  /// Smaller blocks are left to malloc, which keeps them itself.
  private static let least = 64 << 10
  private static let alignment = 64
  /// A huge page: blocks that fill some are asked for as such, which saves a fault and an entry of the page table for every 4 KB.
  private static let hugePage = 2 << 20

  /// Free blocks by size.
  ///
  /// `@unchecked Sendable`: raw pointers to blocks that nobody else has, behind a lock.
  private struct Free: @unchecked Sendable {
    var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
    var bytes = 0
  }

  private static let free = Mutex(Free())

  /// Rounded up to an eighth of its power of two, so that similar sizes share blocks.
  private static func rounded(_ bytes: Int) -> Int {
    let step = max(alignment, 1 << max(0, Int.bitWidth - bytes.leadingZeroBitCount - 4))
    return (bytes + step - 1) / step * step
  }

  /// Calls `body` with memory for `count` numbers, which is not cleared and must not outlive the call.
  package static func withFloats<Result>(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    let block = take(bytes: bytes)
    defer { give(block, bytes: bytes) }
    return try body(block.bindMemory(to: Float.self, capacity: max(1, count)))
  }

  static func take(bytes: Int) -> UnsafeMutableRawPointer {
    let size = rounded(bytes)
    if size >= least {
      let block = free.withLock { free -> Free in
        guard let block = free.blocks[size]?.popLast() else { return Free() }
        free.bytes -= size
        return Free(blocks: [size: [block]], bytes: size)
      }
      if let block = block.blocks[size]?.first { return block }
    }
    guard size >= hugePage else { return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment) }
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: hugePage)
    // Without them it is slower, not wrong.
    _ = madvise(block, size, MADV_HUGEPAGE)
    return block
  }

  static func give(_ block: UnsafeMutableRawPointer, bytes: Int) {
    let size = rounded(bytes)
    let given = Free(blocks: [size: [block]], bytes: size)
    let isKept = free.withLock { free in
      guard size >= least, free.bytes + size <= limit, let block = given.blocks[size]?.first else { return false }
      free.blocks[size, default: []].append(block)
      free.bytes += size
      return true
    }
    if !isKept { block.deallocate() }
  }
}
