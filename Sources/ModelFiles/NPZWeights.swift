import H5ConvDiagnostics
import H5ConvFiles
import H5ConvHDF5
import H5ConvTensors

/// Weights in the arrays of a `.npz` archive.
enum NPZWeights {
  /// The array in `member`, under its name without `.npy`.
  static func tensor(_ member: ZipArchive.Member, in archive: ZipArchive) throws -> StoredTensor {
    let (window, length) = try archive.window(member)
    let header = try naming(member) {
      try NPYHeader(of: try window.file.bytes(at: window.offset, count: min(length, 1 << 16)))
    }
    let size = header.size
    let type: ElementType =
      switch header.kind {
      case "f": .float(bytes: size, bigEndian: header.isBigEndian)
      case "b": .bool
      default: .integer(bytes: size, signed: header.kind == "i", bigEndian: header.isBigEndian)
      }
    guard let count = Tensor.elementCount(of: header.shape), header.dataOffset <= length,
      count <= (length - header.dataOffset) / size
    else { throw H5ConvError(.badData, "the array is cut short", at: member.name, reason: .truncated) }
    guard !header.isBigEndian else {
      throw H5ConvError(.unsupported, "an array in big-endian order", at: member.name)
    }
    let source = FileSource(window.file, offset: window.offset + header.dataOffset, count: count * size)
    let name = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
    let stored = StoredTensor(
      name, shape: header.isFortran ? header.shape.reversed() : header.shape, type: type, source)
    return header.isFortran ? stored.permuted(Array(stored.shape.indices.reversed())) : stored
  }

  private static func naming<Value>(_ member: ZipArchive.Member, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, at: member.name, remedy: error.remedy, reason: error.reason)
    }
  }
}
