import CHDF5
package import H5ConvDiagnostics

/// A dataset of an HDF5 file; opening it reads its shape and type, not its elements.
package final class Dataset: AttributeOwner, Sendable {
  private let handle: Handle
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
    return ([storage.layout] + storage.filters).joined(separator: " ")
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
    try checkStorage()
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
    try checkStorage()
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
    try checkStorage()
    let storage = try storage()
    guard storage.layout == "contiguous", !elementType.isBigEndian, elementType.isNumeric,
      let size = elementType.byteCount, try isPlainFloat()
    else { return nil }
    let (count, overflow) = try elementCount().multipliedReportingOverflow(by: size)
    let address = Library.stored { UInt64(H5Dget_offset(handle.id)) }
    guard !overflow, let offset = Int(exactly: address), offset > 0 else { return nil }
    return (offset, count)
  }

  /// Whether elements that are floating point are the IEEE type of their size: there are others.
  private func isPlainFloat() throws(H5ConvError) -> Bool {
    guard case .float = elementType else { return true }
    let stored = try Handle.type("read the type of \(path)") { H5Dget_type(handle.id) }
    let plain = try elementType.makeLittleEndianType()
    return try Library.call("compare types") { H5Tequal(stored.id, plain.id) } > 0
  }

  private func located(_ error: H5ConvError) -> H5ConvError {
    H5ConvError(error.kind, error.what, at: error.place ?? path, remedy: error.remedy, reason: error.reason)
  }
}

// MARK: - How the elements are stored

extension Dataset {
  private struct Storage {
    var layout: String
    var filters: [String]
    var isExternal: Bool
    var storedBytes: UInt64
  }

  private func storage() throws(H5ConvError) -> Storage {
    let properties = try Handle.properties("read the storage of \(path)") { H5Dget_create_plist(objectID) }
    let kind = try Library.call("read the layout of \(path)") { H5Pget_layout(properties.id).rawValue }
    let layout =
      switch H5D_layout_t(kind) {
      case H5D_COMPACT: "compact"
      case H5D_CONTIGUOUS: "contiguous"
      case H5D_CHUNKED: "chunked"
      default: "virtual"
      }
    let external = try Library.call("read the storage of \(path)") { H5Pget_external_count(properties.id) }
    var filters: [String] = []
    let count = try Library.call("read the filters of \(path)") { H5Pget_nfilters(properties.id) }
    for place in 0..<max(0, count) {
      var flags: UInt32 = 0
      var values = 0
      var configuration: UInt32 = 0
      let filter = try Library.call("read the filters of \(path)") {
        H5Pget_filter2(properties.id, UInt32(place), &flags, &values, nil, 0, nil, &configuration)
      }
      filters.append(Dataset.filterNames[filter] ?? "filter \(filter)")
    }
    let stored = Library.stored { H5Dget_storage_size(objectID) }
    return Storage(layout: layout, filters: filters, isExternal: external > 0, storedBytes: stored)
  }

  private static let filterNames: [H5Z_filter_t: String] = [
    H5Z_FILTER_DEFLATE: "gzip", H5Z_FILTER_SHUFFLE: "shuffle", H5Z_FILTER_FLETCHER32: "fletcher32",
    H5Z_FILTER_SZIP: "szip", 32000: "lzf",
  ]

  /// Refuses storage that reads other files, needs a plug-in, or declares far more than is stored.
  private func checkStorage() throws(H5ConvError) {
    let storage = try storage()
    if storage.layout == "virtual" || storage.isExternal {
      throw H5ConvError(
        .badData, "a dataset whose data is in other files, which are never opened", at: path, reason: .externalStorage)
    }
    let known = ["gzip", "shuffle", "fletcher32", "szip"]
    if let filter = storage.filters.first(where: { !known.contains($0) }) {
      throw H5ConvError(
        .unsupported, "a dataset packed with \(filter)", at: path, remedy: "repack the file with h5repack -f GZIP=4")
    }
    guard let size = elementType.byteCount else { return }
    let (declared, overflow) = try elementCount().multipliedReportingOverflow(by: size)
    // A dataset may declare any extent and store nothing of it; without filters every element takes its bytes in the file.
    let ratio: UInt64 = storage.filters.isEmpty ? 1 : 1100
    if overflow || UInt64(declared) / ratio > storage.storedBytes {
      throw H5ConvError(
        .badData, "a dataset of \(shape) \(elementType) that has only \(storage.storedBytes) bytes in the file",
        at: path,
        remedy: "the file is damaged or cut short; get it again")
    }
  }
}

extension Library {
  /// Bytes stored, 0 when HDF5 does not say: the C function has no error value that an extent of 0 does not share.
  static func stored(_ body: () -> hsize_t) -> UInt64 {
    var bytes: hsize_t = 0
    release { bytes = body() }
    return bytes
  }
}
