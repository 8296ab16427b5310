import Glibc
import H5ConvDiagnostics
package import H5ConvFiles

/// What a file is, by its bytes; the name is no evidence.
package enum FileKind: Sendable, Equatable {
  case hdf5
  case zip
  case json
  case safetensors

  /// Looks at the beginning of `file`, or of the `size` bytes from `offset` of it.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData`: empty, cut short, something else than a model.
  package static func of(_ file: OpenFile, from offset: Int = 0, size: Int? = nil) throws -> FileKind {
    let size = size ?? file.size
    guard size > 0 else { throw H5ConvError(.badData, "the file is empty", remedy: "get it again", reason: .emptyFile) }
    return try kind(Head(file.descriptor, offset: offset, size: size))
  }

  private static func kind(_ head: Head) throws -> FileKind {
    // An archive may hold HDF5 wherever it likes.
    if head.bytes(at: 0, count: 4) == Array("PK\u{3}\u{4}".utf8) { return .zip }
    // The HDF5 signature may follow a user block of 512, 1024, 2048 … bytes.
    var offset = 0
    while offset < head.size, offset < 1 << 24 {
      let start = head.bytes(at: offset, count: 64)
      if start.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]) {
        try checkLength(start, offset: offset, size: head.size)
        return .hdf5
      }
      offset = offset == 0 ? 512 : offset * 2
    }
    let start = head.bytes(at: 0, count: 256)
    let text = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{feff}" }
    if text.hasPrefix("version https://git-lfs") {
      throw H5ConvError(
        .badData, "this is a Git LFS pointer, not the model", remedy: "fetch the file itself with 'git lfs pull'",
        reason: .gitLFSPointer)
    }
    if text.hasPrefix("<") {
      throw H5ConvError(
        .badData, "this is a web page, not a model", remedy: "download the file itself", reason: .webPage)
    }
    if text.hasPrefix("{") { return .json }
    // Eight bytes of length, then a JSON object within it.
    if start.count > 9, start[8] == UInt8(ascii: "{"), start[6] == 0, start[7] == 0 { return .safetensors }
    throw H5ConvError(
      .badData, "this is not a Keras model file", remedy: "give an .h5, .keras or .weights.h5 file that Keras saved",
      reason: .notAModel)
  }

  /// Compares the end-of-file address in the superblock with the file's size.
  private static func checkLength(_ superblock: [UInt8], offset: Int, size: Int) throws {
    func number(at place: Int) -> Int? {
      guard superblock.count >= place + 8 else { return nil }
      let bits = superblock[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Int(exactly: bits)
    }
    guard superblock.count > 16 else { throw tooShort(size, nil) }
    let end: Int? =
      switch superblock[8] {
      case 0 where superblock[13] == 8: number(at: 40)
      case 1 where superblock[13] == 8: number(at: 44)
      case 2 where superblock[9] == 8, 3 where superblock[9] == 8: number(at: 28)
      default: size
      }
    guard let end else { throw tooShort(size, nil) }
    if end > size { throw tooShort(size, end) }
  }

  private static func tooShort(_ size: Int, _ end: Int?) -> H5ConvError {
    H5ConvError(
      .badData, "the file is cut short: it has \(size)\(end.map { " of \($0)" } ?? "") bytes",
      remedy: "download or copy it again", reason: .truncated)
  }

  private struct Head {
    private let descriptor: Int32
    private let offset: Int
    let size: Int

    init(_ descriptor: Int32, offset: Int, size: Int) {
      self.descriptor = descriptor
      self.offset = offset
      self.size = size
    }

    func bytes(at place: Int, count: Int) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      let got = pread(descriptor, &bytes, max(0, min(count, size - place)), off_t(offset + place))
      return Array(bytes.prefix(max(0, got)))
    }
  }
}
