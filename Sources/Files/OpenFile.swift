import CSystem
import Glibc
package import H5ConvDiagnostics

/// A file that is open for reading; it is opened once, so that what is looked at is what is read.
package final class OpenFile: Sendable {
  /// The descriptor; valid while the object lives.
  package let descriptor: Int32
  /// Number of bytes when it was opened.
  package let size: Int
  /// What messages call it.
  package let path: String

  /// Opens the regular file at `path`.
  ///
  /// - Throws: ``H5ConvError`` of kind `cannotRead`.
  package init(_ path: String) throws {
    (descriptor, size) = try InputFile.open(path)
    self.path = path
  }

  /// A file without a name in memory, for the unpacked member of an archive.
  ///
  /// - Parameter fill: writes its bytes to the descriptor.
  package init(unnamed path: String, _ fill: (_ descriptor: Int32) throws -> Void) throws {
    let descriptor = h5c_unnamed_file()
    guard descriptor >= 0 else { throw H5ConvError(.inputOutput, String(cString: strerror(errno)), file: path) }
    do { try fill(descriptor) } catch {
      close(descriptor)
      throw error
    }
    var status = stat()
    size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Reads bytes from `offset` until `buffer` is full.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when the file ends before, `inputOutput` when reading fails.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(H5ConvError) {
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
      if got > 0 {
        done += got
      } else if got == 0 {
        throw H5ConvError(.badData, "the file ends at byte \(offset + done)", remedy: "get it again", file: path)
      } else if errno != EINTR {
        throw H5ConvError(.inputOutput, String(cString: strerror(errno)), file: path)
      }
    }
  }

  /// The `count` bytes from `offset`.
  package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      try read(
        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: offset)
      filled = count
    }
  }
}

/// Copies `count` bytes between files.
///
/// - Parameter isSummed: whether the bytes' CRC-32 is wanted.
/// - Returns: the CRC-32, or 0 where it is not wanted.
/// - Throws: ``H5ConvError``: `badData` when the source ends before, `inputOutput` when one cannot be read or written.
@discardableResult
package func copyBytes(
  from source: OpenFile, at sourceOffset: Int, count: Int, to target: Int32, at targetOffset: Int, targetPath: String,
  isSummed: Bool = false
) throws -> UInt32 {
  var crc: UInt32 = 0
  let (from, to) = (Int64(sourceOffset), Int64(targetOffset))
  let result =
    isSummed
    ? h5c_copy(source.descriptor, from, target, to, count, &crc)
    : h5c_copy(source.descriptor, from, target, to, count, nil)
  try check(result, of: source, before: sourceOffset + count, targetPath: targetPath)
  return crc
}

/// - Throws: ``H5ConvError`` when `result` is none.
private func check(_ result: h5c_range_result, of source: OpenFile, before end: Int, targetPath: String) throws {
  switch result.end {
  case H5C_COMPLETE: return
  case H5C_SOURCE_ENDED:
    throw H5ConvError(.badData, "the file ends before byte \(end)", remedy: "get it again", file: source.path)
  case H5C_WRITE_FAILED:
    errno = result.code
    throw OutputFile.failure(.inputOutput, targetPath)
  default:
    throw H5ConvError(.inputOutput, String(cString: strerror(result.code)), file: source.path)
  }
}

/// Writes all of `bytes` at `offset` of the file `target`.
package func writeBytes(_ bytes: UnsafeRawBufferPointer, to target: Int32, at offset: Int, path: String) throws {
  var done = 0
  while done < bytes.count {
    let written = pwrite(target, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
    if written > 0 {
      done += written
    } else if errno != EINTR {
      throw OutputFile.failure(.inputOutput, path)
    }
  }
}

/// Bytes of a file whose CRC-32 is known.
package struct SummedRange: Sendable {
  package let offset: Int
  package let count: Int
  package let checksum: UInt32

  package init(offset: Int, count: Int, checksum: UInt32) {
    (self.offset, self.count, self.checksum) = (offset, count, checksum)
  }
}

/// The CRC-32 of the bytes from `offset` to the end of `file`, as zip archives have it.
///
/// - Parameter known: ranges that need not be read; one that overlaps another, or reaches out, is read all the same.
/// - Throws: ``H5ConvError`` when they cannot be read.
package func checksum(of file: OpenFile, from offset: Int, known: [SummedRange] = []) throws -> UInt32 {
  var place = offset
  var sum: UInt32 = 0
  func read(to end: Int) throws {
    guard end > place else { return }
    var crc: UInt32 = 0
    let result = h5c_crc32_of_range(file.descriptor, Int64(place), end - place, &crc)
    try check(result, of: file, before: end, targetPath: file.path)
    sum = h5c_crc32_combined(sum, crc, end - place)
    place = end
  }
  for range in known.sorted(by: { $0.offset < $1.offset }) {
    guard range.offset >= place, range.count >= 0, range.count <= file.size - range.offset else { continue }
    try read(to: range.offset)
    sum = h5c_crc32_combined(sum, range.checksum, range.count)
    place += range.count
  }
  try read(to: file.size)
  return sum
}

/// The CRC-32 of `bytes`.
package func checksum(of bytes: [UInt8]) -> UInt32 { h5c_crc32(0, bytes, bytes.count) }
