import H5ConvDiagnostics
import H5ConvImages

/// One picture of a layer.
package struct RenderedPicture: Sendable {
  package let style: PictureStyle
  package let fileName: String
  /// The PNG file: 8-bit palette, of which the 256 colours are those of the colour map.
  package let png: [UInt8]
  package let width: Int
  package let height: Int
  package let colorMap: ColorMap
  package let tiles: TileLayout
}

/// A figure of a layer for papers.
package struct RenderedFigure: Sendable {
  package let style: PictureStyle
  package let format: PictureFormat
  package let fileName: String
  package let bytes: [UInt8]
  /// Size in pixels of an SVG, in points of a PDF.
  package let width: Double
  package let height: Double
}

/// All pictures of a layer, and what its activations are like.
package struct RenderedLayer: Sendable {
  package let index: Int
  package let name: String
  package let className: String
  /// Whether the pictures show what the layer's activation is computed of.
  package let isBeforeActivation: Bool
  package let shape: [Int]
  package let statistics: LayerStatistics
  package let scale: Scale
  /// What index 0 begins and index 255 ends at; nil when each channel has its own range.
  package let range: ClosedRange<Double>?
  package let pictures: [RenderedPicture]
  /// The same as figures for papers.
  package let figures: [RenderedFigure]
  /// The strongest channels, for an animation; nil where none is wanted.
  package let showcase: Showcase?
  /// The channels that the tiles of the pictures show; nil when these are all, in order.
  package let shownChannels: [Int]?
  /// The text that shows the strongest channels on ``PictureOptions/screen``; nil where there is none.
  package let terminalText: String?
  /// Time that measuring and drawing took, in seconds.
  package var seconds: Double
}

/// Draws the pictures of `maps` in each of `styles`, in order; nothing is written.
///
/// The layers are spread over `threads` threads. Every picture holds every channel, each activation as whole pixels. The
/// same input gives the same bytes.
///
/// - Throws: ``H5ConvError`` of kind `usage` for an impossible option, and `limit` for a picture that would be too large.
package func render(
  _ maps: [FeatureMaps], styles: [PictureStyle] = [.strip, .grid], options: PictureOptions = PictureOptions(),
  threads: Int = 1
) throws -> [RenderedLayer] {
  try renderWithBytes(maps, styles: styles, options: options, wantsBytes: false, threads: threads).map(\.layer)
}

/// The same, and each layer's maps in 8 bits for a page where these are wanted: both are made of the same planes.
package func renderWithBytes(
  _ maps: [FeatureMaps], styles: [PictureStyle], options: PictureOptions, wantsBytes: Bool, threads: Int
) throws -> [(layer: RenderedLayer, bytes: ByteMaps?)] {
  let names = PictureNames.make(for: maps.map { ($0.index, $0.name) })
  return try concurrentMap(Array(zip(maps, names)), threads: threads) { maps, name in
    let measured = MeasuredMaps(maps)
    let layer = try render(maps, measured, named: name, styles: styles, options: options)
    return (layer, wantsBytes ? ByteMaps(measured) : nil)
  }
}

/// Draws the pictures of one layer; `fileName` comes from ``PictureNames``.
///
/// A pure function, which several threads may call at once.
private func render(
  _ maps: FeatureMaps, _ measured: MeasuredMaps, named fileName: String, styles: [PictureStyle], options: PictureOptions
) throws -> RenderedLayer {
  try options.check()
  let clock = ContinuousClock()
  let start = clock.now
  let planar = measured.planar
  var statistics = measured.layer
  let quantized = QuantizedMaps(measured, scale: options.scale)
  statistics.flatChannels = quantized.flatChannels
  let isRanked =
    options.strongest.map { $0 < planar.channels } == true || options.screen != nil || options.formats.contains(.apng)
  let ranking = isRanked ? ChannelPeaks(maps).strongest(planar.channels, by: options.measure) : []
  let shown = options.strongest.flatMap { $0 < planar.channels ? Array(ranking.prefix($0)) : nil }
  let drawn = shown.map(quantized.selecting) ?? quantized
  let text = try TextDrawer()
  var pictures: [RenderedPicture] = []
  var figures: [RenderedFigure] = []
  for style in styles {
    let map = options.colorMap(for: style)
    let tiles = TileLayout(drawn, style: style, options: options)
    try tiles.check(maps.name)
    let figure = Figure(
      map: map,
      caption: Caption(
        title: maps.name.escapedForTerminal,
        facts: captionFacts(maps, statistics, options, shown: shown, style: style, rows: tiles.rows)),
      bar: ColorBar(options.scale, range: quantized.range), lines: map.lines(under: options.scale), maps: drawn,
      tiles: tiles)
    let title = "\(maps.name.escapedForTerminal) \(shapeText(maps.shape))"
    figures += try renderedFigures(figure, title: title, "\(fileName).\(style.rawValue)", style, options, text)
    guard options.formats.contains(.png) else { continue }
    let (canvas, placed) = try figure.draw(with: text)
    let png = try PNGPicture(
      kind: .palette(map.colors), width: canvas.width, height: canvas.height, pixels: canvas.pixels, dpi: options.dpi,
      texts: [
        .init("Title", title), .init("Software", "h5conv"),
        .init("Scale", options.scale.name), .init("Min", "\(statistics.minimum)"),
        .init("Max", "\(statistics.maximum)"), .init("Colormap", map.name),
      ]
    ).encoded()
    pictures.append(
      RenderedPicture(
        style: style, fileName: "\(fileName).\(style.rawValue).png", png: png, width: canvas.width,
        height: canvas.height, colorMap: map, tiles: placed))
  }
  let showcase =
    options.formats.contains(.apng)
    ? Showcase(planar, quantized, scale: options.scale, strongest: ranking, size: Animation.tiles) : nil
  let terminalText = try options.screen.map { screen in
    try Showcase(planar, quantized, scale: options.scale, strongest: ranking, size: Showcase.Size(for: screen))
      .text(for: screen, maps, options)
  }
  return RenderedLayer(
    index: maps.index, name: maps.name, className: maps.className, isBeforeActivation: maps.isBeforeActivation,
    shape: maps.shape, statistics: statistics, scale: options.scale, range: quantized.range, pictures: pictures,
    figures: figures, showcase: showcase,
    shownChannels: shown, terminalText: terminalText, seconds: (clock.now - start) / .seconds(1))
}

/// The figure in the formats for papers that are wanted.
private func renderedFigures(
  _ figure: Figure, title: String, _ fileName: String, _ style: PictureStyle, _ options: PictureOptions,
  _ text: TextDrawer
) throws -> [RenderedFigure] {
  let formats = [PictureFormat.svg, .pdf].filter(options.formats.contains)
  guard !formats.isEmpty else { return [] }
  let vector = VectorFigure(figure, title: title, dpi: options.dpi, with: text)
  return try formats.map { format in
    let scale = format == .pdf ? vector.points : 1
    return RenderedFigure(
      style: style, format: format, fileName: "\(fileName).\(format.rawValue)",
      bytes: format == .pdf ? try vector.pdf() : try vector.svg(), width: vector.width * scale,
      height: vector.height * scale)
  }
}

extension TileLayout {
  /// Greatest width of a strip in pixels; browsers and most viewers show nothing wider.
  package static let widestStrip = 65_535

  /// Room left in a strip for the margins at its two sides.
  private static let stripMargins = 2 * 40

  /// The tiles of `maps` in `style`; a strip that would be wider than ``widestStrip`` goes on in further rows.
  init(_ maps: QuantizedMaps, style: PictureStyle, options: PictureOptions) {
    let room = TileLayout.widestStrip - TileLayout.stripMargins - options.gap
    let columns = style == .grid ? options.columns : max(1, room / (maps.width * options.cell + options.gap))
    self.init(
      count: maps.channels, mapHeight: maps.height, mapWidth: maps.width, columns: columns, cell: options.cell,
      gap: options.gap)
  }

  /// - Throws: ``H5ConvError`` of kind `limit` when the tiles would have more than 2³⁰ pixels.
  func check(_ layer: String) throws {
    let (width, height) = extent
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, area <= 1 << 30 else {
      throw H5ConvError(
        .limit, "a picture of \(width)×\(height) pixels is too large", at: layer, remedy: "use a smaller --cell")
    }
  }
}

/// What the caption says besides the layer's name.
private func captionFacts(
  _ maps: FeatureMaps, _ statistics: LayerStatistics, _ options: PictureOptions, shown: [Int]?, style: PictureStyle,
  rows: Int
) -> [String] {
  let flat = statistics.flatChannels.count
  let channels = statistics.channelCount
  var facts = [
    maps.className.escapedForTerminal + (maps.isBeforeActivation ? " before its activation" : ""),
    shapeText(maps.shape), options.scale.explanation,
    flat == 0 ? "no flat channel of \(channels)" : "\(flat) flat of \(channels)",
  ]
  if statistics.minimum <= statistics.maximum {
    facts.append("values \(statistics.minimum.inCaption(4)) … \(statistics.maximum.inCaption(4))")
  }
  if !statistics.isFinite {
    facts.append("NOT FINITE: \(statistics.nanCount) NaN, \(statistics.infinityCount) infinite")
  }
  if let shown {
    facts.append(
      "channels of the greatest \(options.measure.rawValue): \(shown.map(String.init).joined(separator: ", "))")
  }
  if style == .strip && rows > 1 { facts.append("strip continued in \(rows) rows") }
  return facts
}
