import Glibc
import H5Conv
import H5ConvTensors
import TestSupport
import Testing

/// Opening reads no weights, so that a file may change before they are read: by then it is damaged, or another.
@Suite("A file that changes while it is open")
struct ChangedFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// One of each kind that lies in one file.
  private static let files = [
    "k122_sequential.h5", "k315_image.h5", "k315_image.keras", "k315_sequence.weights.h5", "k315_image.npz",
    "k315_image.safetensors",
  ]

  /// A copy of a fixture, or of what it is converted to.
  private func copy(_ name: String) throws -> String {
    let path = Fixtures.path("containers/\(name)")
    if access(path, R_OK) == 0 { return try folder.write(name, contents(of: path)) }
    _ = try convertModel(at: Fixtures.path("containers/k315_image.keras"), to: folder.file(name))
    return folder.file(name)
  }

  private func weights(_ inspection: Inspection) throws -> String { try inspection.text(weights: true) }

  @Test(arguments: files, 1..<10) func cut(_ name: String, _ tenths: Int) throws {
    let path = try copy(name)
    let inspection = try Inspection(contentsOf: path)
    let whole = try weights(try Inspection(contentsOf: path))
    truncate(path, contents(of: path).count / 10 * tenths)
    // What was wanted may lie before the cut; what lies behind it is said to be unreadable.
    do {
      let rest = rows(try weights(inspection))
      #expect(rest.count == rows(whole).count)
      for (row, full) in zip(rest, rows(whole)) { #expect(row == full || row.contains("unreadable")) }
    } catch { #expect(error is H5ConvError) }
  }

  /// The words of each row of a table, whatever the columns' widths.
  private func rows(_ text: String) -> [[Substring]] {
    text.split(separator: "\n").filter { !$0.hasPrefix("─") }.map { $0.split(separator: " ") }
  }

  /// The old file stays open, whatever takes its name.
  @Test(arguments: files) func replaced(_ name: String) throws {
    let path = try copy(name)
    let inspection = try Inspection(contentsOf: path)
    let whole = try weights(try Inspection(contentsOf: path))
    try folder.remove(name)
    _ = try folder.write(name, Array("something else".utf8))
    #expect(try weights(inspection) == whole)
  }
}
