import H5ConvDiagnostics
import H5ConvImages
import H5ConvVisualization
import Testing

@Suite("Explanations over pictures")
struct ExplanationPictureTests {
  private static let side = 336
  private static let margin = 13

  static func draw(_ values: [Float], seen: UInt8 = 100, _ colorMap: ColorMap? = nil) throws
    -> ExplanationPicture
  {
    let map = ExplanationMap(
      method: "gradcam", layer: "conv<1>", classIndex: 3, label: "tabby\u{1b}[31m", score: 1.5, values: values,
      height: 1,
      width: values.count, completenessGap: nil, notes: ["a note"])
    let picture = try Raster(width: 4, height: 4, channels: 1, pixels: Array(repeating: seen, count: 16))
    return try ExplanationPicture(map, over: picture, named: "it.png", colorMap: colorMap, dpi: 100) { height, width in
      (0..<height).flatMap { _ in (0..<width).map { values[$0 * values.count / width] } }
    }
  }

  /// Colours of the left picture's corner, and of the first and the last column of the right one.
  private static func colors(_ picture: ExplanationPicture) throws -> [[UInt8]] {
    let raster = try DecodedImage.decode(picture.png).raster(as: .rgb)
    try #require((raster.width, raster.height) == (picture.width, picture.height))
    // Below the pictures: a margin, the bar with its numbers, a margin.
    let top = raster.height - margin - 34 - margin - side
    return [margin, 2 * margin + side, 2 * margin + 2 * side - 1].map { column in
      let place = ((top + 5) * raster.width + column) * 3
      return Array(raster.pixels[place..<place + 3])
    }
  }

  /// 45 % of the picture and 55 % of the map: matplotlib's inferno goes from (0, 0, 4) to (252, 255, 164).
  @Test func mixture() throws {
    let picture = try Self.draw([0, 4])
    #expect(try Self.colors(picture) == [[100, 100, 100], [45, 45, 47], [184, 185, 135]])
    #expect(picture.range == 0...4)
    #expect(picture.colorMap.name == "inferno")
  }

  /// With numbers below 0 the colours are those of matplotlib's RdBu_r, (5, 48, 97) to (103, 0, 31), and 0 is in their middle.
  @Test func signed() throws {
    let picture = try Self.draw([-2, 1, 2], seen: 0)
    #expect(try Self.colors(picture) == [[0, 0, 0], [3, 26, 53], [57, 0, 17]])
    #expect(picture.range == -2...2)
    #expect(picture.colorMap.name == "RdBu_r")
  }

  /// A map of zeros is drawn, and what is no number is told.
  @Test func nothingToSee() throws {
    #expect(try Self.draw([0, 0]).range == 0...0)
    let odd = try Self.draw([.nan, 1, .infinity])
    #expect(odd.range == 0...1)
    #expect(odd.facts.contains("NOT FINITE: 2 cells"))
  }

  /// Names come from strangers: nothing in them reaches a terminal or a picture raw.
  @Test func facts() throws {
    let facts = try Self.draw([0, 4], .viridis).facts
    #expect(
      facts == [
        "class 3 (tabby\\u{1b}[31m)", "score before softmax or sigmoid 1.5", "1×2 cells, 0 … 4", "a note",
      ])
  }
}
