import H5ConvDiagnostics
import H5ConvTensors

/// Steps that operations made of others consist of.
extension Lowering {
  mutating func constant(_ values: [Float], shape: [Int]) -> Value {
    emit(.parameter(.constant(values, shape: shape)), [], shape: shape)
  }

  mutating func map(_ value: Value, _ function: ElementFunction) -> Value {
    emit(.tensor(.map(function)), [value], shape: value.shape)
  }

  mutating func binary(_ operation: BinaryOperation, _ first: Value, _ second: Value) throws -> Value {
    emit(.binary(operation), [first, second], shape: try Lowering.broadcast([first, second]))
  }

  mutating func combine(_ function: ElementCombination, _ first: Value, _ second: Value) throws -> Value {
    emit(.tensor(.combine(function)), [first, second], shape: try Lowering.broadcast([first, second]))
  }

  /// `yes` where `condition` is not 0, else `no`.
  mutating func select(_ condition: Value, _ yes: Value, _ no: Value) throws -> Value {
    emit(.tensor(.select), [condition, yes, no], shape: try Lowering.broadcast([condition, yes, no]))
  }

  private static func broadcast(_ values: [Value]) throws -> [Int] {
    try TensorFunction.known(try Merging.numpyBroadcast(values.map { PartialShape($0.shape) }))
  }

  mutating func scaled(_ value: Value, by factor: Float, plus term: Float = 0) -> Value {
    emit(.scale(by: factor, plus: term), [value], shape: value.shape)
  }

  /// One number for all elements along `axes`, which stay as axes of 1.
  mutating func reduced(_ value: Value, _ reduction: AxisReduction, axes: [Int]) -> Value {
    let kept = value.shape.indices.filter { !axes.contains($0) }.map { value.shape[$0] }
    let result = emit(.tensor(.reduce(reduction, axes: axes)), [value], shape: kept)
    return emit(
      .reshape, [result], shape: value.shape.indices.map { axes.contains($0) ? 1 : value.shape[$0] })
  }
}

extension TensorFunction {
  /// What a layer computes that is made for the shape of its input, with constants in place of weights.
  static func layer(
    _ operand: Operand, weights: [String: Parameter] = [:],
    _ make: @escaping @Sendable (PartialShape) throws -> any Layer
  ) -> TensorFunction {
    @Sendable func made(_ shape: PartialShape) throws -> any Layer {
      do { return try make(shape) } catch let error as H5ConvError {
        // The place is the operation's, which the graph knows.
        throw H5ConvError(error.kind, error.what)
      }
    }
    return TensorFunction([operand], shapes: { try made($0[0]).outputShapes(for: $0) }) { values, lowering in
      lowering.constantWeights = weights
      defer { lowering.constantWeights = [:] }
      return try made(PartialShape(values[0].shape)).lower(values, to: &lowering)
    }
  }
}
