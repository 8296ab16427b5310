/// The drawing of one picture: caption, tiles, colour bar.
struct Figure {
  let map: ColorMap
  let caption: Caption
  let bar: ColorBar
  /// Index of the lines between tiles.
  let lines: UInt8
  let maps: QuantizedMaps
  let tiles: TileLayout

  /// Where everything is, in pixels.
  struct Placement {
    let style: TextStyle
    let margin: Int
    /// Width between the margins.
    let inner: Int
    /// Lines of the caption below its title.
    let lines: [String]
    let tilesTop: Int
    let barTop: Int
    let width: Int
    let height: Int
  }

  func place(with text: TextDrawer) -> Placement {
    let extent = tiles.extent
    let style = TextStyle(for: extent)
    let margin = style.size
    // Narrow tiles do not dictate the width: the colour bar and texts of usual length fit in any case.
    let inner = max(extent.width, max(bar.width(style), caption.width(style, text)))
    let lines = caption.lines(toFit: inner, style, text)
    let tilesTop = margin + Caption.height(lines, style) + margin / 2
    let barTop = tilesTop + extent.height + margin
    return Placement(
      style: style, margin: margin, inner: inner, lines: lines, tilesTop: tilesTop, barTop: barTop,
      width: inner + 2 * margin, height: barTop + bar.height(style) + margin)
  }

  /// Draws everything, and gives the tiles' place in the picture.
  func draw(with text: TextDrawer) throws -> (canvas: IndexCanvas, tiles: TileLayout) {
    let place = place(with: text)
    let (margin, style) = (place.margin, place.style)
    var canvas = IndexCanvas(width: place.width, height: place.height, filledWith: map.paper)
    caption.draw(
      place.lines, x: margin, y: margin, width: place.inner, on: &canvas, map: map, style: style, text: text)
    var placed = tiles
    placed.x = margin + tiles.gap
    placed.y = place.tilesTop + tiles.gap
    drawTiles(placed, on: &canvas)
    bar.draw(on: &canvas, x: margin, y: place.barTop, map: map, style: style, text: text)
    return (canvas, placed)
  }

  func drawTiles(_ tiles: TileLayout, on canvas: inout IndexCanvas) {
    let gap = tiles.gap
    // Lines around each tile that is there; the rest of the last row stays paper.
    if gap > 0 {
      for channel in 0..<tiles.count {
        frame(channel, tiles, on: &canvas, with: lines)
      }
      for channel in maps.flatChannels { frame(channel, tiles, on: &canvas, with: map.line) }
      for channel in maps.flatChannels { markCorners(of: channel, tiles, on: &canvas) }
    }
    maps.draw(tiles, on: &canvas)
  }

  /// Draws the lines around the tile of `channel`, over what the tile will cover.
  private func frame(_ channel: Int, _ tiles: TileLayout, on canvas: inout IndexCanvas, with index: UInt8) {
    let (x, y) = tiles.origin(of: channel)
    let gap = tiles.gap
    canvas.fill(x: x - gap, y: y - gap, width: tiles.width + 2 * gap, height: tiles.height + 2 * gap, with: index)
  }

  /// Marks a flat channel by bright corners in the lines around its tile; the tile itself is data and stays as it is.
  private func markCorners(of channel: Int, _ tiles: TileLayout, on canvas: inout IndexCanvas) {
    let gap = tiles.gap
    let (x, y) = tiles.origin(of: channel)
    let arm = (width: max(1, tiles.width / 5) + gap, height: max(1, tiles.height / 5) + gap)
    for left in [true, false] {
      for top in [true, false] {
        let right = x + tiles.width + gap
        let bottom = y + tiles.height + gap
        canvas.fill(
          x: left ? x - gap : right - arm.width, y: top ? y - gap : bottom - gap, width: arm.width, height: gap,
          with: map.ink)
        canvas.fill(
          x: left ? x - gap : right - gap, y: top ? y - gap : bottom - arm.height, width: gap, height: arm.height,
          with: map.ink)
      }
    }
  }
}

/// Sizes of type for a picture, in pixels.
struct TextStyle {
  /// Size of text, and of margins.
  let size: Int
  var titleSize: Int { size * 3 / 2 }
  var titleLine: Int { size * 2 }
  var line: Int { size * 7 / 5 }
  /// Width of one index in the colour bar.
  let barStep: Int

  /// Type that can be read when the whole picture is seen at once, within reason.
  init(for extent: (width: Int, height: Int)) {
    size = min(max(min(extent.width / 72, extent.height / 10), 13), 40)
    barStep = max(1, min(extent.width * 2 / 3 / 256, max(2, size / 8)))
  }
}
