package import H5ConvDiagnostics
package import H5ConvFiles
package import H5ConvHDF5
package import H5ConvTensors

/// A weight somewhere in a file: its shape and type are known, its elements are read when they are asked for.
package struct StoredTensor: Sendable {
  /// Where it is in its container, for messages and lists: `conv1/conv1/kernel:0`.
  package let path: String
  /// Sizes of the axes, outermost first; empty for a scalar.
  package let shape: [Int]
  package let type: ElementType
  private let source: any TensorSource

  package init(_ path: String, shape: [Int], type: ElementType, _ source: any TensorSource) {
    self.path = path
    self.shape = shape
    self.type = type
    self.source = source
  }

  /// The dataset of an HDF5 file; `file` is where its bytes are, when they may be copied from there.
  package init(_ path: String, _ dataset: Dataset, in file: FileWindow?) {
    self.init(
      path, shape: dataset.shape, type: dataset.elementType, DatasetSource(dataset: dataset, window: file))
  }

  /// Number of elements; nil when it does not fit an integer.
  package var count: Int? { Tensor.elementCount(of: shape) }

  /// Number of bytes of the elements.
  package func byteCount() throws(H5ConvError) -> Int {
    guard let size = type.byteCount, type.isNumeric else {
      throw H5ConvError(.badData, "\(type) where numbers were expected", at: path)
    }
    guard let count, case (let bytes, false) = count.multipliedReportingOverflow(by: size) else {
      throw H5ConvError(.limit, "a weight of shape \(shape)", at: path)
    }
    return bytes
  }

  /// Reads the elements, converted to float32.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when the elements are damaged, not there, or no numbers.
  package func tensor() throws -> Tensor {
    // What lies in the file as in memory is copied from there, or mapped when it is large.
    if case .float(bytes: 4, bigEndian: false) = type, let count, count > 0, let range = try fileRange(),
      range.count == count * MemoryLayout<Float>.stride
    {
      if count >= StoredTensor.leastMapped,
        let tensor = Tensor(shape: shape, mapping: range.file.descriptor, at: range.offset)
      {
        return tensor
      }
      return try Tensor(shape: shape) { try range.file.read(into: UnsafeMutableRawBufferPointer($0), at: range.offset) }
    }
    return try source.tensor(shape: shape, type: type, path: path)
  }

  /// Elements from which on mapping costs less than copying.
  private static let leastMapped = 1 << 16

  /// Reads the elements as they are, little-endian.
  package func bytes() throws -> [UInt8] {
    let count = try byteCount()
    return try source.bytes(count: count, path: path)
  }

  /// Where the elements lie in a file, one after the other; nil when they have to be read.
  package func fileRange() throws -> (file: OpenFile, offset: Int, count: Int)? { try source.fileRange() }

  /// The same elements under another path.
  package func renamed(_ path: String) -> StoredTensor { StoredTensor(path, shape: shape, type: type, source) }

  /// The same elements, in another shape of as many.
  package func reshaped(to shape: [Int]) -> StoredTensor { StoredTensor(path, shape: shape, type: type, source) }
}

/// Part of an open file.
package struct FileWindow: Sendable {
  package let file: OpenFile
  /// Where it begins.
  package let offset: Int

  package init(_ file: OpenFile, offset: Int) {
    self.file = file
    self.offset = offset
  }
}

/// Where the elements of a ``StoredTensor`` come from.
package protocol TensorSource: Sendable {
  /// The elements as they are, little-endian: `count` bytes.
  func bytes(count: Int, path: String) throws -> [UInt8]
  /// The elements as float32.
  func tensor(shape: [Int], type: ElementType, path: String) throws -> Tensor
  func fileRange() throws -> (file: OpenFile, offset: Int, count: Int)?
}

extension TensorSource {
  package func tensor(shape: [Int], type: ElementType, path: String) throws -> Tensor {
    guard let size = type.byteCount, let count = Tensor.elementCount(of: shape),
      case (let total, false) = count.multipliedReportingOverflow(by: size)
    else { throw H5ConvError(.limit, "a weight of shape \(shape)", at: path) }
    let bytes = try bytes(count: total, path: path)
    return try Tensor(shape: shape) { try Elements.convert(bytes, type, to: $0, path: path) }
  }

  package func fileRange() throws -> (file: OpenFile, offset: Int, count: Int)? { nil }
}

private struct DatasetSource: TensorSource {
  let dataset: Dataset
  let window: FileWindow?

  func bytes(count: Int, path: String) throws -> [UInt8] {
    try dataset.readBytes { count, fill in
      try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        try fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
        filled = count
      }
    }
  }

  func tensor(shape: [Int], type: ElementType, path: String) throws -> Tensor {
    if type == .bool {
      let bytes = try bytes(count: 0, path: path)
      return try Tensor(shape: shape) { try Elements.convert(bytes, type, to: $0, path: path) }
    }
    return try dataset.readFloats { fill in try Tensor(shape: shape, initialize: fill) }
  }

  func fileRange() throws -> (file: OpenFile, offset: Int, count: Int)? {
    guard let window, let range = try dataset.fileRange(), range.offset <= window.file.size - window.offset,
      range.count <= window.file.size - window.offset - range.offset
    else { return nil }
    return (window.file, window.offset + range.offset, range.count)
  }
}

/// Elements that lie in a file.
package struct FileSource: TensorSource {
  private let file: OpenFile
  private let offset: Int
  private let count: Int

  /// - Parameter count: number of bytes; they must lie within the file.
  package init(_ file: OpenFile, offset: Int, count: Int) {
    self.file = file
    self.offset = offset
    self.count = count
  }

  package func bytes(count: Int, path: String) throws -> [UInt8] {
    guard count == self.count else { throw H5ConvError(.badData, "\(self.count) bytes for \(count)", at: path) }
    return try file.bytes(at: offset, count: count)
  }

  package func fileRange() throws -> (file: OpenFile, offset: Int, count: Int)? { (file, offset, count) }
}

/// Elements that are made when they are asked for.
package struct MadeSource: TensorSource {
  private let make: @Sendable () throws -> [UInt8]

  package init(_ make: @escaping @Sendable () throws -> [UInt8]) { self.make = make }

  package func bytes(count: Int, path: String) throws -> [UInt8] {
    let bytes = try make()
    guard bytes.count == count else { throw H5ConvError(.badData, "\(bytes.count) bytes for \(count)", at: path) }
    return bytes
  }
}
