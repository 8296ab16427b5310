import Foundation
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors
import H5ConvVisualization
import TestSupport
import Testing

@Suite("The offline page")
struct ReportTests {
  private static let hostile = "</script><img src=x onerror=alert(1)>\u{202e}'\"&<!--"

  private func report(_ maps: [FeatureMaps]) -> Report {
    var report = Report(h5convVersion: "1.2.3", command: "h5conv viz m.h5 \(ReportTests.hostile)")
    report.models = [
      Report.Model(
        path: ReportTests.hostile, name: ReportTests.hostile, className: ReportTests.hostile, origin: "o",
        parameters: 5, multiplyAccumulates: 7,
        diagram: Diagram(
          title: ReportTests.hostile,
          nodes: [Diagram.Node(name: ReportTests.hostile, className: "A", facts: [ReportTests.hostile], inputs: [])]))
    ]
    report.layers = maps.map {
      Report.Layer(
        index: $0.index, name: $0.name, className: $0.className, shape: $0.shape, parameters: 1,
        multiplyAccumulates: nil,
        fields: [
          Report.Field(start: -1, stride: 2, size: 3, isBound: false, isGated: false, isWhole: false),
          Report.Field(start: 0, stride: 0, size: 0, isBound: false, isGated: false, isWhole: true),
        ], kernel: Report.Kernel(shape: [1, 1, 1, 2], values: [1, .nan]))
    }
    report.runs = [
      Report.Run(
        model: 0, image: ReportTests.hostile, preprocess: ReportTests.hostile, picture: nil, height: 8, width: 8,
        scores: [Report.Score(index: 3, label: ReportTests.hostile, score: 0.5)], scoreNote: nil,
        maps: maps.map { ByteMaps($0) })
    ]
    return report
  }

  private func data(_ html: String) throws -> JSONValue {
    let start = try #require(html.range(of: "id=\"data\">"))
    let end = try #require(html.range(of: "</script>", range: start.upperBound..<html.endIndex))
    return try JSONParser.parse(String(html[start.upperBound..<end.lowerBound]))
  }

  @Test func namesStayText() throws {
    let html = String(
      decoding: try report([try feature(3, 2, 4, name: ReportTests.hostile)]).page().html, as: UTF8.self)
    #expect(!html.contains("<img"))
    #expect(!html.contains("<!--"))
    let outside = html.components(separatedBy: "id=\"data\">")[0]
    #expect(!html.contains("\u{202e}"))
    #expect(outside.contains("&lt;/script&gt;&lt;img"))
    // The data, one picture, and the script.
    #expect(html.components(separatedBy: "</script>").count == 4)
    #expect(try data(html)["layers"]?.array?.first?["name"]?.string == ReportTests.hostile)
  }

  @Test func thePolicyAllowsNothingElse() throws {
    let html = String(decoding: try report([try feature(3, 2, 4)]).page().html, as: UTF8.self)
    let script = try #require(html.components(separatedBy: "<script>").last?.components(separatedBy: "</script>").first)
    let style = try #require(html.components(separatedBy: "<style>").last?.components(separatedBy: "</style>").first)
    func sum(_ text: String) -> String { "sha256-" + Data(sha256(Array(text.utf8))).base64EncodedString() }
    #expect(
      html.contains(
        "default-src 'none'; img-src data: blob:; style-src '\(sum(style))'; script-src '\(sum(script))'; base-uri 'none'; form-action 'none'"
      ))
    #expect(!html.contains(" style=\"") && !html.contains("http://") || html.contains("http://www.w3.org/2000/svg"))
    #expect(script.utf8.count + style.utf8.count < 150_000)
    for word in [
      "eval(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "fetch(", "XMLHttpRequest",
      "localStorage",
    ] {
      #expect(!script.contains(word), "\(word)")
    }
  }

  @Test func theDataIsAsTheSchemaSays() throws {
    let values: [Float] = [1, .nan, 3, .infinity, 5, 6, 7, -.infinity]
    let html = String(
      decoding: try report([try feature(2, 2, 2, values), try feature(3, 2, 4)]).page().html, as: UTF8.self)
    let json = try data(html)
    #expect(try JSONSchema(named: "report").problems(json) == [])
    let maps = try #require(json["runs"]?.array?.first?["layers"]?.array?.first)
    #expect(maps["nan_count"] == 1)
    #expect(maps["channel_levels"] == [255, 252])
    #expect(maps["channel_inf"] == [0, 2])
  }

  /// Every byte stands for the activation within half a step.
  @Test(arguments: ["relu", "bell", "offset", "tiny", "sparse"]) func bytes(_ distribution: String) throws {
    let activations = Activations(height: 9, width: 7, channels: 5, distribution: distribution, seed: 11)
    let maps = ByteMaps(try activations.maps())
    let values = activations.values
    for channel in 0..<5 {
      let own = (0..<63).map { values[$0 * 5 + channel] }
      let (least, greatest) = (Double(own.min() ?? 0), Double(own.max() ?? 0))
      let step = (greatest - least) / 255
      for place in 0..<63 {
        let value = least + Double(maps.bytes[channel * 63 + place]) * step
        #expect(abs(value - Double(own[place])) <= step / 2 * (1 + 1e-9))
      }
    }
    #expect(maps.histogram.reduce(0, +) == 315)
  }

  @Test func bytesOfWhatIsNotFinite() throws {
    let maps = ByteMaps(try feature(1, 4, 1, [.nan, .infinity, -.infinity, 2]))
    #expect(maps.bytes == [255, 254, 253, 0])
    #expect(ByteMaps(try feature(1, 3, 1, [4, 4, 4])).bytes == [0, 0, 0])
  }

  /// Thumbnails keep what is farthest from 0, to either side, and the page says that they are thumbnails.
  @Test func thumbnails() throws {
    var values = [Float](repeating: 0, count: 64 * 64)
    values[0] = 1
    values[65 * 20] = -3
    values[63] = 2
    var random = Activations(height: 64, width: 64, channels: 1, distribution: "bell", seed: 3).values
    for place in values.indices where values[place] != 0 { random[place] = values[place] * 10 }
    let page = try report([try feature(64, 64, 1, random)]).page(maxBytes: 5_000_000)
    #expect(page.notes.isEmpty)
    let small = try report([try feature(64, 64, 1, random)]).page(maxBytes: page.html.count - 1000)
    #expect(small.html.count < page.html.count - 1000)
    #expect(small.notes.count == 1)
    let maps = try #require(
      try data(String(decoding: small.html, as: UTF8.self))["runs"]?.array?.first?["layers"]?.array?.first)
    #expect(maps["reduction"] == 2)
    #expect(maps["height"] == 32)
    #expect(maps["full_height"] == 64)
    #expect(maps["max"]?.number == 20 && maps["min"]?.number == -30)
    #expect(throws: H5ConvError.self) { try report([try feature(64, 64, 1, random)]).page(maxBytes: 10_000) }
  }
}
