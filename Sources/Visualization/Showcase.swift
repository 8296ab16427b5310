import H5ConvDiagnostics

/// The strongest channels of a layer, each about as large as those of any other layer, to be seen at a glance.
package struct Showcase: Sendable {
  /// What a showcase is to be.
  package struct Size: Sendable {
    /// Channels, at most, and in a row.
    package var channels: Int
    package var columns: Int
    /// Greatest side of a channel and width of the lines between channels, in pixels.
    package var side: Int
    package var gap: Int

    package init(channels: Int, columns: Int, side: Int, gap: Int) {
      (self.channels, self.columns, self.side, self.gap) = (channels, columns, side, gap)
    }
  }

  /// The channels that are shown, strongest first.
  package let channels: [Int]
  /// Number of the layer's channels.
  package let total: Int
  /// Of how many by how many activations the mean is shown.
  package let reduction: Int
  let maps: QuantizedMaps
  let tiles: TileLayout

  /// - Parameters:
  ///   - planar: the activations that `quantized` was made of by `scale`.
  ///   - strongest: the layer's channels, strongest first.
  init(_ planar: PlanarMaps, _ quantized: QuantizedMaps, scale: Scale, strongest: [Int], size: Size) {
    channels = Array(strongest.prefix(size.channels))
    total = planar.channels
    let longest = max(planar.height, planar.width)
    reduction = (longest + size.side - 1) / max(1, size.side)
    if reduction > 1 {
      let means = planar.means(reduction, of: channels)
      maps = QuantizedMaps(MeasuredMaps(means), scale: scale)
    } else {
      maps = quantized.selecting(channels)
    }
    tiles = TileLayout(
      count: channels.count, mapHeight: maps.height, mapWidth: maps.width, columns: size.columns,
      cell: max(1, size.side / longest), gap: size.gap)
  }

  /// The tiles alone, with the colours of `map`; lines between them are paper.
  func canvas(_ map: ColorMap) -> IndexCanvas {
    var canvas = IndexCanvas(width: tiles.extent.width, height: tiles.extent.height, filledWith: map.paper)
    draw(on: &canvas, x: 0, y: 0)
    return canvas
  }

  /// Draws the tiles with lines around them, which are paper, from (`x`, `y`) on.
  func draw(on canvas: inout IndexCanvas, x: Int, y: Int) {
    var placed = tiles
    (placed.x, placed.y) = (x + tiles.gap, y + tiles.gap)
    maps.draw(placed, on: &canvas)
  }

  /// Which channels there are, and of how many activations.
  func facts(by measure: ChannelMeasure) -> [String] {
    let list = channels.map(String.init).joined(separator: " ")
    return ["\(channels.count) of \(total) channels, by \(measure.rawValue): \(list)"]
      + (reduction > 1 ? ["means of \(reduction)×\(reduction)"] : [])
  }

  /// The picture for a terminal, with a line that says what it shows.
  func text(for screen: TerminalScreen, _ layer: FeatureMaps, _ options: PictureOptions) throws -> String {
    let map = options.colorMap(for: .grid)
    let facts = facts(by: options.measure) + [options.scale.name]
    let title = "\(layer.name.escapedForTerminal)  \(shapeText(layer.shape))  \(facts.joined(separator: ", "))"
    let room = max(20, screen.columns - 1)
    let line = title.count <= room ? title : title.prefix(room - 1) + "…"
    return line + "\n" + (try TerminalPicture(canvas: canvas(map), map: map).text(for: screen))
  }
}

extension Showcase.Size {
  /// What fits into the width of `screen`.
  package init(for screen: TerminalScreen) {
    if screen.graphics == .halfblocks {
      let width = min(screen.columns, 160)
      let side = min(26, max(4, width - 1))
      let columns = max(1, (width + 1) / (side + 1))
      self.init(channels: columns, columns: columns, side: side, gap: 1)
    } else {
      let side = max(32, min(screen.cellHeight * 4, 256))
      let columns = max(1, min(screen.columns * screen.cellWidth, 2000) / (side + 2))
      self.init(channels: 2 * columns, columns: columns, side: side, gap: 2)
    }
  }
}

extension QuantizedMaps {
  /// Draws the channels as `tiles` says, without lines around them.
  func draw(_ tiles: TileLayout, on canvas: inout IndexCanvas) {
    let area = height * width
    indices.withUnsafeBufferPointer { indices in
      for channel in 0..<tiles.count {
        let plane = UnsafeBufferPointer(rebasing: indices[channel * area..<(channel + 1) * area])
        let (x, y) = tiles.origin(of: channel)
        canvas.draw(plane, mapWidth: width, cell: tiles.cell, x: x, y: y)
      }
    }
  }
}

extension PlanarMaps {
  /// Some channels in their order, of each `side` × `side` activations the mean of those that are finite.
  fileprivate func means(_ side: Int, of chosen: [Int]) -> PlanarMaps {
    let (rows, columns) = ((height + side - 1) / side, (width + side - 1) / side)
    var result: [Float] = []
    result.reserveCapacity(rows * columns * chosen.count)
    for channel in chosen {
      var sums = [Double](repeating: 0, count: rows * columns)
      var counts = [Int](repeating: 0, count: rows * columns)
      for row in 0..<height {
        for column in 0..<width {
          let value = values[channel * area + row * width + column]
          guard value.isFinite else { continue }
          sums[row / side * columns + column / side] += Double(value)
          counts[row / side * columns + column / side] += 1
        }
      }
      result += zip(sums, counts).map { $1 > 0 ? Float($0 / Double($1)) : .nan }
    }
    return PlanarMaps(height: rows, width: columns, channels: chosen.count, values: result)
  }
}
