import Glibc
import H5ConvDiagnostics
import H5ConvHDF5
import TestSupport
import Testing

@Suite("Damaged files end in errors")
struct DamagedFileTests {
  @Test(arguments: ["", "text", "\u{89}HDF\r\n\u{1a}\n", String(repeating: "x", count: 4096)])
  func noHDF5(_ text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("file.h5", text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    let error = try #require(throws: H5ConvError.self) { try File.open(path) }
    #expect(error.kind == .badData)
  }

  /// Everything that can be read of a file, as far as it can be read.
  private func walk(_ group: Group, depth: Int = 0) throws {
    for name in try group.attributeNames() { _ = try? group.stringsAttribute(name) }
    guard depth < 6 else { return }
    for name in try group.memberNames() {
      switch try group.member(name) {
      case .group: if let child = try group.group(name) { try walk(child, depth: depth + 1) }
      case .dataset: _ = try group.dataset(name)?.readFloats()
      default: break
      }
    }
  }

  /// 200 lengths, those of the file's own structures among them by their number.
  @Test(arguments: ["model", "attributes", "latest"]) func everyTruncation(_ name: String) throws {
    let whole = contents(of: Fixtures.path("hdf5/\(name).h5"))
    let folder = try TemporaryFolder()
    let path = folder.file("cut.h5")
    for part in 0..<200 {
      let count = whole.count * part / 200
      _ = try folder.write("cut.h5", whole[..<count])
      #expect(throws: H5ConvError.self, "\(count) of \(whole.count) bytes") { try walk(try File.open(path).root) }
    }
  }
}
