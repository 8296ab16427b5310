import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Normalizations by means and variances that are computed or given.
enum StatisticFunctions {
  /// γ(x − μ)/√(σ² + ε) + β with what is given: vectors along one axis in Keras, tensors to broadcast in TensorFlow.
  static func batchNormalization(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis") ?? -1
    // Keras has the vectors in the order of TensorFlow: mean, variance, offset, scale.
    let names = ["mean", "variance", "offset", "scale"]
    var operands = [try call.operand(0, "x")]
    var given: [String: Int] = [:]
    for (place, name) in names.enumerated() where place < 2 || call.has(name, at: place + 1) {
      given[name] = operands.count
      operands.append(try call.operand(place + 1, [name]))
    }
    let epsilon = Float(try call.number("epsilon", "variance_epsilon", at: call.isKeras3 ? nil : 5) ?? 1e-3)
    let places = given
    return TensorFunction(
      operands,
      shapes: { shapes in
        _ = try normalized(axis: axis, rank: shapes[0].rank)
        return [shapes[0]]
      }
    ) { values, lowering in
      let rank = values[0].shape.count
      let place = try normalized(axis: axis, rank: rank)
      let vectors = places.mapValues { number -> Value in
        let value = values[number]
        guard axis != -1, value.shape.count == 1 else { return value }
        return lowering.emit(
          .reshape, [value], shape: (0..<rank).map { $0 == place ? value.shape[0] : 1 })
      }
      guard let mean = vectors["mean"], let variance = vectors["variance"] else { return values }
      let shifted = lowering.scaled(variance, by: 1, plus: epsilon)
      var factor = lowering.map(shifted, .reciprocalRoot)
      if let scale = vectors["scale"] { factor = try lowering.binary(.multiply, factor, scale) }
      let centred = try lowering.binary(.subtract, values[0], mean)
      var result = try lowering.binary(.multiply, centred, factor)
      if let offset = vectors["offset"] { result = try lowering.binary(.add, result, offset) }
      guard result.shape == values[0].shape else {
        throw H5ConvError(.badData, "statistics that do not fit an input of shape \(PartialShape(values[0].shape))")
      }
      return [result]
    }
  }

  /// `keras.ops.layer_normalization` and `rms_normalization`, with their factors and terms where they have them.
  static func standardize(_ call: OperationCall, _ kind: Standardization) throws -> TensorFunction {
    let axes = try call.ints("axis") ?? [-1]
    let epsilon = Float(try call.number("epsilon") ?? 1e-7)
    let isScaledOnly = try call.flag("rms_scaling")
    let kind = isScaledOnly ? Standardization.varianceOnly : kind
    let names = kind == .rootMeanSquare ? ["scale"] : isScaledOnly ? ["gamma"] : ["gamma", "beta"]
    var operands = [try call.operand(0, "x")]
    for (place, name) in names.enumerated() where call.has(name, at: place + 1) {
      operands.append(try call.operand(place + 1, [name]))
    }
    // Without a factor the first of the operands behind x is the term.
    let hasFactor = call.has(names[0], at: 1)
    @Sendable func places(_ rank: Int) throws -> [Int] {
      try distinct(axes.map { try normalized(axis: $0, rank: rank) }).sorted()
    }
    return TensorFunction(
      operands,
      shapes: { shapes in
        _ = try places(shapes[0].rank)
        return [shapes[0]]
      }
    ) { values, lowering in
      let shape = values[0].shape
      let places = try places(shape.count)
      let column = shape.indices.map { places.contains($0) ? shape[$0] : 1 }
      var result = lowering.emit(
        .tensor(.standardize(kind, axes: places, epsilon: epsilon)), [values[0]], shape: shape)
      for (number, value) in values.dropFirst().enumerated() {
        var value = value
        if kind != .rootMeanSquare, value.shape.count != shape.count, places != [shape.count - 1] {
          guard value.shape.reduce(1, *) == column.reduce(1, *) else {
            throw H5ConvError(.badData, "a factor of shape \(PartialShape(value.shape)) for axes \(places)")
          }
          value = lowering.emit(.reshape, [value], shape: column)
        }
        result = try lowering.binary(number == 0 && hasFactor ? .multiply : .add, result, value)
      }
      guard result.shape == shape else {
        throw H5ConvError(.badData, "factors that do not fit an input of shape \(PartialShape(shape))")
      }
      return [result]
    }
  }

  /// Mean and variance along axes: two results.
  static func moments(_ call: OperationCall) throws -> TensorFunction {
    guard let axes = try call.ints("axes", at: 1) else { throw call.unsupported("without axes") }
    if call.has("shift", at: 2) { throw call.unsupported("with a shift") }
    let keepsAxes = try call.flag("keepdims", "keep_dims")
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let places = try distinct(axes.map { try normalized(axis: $0, rank: input.rank) })
      return PartialShape(
        input.sizes.enumerated().compactMap { axis, size in
          places.contains(axis) ? (keepsAxes ? .some(1) : nil) : .some(size)
        })
    }
    return TensorFunction(
      [try call.operand(0, "x")],
      shapes: { shapes in Array(repeating: try shape(shapes[0]), count: 2) }
    ) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      let places = try axes.map { try normalized(axis: $0, rank: values[0].shape.count) }.sorted()
      return [AxisReduction.mean, .variance].map { reduction in
        let result = lowering.reduced(values[0], reduction, axes: places)
        return lowering.emit(.reshape, [result], shape: target)
      }
    }
  }

  /// x/(b + α·Σ x² over the 2r + 1 channels around)^β, as AlexNet and GoogLeNet have it.
  static func localResponse(_ call: OperationCall) throws -> TensorFunction {
    let radius = try call.int("depth_radius", at: 1) ?? 5
    let bias = Float(try call.number("bias", at: 2) ?? 1)
    let alpha = Float(try call.number("alpha", at: 3) ?? 1)
    let beta = Float(try call.number("beta", at: 4) ?? 0.5)
    guard (0...1 << 12).contains(radius) else { throw call.unsupported("with a radius of \(radius)") }
    return TensorFunction([try call.operand(0, "input")], shapes: { [$0[0]] }) { values, lowering in
      let shape = values[0].shape
      guard let channels = shape.last, shape.count == 4, channels <= 1 << 12 else {
        throw H5ConvError(.badData, "an input of shape \(PartialShape(shape)) where 4 axes were expected")
      }
      // The sums over neighbours are a product with a matrix that is 1 beside its diagonal.
      let band = (0..<channels * channels).map { place -> Float in
        abs(place / channels - place % channels) <= radius ? 1 : 0
      }
      let squares = lowering.map(values[0], .square)
      let sums = lowering.emit(
        .dense(kernel: .constant(band, shape: [channels, channels]), bias: nil, .linear), [squares], shape: shape)
      let base = lowering.scaled(sums, by: alpha, plus: bias)
      return [try lowering.binary(.multiply, values[0], try lowering.combine(.power, base, lowering.number(-beta)))]
    }
  }
}
