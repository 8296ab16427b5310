/// Title and facts above a picture, drawn with the colours of its map.
struct Caption {
  /// First line, in larger type.
  let title: String
  /// Further facts; as many to a line as fit.
  let facts: [String]

  /// The width that texts of usual length take.
  func width(_ style: TextStyle, _ text: TextDrawer) -> Int {
    // Long ones do not dictate the width: they are shortened.
    max(
      min(text.width(of: title, size: style.titleSize), 48 * style.size),
      min(facts.map { text.width(of: $0, size: style.size) }.max() ?? 0, 32 * style.size))
  }

  /// The facts on lines, as many to a line as `width` holds; what is wider by itself is shortened.
  func lines(toFit width: Int, _ style: TextStyle, _ text: TextDrawer) -> [String] {
    facts.reduce(into: []) { lines, fact in
      if let last = lines.last, text.width(of: last + " · " + fact, size: style.size) <= width {
        lines[lines.count - 1] = last + " · " + fact
      } else {
        lines.append(text.shortened(fact, size: style.size, toFit: width))
      }
    }
  }

  /// Height of the caption with `lines` below the title.
  static func height(_ lines: [String], _ style: TextStyle) -> Int { style.titleLine + lines.count * style.line }

  /// Draws the caption with its upper left corner at (`x`, `y`).
  func draw(
    _ lines: [String], x: Int, y: Int, width: Int, on canvas: inout IndexCanvas, map: ColorMap, style: TextStyle,
    text: TextDrawer
  ) {
    for (number, line) in placed(lines, x: x, y: y, width: width, style, text).enumerated() {
      text.draw(
        line.text, size: line.size, x: line.x, baseline: line.baseline, on: &canvas, map: map,
        strength: number == 0 ? 1 : map.softInk)
    }
  }

  /// The title and `lines`, each with its place.
  func placed(
    _ lines: [String], x: Int, y: Int, width: Int, _ style: TextStyle, _ text: TextDrawer
  ) -> [(text: String, size: Int, x: Int, baseline: Int)] {
    let title = text.shortened(title, size: style.titleSize, toFit: width)
    let first = y + style.titleLine + style.size
    return [(title, style.titleSize, x, y + style.titleSize)]
      + lines.enumerated().map { ($1, style.size, x, first + $0 * style.line) }
  }
}
