/// One number for each cell of an image: how much it counts for a score.
package struct HeatMap: Sendable, Equatable {
  package let height: Int
  package let width: Int
  /// Row by row from the top.
  package var values: [Float]

  package init(height: Int, width: Int, values: [Float]) {
    (self.height, self.width, self.values) = (height, width, values)
  }

  /// The map with what is below 0 as 0.
  var rectified: HeatMap { HeatMap(height: height, width: width, values: values.map { max($0, 0) }) }
}

/// Feature maps of one example, or gradients of them: (height, width, channels), row-major.
package struct Planes: Sendable {
  package let height: Int
  package let width: Int
  package let channels: Int
  package let values: [Float]

  package init(height: Int, width: Int, channels: Int, values: [Float]) {
    (self.height, self.width, self.channels, self.values) = (height, width, channels, values)
  }

  /// Number of cells.
  package var area: Int { height * width }

  /// Σ over the channels of `term`, for each cell.
  func summed(_ term: (_ cell: Int, _ channel: Int) -> Float) -> HeatMap {
    let values = (0..<area).map { cell in
      Float((0..<channels).reduce(0.0) { $0 + Double(term(cell, $1)) })
    }
    return HeatMap(height: height, width: width, values: values)
  }

  func mean(of channel: Int) -> Double {
    (0..<area).reduce(0.0) { $0 + Double(values[$1 * channels + channel]) } / Double(max(1, area))
  }
}

extension HeatMap {
  /// The map at another size, by bilinear interpolation with half-pixel centres; beyond the borders the border counts.
  package func resized(height: Int, width: Int) -> HeatMap {
    func places(_ from: Int, _ to: Int) -> [(low: Int, high: Int, share: Float)] {
      (0..<to).map { place in
        let center = (Double(place) + 0.5) * Double(from) / Double(to) - 0.5
        let below = center.rounded(.down)
        func inside(_ cell: Double) -> Int { min(from - 1, max(0, Int(cell))) }
        return (inside(below), inside(below + 1), Float(center - below))
      }
    }
    let (rows, columns) = (places(self.height, height), places(self.width, width))
    var result: [Float] = []
    result.reserveCapacity(height * width)
    for row in rows {
      for column in columns {
        func line(_ y: Int) -> Float {
          let (a, b) = (values[y * self.width + column.low], values[y * self.width + column.high])
          return a + (b - a) * column.share
        }
        let (top, bottom) = (line(row.low), line(row.high))
        result.append(top + (bottom - top) * row.share)
      }
    }
    return HeatMap(height: height, width: width, values: result)
  }
}
