import Glibc
import H5ConvDiagnostics

/// What a file is, by its bytes; the name is no evidence.
package enum FileKind: Sendable, Equatable {
  case hdf5
  case zip
  case json

  /// Looks at the beginning of the file at `path`.
  ///
  /// - Throws: ``H5ConvError`` of kind `cannotRead` (missing, a folder, no permission) or `badData` (empty, cut short, something
  ///   else than a model).
  package static func of(_ path: String) throws -> FileKind {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw H5ConvError(
        .cannotRead, String(cString: strerror(errno)), remedy: "check the path and its permissions", file: path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw H5ConvError(.cannotRead, String(cString: strerror(errno)), file: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let what = status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is not a regular file"
      throw H5ConvError(.cannotRead, what, remedy: "give the model file itself", file: path)
    }
    guard status.st_size > 0 else {
      throw H5ConvError(.badData, "the file is empty", remedy: "get it again", file: path)
    }
    return try naming(path) { try kind(Head(descriptor, size: Int(status.st_size))) }
  }

  private static func kind(_ head: Head) throws -> FileKind {
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
    if start.starts(with: Array("PK\u{3}\u{4}".utf8)) { return .zip }
    let text = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{feff}" }
    if text.hasPrefix("version https://git-lfs") {
      throw H5ConvError(
        .badData, "this is a Git LFS pointer, not the model", remedy: "fetch the file itself with 'git lfs pull'")
    }
    if text.hasPrefix("<") {
      throw H5ConvError(.badData, "this is a web page, not a model", remedy: "download the file itself")
    }
    if text.hasPrefix("{") { return .json }
    throw H5ConvError(.badData, "this is not a Keras model file", remedy: "give an .h5 or .hdf5 file that Keras saved")
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
      remedy: "download or copy it again")
  }

  private struct Head {
    private let descriptor: Int32
    let size: Int

    init(_ descriptor: Int32, size: Int) {
      self.descriptor = descriptor
      self.size = size
    }

    func bytes(at offset: Int, count: Int) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      let got = pread(descriptor, &bytes, count, off_t(offset))
      return Array(bytes.prefix(max(0, got)))
    }
  }
}
