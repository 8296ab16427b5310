import Glibc
import H5ConvDiagnostics
package import H5ConvFiles

/// A zip archive of stored members whose last one is written in place (APPNOTE.TXT 4.3), so that a large model is written once.
///
/// Members before the last are small; the last may need 64-bit sizes (4.5.3), and the directory behind it a 64-bit place (4.3.14, 4.3.15).
///
/// Times are those of the format's first day: the same model gives the same bytes.
package final class StoredArchive {
  private let path: String
  package let descriptor: Int32
  /// The least number that fields of 32 bits do not hold.
  private let limit: Int
  private var entries: [(name: [UInt8], offset: Int, size: Int, crc: UInt32)] = []
  private var end = 0

  /// What fields of 32 bits say where the number is elsewhere.
  package static let isElsewhere = 0xffff_ffff

  /// - Parameter limit: the least number that is written with 64 bits; less than needed in tests alone.
  package init(_ path: String, limit: Int = StoredArchive.isElsewhere) throws {
    self.path = path
    self.limit = limit
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
  }

  deinit { close(descriptor) }

  /// Adds a member with its bytes.
  package func add(_ name: String, _ bytes: [UInt8]) throws {
    let entry = (name: Array(name.utf8), offset: end, size: bytes.count, crc: checksum(of: bytes))
    try write(header(entry, padding: 0) + bytes)
    entries.append(entry)
  }

  /// Where the bytes of a last member `name` begin that is to be written in place: at a multiple of 64, and of no larger power of
  /// two, where programs look for HDF5 in whatever file.
  package func beginLast(_ name: String) throws -> Int {
    let name = Array(name.utf8)
    entries.append((name: name, offset: end, size: 0, crc: 0))
    let plain = end + 30 + name.count
    // Room for 64-bit sizes; extra fields have four bytes of their own.
    padding = (64 + 128 - (plain + 28) % 128) % 128 + 28
    try write(header(entries[entries.count - 1], padding: padding))
    return end
  }

  private var padding = 0

  /// Tells the checksum and size of the last member, which goes to the end of the file, and writes the directory.
  ///
  /// - Parameter ranges: parts of that member whose checksums are known.
  package func finish(_ ranges: [SummedRange] = []) throws {
    let file = try OpenFile(path)
    let last = entries.count - 1
    entries[last].size = file.size - end
    entries[last].crc = try checksum(of: file, from: end, known: ranges)
    let header = header(entries[last], padding: padding)
    try header.withUnsafeBytes { try writeBytes($0, to: descriptor, at: entries[last].offset, path: path) }
    end = file.size
    let start = end
    for entry in entries {
      // Places are those of members before the last, or where that begins: all small.
      let large = largeSizes(entry.size)
      let size = large.isEmpty ? entry.size : StoredArchive.isElsewhere
      try write(
        bytes([0x0201_4b50], 4) + bytes([large.isEmpty ? 20 : 45, large.isEmpty ? 20 : 45, 0, 0, 0, 0x21], 2)
          + bytes([Int(entry.crc), size, size], 4) + bytes([entry.name.count, large.count, 0, 0, 0], 2)
          + bytes([0, entry.offset], 4) + entry.name + large)
    }
    let size = end - start
    let isLarge = start >= limit
    if isLarge {
      let place = end
      try write(
        bytes([0x0606_4b50], 4) + bytes([44], 8) + bytes([45, 45], 2) + bytes([0, 0], 4)
          + bytes([entries.count, entries.count, size, start], 8))
      try write(bytes([0x0706_4b50, 0], 4) + bytes([place], 8) + bytes([1], 4))
    }
    try write(
      bytes([0x0605_4b50], 4) + bytes([0, 0, entries.count, entries.count], 2)
        + bytes([size, isLarge ? StoredArchive.isElsewhere : start], 4) + bytes([0], 2))
  }

  /// The extra field with sizes that 32 bits do not hold; empty where they do.
  private func largeSizes(_ size: Int) -> [UInt8] {
    size < limit ? [] : bytes([1, 16], 2) + bytes([size, size], 8)
  }

  private func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try writeBytes($0, to: descriptor, at: end, path: path) }
    end += bytes.count
  }

  /// A local header; `padding` bytes behind the name are extra fields: 64-bit sizes where they are needed, and one that means nothing.
  private func header(
    _ entry: (name: [UInt8], offset: Int, size: Int, crc: UInt32), padding: Int
  ) -> [UInt8] {
    let large = largeSizes(entry.size)
    let size = large.isEmpty ? entry.size : StoredArchive.isElsewhere
    let rest = padding - large.count
    return bytes([0x0403_4b50], 4) + bytes([large.isEmpty ? 20 : 45, 0, 0, 0, 0x21], 2)
      + bytes([Int(entry.crc), size, size], 4) + bytes([entry.name.count, padding], 2) + entry.name + large
      + (rest == 0 ? [] : bytes([0xd935, rest - 4], 2) + Array(repeating: 0, count: rest - 4))
  }
}

/// Numbers as little-endian bytes.
private func bytes(_ numbers: [Int], _ size: Int) -> [UInt8] {
  numbers.flatMap { number in (0..<size).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
}
