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
      named = try call.ints("axis", "reduction_indices", at: 1)
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

  /// std, logsumexp and norm, made of other operations.
  static func composed(_ call: OperationCall) throws -> TensorFunction {
    let axes = try Axes(call)
    let name = call.name
    if name == "norm", let order = try call.value("ord"), order.integer != 2, order.string != "fro",
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
      case "norm":
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

  static func cumulativeSum(_ call: OperationCall) throws -> TensorFunction {
    guard let axis = try call.int("axis", at: 1) ?? (call.isKeras3 ? nil : 0) else {
      throw call.unsupported("over all")
    }
    if try call.flag("exclusive") || call.flag("reverse") { throw call.unsupported("exclusive or reversed") }
    return TensorFunction([try call.operand(0, "x")], shapes: { [$0[0]] }) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      return [lowering.emit(.tensor(.cumulativeSum(axis: place)), values, shape: values[0].shape)]
    }
  }
}
