import H5ConvTensors
import H5ConvHDF5
import Glibc
import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvFiles

/// Writes a `.keras` archive.
package enum ArchiveWriter {
  /// - Throws: ``H5ConvError`` of kind `badData` for weights without an architecture.
  package static func write(_ model: WrittenModel, to path: String, _ options: StorageOptions) throws {
    guard let architecture = model.architecture else {
      throw H5ConvError(
        .badData, "a .keras file holds an architecture, which is not known", remedy: "give it with --architecture")
    }
    var config = ArchitectureWriter(model.dialect).config(architecture).object ?? JSONObject()
    if let training = model.trainingConfig { config["compile_config"] = training }
    // No time of writing: the same model gives the same bytes.
    let metadata: JSONValue = [
      "keras_version": model.kerasVersion.map { .string($0) } ?? .null, "date_saved": "1980-01-01@00:00:00",
    ]
    let members = [
      ("metadata.json", Array(metadata.pythonText.utf8)),
      ("config.json", Array(JSONValue.object(config).pythonText.utf8)),
    ]
    let archive = try StoredArchive(path)
    for (name, bytes) in members { try archive.add(name, bytes) }
    let offset = try archive.beginLast("model.weights.h5")
    let weights = try HDF5Target(path, descriptor: archive.descriptor, offset: offset, options)
    try VariableWriter.write(model, into: weights)
    try archive.finish(try weights.finish(isSummed: true))
  }
}

/// Writes weights by path: `.npz` and `.safetensors`.
package enum NamedWeightWriter {
  private static func named(_ model: WrittenModel, _ options: StorageOptions) throws -> [(
    name: String, tensor: StoredTensor
  )] {
    var taken = Set<String>()
    return try model.layers.flatMap { layer in
      try layer.weights.map { weight in
        let name = (layer.path + weight.owner + [weight.name]).joined(separator: "/")
        guard taken.insert(name).inserted else {
          throw H5ConvError(.badData, "two weights would be called '\(name)'")
        }
        return (name, weight.tensor.converted(to: options.type))
      }
    }
  }

  /// Writes a `.npz` with one array per weight; NumPy has no bfloat16, which becomes float32.
  package static func npz(
    _ model: WrittenModel, to path: String, part: () throws -> OutputFile, _ options: StorageOptions
  ) throws {
    var parts: [OutputFile] = []
    var members: [(name: String, content: ZipWriter.Content)] = []
    for (name, tensor) in try named(model, options) {
      let tensor = tensor.type == .opaque(bytes: 2) ? tensor.converted(to: .float(bytes: 4, bigEndian: false)) : tensor
      let file = try part()
      try write(tensor, header: try npyHeader(tensor), to: file.temporaryPath)
      parts.append(file)
      members.append((name + ".npy", .file(file.temporaryPath)))
    }
    try ZipWriter.write(path, members)
  }

  /// Writes a `.safetensors`; the architecture is in its metadata under `model_config`.
  package static func safetensors(_ model: WrittenModel, to path: String, _ options: StorageOptions) throws {
    let tensors = try named(model, options)
    var header = JSONObject()
    var metadata: JSONObject = ["format": "keras"]
    if let version = model.kerasVersion { metadata["keras_version"] = .string(version) }
    if let backend = model.backend { metadata["backend"] = .string(backend) }
    if let architecture = model.architecture {
      metadata["model_config"] = .string(ArchitectureWriter(model.dialect).config(architecture).pythonText)
    }
    header["__metadata__"] = .object(metadata)
    var offset = 0
    for (name, tensor) in tensors {
      guard let code = Safetensors.types.first(where: { $0.type == tensor.type.littleEndian })?.name else {
        throw H5ConvError(.unsupported, "elements of type \(tensor.type) have no name in .safetensors", at: name)
      }
      let count = try tensor.byteCount()
      header[name] = [
        "dtype": .string(code), "shape": .array(tensor.shape.map { .int($0) }),
        "data_offsets": [.int(offset), .int(offset + count)],
      ]
      offset += count
    }
    var text = Array(JSONValue.object(header).pythonText.utf8)
    text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) }
    let descriptor = try create(path)
    defer { close(descriptor) }
    try (length + text).withUnsafeBytes { try writeBytes($0, to: descriptor, at: 0, path: path) }
    var place = length.count + text.count
    for (_, tensor) in tensors { place += try append(tensor, to: descriptor, at: place, path) }
  }

  private static func create(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
    return descriptor
  }

  private static func write(_ tensor: StoredTensor, header: [UInt8], to path: String) throws {
    let descriptor = try create(path)
    defer { close(descriptor) }
    try header.withUnsafeBytes { try writeBytes($0, to: descriptor, at: 0, path: path) }
    _ = try append(tensor, to: descriptor, at: header.count, path)
  }

  private static func append(_ tensor: StoredTensor, to descriptor: Int32, at place: Int, _ path: String) throws -> Int
  {
    if let range = try tensor.fileRange() {
      try copyBytes(
        from: range.file, at: range.offset, count: range.count, to: descriptor, at: place, targetPath: path)
      return range.count
    }
    let bytes = try tensor.bytes()
    try bytes.withUnsafeBytes { try writeBytes($0, to: descriptor, at: place, path: path) }
    return bytes.count
  }

  private static func npyHeader(_ tensor: StoredTensor) throws -> [UInt8] {
    let code: String
    switch tensor.type {
    case .float(let bytes, _): code = "<f\(bytes)"
    case .integer(let bytes, let signed, _):
      code = bytes == 1 ? "|\(signed ? "i" : "u")1" : "<\(signed ? "i" : "u")\(bytes)"
    case .bool: code = "|b1"
    default: throw H5ConvError(.unsupported, "NumPy has no type for \(tensor.type)", at: tensor.path)
    }
    return NPYHeader.bytes(shape: tensor.shape, type: code)
  }
}
