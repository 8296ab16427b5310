import H5ConvConfig
import H5ConvDiagnostics
import H5ConvImages
package import H5ConvTensors

/// A kernel to be drawn.
package struct KernelSource: Sendable {
  package let index: Int
  package let name: String
  package let className: String
  /// (height, width, input channels of a group, output channels), the channels exchanged when ``isTransposed``.
  package let kernel: Tensor
  package let isTransposed: Bool
  package let groups: Int

  package init(
    index: Int, name: String, className: String, kernel: Tensor, isTransposed: Bool = false, groups: Int = 1
  ) {
    (self.index, self.name, self.className, self.kernel) = (index, name, className, kernel)
    (self.isTransposed, self.groups) = (isTransposed, groups)
  }

  /// What the rows and columns of the matrix are.
  fileprivate var axes: String {
    let (rows, columns) = (kernel.shape[2], kernel.shape[3])
    if columns == 1 { return "a tile for each channel" }
    let inputs = groups > 1 ? "input channels of a group" : "input channels"
    return isTransposed
      ? "rows: \(rows) output channels, columns: \(columns) \(inputs)"
      : "rows: \(rows) \(inputs), columns: \(columns) output channels"
  }
}

/// A picture of a convolution's kernel.
package struct RenderedKernel: Sendable {
  /// What its tiles are.
  package enum Style: String, Sendable {
    /// A tile for each filter in the colours that it looks for, from its own least to its own greatest number.
    case colors
    /// A tile for each input channel (rows) and output channel (columns), from −m to m, where m is the greatest magnitude.
    case matrix
  }

  package let source: KernelSource
  package let style: Style
  package let fileName: String
  package let png: [UInt8]
  package let width: Int
  package let height: Int
  package let tiles: TileLayout
  /// What the ends of the colours stand for; nil where each filter has its own.
  package let range: ClosedRange<Double>?

  private static let gap = 1

  /// Draws the matrix of input and output channels.
  ///
  /// - Throws: ``H5ConvError`` of kind `limit` for a picture that would be too large.
  package init(matrix source: KernelSource, named fileName: String, columns: Int, cell: Int, dpi: Int) throws {
    let shape = source.kernel.shape
    // In memory the output channels of an input channel follow each other: a row of tiles.
    let maps = try FeatureMaps(
      index: source.index, name: source.name, className: source.className, shape: shape,
      tensor: try source.kernel.reshaped(to: [shape[0], shape[1], shape[2] * shape[3]]))
    let measured = MeasuredMaps(maps)
    let (planar, statistics) = (measured.planar, measured.layer)
    let quantized = QuantizedMaps(measured, scale: .signed)
    let tiles = TileLayout(
      count: planar.channels, mapHeight: shape[0], mapWidth: shape[1], columns: columns, cell: cell,
      gap: RenderedKernel.gap)
    try tiles.check(source.name)
    let map = ColorMap.rdBuR
    let figure = Figure(
      map: map,
      caption: Caption(
        title: source.name.escapedForTerminal,
        facts: [
          "kernel of \(source.className.escapedForTerminal)", shapeText(shape),
          source.axes,
          "values \(statistics.minimum.inCaption(4)) … \(statistics.maximum.inCaption(4))",
        ] + (statistics.isFinite ? [] : ["NOT FINITE: \(statistics.nanCount + statistics.infinityCount) numbers"])),
      bar: ColorBar(.signed, range: quantized.range), lines: map.line, maps: quantized, tiles: tiles)
    let (canvas, placed) = try figure.draw(with: try TextDrawer())
    (self.source, style, self.fileName) = (source, .matrix, "\(fileName).kernel.png")
    (width, height, self.tiles, range) = (canvas.width, canvas.height, placed, quantized.range)
    png = try PNGPicture(
      kind: .palette(map.colors), width: width, height: height, pixels: canvas.pixels, dpi: dpi,
      texts: RenderedKernel.texts(source)
    ).encoded()
  }

  /// Draws each filter over three channels in colours.
  ///
  /// - Parameter isBGR: whether the first input channel is blue.
  /// - Throws: ``H5ConvError`` of kind `limit` for a picture that would be too large.
  package init(
    colors source: KernelSource, isBGR: Bool, named fileName: String, columns: Int, cell: Int, dpi: Int
  ) throws {
    let shape = source.kernel.shape
    var tiles = TileLayout(
      count: shape[3], mapHeight: shape[0], mapWidth: shape[1], columns: columns, cell: cell, gap: RenderedKernel.gap)
    try tiles.check(source.name)
    let map = ColorMap.gray
    let text = try TextDrawer()
    let style = TextStyle(for: tiles.extent)
    let margin = style.size
    let caption = Caption(
      title: source.name.escapedForTerminal,
      facts: [
        "kernel of \(source.className.escapedForTerminal)", shapeText(shape), "\(shape[3]) filters",
        isBGR ? "the network is given blue first: shown as red, green, blue" : "red, green, blue",
        "each filter from its own least to its own greatest number",
      ])
    let inner = max(tiles.extent.width, caption.width(style, text))
    let lines = caption.lines(toFit: inner, style, text)
    let top = margin + Caption.height(lines, style) + margin / 2
    var paper = IndexCanvas(
      width: inner + 2 * margin, height: top + tiles.extent.height + margin, filledWith: map.paper)
    caption.draw(lines, x: margin, y: margin, width: inner, on: &paper, map: map, style: style, text: text)
    var canvas = ColorCanvas(paper, map: map)
    (tiles.x, tiles.y) = (margin + tiles.gap, top + tiles.gap)
    for filter in 0..<shape[3] {
      let (x, y) = tiles.origin(of: filter)
      let picture = try RenderedKernel.filter(filter, source.kernel, isBGR: isBGR)
      canvas.draw(try picture.resized(width: tiles.width, height: tiles.height), x: x, y: y)
    }
    (self.source, self.style, self.fileName) = (source, .colors, "\(fileName).kernel.png")
    (width, height, self.tiles, range) = (canvas.width, canvas.height, tiles, nil)
    png = try PNGPicture(
      kind: .rgb, width: width, height: height, pixels: canvas.pixels, dpi: dpi, texts: RenderedKernel.texts(source)
    ).encoded()
  }

  private static func texts(_ source: KernelSource) -> [PNGPicture.Text] {
    [.init("Title", "\(source.name.escapedForTerminal) kernel"), .init("Software", "h5conv")]
  }

  /// A filter's numbers as colours; grey where all are equal, and what is not finite as the least.
  private static func filter(_ number: Int, _ kernel: Tensor, isBGR: Bool) throws -> Raster {
    let shape = kernel.shape
    let values = kernel.withUnsafeElements { values in
      (0..<shape[0] * shape[1]).flatMap { place in
        (0..<3).map { values[(place * 3 + (isBGR ? 2 - $0 : $0)) * shape[3] + number] }
      }
    }
    let finite = values.filter(\.isFinite)
    let (least, most) = (finite.min() ?? 0, finite.max() ?? 0)
    let pixels = values.map { value -> UInt8 in
      guard least < most else { return 128 }
      let share = (Double(value.isFinite ? value : least) - Double(least)) / (Double(most) - Double(least))
      return UInt8((share * 255).rounded())
    }
    return try Raster(width: shape[1], height: shape[0], channels: 3, pixels: pixels)
  }

  var json: JSONValue {
    [
      "layer": .string(source.name), "class": .string(source.className),
      "shape": .array(source.kernel.shape.map { .int($0) }), "style": .string(style.rawValue),
      "range": range.map { .array([.double($0.lowerBound), .double($0.upperBound)]) } ?? .null,
      "path": .string(fileName), "width": .int(width), "height": .int(height),
      "origin": ["x": .int(tiles.x), "y": .int(tiles.y)],
      "tile": ["width": .int(tiles.width), "height": .int(tiles.height)], "gap": .int(tiles.gap),
      "columns": .int(tiles.columns), "cell": .int(tiles.cell),
    ]
  }
}
