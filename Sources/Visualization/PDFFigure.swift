import CFont
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvImages

extension VectorFigure {
  /// Greatest side of a page, in points (PDF 32000-1, annex C).
  private static let largestPage = 14_400.0

  /// Points for a pixel: the PNG's resolution, or what a page has room for.
  var points: Double { min(72 / Double(dpi), VectorFigure.largestPage / max(width, height, 1)) }

  /// One page, as PDF 1.4 (ISO 32000-1): texts in the bundled font, which is embedded, pictures as palette indices.
  func pdf() throws -> [UInt8] {
    let scale = points
    var file = PDFFile()
    let font = PDFFont(try TextDrawer(), Set(texts.flatMap(\.text.unicodeScalars)))
    let page = (
      catalog: file.reserve(), pages: file.reserve(), page: file.reserve(), content: file.reserve(),
      tiles: file.reserve(), bar: file.reserve()
    )
    let fontNumber = font.add(to: &file)
    let info = file.add("<< /Title \(pdfText(title)) /Creator (h5conv) >>")

    // Pixels from the top become points from the bottom.
    var content = "\(scale.inPDF) 0 0 \((-scale).inPDF) 0 \((height * scale).inPDF) cm\n0.09 0.094 0.11 rg\n"
    for tick in ticks { content += "\(tick.x.inPDF) \(tick.y.inPDF) \(tick.width.inPDF) \(tick.height.inPDF) re f\n" }
    for (name, picture) in [("T", tiles), ("B", bar)] {
      content +=
        "q \(picture.width.inPDF) 0 0 \((-picture.height).inPDF) \(picture.x.inPDF) \((picture.y + picture.height).inPDF) cm /\(name) Do Q\n"
    }
    for line in texts {
      let x = line.anchor == .start ? line.x : line.anchor == .end ? line.x - line.width : line.x - line.width / 2
      // Glyphs on whole pixels are wider or narrower than the font's own.
      let stretch = 100 * line.width / max(font.width(of: line.text, size: line.size), 1)
      content += "BT /F \(line.size) Tf \(stretch.inPDF) Tz 1 0 0 -1 \(x.inPDF) \(line.baseline.inPDF) Tm "
      content += "<\(font.glyphs(of: line.text))> Tj ET\n"
    }
    file.set(page.catalog, "<< /Type /Catalog /Pages \(page.pages) 0 R >>")
    file.set(page.pages, "<< /Type /Pages /Kids [\(page.page) 0 R] /Count 1 >>")
    file.set(
      page.page,
      """
      << /Type /Page /Parent \(page.pages) 0 R /MediaBox [0 0 \((width * scale).inPDF) \((height * scale).inPDF)] \
      /Contents \(page.content) 0 R /Resources << /Font << /F \(fontNumber) 0 R >> \
      /XObject << /T \(page.tiles) 0 R /B \(page.bar) 0 R >> >> >>
      """)
    file.set(page.content, stream: Array(content.utf8))
    for (number, picture) in [(page.tiles, tiles), (page.bar, bar)] {
      let (width, height) = (picture.canvas.width, picture.canvas.height)
      let palette = map.colors.map(\.inHexadecimal).joined()
      // A PNG's compressed rows are a PDF's: the same compression, the same filters.
      file.set(
        number, stream: try PNGChunks(try png(of: picture)).pixels,
        """
        /Type /XObject /Subtype /Image /Width \(width) /Height \(height) /BitsPerComponent 8 \
        /ColorSpace [/Indexed /DeviceRGB 255 <\(palette)>] /Filter /FlateDecode \
        /DecodeParms << /Predictor 15 /Colors 1 /BitsPerComponent 8 /Columns \(width) >> /Interpolate false
        """)
    }
    return file.bytes(catalog: page.catalog, info: info)
  }
}

/// A PDF that is being put together: objects by number, from 1.
private struct PDFFile {
  private var objects: [[UInt8]] = []

  mutating func reserve() -> Int {
    objects.append([])
    return objects.count
  }

  mutating func set(_ number: Int, _ text: String) { objects[number - 1] = Array(text.utf8) }

  mutating func set(_ number: Int, stream: [UInt8], _ entries: String = "") {
    objects[number - 1] =
      Array("<< /Length \(stream.count) \(entries) >>\nstream\n".utf8) + stream + Array("\nendstream".utf8)
  }

  mutating func add(_ text: String) -> Int {
    let number = reserve()
    set(number, text)
    return number
  }

  mutating func add(stream: [UInt8], _ entries: String = "") -> Int {
    let number = reserve()
    set(number, stream: stream, entries)
    return number
  }

  func bytes(catalog: Int, info: Int) -> [UInt8] {
    // The second line tells programs that the file is binary.
    var bytes = Array("%PDF-1.4\n%".utf8) + [0xe2, 0xe3, 0xcf, 0xd3, 0x0a]
    var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
    for (place, object) in objects.enumerated() {
      let offset = String(bytes.count)
      table += String(repeating: "0", count: max(0, 10 - offset.count)) + offset + " 00000 n \n"
      bytes += Array("\(place + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
    }
    let start = bytes.count
    return bytes
      + Array(
        (table
          + "trailer\n<< /Size \(objects.count + 1) /Root \(catalog) 0 R /Info \(info) 0 R >>\nstartxref\n\(start)\n%%EOF\n")
          .utf8)
  }
}

/// The bundled font in a PDF: glyphs by number, with the text they stand for.
private struct PDFFont {
  private var glyphs: [Unicode.Scalar: (number: Int, width: Int)] = [:]
  private let metrics: FontMetrics

  /// - Parameter scalars: all that will be written.
  init(_ drawer: TextDrawer, _ scalars: Set<Unicode.Scalar>) {
    metrics = drawer.metrics
    for scalar in scalars { glyphs[scalar] = drawer.fontGlyph(of: scalar) }
  }

  /// Four hexadecimal digits for each character.
  func glyphs(of text: String) -> String {
    text.unicodeScalars.map { digits(glyphs[$0]?.number ?? 0) }.joined()
  }

  /// In units of `size`.
  func width(of text: String, size: Int) -> Double {
    text.unicodeScalars.reduce(0) { $0 + Double((glyphs[$1]?.width ?? 0) * size) / 1000 }
  }

  private func digits(_ number: Int) -> String {
    let text = String(number & 0xffff, radix: 16)
    return String(repeating: "0", count: 4 - text.count) + text
  }

  func add(to file: inout PDFFile) -> Int {
    let bytes = Array(UnsafeBufferPointer(start: h5conv_font_bytes(), count: h5conv_font_size()))
    let program = file.add(stream: bytes, "/Length1 \(bytes.count)")
    let box = metrics.box.map(String.init).joined(separator: " ")
    let descriptor = file.add(
      """
      << /Type /FontDescriptor /FontName /DejaVuSans /Flags 4 /FontBBox [\(box)] /ItalicAngle 0 /Ascent \(metrics.ascent) \
      /Descent \(metrics.descent) /CapHeight \(metrics.ascent) /StemV 80 /FontFile2 \(program) 0 R >>
      """)
    let known = Dictionary(glyphs.map { ($1.number, ($0, $1.width)) }, uniquingKeysWith: { $0.0 < $1.0 ? $0 : $1 })
      .sorted { $0.key < $1.key }
    let widths = known.map { "\($0.key) [\($0.value.1)]" }.joined(separator: " ")
    let descendant = file.add(
      """
      << /Type /Font /Subtype /CIDFontType2 /BaseFont /DejaVuSans /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> \
      /FontDescriptor \(descriptor) 0 R /DW 600 /W [\(widths)] /CIDToGIDMap /Identity >>
      """)
    var characters = """
      /CIDInit /ProcSet findresource begin
      12 dict begin
      begincmap
      /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
      /CMapName /Adobe-Identity-UCS def
      /CMapType 2 def
      1 begincodespacerange
      <0000> <ffff>
      endcodespacerange

      """
    // At most a hundred in a list.
    for start in stride(from: 0, to: known.count, by: 100) {
      let part = known[start..<min(start + 100, known.count)]
      characters += "\(part.count) beginbfchar\n"
      for (number, (scalar, _)) in part {
        characters += "<\(digits(number))> <\(String(scalar).utf16.map { digits(Int($0)) }.joined())>\n"
      }
      characters += "endbfchar\n"
    }
    characters += "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    let unicode = file.add(stream: Array(characters.utf8))
    return file.add(
      """
      << /Type /Font /Subtype /Type0 /BaseFont /DejaVuSans /Encoding /Identity-H /DescendantFonts [\(descendant) 0 R] \
      /ToUnicode \(unicode) 0 R >>
      """)
  }
}

/// A text of a PDF outside of its pages: UTF-16 with its mark, in hexadecimal.
private func pdfText(_ text: String) -> String {
  "<feff" + text.utf16.map { UInt8($0 >> 8).inHexadecimal + UInt8($0 & 0xff).inHexadecimal }.joined() + ">"
}

extension UInt8 {
  /// Two digits.
  fileprivate var inHexadecimal: String {
    let text = String(self, radix: 16)
    return text.count == 1 ? "0" + text : text
  }
}

extension Double {
  /// With four places at most, and never with an exponent, which PDF does not know.
  fileprivate var inPDF: String {
    var text = inPlaces(4)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
