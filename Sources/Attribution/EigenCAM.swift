/// Eigen-CAM (Muhammad and Yeasin, 2020): the cells along the direction in which the channels vary most; it looks at no class.
///
/// With A the (cells × channels) matrix, each channel less its mean: ReLU(A v), v the first right-singular vector, of the sign under which
/// the mean activations point along it.
package enum EigenCAM {
  package static func map(_ activations: Planes) -> HeatMap {
    let (area, channels) = (activations.area, activations.channels)
    let means = (0..<channels).map { activations.mean(of: $0) }
    let centred = (0..<area * channels).map { Double(activations.values[$0]) - means[$0 % max(1, channels)] }
    var direction = principal(centred, rows: area, columns: channels)
    if zip(direction, means).reduce(0.0, { $0 + $1.0 * $1.1 }) < 0 { direction = direction.map { -$0 } }
    let values = (0..<area).map { cell in
      Float((0..<channels).reduce(0.0) { $0 + centred[cell * channels + $1] * direction[$1] })
    }
    return HeatMap(height: activations.height, width: activations.width, values: values).rectified
  }

  /// The first right-singular vector, by power iteration on AᵀA; zeros for a matrix of zeros.
  private static func principal(_ matrix: [Double], rows: Int, columns: Int) -> [Double] {
    // Starts at the row that is longest, which has a part in every direction that matters.
    func length(_ row: Int) -> Double {
      (0..<columns).reduce(0.0) { $0 + matrix[row * columns + $1] * matrix[row * columns + $1] }
    }
    let lengths = (0..<rows).map(length)
    guard let longest = lengths.indices.max(by: { lengths[$0] < lengths[$1] }), lengths[longest] > 0 else {
      return Array(repeating: 0, count: columns)
    }
    var vector = Array(matrix[longest * columns..<(longest + 1) * columns])
    for _ in 0..<1000 {
      let image = (0..<rows).map { row in (0..<columns).reduce(0.0) { $0 + matrix[row * columns + $1] * vector[$1] } }
      var next = Array(repeating: 0.0, count: columns)
      for row in 0..<rows { for column in 0..<columns { next[column] += matrix[row * columns + column] * image[row] } }
      let norm = next.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0 else { return vector }
      next = next.map { $0 / norm }
      let change = zip(next, vector).reduce(0.0) { $0 + abs($1.0 - $1.1) }
      vector = next
      if change < 1e-10 { break }
    }
    return vector
  }
}
