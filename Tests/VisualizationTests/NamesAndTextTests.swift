import Foundation
import H5ConvTensors
import H5ConvVisualization
import TestSupport
import Testing

@Suite struct PictureNamesTests {
  @Test func namesSortInTheOrderOfExecution() {
    #expect(PictureNames.make(for: [(3, "block1_conv2"), (12, "b")]) == ["03_block1_conv2", "12_b"])
    #expect(PictureNames.make(for: [(3, "a"), (104, "b")]) == ["003_a", "104_b"])
  }

  @Test(arguments: [
    ("outer/inner", "00_outer%2Finner"), ("..", "00_%2E."), ("a b", "00_a%20b"), ("100%", "00_100%25"),
    ("x\u{0}\n", "00_x%00%0A"), ("é", "00_%C3%A9"), ("conv@1", "00_conv@1"), ("c:\\d*?", "00_c%3A%5Cd%2A%3F"),
    ("", "00_"),
  ])
  func unsafeCharactersAreEscaped(_ name: String, _ expected: String) {
    #expect(PictureNames.make(for: [(0, name)]) == [expected])
  }

  @Test func longNamesAreCutAndStayDifferent() {
    let long = String(repeating: "x", count: 300)
    let names = PictureNames.make(for: [(1, long + "a"), (1, long + "b"), (1, long + "a"), (1, "/" + long)])
    #expect(Set(names).count == 4)
    #expect(names.allSatisfy { $0.utf8.count <= 120 })
  }

  @Test func namesThatDifferOnlyInCaseOrNotAtAllStayDifferent() {
    let names = PictureNames.make(for: [(1, "Conv"), (1, "conv"), (1, "conv"), (1, "conv~2"), (1, "CONV")])
    #expect(Set(names.map { $0.lowercased() }).count == 5)
  }
}

@Suite struct ManifestTests {
  static let hostile = "</title><script>alert(\"1\")</script>'&\u{202e}\u{7}\\"

  private func manifest() throws -> Manifest {
    let maps = [
      try feature(4, 6, 20, name: "conv"), try feature(2, 2, 1, [.nan, .nan, .nan, .nan], name: ManifestTests.hostile),
    ]
    return Manifest(
      model: ManifestTests.hostile, image: "cat.png", preprocess: "none", inputHeight: 8, inputWidth: 9,
      h5convVersion: "0.0", layers: try render(maps))
  }

  @Test func readersFindEveryFact() throws {
    let manifest = try manifest()
    let json = try #require(try JSONSerialization.jsonObject(with: Data(manifest.json.utf8)) as? [String: Any])
    #expect(json["version"] as? Int == 1)
    #expect(json["model"] as? String == ManifestTests.hostile)
    let layers = try #require(json["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == ["conv", ManifestTests.hostile])
    #expect(layers[0]["shape"] as? [Int] == [1, 4, 6, 20])
    #expect(layers[0]["mean"] as? Double == manifest.layers[0].statistics.mean)
    #expect(layers[1]["mean"] is NSNull)
    #expect(layers[1]["nan_count"] as? Int == 4)
    #expect(layers[1]["flat_channel_indices"] as? [Int] == [0])
    let files = try #require(layers[0]["files"] as? [[String: Any]])
    #expect(files.map { $0["path"] as? String } == ["03_conv.strip.png", "03_conv.grid.png"])
    #expect(files[1]["tile"] as? [String: Int] == ["width": 6, "height": 4])
    #expect(files[1]["columns"] as? Int == 16)
    #expect(files[1]["rows"] as? Int == 2)
  }

  /// The schema allows no field that it does not name; that both sides name the same is checked here without a validator.
  @Test func theSchemaNamesTheSameFields() throws {
    let root = Fixtures.root.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    let file = URL(fileURLWithPath: root + "/schemas/viz-manifest.schema.json")
    let schema = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
    var manifest = try manifest()
    manifest.explanations = [try ExplanationPictureTests.draw([0, 4])]
    var options = PictureOptions()
    (options.formats, options.strongest) = ([.png, .svg, .apng], 2)
    manifest.layers = try render([feature(4, 6, 20)], options: options)
    manifest.animation = try Animation(manifest.layers, picture: nil, options: options)
    let kernel = KernelSource(
      index: 3, name: "conv", className: "Conv2D", kernel: try Tensor(shape: [1, 1, 1, 2], values: [1, 2]))
    manifest.kernels = [try RenderedKernel(matrix: kernel, named: "03_conv", columns: 2, cell: 1, dpi: 300)]
    let json = try #require(try JSONSerialization.jsonObject(with: Data(manifest.json.utf8)) as? [String: Any])
    let explanation = try #require((json["explanations"] as? [[String: Any]])?.first)
    let layer = try #require((json["layers"] as? [[String: Any]])?.first)
    let picture = try #require((layer["files"] as? [[String: Any]])?.first)
    let figure = try #require((layer["figures"] as? [[String: Any]])?.first)
    let drawnKernel = try #require((json["kernels"] as? [[String: Any]])?.first)
    let levels = [
      (json, schema, ["explanations", "kernels", "animation"]),
      (layer, definitions["layer"] ?? [:], ["at", "figures", "channel_indices"]),
      (figure, definitions["figure_file"] ?? [:], []), (drawnKernel, definitions["kernel"] ?? [:], []),
      (picture, definitions["file"] ?? [:], []), (explanation, definitions["explanation"] ?? [:], []),
    ]
    for (value, schema, optional) in levels {
      #expect(schema["additionalProperties"] as? Bool == false)
      #expect(Set(value.keys) == Set((schema["properties"] as? [String: Any] ?? [:]).keys))
      #expect(Set(value.keys).subtracting(optional) == Set(schema["required"] as? [String] ?? []))
    }
  }

  @Test func theContactSheetHoldsNoMarkupOfStrangers() throws {
    let html = ContactSheet(try manifest(), hasReport: true).html
    #expect(!html.contains("<script"))
    #expect(!html.contains("\u{202e}"))
    #expect(html.contains("&lt;/title&gt;&lt;script&gt;"))
    #expect(html.contains("default-src 'none'"))
    #expect(html.contains("src=\"./03_conv.grid.png\""))
    #expect(html.contains("alt=\"conv: 20 channels 4×6, 0 flat (grid)\""))
    // A percent sign of a file's name is written as %25 in its address.
    #expect(html.contains("%253C%252Ftitle"))
  }

  @Test func thePolicyKnowsTheStyleSheet() throws {
    let html = ContactSheet(try manifest(), hasReport: true).html
    let start = try #require(html.range(of: "<style>"))
    let end = try #require(html.range(of: "</style>"))
    let hash = Data(sha256(Array(html[start.upperBound..<end.lowerBound].utf8))).base64EncodedString()
    #expect(html.contains("style-src 'sha256-\(hash)'"), "the style sheet's sum is \(hash)")
  }

  @Test func theTablesColumnsStandUnderEachOther() throws {
    let lines = StatisticsTable.text(try manifest().layers).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines[2].contains("\\u{202e}") && lines[2].contains("NaN"))
  }

  @Test func sha256IsSha256() {
    #expect(sha256(Array("abc".utf8)).prefix(4) == [0xba, 0x78, 0x16, 0xbf])
  }
}
