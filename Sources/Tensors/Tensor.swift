import Glibc
import H5ConvDiagnostics

/// A dense array of float32, row-major (the last axis varies fastest), immutable once made.
///
/// Axes are as Keras gives them: images and feature maps are (batch, height, width, channels), or
/// (batch, channels, height, width) for a layer whose `data_format` is `channels_first`.
public struct Tensor: Sendable {
  /// Sizes of the axes, outermost first; empty for a scalar.
  public let shape: [Int]
  private let storage: TensorStorage

  /// A tensor of `shape` with the given `values` in row-major order.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when a size is negative or `values.count` is not the shape's element count.
  public init(shape: [Int], values: [Float]) throws {
    guard let count = Tensor.elementCount(of: shape), count == values.count else {
      throw H5ConvError(.usage, "\(values.count) values do not fill the shape \(shape)")
    }
    self.init(checkedShape: shape, count: count) { buffer in _ = buffer.update(fromContentsOf: values) }
  }

  /// A tensor of `shape` whose elements `initialize` writes; the buffer it is given is not zeroed, and all of it must be
  /// written.
  ///
  /// - Throws: ``H5ConvError`` of kind `limit` when the shape is impossible, and what `initialize` throws.
  package init(shape: [Int], initialize: (UnsafeMutableBufferPointer<Float>) throws -> Void) throws {
    guard let count = Tensor.elementCount(of: shape) else {
      throw H5ConvError(.limit, "a tensor of shape \(shape) does not fit in memory")
    }
    try self.init(checkedShape: shape, count: count, initialize: initialize)
  }

  private init(
    checkedShape shape: [Int], count: Int, initialize: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let storage = TensorStorage(count: count)
    try initialize(storage.buffer)
    self.shape = shape
    self.storage = storage
  }

  /// A tensor of `shape` whose elements lie in an open file as they would in memory, from the byte `offset` on; they are read from the
  /// disk when they are looked at, and the file must not become shorter while the tensor lives.
  ///
  /// - Returns: nil where the file cannot be mapped so; the elements are then to be read.
  package init?(shape: [Int], mapping descriptor: Int32, at offset: Int) {
    guard let count = Tensor.elementCount(of: shape),
      let storage = TensorStorage(count: count, of: descriptor, at: offset)
    else { return nil }
    self.init(shape: shape, sharing: storage)
  }

  private init(shape: [Int], sharing storage: TensorStorage) {
    self.shape = shape
    self.storage = storage
  }

  /// Number of elements.
  public var count: Int { storage.buffer.count }

  /// The elements in row-major order.
  public var values: [Float] { Array(storage.buffer) }

  /// The same elements under another shape with as many elements; nothing is copied.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when the element counts differ.
  public func reshaped(to shape: [Int]) throws -> Tensor {
    guard Tensor.elementCount(of: shape) == count else {
      throw H5ConvError(.usage, "a tensor of shape \(self.shape) cannot be reshaped to \(shape)")
    }
    return Tensor(shape: shape, sharing: storage)
  }

  /// Calls `body` with the elements in row-major order; the pointer must not outlive the call.
  public func withUnsafeElements<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(storage.buffer))
  }

  /// Element count of `shape`, or nil when a size is negative or the bytes would overflow an Int.
  package static func elementCount(of shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= Int.max / MemoryLayout<Float>.stride else { return nil }
      count = product
    }
    return count
  }
}

/// The memory of a tensor, given back with its last owner: 64-byte aligned, or part of a file.
///
/// `@unchecked Sendable`: the buffer is written only by the initialiser of the one tensor that creates it, before that
/// tensor can be shared; afterwards it is only read.
private final class TensorStorage: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Float>
  /// Where the buffer lies.
  private let place: Place

  private enum Place {
    case block(TensorMemory.Block)
    /// Pages of a file.
    case pages(UnsafeMutableRawPointer, byteCount: Int)
  }

  init?(count: Int, of descriptor: Int32, at offset: Int) {
    let page = Int(getpagesize())
    guard count > 0, offset >= 0, offset % MemoryLayout<Float>.alignment == 0 else { return nil }
    let (bytes, overflow) = (count * MemoryLayout<Float>.stride).addingReportingOverflow(offset % page)
    guard !overflow, let start = mmap(nil, bytes, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset / page * page)),
      start != MAP_FAILED
    else { return nil }
    place = .pages(start, byteCount: bytes)
    let elements = (start + offset % page).bindMemory(to: Float.self, capacity: count)
    buffer = UnsafeMutableBufferPointer(start: elements, count: count)
  }

  init(count: Int) {
    let block = TensorMemory.take(bytes: max(count, 1) * MemoryLayout<Float>.stride)
    place = .block(block)
    buffer = UnsafeMutableBufferPointer(
      start: block.start.bindMemory(to: Float.self, capacity: max(count, 1)), count: count)
  }

  deinit {
    switch place {
    case .block(let block): TensorMemory.give(block)
    case .pages(let start, let byteCount): munmap(start, byteCount)
    }
  }
}
