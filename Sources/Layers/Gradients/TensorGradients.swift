import H5ConvDiagnostics

extension TensorOperation {
  /// As ``Operation/gradients(_:_:_:in:)``.
  func gradients(_ x: [Value], _ y: Value, _ gradient: Value, in lowering: inout Lowering) throws -> [Value?] {
    switch self {
    case .matrixProduct(let isTransposed):
      return productGradients(x[0], x[1], gradient, isTransposed: isTransposed, in: &lowering)
    case .standardize(let kind, let axes, let epsilon):
      return [kind.gradient(x[0], y, gradient, axes, epsilon, in: &lowering)]
    case .reduce(let reduction, let axes):
      switch reduction {
      case .any, .all: return [nil]
      case .product: throw H5ConvError.noDerivative(of: "a product of elements")
      default: return [reduction.gradient(x[0], y, gradient, axes, in: &lowering)]
      }
    case .map(let function):
      guard let slope = try function.derivative(x[0], y, in: &lowering) else { return [nil] }
      return [lowering.times(gradient, slope)]
    case .combine(let function): return try function.gradients(x, y, gradient, in: &lowering)
    case .select:
      let kept = lowering.kept(gradient, where: lowering.expanded(conditions: x[0], to: y.shape))
      let rest = lowering.difference(gradient, kept)
      return [nil, lowering.unbroadcast(kept, to: x[1].shape), lowering.unbroadcast(rest, to: x[2].shape)]
    case .take(let axis, let places):
      return [lowering.scattered(gradient, to: x[0].shape, axis: axis, places: places)]
    case .rows, .oneHot, .bucketize, .placeOfExtreme: return x.map { _ in nil }
    case .recurrence, .convolutionalRecurrence: throw H5ConvError.noDerivative(of: "a recurrent layer")
    case .cumulate: throw H5ConvError.noDerivative(of: "a cumulative sum or product")
    case .sort, .takeAlong: throw H5ConvError.noDerivative(of: "sorting and picking")
    case .equalizeTiles: throw H5ConvError.noDerivative(of: "an equalization of histograms")
    case .recolor: throw H5ConvError.noDerivative(of: "a change of colours")
    }
  }

  /// a · b: g · bᵀ and aᵀ · g; a · bᵀ: g · b and gᵀ · a.
  private func productGradients(
    _ a: Value, _ b: Value, _ gradient: Value, isTransposed: Bool, in lowering: inout Lowering
  ) -> [Value?] {
    let batch = Array(gradient.shape.dropLast(2))
    let first = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: !isTransposed)), [gradient, b], shape: batch + a.shape.suffix(2))
    let left = lowering.matrixTransposed(isTransposed ? gradient : a)
    let second = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: false)), [left, isTransposed ? a : gradient],
      shape: batch + b.shape.suffix(2))
    return [lowering.unbroadcast(first, to: a.shape), lowering.unbroadcast(second, to: b.shape)]
  }
}

extension Lowering {
  fileprivate mutating func matrixTransposed(_ value: Value) -> Value {
    let rank = value.shape.count
    let axes = Array(0..<rank - 2) + [rank - 1, rank - 2]
    return emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }

  /// Conditions, broadcast to `shape`.
  fileprivate mutating func expanded(conditions: Value, to shape: [Int]) -> Value {
    let aligned = Array(repeating: 1, count: shape.count - conditions.shape.count) + conditions.shape
    return expanded(emit(.reshape, [conditions], shape: aligned), to: shape)
  }
}

extension AxisReduction {
  /// The gradient of the elements along `axes`, for sum, mean, maximum, minimum and variance.
  func gradient(_ x: Value, _ y: Value, _ gradient: Value, _ axes: [Int], in lowering: inout Lowering) -> Value {
    let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
    let count = Float(axes.reduce(1) { $0 * x.shape[$1] })
    let rows = lowering.emit(.reshape, [gradient], shape: kept)
    switch self {
    case .maximum, .minimum:
      // Equal elements share it, as in TensorFlow.
      let extremes = lowering.emit(.reshape, [y], shape: kept)
      let isExtreme = lowering.combined(.equal, x, extremes)
      let share = lowering.quotient(rows, lowering.sum(isExtreme, along: axes))
      return lowering.times(isExtreme, share)
    case .variance:
      let deviation = lowering.difference(x, lowering.reduced(x, .mean, along: axes))
      return lowering.times(lowering.scaled(deviation, by: 2 / count), rows)
    default:
      return lowering.expanded(self == .mean ? lowering.scaled(rows, by: 1 / count) : rows, to: x.shape)
    }
  }
}

extension Standardization {
  /// With r the factor that x was multiplied by and n elements in a row.
  ///
  /// variance: r (g − mean g − y mean(g y)); varianceOnly: r g − r³ (x − mean x) mean(g x); rootMeanSquare: r (g − y mean(g y));
  /// length: r (g − y Σ g y), without the second term where ε bounds the length.
  fileprivate func gradient(
    _ x: Value, _ y: Value, _ gradient: Value, _ axes: [Int], _ epsilon: Float, in lowering: inout Lowering
  ) -> Value {
    switch self {
    case .variance, .varianceOnly:
      let variance = lowering.reduced(x, .variance, along: axes)
      let factor = lowering.map(lowering.scaled(variance, by: 1, plus: epsilon), .reciprocalRoot)
      if self == .variance {
        let mean = lowering.reduced(gradient, .mean, along: axes)
        let slope = lowering.times(y, lowering.reduced(lowering.times(gradient, y), .mean, along: axes))
        return lowering.times(lowering.difference(lowering.difference(gradient, mean), slope), factor)
      }
      let deviation = lowering.difference(x, lowering.reduced(x, .mean, along: axes))
      let share = lowering.reduced(lowering.times(gradient, x), .mean, along: axes)
      let squares = lowering.map(factor, .square)
      let rest = lowering.times(deviation, lowering.times(share, squares))
      return lowering.times(lowering.difference(gradient, rest), factor)
    case .rootMeanSquare:
      let square = lowering.reduced(lowering.map(x, .square), .mean, along: axes)
      let factor = lowering.map(lowering.scaled(square, by: 1, plus: epsilon), .reciprocalRoot)
      let slope = lowering.times(y, lowering.reduced(lowering.times(gradient, y), .mean, along: axes))
      return lowering.times(lowering.difference(gradient, slope), factor)
    case .length:
      let square = lowering.sum(lowering.map(x, .square), along: axes)
      let bound = lowering.number(epsilon)
      let factor = lowering.map(
        lowering.emit(.binary(.maximum), [square, bound], shape: square.shape), .reciprocalRoot)
      let isLonger = lowering.combined(.greater, square, bound)
      let slope = lowering.times(lowering.sum(lowering.times(gradient, y), along: axes), isLonger)
      return lowering.times(lowering.difference(gradient, lowering.times(y, slope)), factor)
    }
  }
}
