import Glibc
import H5ConvDiagnostics
import H5ConvFiles
import Testing
import TestSupport

/// Ranges below and above the size that is worth a second thread, whole pieces and tails.
@Suite("Ranges of files")
struct RangeTests {
  private static let counts = [0, 1, 1000, 8 << 20, (8 << 20) + 1, (9 << 20) + 12_345]
  private let folder: TemporaryFolder
  private let source: OpenFile
  private let bytes: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    var state: UInt32 = 1
    bytes = (0..<(10 << 20)).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    try OutputFile(folder.file("source"), replaces: false).write(bytes)
    source = try OpenFile(folder.file("source"))
  }

  @Test(arguments: counts)
  func copies(count: Int) throws {
    let path = folder.file("target")
    let target = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(target) }
    try copyBytes(from: source, at: 77, count: count, to: target, at: 5, targetPath: path)
    let crc = try copyBytes(from: source, at: 77, count: count, to: target, at: 5, targetPath: path, isSummed: true)
    #expect(crc == checksum(of: Array(bytes[77..<(77 + count)])))
    let copy = try OpenFile(path)
    #expect(copy.size == (count == 0 ? 0 : count + 5))
    #expect(try count == 0 || copy.bytes(at: 5, count: count) == Array(bytes[77..<(77 + count)]))
  }

  @Test(arguments: counts)
  func checksums(count: Int) throws {
    let offset = bytes.count - count
    #expect(try checksum(of: source, from: offset) == checksum(of: Array(bytes[offset...])))
  }

  /// Ranges in any order; what overlaps another or reaches out is not trusted.
  @Test func checksumsOfKnownRanges() throws {
    func range(_ offset: Int, _ count: Int, changedBy change: UInt32 = 0) -> SummedRange {
      SummedRange(
        offset: offset, count: count, checksum: checksum(of: Array(bytes[offset..<(offset + count)])) ^ change)
    }
    let whole = checksum(of: Array(bytes[10...]))
    let known = [range(3_000_000, 100), range(10, 5), range(20, 0), range(500, 2_000_000)]
    #expect(try checksum(of: source, from: 10, known: known) == whole)
    let wrong = [range(0, 20, changedBy: 1), range(600, 10, changedBy: 1)]
    #expect(try checksum(of: source, from: 10, known: known + wrong) == whole)
    let outside = SummedRange(offset: bytes.count - 1, count: 2, checksum: 1)
    #expect(try checksum(of: source, from: 10, known: known + [outside]) == whole)
    // One that is believed counts.
    #expect(try checksum(of: source, from: 10, known: [range(10, 5, changedBy: 1)]) != whole)
  }

  /// The check value of the CRC-32 catalogue.
  @Test func checksumOfDigits() { #expect(checksum(of: Array("123456789".utf8)) == 0xcbf4_3926) }

  @Test(arguments: [1000, 9 << 20])
  func aSourceThatEnds(count: Int) throws {
    let path = folder.file("short")
    let target = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(target) }
    let error = try #require(throws: H5ConvError.self) {
      try copyBytes(from: source, at: bytes.count - 500, count: count, to: target, at: 0, targetPath: path)
    }
    #expect(error.kind == .badData)
  }

  @Test func aTargetThatCannotBeWritten() throws {
    let target = open("/dev/full", O_WRONLY | O_CLOEXEC)
    defer { close(target) }
    let error = try #require(throws: H5ConvError.self) {
      try copyBytes(from: source, at: 0, count: 100, to: target, at: 0, targetPath: "/dev/full")
    }
    #expect(error.kind == .inputOutput)
  }
}
