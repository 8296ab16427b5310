import Foundation
import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

@Suite("h5conv top")
struct TopCommandTests {
  /// As in `tools/make_top_fixtures.py`.
  private static let pictures = [
    "exif1.jpg", "grey8.png", "progressive.jpg", "rgb.jpg", "rgb8.png", "palette8.png", "grey.jpg",
  ]
  private static let paths = pictures.map { picture($0) }

  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func run(_ options: [String]) throws -> JSONValue {
    let run = try Program.run(
      ["top", tutorial] + TopCommandTests.paths
        + ["--preprocess", "rescale", "-o", folder.file("out"), "--json", "--quiet", "--force"] + options)
    try #require(run.code == 0 && run.errors.isEmpty, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "top").problems(json) == [])
    #expect(try JSONParser.parse(contents(of: folder.file("out/top.json"))) == json)
    return json
  }

  /// The best pictures and places are those that Keras' numbers say.
  @Test(arguments: ["max", "mean"], [1, 3, 20]) func asKerasComputesThem(_ measure: String, _ count: Int) throws {
    let golden = Dictionary(
      try ArrayFile.npz(Fixtures.path("viz/top.npz")).map { ($0.name, $0.tensor) },
      uniquingKeysWith: { first, _ in first })
    let names = ["conv2d_1", "block1_conv2", "block3_conv1", "dense_2"]
    let json = try run(["-l", names.joined(separator: ","), "-k", "\(count)", "--by", measure, "--style", "patches"])
    let layers = try #require(json["layers"]?.array)
    #expect(layers.map { $0["name"]?.string } == names)
    var places = 0
    for (layer, name) in zip(layers, names) {
      let values = try #require(golden["\(name)|\(measure)"])
      let channelCount = values.shape[1]
      func figure(_ array: String, _ picture: Int, _ channel: Int) throws -> Double {
        Double(try #require(golden["\(name)|\(array)"]).values[picture * channelCount + channel])
      }
      let channels = try #require(layer["channels"]?.array)
      #expect(channels.map { $0["index"]?.integer } == Array(0..<channelCount))
      for (channel, found) in channels.enumerated() where found["is_constant"] == false {
        let all = try (0..<7).filter { try figure("flat", $0, channel) == 0 }.map { try figure(measure, $0, channel) }
          .sorted(by: >)
        let matches = try #require(found["matches"]?.array)
        #expect(matches.count == min(count, all.count))
        #expect(Set(matches.map { $0["picture"]?.integer }).count == matches.count)
        for (match, best) in zip(matches, all) {
          let picture = try #require(match["picture"]?.integer)
          let value = try #require(match["value"]?.number)
          #expect(abs(value - best) < 1e-4)
          #expect(abs(value - (try figure(measure, picture, channel))) < 1e-4)
          let (row, column) = (try figure("row", picture, channel), try figure("column", picture, channel))
          guard row >= 0 else { continue }
          #expect(match["row"]?.number == row && match["column"]?.number == column)
          places += 1
        }
      }
    }
    #expect(places > 100)
  }

  /// Fields by the formula of Araujo, Norris and Sim: three 3×3 convolutions and a pooling between see 10 pixels, 2 apart.
  @Test func fields() throws {
    let layers = try #require(try run(["-l", "conv2d_1,block1_conv1,dense_2", "-k", "7"])["layers"]?.array)
    for (layer, field) in zip(layers, [(start: -1, stride: 1, size: 3), (start: -4, stride: 2, size: 10)]) {
      for match in layer["channels"]?.array?.flatMap({ $0["matches"]?.array ?? [] }) ?? [] {
        let (row, column) = (try #require(match["row"]?.integer), try #require(match["column"]?.integer))
        #expect(match["field"]?["y"]?.integer == field.start + field.stride * row)
        #expect(match["field"]?["x"]?.integer == field.start + field.stride * column)
        #expect(match["field"]?["width"]?.integer == field.size && match["field"]?["height"]?.integer == field.size)
      }
    }
    let match = try #require(layers[2]["channels"]?.array?.lazy.compactMap { $0["matches"]?.array?.first }.first)
    #expect(match["field"] == ["x": 0, "y": 0, "width": 32, "height": 32])
  }

  @Test func sheets() throws {
    let json = try run(["-l", "conv2d_1", "-k", "4", "--top-channels", "5", "--tile", "20", "--columns", "3"])
    let layer = try #require(json["layers"]?.array?.first)
    let channels = try #require(layer["channels"]?.array)
    let best = channels.compactMap { $0["matches"]?.array?.first?["value"]?.number }
    #expect(best.count == 5 && best == best.sorted(by: >) && layer["channel_count"] == 16)
    let files = try #require(layer["files"]?.array)
    #expect(files.map { $0["style"]?.string } == ["patches", "pictures"])
    #expect(try folderNames() == ["00_conv2d_1.patches.png", "00_conv2d_1.pictures.png", "top.json"].map { $0 })
    for file in files {
      let png = contents(of: folder.file("out/\(try #require(file["path"]?.string))"))
      #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))
      #expect(file["tile"] == 20 && file["tile_columns"] == 2 && file["columns"] == 3)
    }
  }

  private func folderNames() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
  }

  /// The same again gives the same bytes; nothing is replaced unasked; a folder of pictures is one input.
  @Test func aFolder() throws {
    let pictures = try TemporaryFolder()
    for name in ["rgb8.png", "grey8.png"] { _ = try pictures.write(name, contents(of: picture(name))) }
    let arguments = ["top", tutorial, pictures.path, "-l", "conv2d_1", "-k", "1"]
    let run = try Program.run(arguments, in: folder)
    try #require(run.code == 0, "\(run)")
    #expect(run.output.contains("conv2d_1") && run.errors.contains("preprocess: "))
    #expect(folder.names == ["top-tfk_tutorial"])
    let before = contents(of: folder.file("top-tfk_tutorial/00_conv2d_1.patches.png"))
    #expect(try Program.run(arguments, in: folder).code == 73)
    #expect(try Program.run(arguments + ["--force"], in: folder).code == 0)
    #expect(contents(of: folder.file("top-tfk_tutorial/00_conv2d_1.patches.png")) == before)
  }

  @Test(arguments: [
    (["-k", "0"], "1 to 1000"), (["--by", "median"], "max or mean"), (["--style", "circles"], "patches"),
    (["--tile", "1"], "8 to 1024"), (["--top-channels", "0"], "--top-channels"), (["-o", "sheet.png"], "folder"),
  ])
  func wrongOptions(_ options: [String], says: String) throws {
    let run = try Program.run(["top", tutorial, picture("rgb8.png"), "-l", "conv2d_1"] + options, in: folder)
    #expect(run.code == 64 && run.errors.contains(says), "\(run)")
    #expect(folder.names == [])
  }

  @Test func arraysAreRefused() throws {
    let array = Fixtures.path("arrays/cube_fortran.npy")
    let run = try Program.run(["top", tutorial, array], in: folder)
    #expect(run.code == 64 && folder.names == [], "\(run)")
  }
}
