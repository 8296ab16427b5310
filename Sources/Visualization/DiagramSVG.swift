extension Diagram {
  /// Sizes in the SVG, in pixels.
  private enum Size {
    static let box = 230.0
    static let columnGap = 26.0
    static let rowGap = 30.0
    static let line = 15.0
    static let margin = 24.0
    static let title = 30.0
  }

  /// A picture of its own, that needs no fonts or styles from anywhere.
  ///
  /// Colours are classes with presentation attributes, so that it can stand in a page whose policy forbids inline styles.
  package var svg: String {
    let layout = DiagramLayout(self)
    var heights = [Double](repeating: 0, count: layout.rowCount)
    for (place, node) in nodes.enumerated() {
      let row = layout.rows[place]
      heights[row] = max(heights[row], Double(2 + node.facts.count) * Size.line + 12)
    }
    var tops: [Double] = []
    var y = Size.margin + Size.title
    for height in heights {
      tops.append(y)
      y += height + Size.rowGap
    }
    let width = layout.width * (Size.box + Size.columnGap) - Size.columnGap + 2 * Size.margin
    let height = y - Size.rowGap + Size.margin
    func middle(_ place: Double) -> Double { Size.margin + place * (Size.box + Size.columnGap) + Size.box / 2 }

    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width.inSVG)" height="\(height.inSVG)" viewBox="0 0 \(width.inSVG) \(height.inSVG)" \
      role="img" aria-label="\(title.shortened(to: 200).inHTML)" font-family="system-ui, DejaVu Sans, sans-serif" font-size="11">
      <rect class="paper" width="100%" height="100%" fill="#ffffff"/>
      <text class="name" x="\(Size.margin.inSVG)" y="\((Size.margin + 8).inSVG)" font-size="15" font-weight="600" fill="#17181c">\
      \(title.shortened(to: 100).inHTML)</text>
      <g class="arrows" fill="none" stroke="#8a93a6" stroke-width="1.25">

      """
    for (place, node) in nodes.enumerated() {
      for (number, input) in node.inputs.enumerated() {
        var points = [(middle(layout.places[input]), tops[layout.rows[input]] + boxHeight(input))]
        var row = layout.rows[input] + 1
        for bend in layout.bends[place][number] {
          points.append((middle(bend), tops[row]))
          points.append((middle(bend), tops[row] + heights[row]))
          row += 1
        }
        points.append((middle(layout.places[place]), tops[layout.rows[place]]))
        text += "<path d=\"\(Diagram.curve(points))\"/>\n"
      }
    }
    text += "</g>\n"
    for (place, node) in nodes.enumerated() {
      let (x, top) = (middle(layout.places[place]) - Size.box / 2, tops[layout.rows[place]])
      text += """
        <g class="layer"><title>\(node.name.shortened(to: 1000).inHTML)</title>\
        <rect class="box" x="\(x.inSVG)" y="\(top.inSVG)" width="\(Size.box.inSVG)" height="\(boxHeight(place).inSVG)" rx="5" \
        fill="#f4f6fb" stroke="#8a93a6"/><rect class="kind" x="\(x.inSVG)" y="\(top.inSVG)" width="5" \
        height="\(boxHeight(place).inSVG)" rx="2" fill="\(Diagram.color(of: node.className))"/>

        """
      let lines = [(node.title.shortened(to: 32), "name", "#17181c"), (node.subtitle, "fact", "#3f4450")]
      for (number, line) in (lines + node.facts.map { ($0, "fact", "#3f4450") }).enumerated() {
        let weight = number == 0 ? " font-weight=\"600\"" : ""
        let baseline = top + 5 + Double(number + 1) * Size.line - 3
        text += "<text class=\"\(line.1)\" x=\"\((x + 14).inSVG)\" y=\"\(baseline.inSVG)\"\(weight) fill=\"\(line.2)\">"
        text += "\(line.0.inHTML)</text>\n"
      }
      text += "</g>\n"
    }
    return text + "</svg>\n"
  }

  private func boxHeight(_ place: Int) -> Double { Double(2 + nodes[place].facts.count) * Size.line + 12 }

  /// A line through `points` that leaves and reaches each of them vertically.
  private static func curve(_ points: [(x: Double, y: Double)]) -> String {
    guard let first = points.first else { return "" }
    var text = "M\(first.x.inSVG) \(first.y.inSVG)"
    for (from, to) in zip(points, points.dropFirst()) {
      if from.x == to.x {
        text += "V\(to.y.inSVG)"
      } else {
        let middle = (from.y + to.y) / 2
        text += "C\(from.x.inSVG) \(middle.inSVG) \(to.x.inSVG) \(middle.inSVG) \(to.x.inSVG) \(to.y.inSVG)"
      }
    }
    return text
  }

  /// The colour for the kind of a layer; the box names the class besides.
  private static func color(of className: String) -> String {
    switch className {
    case let name where name.contains("Conv"): "#3b6fb6"
    case let name where name.contains("Pool"): "#b5762a"
    case let name where name.contains("Norm"): "#7a6bb0"
    case "Dense", "EinsumDense": "#2f8f6b"
    case "InputLayer": "#17181c"
    case "Add", "Concatenate", "Multiply", "Average", "Subtract", "Maximum", "Minimum": "#b3476b"
    default: "#8a93a6"
    }
  }
}

extension Double {
  /// The number with at most one place behind the point.
  var inSVG: String {
    let tenths = (self * 10).rounded() / 10
    return tenths == tenths.rounded() ? inPlaces(0) : tenths.inPlaces(1)
  }
}
