import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that make one number of all elements along some axes.
enum ReducingFunctions {
  static let plain: [String: AxisReduction] = [
    "mean": .mean, "sum": .sum, "max": .maximum, "amax": .maximum, "min": .minimum, "amin": .minimum, "prod": .product,
    "any": .any, "all": .all, "var": .variance, "variance": .variance,
  ]

  /// The axes that a call names (all without any), and whether they stay as axes of 1.
  private struct Axes: Sendable {
    let named: [Int]?
    let keepsAxes: Bool

    init(_ call: OperationCall) throws {
      // The weights of an average stand there in Keras 3, its axis in the config.
      named = try call.ints("axis", "reduction_indices", at: call.isKeras3 && call.name == "average" ? nil : 1)
      keepsAxes = try call.flag("keepdims", "keep_dims")
    }

    func places(_ rank: Int) throws -> [Int] {
      try named.map { try distinct($0.map { try normalized(axis: $0, rank: rank) }).sorted() } ?? Array(0..<rank)
    }

    func shape(_ shape: PartialShape) throws -> PartialShape {
      let places = try places(shape.rank)
      return PartialShape(
        shape.sizes.enumerated().compactMap { axis, size in
          places.contains(axis) ? (keepsAxes ? .some(1) : nil) : .some(size)
        })
    }

    /// Emits `reduction`, with the axes as asked for.
    func lower(_ value: Value, _ reduction: AxisReduction, _ lowering: inout Lowering) throws -> Value {
      let places = try places(value.shape.count)
      let kept = value.shape.indices.filter { !places.contains($0) }.map { value.shape[$0] }
      let result = lowering.emit(.tensor(.reduce(reduction, axes: places)), [value], shape: kept)
      return lowering.emit(.reshape, [result], shape: try TensorFunction.known(try shape(PartialShape(value.shape))))
    }
  }

  static func reduce(_ call: OperationCall, _ reduction: AxisReduction) throws -> TensorFunction {
    let axes = try Axes(call)
    for name in ["initial", "where", "dtype"] where try call.value(name) != nil {
      throw call.unsupported("with \(name)")
    }
    return TensorFunction([try call.operand(0, "x", "input_tensor")], shapes: { [try axes.shape($0[0])] }) {
      values, lowering in [try axes.lower(values[0], reduction, &lowering)]
    }
  }

  /// How many elements are not 0, and the largest less the smallest.
  static func counted(_ call: OperationCall) throws -> TensorFunction {
    let axes = try Axes(call)
    let isCount = call.name == "countnonzero"
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [try axes.shape($0[0])] }) {
      values, lowering in
      if isCount { return [try axes.lower(lowering.map(values[0], .isTrue), .sum, &lowering)] }
      let largest = try axes.lower(values[0], .maximum, &lowering)
      return [try lowering.binary(.subtract, largest, try axes.lower(values[0], .minimum, &lowering))]
    }
  }

  /// The mean, with weights of the same shape or one for each place of an axis.
  static func average(_ call: OperationCall) throws -> TensorFunction {
    let axes = try Axes(call)
    let operand = try call.operand(0, "x")
    guard call.has("weights", at: 1) else {
      return TensorFunction([operand], shapes: { [try axes.shape($0[0])] }) { values, lowering in
        [try axes.lower(values[0], .mean, &lowering)]
      }
    }
    return TensorFunction([operand, try call.operand(1, "weights")], shapes: { [try axes.shape($0[0])] }) {
      values, lowering in
      let shape = values[0].shape
      var weights = values[1]
      if weights.shape.count == 1, shape.count > 1 {
        guard let axis = try axes.named?.first.map({ try normalized(axis: $0, rank: shape.count) }),
          weights.shape[0] == shape[axis]
        else { throw H5ConvError(.badData, "weights of shape \(PartialShape(weights.shape))") }
        weights = lowering.emit(
          .reshape, [weights], shape: shape.indices.map { $0 == axis ? shape[axis] : 1 })
      } else if weights.shape != shape {
        throw H5ConvError(.badData, "weights of shape \(PartialShape(weights.shape)) for \(PartialShape(shape))")
      }
      let products = try lowering.binary(.multiply, values[0], weights)
      let sum = try axes.lower(products, .sum, &lowering)
      let total =
        weights.shape == shape
        ? try axes.lower(weights, .sum, &lowering)
        : lowering.emit(
          .reshape, [lowering.reduced(weights, .sum, axes: Array(weights.shape.indices))], shape: [1])
      return [try lowering.binary(.divide, sum, total)]
    }
  }

  /// std, logsumexp and norm, made of other operations.
  static func composed(_ call: OperationCall) throws -> TensorFunction {
    let axes = try Axes(call)
    let name = call.name
    if name.hasSuffix("norm"), let order = try call.value("ord"), order.integer != 2, order.string != "fro",
      order.string != "euclidean"
    {
      throw call.unsupported("of such an order")
    }
    // Order 2 of matrices is their largest singular value.
    if name == "norm", try call.value("ord")?.integer == 2, axes.named?.count != 1 {
      throw call.unsupported("of matrices")
    }
    return TensorFunction([try call.operand(0, "x", "input_tensor", "tensor")], shapes: { [try axes.shape($0[0])] }) {
      values, lowering in
      let value = values[0]
      switch name {
      case "std":
        let variance = try axes.lower(value, .variance, &lowering)
        return [lowering.emit(.tensor(.map(.squareRoot)), [variance], shape: variance.shape)]
      case "norm", "euclideannorm":
        let squares = lowering.emit(.tensor(.map(.square)), [value], shape: value.shape)
        let sum = try axes.lower(squares, .sum, &lowering)
        return [lowering.emit(.tensor(.map(.squareRoot)), [sum], shape: sum.shape)]
      default:
        // log Σ eˣ = m + log Σ e^(x − m), with the maximum m.
        let places = try axes.places(value.shape.count)
        let column = value.shape.enumerated().map { places.contains($0.offset) ? 1 : $0.element }
        let largest = try axes.lower(value, .maximum, &lowering)
        let aligned = lowering.emit(.reshape, [largest], shape: column)
        let shifted = lowering.emit(.binary(.subtract), [value, aligned], shape: value.shape)
        let powers = lowering.emit(.tensor(.map(.exponential)), [shifted], shape: value.shape)
        let sum = try axes.lower(powers, .sum, &lowering)
        let logarithm = lowering.emit(.tensor(.map(.logarithm)), [sum], shape: sum.shape)
        return [lowering.emit(.binary(.add), [logarithm, largest], shape: sum.shape)]
      }
    }
  }

  static func extreme(_ call: OperationCall) throws -> TensorFunction {
    let axes = try Axes(call)
    let isLargest = call.name == "argmax"
    // TensorFlow's default is the first axis, Keras 3's all elements.
    let axis = axes.named?.first ?? (call.isKeras3 ? nil : 0)
    guard let axis, axes.named?.count ?? 1 == 1 else { throw call.unsupported("over all elements") }
    @Sendable func shape(_ shape: PartialShape) throws -> PartialShape {
      var sizes = shape.sizes
      let place = try normalized(axis: axis, rank: shape.rank)
      if axes.keepsAxes { sizes[place] = 1 } else { sizes.remove(at: place) }
      return PartialShape(sizes)
    }
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [try shape($0[0])] }) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      guard values[0].shape[place] > 0 else { throw H5ConvError(.badData, "an axis without elements") }
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      return [
        lowering.emit(.tensor(.placeOfExtreme(axis: place, isLargest: isLargest)), values, shape: target)
      ]
    }
  }

  /// `cumsum` and `cumprod`, of the elements up to each or before each, from either end.
  static func cumulate(_ call: OperationCall, isProduct: Bool) throws -> TensorFunction {
    guard let axis = try call.int("axis", at: 1) ?? (call.isKeras3 ? nil : 0) else {
      throw call.unsupported("over all")
    }
    let (isExclusive, isReversed) = (try call.flag("exclusive"), try call.flag("reverse"))
    return TensorFunction(
      [try call.operand(0, "x")],
      shapes: { shapes in
        _ = try normalized(axis: axis, rank: shapes[0].rank)
        return [shapes[0]]
      }
    ) { values, lowering in
      let shape = values[0].shape
      let place = try normalized(axis: axis, rank: shape.count)
      var value = isReversed ? lowering.reversed(values[0], axis: place) : values[0]
      if isExclusive, shape[place] > 0 {
        let others = lowering.part(value, axis: place, from: 0, count: shape[place] - 1)
        let before = shape.indices.map { $0 == place ? 1 : 0 }
        value = lowering.emit(.pad(before: before, value: isProduct ? 1 : 0), [others], shape: shape)
      }
      value = lowering.emit(.tensor(.cumulate(axis: place, isProduct: isProduct)), [value], shape: shape)
      return [isReversed ? lowering.reversed(value, axis: place) : value]
    }
  }
}
