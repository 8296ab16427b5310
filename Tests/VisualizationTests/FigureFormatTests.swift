import Foundation
import H5ConvDiagnostics
import H5ConvImages
import H5ConvVisualization
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Figures as SVG and PDF, and the animation, read back.
@Suite struct FigureFormatTests {
  private static let hostile = "evil</text><script>alert(1)</script>&\"'\u{202e}\u{1b}[31m 日本"

  private func layer(_ formats: Set<PictureFormat>, name: String = "block1_conv2") throws -> (
    RenderedLayer, FeatureMaps
  ) {
    var options = PictureOptions()
    (options.formats, options.scale, options.columns) = (formats, .layer, 3)
    let maps = try feature(6, 9, 5, name: name)
    return (try #require(try render([maps], styles: [.grid], options: options).first), maps)
  }

  /// Elements of an SVG with their attributes and texts.
  private final class Elements: NSObject, XMLParserDelegate {
    private(set) var all: [(name: String, attributes: [String: String], text: String)] = []
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) { all.append((name, attributes, "")) }
    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if !all.isEmpty { all[all.count - 1].text += string }
    }
  }

  @Test func svg() throws {
    let (layer, maps) = try layer([.svg], name: FigureFormatTests.hostile)
    #expect(layer.pictures.isEmpty && layer.figures.count == 1)
    let figure = try #require(layer.figures.first)
    #expect(figure.fileName.hasSuffix(".grid.svg") && !figure.fileName.contains("<"))
    let elements = Elements()
    let parser = XMLParser(data: Data(figure.bytes))
    parser.delegate = elements
    try #require(parser.parse())
    #expect(Set(elements.all.map(\.name)) == ["svg", "title", "rect", "g", "text", "image"])
    let texts = elements.all.filter { $0.name == "text" }.map { $0.text.trimmingCharacters(in: .newlines) }
    #expect(texts[0].hasPrefix("evil</text><script>") && texts.contains { $0.contains("one range for the layer") })
    #expect(!String(decoding: figure.bytes, as: UTF8.self).contains("\u{1b}"))
    // The activations are in it as the scale quantises them.
    let image = try #require(elements.all.first { $0.name == "image" })
    let data = try #require(image.attributes["href"]?.split(separator: ",").last)
    let file = try #require(Data(base64Encoded: String(data)))
    let png = try #require(PNGFile(Array(file)))
    #expect(image.attributes["width"] == "\(png.width)" && image.attributes["height"] == "\(png.height)")
    try check(try #require(png.indices), width: png.width, maps)
  }

  /// Tiles of 9 × 6 in rows of three with lines of one pixel.
  private func check(_ pixels: [UInt8], width: Int, _ maps: FeatureMaps) throws {
    let expected = QuantizedMaps(maps, scale: .layer).indices
    for channel in 0..<5 {
      for row in 0..<6 {
        let start = (1 + channel / 3 * 7 + row) * width + 1 + channel % 3 * 10
        let place = (channel * 6 + row) * 9
        #expect(Array(pixels[start..<start + 9]) == Array(expected[place..<place + 9]))
      }
    }
  }

  @Test func pdf() throws {
    let (layer, maps) = try layer([.pdf, .png])
    let figure = try #require(layer.figures.first)
    #expect(layer.pictures.count == 1 && figure.fileName == "03_block1_conv2.grid.pdf")
    let bytes = figure.bytes
    func find(_ text: String, from start: Int = 0) throws -> Int {
      let wanted = Array(text.utf8)
      return try #require(
        (start...bytes.count - wanted.count).first { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) })
    }
    // Every object is where the table says.
    #expect(bytes.starts(with: Array("%PDF-1.4\n".utf8)) && bytes.suffix(6).elementsEqual("%%EOF\n".utf8))
    let lines = String(decoding: bytes[try find("\nxref\n")...], as: UTF8.self).split(separator: "\n")
    let count = try #require(lines[1].split(separator: " ").last.flatMap { Int($0) })
    for number in 1..<count {
      let offset = try #require(Int(lines[2 + number].prefix(10)))
      #expect(bytes[offset...].starts(with: Array("\(number) 0 obj\n".utf8)))
    }
    #expect(try #require(Int(lines[lines.count - 2])) == (try find("\nxref\n")) + 1)
    // The page has the PNG's size at its resolution.
    let picture = layer.pictures[0]
    #expect(abs(figure.width - Double(picture.width) * 72 / 300) < 1e-6)
    // The palette picture has the rows of a PNG.
    let start = try find("/Width 31 ")
    let data = try find("stream\n", from: start) + 7
    let length = try #require(
      String(decoding: bytes[(try find("/Length ", from: start - 60)) + 8..<start], as: UTF8.self).split(separator: " ")
        .first.flatMap { Int($0) })
    // As a PNG of this size holds it.
    func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
      [
        UInt8(content.count >> 24), UInt8(content.count >> 16 & 255), UInt8(content.count >> 8 & 255),
        UInt8(content.count & 255),
      ]
        + Array(type.utf8) + content + [0, 0, 0, 0]
    }
    let png = try #require(
      PNGFile(
        [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
          + chunk("IHDR", [0, 0, 0, 31, 0, 0, 0, 15, 8, 3, 0, 0, 0])
          + chunk("IDAT", Array(bytes[data..<data + length])) + chunk("IEND", [])))
    try check(try #require(png.indices), width: 31, maps)
    // Text is text: the glyphs that are written are in the font's table of characters.
    let table = String(decoding: bytes[(try find("beginbfchar"))..<(try find("endcmap"))], as: UTF8.self)
    for scalar in "block1_conv2".unicodeScalars {
      #expect(table.contains("> <00" + String(scalar.value, radix: 16) + ">"))
    }
  }

  @Test(arguments: [hostile, "", String(repeating: "long ", count: 500), "👩‍👩‍👧"]) func anyName(_ name: String) throws {
    let (layer, _) = try layer([.svg, .pdf, .apng], name: name)
    #expect(layer.figures.count == 2 && layer.figures.allSatisfy { !$0.bytes.isEmpty })
    #expect(try !Animation([layer], picture: nil, options: PictureOptions()).bytes.isEmpty)
  }

  /// A strip as wide as a PDF's page may be at most keeps its proportions.
  @Test func widestPage() throws {
    var options = PictureOptions()
    (options.formats, options.dpi, options.cell) = ([.pdf], 72, 100)
    let layer = try #require(
      try render([feature(2, 2, 100)], styles: [.strip], options: options).first)
    let figure = try #require(layer.figures.first)
    #expect(figure.width == 14_400 && figure.height > 100)
  }

  @Test func animation() throws {
    var options = PictureOptions()
    (options.formats, options.scale) = ([.apng], .layer)
    let maps = [try feature(6, 9, 5), try feature(300, 200, 40, name: "large"), try feature(1, 1, 3, name: "small")]
    let layers = try render(maps, options: options)
    let photo = try Raster(width: 7, height: 5, channels: 1, pixels: [UInt8](repeating: 9, count: 35))
    let animation = try Animation(layers, picture: photo, options: options)
    let file = try #require(PNGFile(animation.bytes))
    #expect((file.width, file.height) == (animation.width, animation.height) && animation.frames == 3)
    #expect(file.chunk("acTL") == [0, 0, 0, 3, 0, 0, 0, 0])
    let parts = file.chunks.filter { ["fcTL", "IDAT", "fdAT"].contains($0.type) }
    #expect(parts.map(\.type) == ["fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT"])
    func word(_ bytes: ArraySlice<UInt8>) -> Int { bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) } }
    // Numbers count up over all chunks of the animation but the first picture.
    #expect(parts.filter { $0.type != "IDAT" }.map { word($0.data[...]) } == [0, 1, 2, 3, 4])
    for part in parts where part.type == "fcTL" {
      #expect(word(part.data[4...]) == file.width && word(part.data[8...]) == file.height)
      #expect(word(part.data[12...]) == 0 && word(part.data[16...]) == 0)
      #expect(Int(part.data[20]) << 8 + Int(part.data[21]) == Animation.duration)
    }
    // Equal input gives equal bytes.
    #expect(
      try Animation(render(maps, options: options, threads: 3), picture: photo, options: options).bytes
        == animation.bytes)
  }

  @Test func anAnimationOfTooMuchIsRefused() throws {
    let layer = try layer([.apng]).0
    let error = try #require(throws: H5ConvError.self) {
      try Animation(Array(repeating: layer, count: 501), picture: nil, options: PictureOptions())
    }
    #expect(error.kind == .limit)
  }
}
