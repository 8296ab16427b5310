import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// (batch, height, width, channels) of grey levels from 0 to 255, equalized tile by tile: the arithmetic, in float32, of
  /// `keras.layers.ContrastLimitedAdaptiveHistogramEqualization`.
  func equalize(_ input: Tensor, _ tiles: TileEqualization, _ threads: Threads) throws -> Tensor {
    let (images, height, width, channels) = (input.shape[0], input.shape[1], input.shape[2], input.shape[3])
    let (rows, columns) = (Tiling(height, tiles.grid[0]), Tiling(width, tiles.grid[1]))
    let across = (0..<width).map(columns.neighbours)
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        threads.forEachRange(images * channels, least: 1) { planes in
          for plane in planes {
            let start = plane / channels * height * width * channels + plane % channels
            func level(_ y: Int, _ x: Int) -> Int { grey(source[start + (y * width + x) * channels]) }
            let levels = (0..<rows.count).flatMap { row in
              (0..<columns.count).flatMap { column in
                cumulated(rows.cells(row), columns.cells(column), tiles.clipLimit, level)
              }
            }
            for y in 0..<height {
              let (above, below, down) = rows.neighbours(y)
              for x in 0..<width {
                let (left, right, share) = across[x]
                let value = level(y, x)
                func of(_ row: Int, _ column: Int) -> Float { levels[(row * columns.count + column) * 256 + value] }
                let top = of(above, left) * (1 - share) + of(above, right) * share
                let bottom = of(below, left) * (1 - share) + of(below, right) * share
                target[start + (y * width + x) * channels] = top * (1 - down) + bottom * down
              }
            }
          }
        }
      }
    }
  }
}

private func grey(_ value: Float) -> Int { value > 0 ? Int(min(value, 255)) : 0 }

/// What each level of a tile becomes: the share of its cells that are not lighter, times 255.
private func cumulated(_ rows: [Int], _ columns: [Int], _ clipLimit: Float, _ level: (Int, Int) -> Int) -> [Float] {
  var counts = [Float](repeating: 0, count: 256)
  for y in rows { for x in columns { counts[level(y, x)] += 1 } }
  let cells = Float(rows.count * columns.count)
  if clipLimit > 0 {
    let limit = clipLimit * cells / 256
    let excess = counts.reduce(0) { $0 + max(0, $1 - limit) }
    counts = counts.map { min($0, limit) + excess / 256 }
  }
  var sum: Float = 0
  let sums = counts.map { count in
    sum += count
    return sum
  }
  let rest = cells - sums[0]
  return sums.map { min(max(($0 - sums[0]) * 255 / (rest == 0 ? 1 : rest), 0), 255) }
}

/// An axis in tiles of the same length, the last of which is filled up by mirroring.
private struct Tiling {
  let length: Int
  let count: Int
  private let size: Int

  init(_ length: Int, _ count: Int) {
    (self.length, self.count, size) = (length, count, (length + count - 1) / count)
  }

  /// The places of a tile's cells along the axis.
  func cells(_ tile: Int) -> [Int] {
    (tile * size..<(tile + 1) * size).map { $0 < length ? $0 : 2 * length - 1 - $0 }
  }

  /// The tiles whose centres are before and behind `place`, and how far it is from the first, of their distance.
  func neighbours(_ place: Int) -> (Int, Int, Float) {
    let distance = (Float(place) - Float(size) / 2) / Float(size) + 1
    let first = distance.rounded(.down)
    func tile(_ number: Float) -> Int { min(max(Int(number) - 1, 0), count - 1) }
    return (tile(first), tile(first + 1), distance - first)
  }
}
