import CHDF5
package import H5ConvDiagnostics

/// How the elements of a new dataset are stored.
package enum StoredFloat: Sendable {
  case float16, float32, float64

  var elementType: ElementType {
    switch self {
    case .float16: .float(bytes: 2, bigEndian: false)
    case .float32: .float(bytes: 4, bigEndian: false)
    case .float64: .float(bytes: 8, bigEndian: false)
    }
  }
}

/// Bytes of one attribute above which HDF5's default format refuses it; Keras' own limit.
private let attributeLimit = 64512

extension Group {
  /// Makes the group `name`, and groups on the way to it when `name` is a path, or opens it when it is there.
  package func makeGroup(_ name: String) throws(H5ConvError) -> Group {
    if let found = try group(name) { return found }
    let links = try Handle.properties("prepare a group") { H5Pcreate(h5c_link_create()) }
    _ = try Library.call("prepare a group") { H5Pset_create_intermediate_group(links.id, 1) }
    let id = try Library.call("make the group \(pathOf(name))", kind: .inputOutput) {
      H5Gcreate2(objectID, name, links.id, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
    }
    return Group(Handle(id) { H5Gclose($0) }, path: pathOf(name), address: 0)
  }

  /// Writes a dataset of `shape` with `elements` in row-major order; `gzip` (level 1–9) stores it chunked and packed.
  package func write(
    _ name: String, shape: [Int], elements: UnsafeBufferPointer<Float>, as stored: StoredFloat = .float32,
    gzip: Int? = nil
  ) throws(H5ConvError) {
    guard try Dataspace.elementCount(of: shape) == elements.count else {
      throw H5ConvError(.internalFault, "\(elements.count) elements for the shape \(shape)", at: pathOf(name))
    }
    let type = try stored.elementType.makeLittleEndianType()
    let dataset = try makeDataset(name, shape: shape, as: type, gzip: gzip, isExtendable: false)
    guard let base = elements.baseAddress, elements.count > 0 else { return }
    let source = try Library.call("name a type") { h5c_native_float() }
    _ = try Library.call("write \(pathOf(name))", kind: .inputOutput) {
      H5Dwrite(dataset.id, source, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT), base)
    }
  }

  /// Makes a dataset to which rows are appended; `rowShape` is the shape of one row, without the growing axis 0.
  package func makeRows(_ name: String, rowShape: [Int]) throws(H5ConvError) -> RowWriter {
    let type = try StoredFloat.float32.elementType.makeLittleEndianType()
    let handle = try makeDataset(name, shape: [0] + rowShape, as: type, gzip: nil, isExtendable: true)
    return RowWriter(handle, path: pathOf(name), rowShape: rowShape)
  }

  /// Makes the dataset `name` for elements of `type` in little-endian order.
  ///
  /// Without `gzip` its place in the file is fixed at once, so that the bytes may be written there after the file is closed.
  package func makeDataset(
    _ name: String, shape: [Int], type: ElementType, gzip: Int? = nil
  ) throws(H5ConvError) -> DatasetWriter {
    let type = try type.makeLittleEndianType()
    let handle = try makeDataset(name, shape: shape, as: type, gzip: gzip, isExtendable: false, isPlacedEarly: true)
    return DatasetWriter(handle, type, path: pathOf(name))
  }

  private func makeDataset(
    _ name: String, shape: [Int], as type: Handle, gzip: Int?, isExtendable: Bool, isPlacedEarly: Bool = false
  ) throws(H5ConvError) -> Handle {
    let space = try Dataspace.create(shape, isExtendable: isExtendable)
    let properties = try Handle.properties("prepare a dataset") { H5Pcreate(h5c_dataset_create()) }
    // No time stamps: the same model gives the same bytes.
    _ = try Library.call("prepare a dataset") { H5Pset_obj_track_times(properties.id, false) }
    // Nothing to pack in a scalar or an empty dataset.
    let gzip = shape.isEmpty || shape.contains(0) ? nil : gzip
    if isPlacedEarly, gzip == nil {
      _ = try Library.call("prepare a dataset") { H5Pset_alloc_time(properties.id, H5D_ALLOC_TIME_EARLY) }
      _ = try Library.call("prepare a dataset") { H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER) }
    }
    if !shape.isEmpty, gzip != nil || isExtendable {
      let chunk = Group.chunk(for: shape)
      _ = try Library.call("prepare a dataset") {
        H5Pset_chunk(properties.id, Int32(clamping: chunk.count), chunk.map { hsize_t(clamping: $0) })
      }
    }
    if let gzip {
      _ = try Library.call("prepare a dataset") { H5Pset_shuffle(properties.id) }
      _ = try Library.call("prepare a dataset") { H5Pset_deflate(properties.id, UInt32(clamping: gzip)) }
    }
    let links = try Handle.properties("prepare a dataset") { H5Pcreate(h5c_link_create()) }
    _ = try Library.call("prepare a dataset") { H5Pset_create_intermediate_group(links.id, 1) }
    return Handle(
      try Library.call("make the dataset \(pathOf(name))", kind: .inputOutput) {
        H5Dcreate2(objectID, name, type.id, space.id, links.id, properties.id, hid_t(H5P_DEFAULT))
      }
    ) { H5Dclose($0) }
  }

  /// A chunk of at most about a million elements: whole inner axes, as many rows of the outer ones as fit.
  private static func chunk(for shape: [Int]) -> [Int] {
    var left = 1 << 20
    var chunk: [Int] = []
    for size in shape.reversed() {
      let part = max(1, min(size == 0 ? 1 : size, left))
      chunk.append(part)
      left = max(1, left / part)
    }
    return chunk.reversed()
  }
}

extension AttributeOwner {
  /// Writes `text` as the scalar attribute `name`: UTF-8 of variable length, as h5py writes it.
  package func writeAttribute(_ name: String, _ text: String) throws(H5ConvError) {
    let type = try stringType(bytes: nil)
    let space = try Dataspace.create([])
    let attribute = try makeAttribute(name, type, space)
    _ = try Library.call("write the attribute '\(name)'", kind: .inputOutput) {
      text.withCString { pointer in
        var pointer: UnsafePointer<CChar>? = pointer
        return H5Awrite(attribute.id, type.id, &pointer)
      }
    }
  }

  /// Writes `texts` as the list attribute `name`, split into `name0`, `name1`, … as Keras does when it exceeds HDF5's 64 KB.
  package func writeAttribute(_ name: String, _ texts: [String]) throws(H5ConvError) {
    let longest = texts.map(\.utf8.count).max() ?? 0
    guard longest <= attributeLimit else {
      throw H5ConvError(.cannotWrite, "a text of \(longest) bytes does not fit an attribute", at: name)
    }
    guard texts.count * longest > attributeLimit else { return try writeList(name, texts, width: longest) }
    let pieces = (texts.count * longest + attributeLimit - 1) / attributeLimit
    var split = pieces
    // The smallest number of nearly equal pieces that fit, the first ones longer by one (numpy.array_split).
    while (texts.count + split - 1) / split * longest > attributeLimit { split += 1 }
    var start = 0
    for piece in 0..<split {
      let count = texts.count / split + (piece < texts.count % split ? 1 : 0)
      try writeList(name + String(piece), Array(texts[start..<start + count]), width: longest)
      start += count
    }
  }

  private func writeList(_ name: String, _ texts: [String], width: Int) throws(H5ConvError) {
    guard !texts.isEmpty else {
      // What h5py writes for an empty list: zero float64 elements.
      let type = try Handle.type("make a type") { H5Tcopy(h5c_ieee_f64le()) }
      _ = try makeAttribute(name, type, try Dataspace.create([0]))
      return
    }
    let type = try stringType(bytes: max(1, width))
    var bytes = [UInt8](repeating: 0, count: texts.count * max(1, width))
    for (item, text) in texts.enumerated() {
      bytes.replaceSubrange(item * max(1, width)..<item * max(1, width) + text.utf8.count, with: text.utf8)
    }
    let attribute = try makeAttribute(name, type, try Dataspace.create([texts.count]))
    _ = try Library.call("write the attribute '\(name)'", kind: .inputOutput) {
      H5Awrite(attribute.id, type.id, bytes)
    }
  }

  private func stringType(bytes: Int?) throws(H5ConvError) -> Handle {
    let type = try Handle.type("make a text type") { H5Tcopy(h5c_c_string()) }
    _ = try Library.call("make a text type") { H5Tset_size(type.id, bytes ?? h5c_variable()) }
    _ = try Library.call("make a text type") {
      bytes == nil ? H5Tset_cset(type.id, H5T_CSET_UTF8) : H5Tset_strpad(type.id, H5T_STR_NULLPAD)
    }
    return type
  }

  private func makeAttribute(_ name: String, _ type: Handle, _ space: Handle) throws(H5ConvError) -> Handle {
    Handle(
      try Library.call("make the attribute '\(name)'", kind: .inputOutput) {
        H5Acreate2(objectID, name, type.id, space.id, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
      }
    ) { H5Aclose($0) }
  }
}
