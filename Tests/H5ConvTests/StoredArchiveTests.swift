import H5ConvFiles
import H5ConvModelFiles
import Testing
import TestSupport

/// Archives as they are written for models, read back by libzip.
@Suite("Archives that are written in place")
struct StoredArchiveTests {
  /// With 32-bit numbers, and with the 64-bit ones that models of 4 GiB need.
  @Test(arguments: [StoredArchive.isElsewhere, 1000], [1, 999, 1000, 3_000_000])
  func readBack(limit: Int, count: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.keras")
    let text = Array("{}".utf8)
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let archive = try StoredArchive(path, limit: limit)
    try archive.add("config.json", text)
    let offset = try archive.beginLast("model.weights.h5")
    #expect(offset % 64 == 0)
    try content.withUnsafeBytes { try writeBytes($0, to: archive.descriptor, at: offset, path: path) }
    try archive.finish()

    try ZipArchive.verify(path)
    let file = try OpenFile(path)
    let read = try ZipArchive(file)
    #expect(read.members.map(\.name) == ["config.json", "model.weights.h5"])
    #expect(try read.bytes(read.members[0], limit: 10) == text)
    let (window, length) = try read.window(read.members[1])
    #expect(window.offset == offset && length == count)
    #expect(try read.bytes(read.members[1], limit: count) == content)
    let signature = try file.bytes(at: offset + count, count: file.size - offset - count)
    #expect(signature.contains([0x50, 0x4b, 6, 6]) == (offset + count >= limit))
  }
}
