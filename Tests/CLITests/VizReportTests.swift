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

  /// Models of one architecture stand together layer by layer, whatever Keras numbered them; of others those of the same names.
  @Test func models() throws {
    let folder = try TemporaryFolder()
    func part(_ name: String, _ options: String...) throws -> String {
      let run = try Program.run(["slice", tutorial, "-o", folder.file(name), "--quiet"] + options)
      try #require(run.code == 0, "\(run)")
      return folder.file(name)
    }
    let renamed = try part("renamed.h5", "--outputs", "block3_conv1", "--prefix", "my_")
    let shorter = try part("shorter.h5", "--outputs", "block1_conv2")
    let page = folder.file("page.html")
    func compare(_ others: String...) throws -> (data: JSONValue, errors: String) {
      let run = try Program.run(
        ["viz", tutorial, picture("rgb8.png"), "-o", page, "--force"] + others.flatMap { ["--compare", $0] })
      try #require(run.code == 0, "\(run)")
      return (try reportData(page), run.errors)
    }
    let same = try compare(renamed)
    #expect(same.data["models"]?.array?.map { $0["path"]?.string } == [tutorial, renamed])
    #expect(same.data["layers"]?.array?.count == 7 && same.errors.contains("stand together"))
    #expect(same.data["layers"]?.array?.first?["others"]?.array?.first?["name"] == "my_conv2d_1")
    let less = try compare(shorter, renamed)
    let runs = try #require(less.data["runs"]?.array)
    #expect(runs.map { $0["layers"]?.array?.count { !$0.isNull } } == [7, 4, 7])
    #expect(less.errors.contains("not in every model"))
    let missing = try Program.run(["viz", tutorial, picture("rgb8.png"), "--compare", "none.h5"], in: folder)
    #expect(missing.code == 66 && missing.errors.contains("none.h5"), "\(missing)")
  }

  /// Beside the pictures is a page, to which the list of pictures leads.
  @Test func links() throws {
    let folder = try TemporaryFolder()
    let arguments = ["viz", tutorial, picture("rgb8.png"), "--quiet", "-o", folder.file("out")]
    #expect(try Program.run(arguments).code == 0)
    #expect(
      String(decoding: contents(of: folder.file("out/index.html")), as: UTF8.self).contains("href=\"./report.html\""))
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
