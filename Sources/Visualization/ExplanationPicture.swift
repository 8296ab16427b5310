import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvImages

/// A drawn explanation: the picture as the network saw it, and beside it the same picture under the map.
package struct ExplanationPicture: Sendable {
  package let map: ExplanationMap
  package let fileName: String
  /// The PNG file, 8-bit RGB.
  package let png: [UInt8]
  package let width: Int
  package let height: Int
  package let colorMap: ColorMap
  /// What the two ends of the colour bar stand for.
  package let range: ClosedRange<Double>
  /// What was told with it, besides the method's notes.
  package let facts: [String]

  /// How much of the map's colour a pixel gets; the rest is the picture's.
  package static let opacity = 0.55
  /// Pixels that the longer side of each of the two pictures has at least.
  private static let leastSide = 336

  /// Draws `map` over `picture`.
  ///
  /// The map is enlarged by bilinear interpolation with half-pixel centres (`resize`), so that it lies where the network's cells are.
  /// A map with numbers below 0 is drawn from −m to m, any other from 0 to its maximum; nothing is clipped.
  ///
  /// - Parameters:
  ///   - picture: what the network saw.
  ///   - colorMap: nil for `inferno`, and for `RdBu_r` when some numbers are below 0.
  ///   - resize: the map's values at another height and width.
  package init(
    _ map: ExplanationMap, over picture: Raster, named fileName: String, colorMap: ColorMap?, dpi: Int,
    resize: (_ height: Int, _ width: Int) -> [Float]
  ) throws {
    let enlargement = max(1, (ExplanationPicture.leastSide - 1) / max(picture.width, picture.height) + 1)
    let (width, height) = (picture.width * enlargement, picture.height * enlargement)
    let extremes = map.extremes
    let isSigned = extremes.lowerBound < 0
    let most = Double(max(extremes.upperBound, -extremes.lowerBound))
    let range = (isSigned ? -most : 0)...most
    let colors = try colorMap ?? (isSigned ? .rdBuR : .named("inferno"))
    let facts = ExplanationPicture.facts(map)

    let text = try TextDrawer()
    let style = TextStyle(for: (2 * width, height))
    let margin = style.size
    let caption = Caption(title: map.name.escapedForTerminal, facts: facts)
    let bar = ColorBar(isSigned ? .signed : .layer, range: range)
    let inner = max(2 * width + margin, max(bar.width(style), caption.width(style, text)))
    let lines = caption.lines(toFit: inner, style, text)
    let top = margin + Caption.height(lines, style) + margin / 2
    let barTop = top + height + margin
    var canvas = IndexCanvas(
      width: inner + 2 * margin, height: barTop + bar.height(style) + margin, filledWith: colors.paper)
    caption.draw(lines, x: margin, y: margin, width: inner, on: &canvas, map: colors, style: style, text: text)
    bar.draw(on: &canvas, x: margin, y: barTop, map: colors, style: style, text: text)

    var pixels = ColorCanvas(canvas, map: colors).pixels
    let values = resize(height, width)
    for row in 0..<height {
      for column in 0..<width {
        let source = (row / enlargement * picture.width + column / enlargement) * picture.channels
        let index = Int(ExplanationPicture.index(Double(values[row * width + column]), in: range))
        let left = ((top + row) * canvas.width + margin + column) * 3
        let right = left + (width + margin) * 3
        for channel in 0..<3 {
          let seen = picture.pixels[source + (picture.channels == 3 ? channel : 0)]
          pixels[left + channel] = seen
          let mixed =
            Double(seen) * (1 - ExplanationPicture.opacity) + Double(colors.colors[index * 3 + channel])
            * ExplanationPicture.opacity
          pixels[right + channel] = UInt8(mixed.rounded())
        }
      }
    }
    png = try PNGPicture(
      kind: .rgb, width: canvas.width, height: canvas.height, pixels: pixels, dpi: dpi,
      texts: [
        .init("Title", map.name.escapedForTerminal), .init("Software", "h5conv"),
        .init("Min", "\(extremes.lowerBound)"),
        .init("Max", "\(extremes.upperBound)"), .init("Colormap", colors.name),
      ]
    ).encoded()
    (self.map, self.fileName, self.range, self.facts) = (map, fileName, range, facts)
    (self.width, self.height, self.colorMap) = (canvas.width, canvas.height, colors)
  }

  /// The step of the colour map that stands for `value`; that of 0 where it is no number.
  static func index(_ value: Double, in range: ClosedRange<Double>) -> UInt8 {
    let length = range.upperBound - range.lowerBound
    guard length > 0, length.isFinite else { return range.lowerBound < 0 ? 128 : 0 }
    let share = ((value.isFinite ? value : 0) - range.lowerBound) / length
    return UInt8(min(max((share * 255).rounded(), 0), 255))
  }

  private static func facts(_ map: ExplanationMap) -> [String] {
    var facts: [String] = []
    if let index = map.classIndex {
      facts.append("class \(index)" + (map.label.map { " (\($0.escapedForTerminal))" } ?? ""))
      facts.append("score before softmax or sigmoid \(map.score.inCaption(4))")
    } else {
      facts.append("no class: what the layer sees most")
    }
    let extremes = map.extremes
    facts.append(
      "\(map.height)×\(map.width) cells, \(Double(extremes.lowerBound).inCaption(4)) … \(Double(extremes.upperBound).inCaption(4))"
    )
    if let gap = map.completenessGap { facts.append("completeness gap \((gap * 100).inCaption(2)) %") }
    let odd = map.values.count { !$0.isFinite }
    if odd > 0 { facts.append("NOT FINITE: \(odd) cells") }
    return facts + map.notes.map(\.escapedForTerminal)
  }

  var json: JSONValue {
    var object = map.json
    object["cells"] = ["width": .int(map.width), "height": .int(map.height)]
    object["range"] = .array([.double(range.lowerBound), .double(range.upperBound)])
    object["colormap"] = .string(colorMap.name)
    object["path"] = .string(fileName)
    object["width"] = .int(width)
    object["height"] = .int(height)
    return .object(object)
  }
}
