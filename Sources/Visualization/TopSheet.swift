import H5ConvDiagnostics
package import H5ConvImages

/// A sheet with pictures for each channel of a layer: a block for each channel, with a line of text above its tiles.
///
/// Tiles are square. A picture is enlarged by a whole factor without interpolation, or reduced (Pillow's bilinear), to fit into its tile.
package struct TopSheet: Sendable {
  /// Where the blocks and their tiles are, in pixels.
  package struct Layout: Sendable, Equatable {
    /// Side of a tile.
    package let tile: Int
    /// Tiles in a row of a block, and blocks in a row of the sheet.
    package let columns: Int
    package let blockColumns: Int
    /// Upper left corner of the first tile of the first block.
    package internal(set) var x = 0
    package internal(set) var y = 0
    /// From a tile of a block to the next one, from a block to the next one.
    package let tileStep: Int
    package let blockWidth: Int
    package let blockHeight: Int
    /// Number of blocks and of tiles in each.
    let blocks: Int
    let tiles: Int

    init(blocks: Int, tiles: Int, tile: Int, blockColumns: Int, line: Int) {
      (self.blocks, self.tiles, self.tile) = (blocks, tiles, tile)
      columns = Int(Double(tiles).squareRoot().rounded(.up))
      self.blockColumns = max(1, min(blockColumns, blocks))
      tileStep = tile + TopSheet.gap
      blockWidth = columns * tileStep + TopSheet.blockGap
      blockHeight = (tiles + columns - 1) / columns * tileStep + TopSheet.blockGap + line
    }

    /// Width and height of all blocks.
    var extent: (width: Int, height: Int) {
      (blockColumns * blockWidth - TopSheet.blockGap, (blocks + blockColumns - 1) / blockColumns * blockHeight)
    }

    /// Upper left corner of tile `place` of `block`.
    package func origin(block: Int, place: Int) -> (x: Int, y: Int) {
      (
        x + block % blockColumns * blockWidth + place % columns * tileStep,
        y + block / blockColumns * blockHeight + place / columns * tileStep
      )
    }
  }

  /// Pixels between the tiles of a block, and between blocks.
  private static let (gap, blockGap) = (2, 14)
  /// Size of the text above blocks.
  private static let labelSize = 12
  private static let labelLine = 17
  /// Grey value of what lies beyond a picture's borders, and of empty tiles.
  package static let outside: UInt8 = 70
  private static let map = ColorMap.gray
  /// Pixels that a sheet may have.
  private static let mostPixels = 1 << 28

  package let width: Int
  package let height: Int
  package let layout: Layout
  private let title: String
  private var canvas: ColorCanvas

  /// A sheet with empty tiles.
  ///
  /// - Parameters:
  ///   - title: what it shows; any text.
  ///   - facts: further texts for its head.
  ///   - labels: one text for each block.
  ///   - tiles: number of tiles of a block.
  ///   - tile: side of a tile in pixels.
  ///   - columns: blocks in a row.
  /// - Throws: ``H5ConvError`` of kind `usage` for impossible sizes, `limit` for a sheet that would be too large.
  package init(title: String, facts: [String], labels: [String], tiles: Int, tile: Int, columns: Int) throws {
    for (name, value, allowed) in [("tile", tile, 8...1024), ("columns", columns, 1...65535)]
    where !allowed.contains(value) {
      throw H5ConvError(
        .usage, "\(name) cannot be \(value)", remedy: "give \(allowed.lowerBound) to \(allowed.upperBound)")
    }
    var layout = Layout(
      blocks: labels.count, tiles: tiles, tile: tile, blockColumns: columns, line: TopSheet.labelLine)
    let text = try TextDrawer()
    let style = TextStyle(for: (min(layout.extent.width, 1000), 130))
    let margin = style.size
    let caption = Caption(title: title.escapedForTerminal, facts: facts.map(\.escapedForTerminal))
    let inner = max(layout.extent.width, caption.width(style, text))
    let lines = caption.lines(toFit: inner, style, text)
    let top = margin + Caption.height(lines, style) + margin / 2
    (layout.x, layout.y) = (margin, top + TopSheet.labelLine)
    (width, height) = (inner + 2 * margin, top + layout.extent.height + margin)
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, area <= TopSheet.mostPixels else {
      throw H5ConvError(
        .limit, "a sheet of \(width)×\(height) pixels is too large", at: title,
        remedy: "choose channels with --top-channels, or use a smaller --tile")
    }
    var canvas = IndexCanvas(width: width, height: height, filledWith: TopSheet.map.paper)
    caption.draw(lines, x: margin, y: margin, width: inner, on: &canvas, map: TopSheet.map, style: style, text: text)
    for (block, label) in labels.enumerated() {
      let (x, y) = layout.origin(block: block, place: 0)
      let room = layout.blockWidth - TopSheet.blockGap
      text.draw(
        text.shortened(label, size: TopSheet.labelSize, toFit: room), size: TopSheet.labelSize, x: x,
        baseline: y - TopSheet.labelLine + TopSheet.labelSize, on: &canvas, map: TopSheet.map)
      for place in 0..<tiles {
        let (x, y) = layout.origin(block: block, place: place)
        canvas.fill(x: x, y: y, width: tile, height: tile, with: TopSheet.outside / 2)
      }
    }
    self.canvas = ColorCanvas(canvas, map: TopSheet.map)
    self.layout = layout
    self.title = title
  }

  /// Puts `picture` into tile `place` of `block`.
  ///
  /// - Parameter box: a rectangle of the picture's pixels that is framed; parts beyond its borders are not drawn.
  package mutating func put(_ picture: Raster, block: Int, place: Int, framing box: PixelRectangle? = nil) throws {
    let fitted = try picture.fitted(in: layout.tile)
    let corner = layout.origin(block: block, place: place)
    let tile = PixelRectangle(
      x: corner.x + (layout.tile - fitted.width) / 2, y: corner.y + (layout.tile - fitted.height) / 2,
      width: fitted.width, height: fitted.height)
    canvas.draw(fitted, x: tile.x, y: tile.y)
    guard let box else { return }
    func scaled(_ place: Int, _ from: Int, _ to: Int) -> Int {
      Int((Double(place) * Double(to) / Double(from)).rounded())
    }
    let (x, y) = (scaled(box.x, picture.width, tile.width), scaled(box.y, picture.height, tile.height))
    let frame = PixelRectangle(
      x: tile.x + x, y: tile.y + y, width: max(1, scaled(box.right, picture.width, tile.width) - x),
      height: max(1, scaled(box.bottom, picture.height, tile.height) - y))
    // A light line inside a dark one is seen on any picture.
    canvas.frame(frame.grown(by: 1), inside: tile, with: 0)
    canvas.frame(frame, inside: tile, with: 255)
  }

  /// The PNG file.
  package func encoded() throws -> [UInt8] {
    try PNGPicture(
      kind: .rgb, width: width, height: height, pixels: canvas.pixels,
      texts: [.init("Title", title.escapedForTerminal), .init("Software", "h5conv")]
    ).encoded()
  }
}
