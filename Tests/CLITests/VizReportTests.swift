import Foundation
import H5ConvConfig
import TestSupport
import Testing

/// The data of a page that `viz` wrote; it is as its schema says.
func reportData(_ path: String) throws -> JSONValue {
  let html = String(decoding: contents(of: path), as: UTF8.self)
  let text = try #require(html.components(separatedBy: "id=\"data\">").last?.components(separatedBy: "</script>").first)
  let data = try JSONParser.parse(text)
  #expect(try JSONSchema(named: "report").problems(data) == [])
  return data
}

@Suite("The page of h5conv viz")
struct VizReportTests {
  /// Explanations are in the page, alone or beside the pictures.
  @Test func explanations() throws {
    let folder = try TemporaryFolder()
    let arguments = ["viz", tutorial, "-l", "conv2d_1", "--explain", "layercam:block1_conv?,ig", "--quiet"]
    let page = folder.file("page.html")
    #expect(try Program.run(arguments + [picture("rgb8.png"), picture("grey8.png"), "-o", page]).code == 0)
    #expect(try Program.run(arguments + [picture("rgb8.png"), "-o", folder.file("out")]).code == 0)
    let runs = try [page, folder.file("out/report.html")].map { try #require(try reportData($0)["runs"]?.array) }
    #expect(runs.map(\.count) == [2, 1])
    for run in runs.joined() {
      let explanations = try #require(run["explanations"]?.array)
      #expect(explanations.map { $0["method"]?.string } == ["layercam", "layercam", "ig"])
      #expect(explanations.map { $0["map"]?["full_width"]?.number } == [16, 16, 32])
      #expect(explanations.allSatisfy { $0["map"]?["channels"] == 1 })
    }
  }

  /// An array is no picture to draw over; the page shows the map alone.
  @Test func explanationsOfArrays() throws {
    let folder = try TemporaryFolder()
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 32, 32, 3), }"
    let bytes = [0x93] + Array("NUMPY\u{1}\0".utf8) + [UInt8(header.utf8.count + 1), 0] + Array((header + "\n").utf8)
    let array = try folder.write("x.npy", bytes + (0..<3072).map { UInt8(truncatingIfNeeded: $0 * 7) })
    let run = try Program.run([
      "viz", tutorial, array, "-l", "conv2d_1", "--explain", "saliency", "-o", folder.file("out"),
    ])
    #expect(run.code == 0 && run.errors.contains("explain_"), "\(run)")
    let data = try reportData(folder.file("out/report.html"))
    #expect(data["runs"]?.array?.first?["explanations"]?.array?.count == 1)
    #expect(contents(of: folder.file("out/explain_00_saliency.png")).isEmpty)
  }
}
