import Glibc
import H5ConvDiagnostics
import H5ConvFiles

/// A zip archive of stored members whose last one is written in place (APPNOTE.TXT 4.3), so that a large model is written once.
///
/// Times are those of the format's first day: the same model gives the same bytes.
final class StoredArchive {
  private let path: String
  let descriptor: Int32
  private var entries: [(name: [UInt8], offset: Int, size: Int, crc: UInt32)] = []
  private var end = 0

  /// Bytes above which the 32-bit fields of the format do not do.
  static let sizeLimit = 0xffff_0000

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
  }

  deinit { close(descriptor) }

  /// Adds a member with its bytes.
  func add(_ name: String, _ bytes: [UInt8]) throws {
    let entry = (name: Array(name.utf8), offset: end, size: bytes.count, crc: checksum(of: bytes))
    try write(StoredArchive.header(entry, padding: 0) + bytes)
    entries.append(entry)
  }

  /// Where the bytes of a last member `name` begin that is to be written in place: at a multiple of 64, and of no larger power of
  /// two, where programs look for HDF5 in whatever file.
  func beginLast(_ name: String) throws -> Int {
    let name = Array(name.utf8)
    entries.append((name: name, offset: end, size: 0, crc: 0))
    let plain = end + 30 + name.count
    // An extra field has four bytes of its own.
    padding = (64 + 128 - (plain + 4) % 128) % 128 + 4
    try write(StoredArchive.header(entries[entries.count - 1], padding: padding))
    return end
  }

  private var padding = 0

  /// Tells the checksum and size of the last member, which goes to the end of the file, and writes the directory.
  func finish() throws {
    let file = try OpenFile(path)
    let last = entries.count - 1
    entries[last].size = file.size - end
    guard file.size < StoredArchive.sizeLimit else {
      throw H5ConvError(.limit, "an archive of \(file.size) bytes", file: path)
    }
    entries[last].crc = try checksum(of: file, from: end)
    let header = StoredArchive.header(entries[last], padding: padding)
    try header.withUnsafeBytes { try writeBytes($0, to: descriptor, at: entries[last].offset, path: path) }
    end = file.size
    let start = end
    for entry in entries {
      try write(
        bytes([0x0201_4b50], 4) + bytes([20, 20, 0, 0, 0, 0x21], 2)
          + bytes([Int(entry.crc), entry.size, entry.size], 4)
          + bytes([entry.name.count, 0, 0, 0, 0], 2) + bytes([0, entry.offset], 4) + entry.name)
    }
    let size = end - start
    try write(
      bytes([0x0605_4b50], 4) + bytes([0, 0, entries.count, entries.count], 2) + bytes([size, start], 4) + bytes([0], 2)
    )
  }

  private func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try writeBytes($0, to: descriptor, at: end, path: path) }
    end += bytes.count
  }

  /// A local header; `padding` bytes behind the name are an extra field that means nothing.
  private static func header(
    _ entry: (name: [UInt8], offset: Int, size: Int, crc: UInt32), padding: Int
  ) -> [UInt8] {
    bytes([0x0403_4b50], 4) + bytes([20, 0, 0, 0, 0x21], 2) + bytes([Int(entry.crc), entry.size, entry.size], 4)
      + bytes([entry.name.count, padding], 2) + entry.name
      + (padding == 0 ? [] : bytes([0xd935, padding - 4], 2) + Array(repeating: 0, count: padding - 4))
  }
}

/// Numbers as little-endian bytes.
private func bytes(_ numbers: [Int], _ size: Int) -> [UInt8] {
  numbers.flatMap { number in (0..<size).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
}
