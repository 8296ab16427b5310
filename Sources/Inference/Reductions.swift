import Glibc
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// One number for all elements along `axes`; sums are taken in double.
  func reduce(_ input: Tensor, _ reduction: AxisReduction, _ axes: [Int], _ threads: Threads) throws -> Tensor {
    try rowsAlong(input, axes, threads) { target, row in target.pointee = reduction.reduced(row) }
  }

  /// The place of the first largest or smallest element along `axis`.
  func placeOfExtreme(_ input: Tensor, _ axis: Int, isLargest: Bool) throws -> Tensor {
    try rowsAlong(input, [axis], Threads(1)) { target, row in
      var best = 0
      for place in row.indices where isLargest ? row[place] > row[best] : row[place] < row[best] { best = place }
      target.pointee = Float(best)
    }
  }

  /// Calls `body` with each row of the elements along `axes`, for one element of the result.
  private func rowsAlong(
    _ input: Tensor, _ axes: [Int], _ threads: Threads,
    _ body: (UnsafeMutablePointer<Float>, UnsafeBufferPointer<Float>) -> Void
  ) throws -> Tensor {
    let rank = input.shape.count
    let moved = try input.transposed((0..<rank).filter { !axes.contains($0) } + axes, threads)
    let count = axes.reduce(1) { $0 * input.shape[$1] }
    return try Tensor(shape: output.shape) { target in
      let results = target.count
      guard let target = target.baseAddress else { return }
      moved.withUnsafeElements { source in
        threads.forEachRange(results, least: max(1, (1 << 14) / max(1, count))) { rows in
          for row in rows {
            body(target + row, UnsafeBufferPointer(rebasing: source[row * count..<(row + 1) * count]))
          }
        }
      }
    }
  }

  /// Elements moved and scaled by the mean and the variance along `axes`, as `kind` says.
  func standardize(
    _ input: Tensor, _ kind: Standardization, _ axes: [Int], _ epsilon: Float, _ threads: Threads
  ) throws -> Tensor {
    try alongLast(input, axes, threads) { target, source, rows, count in
      for row in 0..<rows {
        let values = UnsafeBufferPointer(start: source + row * count, count: count)
        let (shift, scale) = kind.factors(values, Double(epsilon))
        for place in 0..<count { target[row * count + place] = Float((Double(values[place]) - shift) * scale) }
      }
    }
  }

  func cumulate(_ input: Tensor, _ axis: Int, isProduct: Bool) throws -> Tensor {
    let inner = input.shape[(axis + 1)...].reduce(1, *)
    return try Tensor(shape: output.shape) { target in
      input.withUnsafeElements { source in
        for place in source.indices {
          let isFirst = place / inner % input.shape[axis] == 0
          if isFirst {
            target[place] = source[place]
          } else {
            target[place] = isProduct ? source[place] * target[place - inner] : source[place] + target[place - inner]
          }
        }
      }
    }
  }
}

extension AxisReduction {
  fileprivate func reduced(_ row: UnsafeBufferPointer<Float>) -> Float {
    switch self {
    case .sum: return Float(row.reduce(0.0) { $0 + Double($1) })
    case .mean: return Float(row.reduce(0.0) { $0 + Double($1) } / Double(row.count))
    // A NaN anywhere is the result, as in TensorFlow.
    case .maximum: return row.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    case .minimum: return row.reduce(.infinity) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }
    case .product: return row.reduce(1, *)
    case .any: return row.contains { $0 != 0 } ? 1 : 0
    case .all: return row.allSatisfy { $0 != 0 } ? 1 : 0
    case .variance:
      let mean = row.reduce(0.0) { $0 + Double($1) } / Double(row.count)
      return Float(row.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(row.count))
    }
  }
}

extension Standardization {
  /// What is subtracted from the elements of a row, and what they are then multiplied by.
  fileprivate func factors(_ row: UnsafeBufferPointer<Float>, _ epsilon: Double) -> (shift: Double, scale: Double) {
    let count = Double(row.count)
    switch self {
    case .variance, .varianceOnly:
      let mean = row.reduce(0.0) { $0 + Double($1) } / count
      let variance = row.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
      return (self == .variance ? mean : 0, 1 / (variance + epsilon).squareRoot())
    case .rootMeanSquare:
      return (0, 1 / (row.reduce(0.0) { $0 + Double($1) * Double($1) } / count + epsilon).squareRoot())
    case .length: return (0, 1 / max(row.reduce(0.0) { $0 + Double($1) * Double($1) }, epsilon).squareRoot())
    }
  }
}
