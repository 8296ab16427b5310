package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvFiles
package import H5ConvHDF5

/// The `.safetensors` format: eight bytes with the length of a JSON header, the header, the elements.
///
/// The header maps names to `{"dtype", "shape", "data_offsets"}`; `__metadata__` maps text to text.
package enum Safetensors {
  /// Bytes of header that are read.
  private static let headerLimit = 100 << 20

  /// Element types by the format's names.
  package static let types: [(name: String, type: ElementType)] = [
    ("F16", .float(bytes: 2, bigEndian: false)), ("F32", .float(bytes: 4, bigEndian: false)),
    ("F64", .float(bytes: 8, bigEndian: false)), ("BF16", .opaque(bytes: 2)), ("BOOL", .bool),
    ("I8", .integer(bytes: 1, signed: true, bigEndian: false)),
    ("U8", .integer(bytes: 1, signed: false, bigEndian: false)),
    ("I16", .integer(bytes: 2, signed: true, bigEndian: false)),
    ("U16", .integer(bytes: 2, signed: false, bigEndian: false)),
    ("I32", .integer(bytes: 4, signed: true, bigEndian: false)),
    ("U32", .integer(bytes: 4, signed: false, bigEndian: false)),
    ("I64", .integer(bytes: 8, signed: true, bigEndian: false)),
    ("U64", .integer(bytes: 8, signed: false, bigEndian: false)),
  ]

  /// The weights and the metadata of `file`.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` for a header that does not describe the file.
  package static func read(_ file: OpenFile) throws -> (weights: NamedWeights, metadata: JSONObject) {
    func damaged(_ what: String, _ place: String? = nil) -> H5ConvError { H5ConvError(.badData, what, at: place) }
    guard file.size >= 8 else {
      throw H5ConvError(.badData, "the file is cut short", remedy: "download or copy it again", reason: .truncated)
    }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= headerLimit, Int(length) <= file.size - 8 else {
      throw damaged("the header of \(length) bytes is not in the file")
    }
    let start = 8 + Int(length)
    guard let header = try JSONParser.parse(try file.bytes(at: 8, count: Int(length))).object else {
      throw damaged("the header is not an object")
    }
    var tensors: [StoredTensor] = []
    for (name, entry) in header.members where name != "__metadata__" {
      guard let code = entry["dtype"]?.string, let type = types.first(where: { $0.name == code })?.type else {
        throw H5ConvError(.unsupported, "the dtype \(entry["dtype"]?.string ?? "is not told or") not read", at: name)
      }
      guard let sizes = entry["shape"]?.array?.map(\.integer),
        let offsets = entry["data_offsets"]?.array?.map(\.integer),
        offsets.count == 2, let begin = offsets[0], let end = offsets[1], begin >= 0, begin <= end,
        end <= file.size - start, !sizes.contains(where: { ($0 ?? -1) < 0 })
      else { throw damaged("the entry does not lie in the file", name) }
      let tensor = StoredTensor(
        name, shape: sizes.compactMap { $0 }, type: type, FileSource(file, offset: start + begin, count: end - begin))
      guard try tensor.byteCount() == end - begin else { throw damaged("the shape does not fill its bytes", name) }
      tensors.append(tensor)
    }
    return (try NamedWeights(tensors), header["__metadata__"]?.object ?? JSONObject())
  }
}
