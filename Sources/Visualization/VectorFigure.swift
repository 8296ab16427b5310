import H5ConvConfig
import H5ConvDiagnostics
import H5ConvImages

/// A figure whose title, facts and numbers are text; dark on white.
struct VectorFigure {
  /// A line of text that begins at (`x`, `baseline`), or ends or has its middle there.
  struct Text {
    enum Anchor: String { case start, middle, end }
    var text: String
    var size: Int
    var x: Double
    var baseline: Double
    var anchor = Anchor.start
    /// Width that it has to have, that of the PNG's text.
    var width: Double
  }

  /// A picture of palette indices at a place.
  struct Picture {
    var canvas: IndexCanvas
    var x: Double
    var y: Double
    var width: Double
    var height: Double
  }

  /// Sizes are in pixels of the PNG of the same figure.
  let width: Double
  let height: Double
  let title: String
  let map: ColorMap
  let texts: [Text]
  /// The tiles, and the colours in order.
  let tiles: Picture
  let bar: Picture
  /// The numbers' marks below the colour bar: left edge, top, width, height.
  let ticks: [(x: Double, y: Double, width: Double, height: Double)]
  let dpi: Int

  init(_ figure: Figure, title: String, dpi: Int, with text: TextDrawer) {
    let place = figure.place(with: text)
    (width, height) = (Double(place.width), Double(place.height))
    (self.title, self.dpi, map) = (title, dpi, figure.map)
    var texts: [Text] = []
    func add(_ string: String, _ size: Int, _ x: Int, _ baseline: Int, _ anchor: Text.Anchor = .start) {
      texts.append(
        Text(
          text: string, size: size, x: Double(x), baseline: Double(baseline), anchor: anchor,
          width: Double(text.width(of: string, size: size))))
    }
    let style = place.style
    for line in figure.caption.placed(place.lines, x: place.margin, y: place.margin, width: place.inner, style, text) {
      add(line.text, line.size, line.x, line.baseline)
    }
    var ticks: [(x: Double, y: Double, width: Double, height: Double)] = []
    for tick in figure.bar.placed(x: place.margin, y: place.barTop, style, text) {
      ticks.append((Double(tick.mark.x), Double(tick.mark.y), Double(tick.mark.width), Double(tick.mark.height)))
      guard let left = tick.left else { continue }
      let wide = text.width(of: tick.label, size: style.size)
      // A font of another width keeps the middle, or the end of the bar.
      switch tick.end {
      case .first: add(tick.label, style.size, left, tick.baseline)
      case .last: add(tick.label, style.size, left + wide, tick.baseline, .end)
      case nil: add(tick.label, style.size, left + wide / 2, tick.baseline, .middle)
      }
    }
    (self.texts, self.ticks) = (texts, ticks)
    var canvas = IndexCanvas(
      width: figure.tiles.extent.width, height: figure.tiles.extent.height, filledWith: figure.map.paper)
    figure.drawTiles(figure.tiles, on: &canvas)
    tiles = Picture(
      canvas: canvas, x: Double(place.margin), y: Double(place.tilesTop), width: Double(canvas.width),
      height: Double(canvas.height))
    var colors = IndexCanvas(width: 256, height: 1, filledWith: 0)
    for index in 0...255 { colors[index, 0] = UInt8(index) }
    bar = Picture(
      canvas: colors, x: Double(place.margin), y: Double(place.barTop), width: Double(figure.bar.width(style)),
      height: Double(style.size))
  }

  func png(of picture: Picture) throws -> [UInt8] {
    try PNGPicture(
      kind: .palette(map.colors), width: picture.canvas.width, height: picture.canvas.height,
      pixels: picture.canvas.pixels
    ).encoded()
  }

  // MARK: SVG

  func svg() throws -> [UInt8] {
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width.inSVG)" height="\(height.inSVG)" \
      viewBox="0 0 \(width.inSVG) \(height.inSVG)" role="img">
      <title>\(title.inHTML)</title>
      <rect width="100%" height="100%" fill="#ffffff"/>
      <g font-family="'DejaVu Sans', Verdana, sans-serif" fill="#17181c">

      """
    for line in texts {
      text += """
        <text x="\(line.x.inSVG)" y="\(line.baseline.inSVG)" font-size="\(line.size)"\
        \(line.anchor == .start ? "" : " text-anchor=\"\(line.anchor.rawValue)\"") textLength="\(line.width.inSVG)" \
        lengthAdjust="spacingAndGlyphs">\(line.text.inHTML)</text>

        """
    }
    for tick in ticks {
      text += """
        <rect x="\(tick.x.inSVG)" y="\(tick.y.inSVG)" width="\(tick.width.inSVG)" height="\(tick.height.inSVG)"/>

        """
    }
    text += "</g>\n"
    for picture in [tiles, bar] {
      text += """
        <image x="\(picture.x.inSVG)" y="\(picture.y.inSVG)" width="\(picture.width.inSVG)" \
        height="\(picture.height.inSVG)" preserveAspectRatio="none" image-rendering="pixelated" \
        style="image-rendering:pixelated" href="data:image/png;base64,
        """
      text += String(decoding: base64(try png(of: picture)), as: UTF8.self) + "\"/>\n"
    }
    return Array((text + "</svg>\n").utf8)
  }
}
