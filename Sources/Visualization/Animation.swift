import H5ConvDiagnostics
package import H5ConvImages

/// A picture's way through the layers: the strongest channels of each, beside what the network saw.
package struct Animation: Sendable {
  /// The file, an animated PNG.
  package let bytes: [UInt8]
  package let width: Int
  package let height: Int
  package let frames: Int

  package static let fileName = "layers.apng"
  /// For how long a layer is shown, in milliseconds.
  package static let duration = 1500
  /// What is shown of a layer.
  package static let tiles = Showcase.Size(channels: 16, columns: 4, side: 112, gap: 2)
  private static let captionLines = 3
  private static let mostFrames = 500

  /// - Parameters:
  ///   - layers: with ``RenderedLayer/showcase``.
  ///   - picture: what the network saw; nil for an array that is no picture.
  /// - Throws: ``H5ConvError`` of kind `limit` for too many layers.
  package init(_ layers: [RenderedLayer], picture: Raster?, options: PictureOptions) throws {
    guard layers.count <= Animation.mostFrames else {
      throw H5ConvError(
        .limit, "\(layers.count) layers are more than the \(Animation.mostFrames) of an animation",
        remedy: "choose some with --layers, or leave apng out of --format")
    }
    let map = options.colorMap(for: .grid)
    let text = try TextDrawer()
    let style = TextStyle(for: (1, 1))
    let margin = style.size
    let side = Animation.tiles.columns * (Animation.tiles.side + Animation.tiles.gap) + Animation.tiles.gap
    let fitted = try picture.map { try $0.fitted(in: side) }
    let left = margin + (fitted == nil ? 0 : side + margin)
    let top = margin + style.titleLine + Animation.captionLines * style.line + margin / 2
    let barTop = top + side + margin
    var animation: AnimatedPNG?
    (width, height) = (left + side + margin, barTop + ColorBar(.layer, range: nil).height(style) + margin)
    for (number, layer) in layers.enumerated() {
      guard let showcase = layer.showcase else { continue }
      var canvas = IndexCanvas(width: width, height: height, filledWith: map.paper)
      let caption = Caption(
        title: layer.name.escapedForTerminal,
        facts: [
          "layer \(number + 1) of \(layers.count)",
          layer.className.escapedForTerminal + (layer.isBeforeActivation ? " before its activation" : ""),
          shapeText(layer.shape), layer.scale.explanation,
        ] + showcase.facts(by: options.measure))
      let inner = width - 2 * margin
      let lines = Array(caption.lines(toFit: inner, style, text).prefix(Animation.captionLines))
      caption.draw(lines, x: margin, y: margin, width: inner, on: &canvas, map: map, style: style, text: text)
      let extent = showcase.tiles.extent
      showcase.draw(on: &canvas, x: left + (side - extent.width) / 2, y: top + (side - extent.height) / 2)
      ColorBar(layer.scale, range: showcase.maps.range).draw(
        on: &canvas, x: left, y: barTop, map: map, style: style, text: text)
      var colors = ColorCanvas(canvas, map: map)
      if let fitted {
        colors.draw(
          fitted, x: margin + (side - fitted.width) / 2, y: top + (side - fitted.height) / 2)
      }
      let frame = try PNGPicture(
        kind: .rgb, width: width, height: height, pixels: colors.pixels,
        texts: [.init("Title", "Feature maps, layer by layer"), .init("Software", "h5conv")]
      ).encoded()
      var next = animation ?? AnimatedPNG(duration: Animation.duration, width: width, height: height)
      try next.add(frame)
      animation = next
    }
    bytes = animation?.bytes ?? []
    frames = layers.count
  }
}
