import CHDF5
import CHDF5Window
package import H5ConvDiagnostics

/// An object of a file that carries attributes: a group or a dataset.
package protocol AttributeOwner {
  /// The object's identifier in libhdf5; valid while the object lives.
  var objectID: Int64 { get }
}

/// Bytes of text that one attribute may hold.
private let textLimit = 1 << 30

extension AttributeOwner {
  /// Whether the object has an attribute `name`.
  package func hasAttribute(_ name: String) throws(H5ConvError) -> Bool {
    try Library.call("look up the attribute '\(name)'") { H5Aexists(objectID, name) } > 0
  }

  /// Names of all attributes, in HDF5's order of names.
  package func attributeNames() throws(H5ConvError) -> [String] {
    let list = NameList()
    var place: hsize_t = 0
    _ = try Library.call("list attributes") {
      H5Aiterate2(
        objectID, H5_INDEX_NAME, H5_ITER_INC, &place,
        { _, name, _, context in
          NameList.append(name, to: context)
        }, list.context)
    }
    return try list.checked("attributes")
  }

  /// The text of the scalar (or one-element) attribute `name`; nil when there is none.
  package func stringAttribute(_ name: String) throws(H5ConvError) -> String? {
    try stringsAttribute(name)?.first
  }

  /// The texts of the attribute `name`: fixed or variable length, a scalar or a list; nil when there is none.
  ///
  /// An empty list is written by h5py as zero float64 elements, and read as no texts.
  /// - Throws: ``H5ConvError`` of kind `badData` when the attribute holds something other than text.
  package func stringsAttribute(_ name: String) throws(H5ConvError) -> [String]? {
    guard try hasAttribute(name) else { return nil }
    let attribute = Handle(
      try Library.call("open the attribute '\(name)'") { H5Aopen(objectID, name, hid_t(H5P_DEFAULT)) }
    ) { H5Aclose($0) }
    let space = try Handle.space("read the extent of '\(name)'") { H5Aget_space(attribute.id) }
    let shape = try Dataspace.shape(of: space)
    let count = if let shape { try elementCount(shape, name) } else { 0 }
    let type = try Handle.type("read the type of '\(name)'") { H5Aget_type(attribute.id) }
    switch try ElementType.of(type) {
    case _ where count == 0: return []
    case .string(nil): return try variableStrings(attribute, type, space, count: count, name)
    case .string(let bytes?): return try fixedStrings(attribute, type, size: bytes, count: count, name)
    case let other: throw H5ConvError(.badData, "the attribute '\(name)' holds \(other), not text")
    }
  }

  /// The texts of `name`, or of `name0`, `name1`, …, into which Keras splits a list over HDF5's 64 KB limit; nil when there is
  /// neither.
  package func splitStringsAttribute(_ name: String) throws(H5ConvError) -> [String]? {
    if let strings = try stringsAttribute(name) { return strings }
    guard var strings = try stringsAttribute(name + "0") else { return nil }
    var piece = 1
    while let more = try stringsAttribute(name + String(piece)) {
      strings += more
      piece += 1
    }
    return strings
  }

  private func elementCount(_ shape: [Int], _ name: String) throws(H5ConvError) -> Int {
    let count = try Dataspace.elementCount(of: shape)
    guard count <= 1 << 24 else { throw H5ConvError(.limit, "the attribute '\(name)' has \(count) elements") }
    return count
  }

  private func fixedStrings(
    _ attribute: Handle, _ type: Handle, size: Int, count: Int, _ name: String
  ) throws(H5ConvError) -> [String] {
    guard size > 0, size <= textLimit / count else {
      throw H5ConvError(.limit, "the attribute '\(name)' holds \(count) texts of \(size) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: size * count)
    _ = try Library.call("read the attribute '\(name)'") { H5Aread(attribute.id, type.id, &bytes) }
    return (0..<count).map { item in
      // NULLPAD may fill the whole field: there need not be a terminator. Some writers pad with spaces.
      var text = bytes[item * size..<(item + 1) * size]
      if let end = text.firstIndex(of: 0) { text = text[..<end] }
      return String(decoding: text, as: UTF8.self)
    }
  }

  /// Texts that lie elsewhere in the file.
  ///
  /// libhdf5 reads them without looking at what it reads: damage makes it run for ever or write
  /// behind its memory. So it is only asked where they are; but for files that are being written, which nobody else has touched.
  private func variableStrings(
    _ attribute: Handle, _ type: Handle, _ space: Handle, count: Int, _ name: String
  ) throws(H5ConvError) -> [String] {
    var window = h5c_window_place()
    var isFound: Int32 = -1
    Library.release { isFound = h5c_window_of(attribute.id, &window) }
    guard isFound >= 0 else {
      return try ownStrings(attribute, type, space, count: count, name)
    }
    var places = [h5c_text_place](repeating: h5c_text_place(), count: count)
    guard window.has_64_bits != 0,
      try Library.call("read the attribute '\(name)'", { h5c_text_places(attribute.id, count, &places) }) == 0
    else {
      throw H5ConvError(.unsupported, "the attribute '\(name)' is not stored as in files with addresses of 64 bits")
    }
    var heap = GlobalHeap(window)
    return try heap.texts(at: places, "the attribute '\(name)'")
  }

  private func ownStrings(
    _ attribute: Handle, _ type: Handle, _ space: Handle, count: Int, _ name: String
  ) throws(H5ConvError) -> [String] {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    _ = try Library.call("read the attribute '\(name)'") { H5Aread(attribute.id, type.id, &pointers) }
    let strings = pointers.map { pointer in pointer.map { String(cString: $0) } ?? "" }
    Library.release { H5Dvlen_reclaim(type.id, space.id, hid_t(H5P_DEFAULT), &pointers) }
    return strings
  }
}
