import CHDF5
package import H5ConvDiagnostics
import Synchronization

/// A dataset of an HDF5 file; opening it reads its shape and type, not its elements.
package final class Dataset: AttributeOwner, Sendable {
  private let handle: Handle
  private let knownStorage = Mutex<h5c_storage?>(nil)
  /// Absolute path in the file.
  package let path: String
  /// Sizes of the axes, outermost first; empty for a scalar.
  package let shape: [Int]
  /// What one element is.
  package let elementType: ElementType

  package var objectID: Int64 { handle.id }

  init(_ handle: Handle, path: String) throws(H5ConvError) {
    self.handle = handle
    self.path = path
    let space = try Handle.space("read the extent of \(path)") { H5Dget_space(handle.id) }
    shape = try Dataspace.shape(of: space) ?? [0]
    let type = try Handle.type("read the type of \(path)") { H5Dget_type(handle.id) }
    elementType = try ElementType.of(type)
  }

  /// Number of elements.
  package func elementCount() throws(H5ConvError) -> Int {
    do throws(H5ConvError) { return try Dataspace.elementCount(of: shape) } catch { throw located(error) }
  }

  /// How the elements are stored: `contiguous`, `chunked`, `compact`, with the names of the filters.
  package func storageDescription() throws(H5ConvError) -> String {
    let storage = try storage()
    let layout =
      switch storage.layout {
      case H5D_COMPACT: "compact"
      case H5D_CONTIGUOUS: "contiguous"
      case H5D_CHUNKED: "chunked"
      default: "virtual"
      }
    return ([layout] + storage.filterNumbers.map(Dataset.name(ofFilter:))).joined(separator: " ")
  }

  /// Reads all elements, converted to float32.
  ///
  /// Reads float16, float32, float64 and integers of either byte order, and the two-byte opaque elements in which h5py stores
  /// bfloat16.
  ///
  /// - Parameter make: takes memory for the elements, in row-major order, and lets `fill` write them. It is called only when the
  ///   dataset is safe to read and what it declares is in the file.
  /// - Throws: ``H5ConvError`` of kind `badData` for other types, unsafe storage, or data that is not there.
  package func readFloats<Result>(
    _ make: (_ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) throws -> Result
  ) throws -> Result {
    try checkedStorage()
    return try make { buffer in try fill(buffer) }
  }

  private func fill(_ buffer: UnsafeMutableBufferPointer<Float>) throws(H5ConvError) {
    guard buffer.count == (try elementCount()) else {
      throw H5ConvError(.internalFault, "a buffer of another size than the dataset", at: path)
    }
    switch elementType {
    case .float, .integer:
      let target = try Library.call("name a type") { h5c_native_float() }
      try read(into: buffer.baseAddress, as: target)
    case .opaque(bytes: 2):
      var halves = [UInt16](repeating: 0, count: buffer.count)
      let type = try Handle.type("read the type of \(path)") { H5Dget_type(handle.id) }
      try halves.withUnsafeMutableBufferPointer { buffer throws(H5ConvError) in
        try read(into: buffer.baseAddress, as: type.id)
      }
      for place in halves.indices {
        buffer[place] = Float(bitPattern: UInt32(UInt16(littleEndian: halves[place])) << 16)
      }
    case .bool:
      throw H5ConvError(.unsupported, "a dataset of booleans where numbers were expected", at: path)
    case .opaque, .string, .other:
      throw H5ConvError(.badData, "a dataset of \(elementType) where numbers were expected", at: path)
    }
  }

  private func read(into buffer: UnsafeMutableRawPointer?, as type: hid_t) throws(H5ConvError) {
    guard let buffer, try elementCount() > 0 else { return }
    try checkChunks()
    _ = try Library.call("read \(path)") {
      H5Dread(handle.id, type, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT), buffer)
    }
  }

  /// Reads all elements as they are stored, in little-endian order: ``ElementType/byteCount`` bytes each.
  ///
  /// - Parameter make: takes memory for the bytes and lets `fill` write them; called only when the dataset is safe to read.
  /// - Throws: ``H5ConvError`` of kind `badData` for text and other types, unsafe storage, or data that is not there.
  package func readBytes<Result>(
    _ make: (_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> Result
  ) throws -> Result {
    try checkedStorage()
    guard let size = elementType.byteCount, elementType.isNumeric else {
      throw H5ConvError(.badData, "a dataset of \(elementType) where numbers were expected", at: path)
    }
    let (count, overflow) = try elementCount().multipliedReportingOverflow(by: size)
    guard !overflow else { throw H5ConvError(.limit, "a dataset of \(shape) \(elementType)", at: path) }
    return try make(count) { buffer in
      guard buffer.count == count else {
        throw H5ConvError(.internalFault, "a buffer of another size than the dataset", at: path)
      }
      // Opaque bytes and enumerations are read as they are; HDF5 converts the rest, which costs nothing when it is the same.
      let stored = try Handle.type("read the type of \(path)") { H5Dget_type(handle.id) }
      let converts = if case .float = elementType { true } else { elementType.isBigEndian }
      let type = converts ? try elementType.makeLittleEndianType() : stored
      try read(into: buffer.baseAddress, as: type.id)
    }
  }

  /// Where the elements lie in the file as they are in memory, one after the other in little-endian order; nil when they are
  /// chunked, packed or in another order.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` for unsafe storage.
  package func fileRange() throws -> (offset: Int, count: Int)? {
    let storage = try checkedStorage()
    guard storage.layout == H5D_CONTIGUOUS, !elementType.isBigEndian, elementType.isNumeric,
      let size = elementType.byteCount, try isPlainFloat()
    else { return nil }
    let (count, overflow) = try elementCount().multipliedReportingOverflow(by: size)
    guard !overflow, let offset = Int(exactly: storage.offset), offset > 0 else { return nil }
    return (offset, count)
  }

  /// Whether elements that are floating point are the IEEE type of their size: there are others.
  private func isPlainFloat() throws(H5ConvError) -> Bool {
    guard case .float(let bytes, _) = elementType else { return true }
    let stored = try Handle.type("read the type of \(path)") { H5Dget_type(handle.id) }
    return try Library.call("compare types") { h5c_is_plain_float(stored.id, bytes) } > 0
  }

  private func located(_ error: H5ConvError) -> H5ConvError {
    H5ConvError(error.kind, error.what, at: error.place ?? path, remedy: error.remedy, reason: error.reason)
  }
}

// MARK: - How the elements are stored

extension Dataset {
  /// How the elements are stored; asked of HDF5 once.
  func storage() throws(H5ConvError) -> h5c_storage {
    if let storage = knownStorage.withLock({ $0 }) { return storage }
    var storage = h5c_storage()
    _ = try Library.call("read the storage of \(path)") { h5c_storage_of(objectID, &storage) }
    let found = storage
    knownStorage.withLock { $0 = found }
    return storage
  }

  func fileSize() throws(H5ConvError) -> UInt64 {
    let file = Handle(try Library.call("find the file of \(path)") { H5Iget_file_id(handle.id) }) { H5Fclose($0) }
    var size: hsize_t = 0
    _ = try Library.call("read the size of the file") { H5Fget_filesize(file.id, &size) }
    return size
  }

  private static let filterNames: [H5Z_filter_t: String] = [
    H5Z_FILTER_DEFLATE: "gzip", H5Z_FILTER_SHUFFLE: "shuffle", H5Z_FILTER_FLETCHER32: "fletcher32",
    H5Z_FILTER_SZIP: "szip", 32000: "lzf",
  ]

  private static func name(ofFilter number: H5Z_filter_t) -> String { filterNames[number] ?? "filter \(number)" }

  /// How the elements are stored.
  ///
  /// - Throws: ``H5ConvError`` where that reads other files, needs a plug-in, or declares far more than is stored.
  @discardableResult
  private func checkedStorage() throws(H5ConvError) -> h5c_storage {
    let storage = try storage()
    if storage.layout == H5D_VIRTUAL || storage.external > 0 {
      throw H5ConvError(
        .badData, "a dataset whose data is in other files, which are never opened", at: path, reason: .externalStorage)
    }
    let filters = storage.filterNumbers.map(Dataset.name(ofFilter:))
    let known = ["gzip", "shuffle", "fletcher32", "szip"]
    if let filter = filters.first(where: { !known.contains($0) }) {
      throw H5ConvError(
        .unsupported, "a dataset packed with \(filter)", at: path, remedy: "repack the file with h5repack -f GZIP=4")
    }
    if Set(filters).count < filters.count {
      throw H5ConvError(.badData, "a dataset packed twice in the same way", at: path)
    }
    let fileSize = try fileSize()
    guard storage.stored <= fileSize else {
      throw H5ConvError(
        .badData, "a dataset that takes \(storage.stored) bytes of a file of \(fileSize)", at: path,
        remedy: "the file is damaged or cut short; get it again")
    }
    guard let size = elementType.byteCount else { return storage }
    let (declared, overflow) = try elementCount().multipliedReportingOverflow(by: size)
    // A dataset may declare any extent and store nothing of it; without filters every element takes its bytes in the file.
    let ratio: UInt64 = filters.isEmpty ? 1 : 1100
    if overflow || UInt64(declared) / ratio > storage.stored {
      throw H5ConvError(
        .badData, "a dataset of \(shape) \(elementType) that has only \(storage.stored) bytes in the file",
        at: path,
        remedy: "the file is damaged or cut short; get it again")
    }
    return storage
  }
}

extension h5c_storage {
  /// HDF5's numbers of the filters, in the order in which they are applied when writing.
  var filterNumbers: [H5Z_filter_t] {
    withUnsafeBytes(of: filter) { bytes in
      Array(bytes.assumingMemoryBound(to: H5Z_filter_t.self).prefix(Int(filters)))
    }
  }
}
