import H5ConvDiagnostics

extension Lowering {
  /// Emits the gradient of Σ seed · target with respect to each of `points`, by reverse accumulation: from the last operation to
  /// the first, each passes on what of its result's gradient belongs to its inputs.
  ///
  /// Only operations between a point and the target need a derivative. The gradient of a value that the target does not depend on is 0.
  ///
  /// - Parameters:
  ///   - target: a value that was emitted.
  ///   - seed: a value of the target's shape.
  ///   - points: inputs, or values that were emitted.
  /// - Returns: one value of the shape of each point.
  /// - Throws: `H5ConvError` of kind `unsupported` for an operation without a derivative; ``call`` is then the call that emitted it.
  package mutating func gradients(of target: Value, seed: Value, withRespectTo points: [Value]) throws -> [Value] {
    let forward = steps
    var dependent = Set(points.map(\.id))
    var inner: [Step] = []
    for step in forward where step.inputs.contains(where: dependent.contains) {
      dependent.insert(step.output.id)
      inner.append(step)
    }
    var gradients = [target.id: seed]
    for step in inner.reversed() {
      guard let gradient = gradients[step.output.id] else { continue }
      call = step.call
      let inputs = step.inputs.map { values[$0] }
      let parts = try step.operation.gradients(inputs, step.output, gradient, in: &self)
      for (input, part) in zip(step.inputs, parts) where dependent.contains(input) {
        guard let part else { continue }
        if let before = gradients[input] {
          gradients[input] = emit(.binary(.add), [before, part], shape: part.shape)
        } else {
          gradients[input] = part
        }
      }
    }
    return points.map { point in gradients[point.id] ?? filled(with: 0, shape: point.shape) }
  }

  /// What the softmax or sigmoid that gives `value` is computed of, the logits; `value` itself where no such function gives it.
  package func logits(of value: Value) -> Value {
    guard let step = producer(of: value), let input = step.inputs.first else { return value }
    switch step.operation {
    case .softmax, .logSoftmax, .activation(.sigmoid): return values[input]
    default: return value
    }
  }
}

// What derivatives are made of.
extension Lowering {
  mutating func filled(with number: Float, shape: [Int]) -> Value {
    expanded(constant([number], shape: shape.map { _ in 1 }), to: shape)
  }

  /// `value`, whose axes are those of `shape` or 1, repeated to `shape`.
  mutating func expanded(_ value: Value, to shape: [Int]) -> Value {
    if value.shape == shape { return value }
    let times = zip(value.shape, shape).map { $0 == $1 ? 1 : $1 }
    return emit(.repeatElements(times: times), [value], shape: shape)
  }

  /// The sum along `axes`, which stay with size 1.
  mutating func sum(_ value: Value, along axes: [Int]) -> Value {
    reduced(value, .sum, along: axes)
  }

  mutating func reduced(_ value: Value, _ reduction: AxisReduction, along axes: [Int]) -> Value {
    axes.isEmpty ? value : reduced(value, reduction, axes: axes)
  }

  /// The gradient of an input of `shape` that was broadcast: summed over what it was repeated along.
  mutating func unbroadcast(_ gradient: Value, to shape: [Int]) -> Value {
    if gradient.shape == shape { return gradient }
    let aligned = Array(repeating: 1, count: gradient.shape.count - shape.count) + shape
    let axes = aligned.indices.filter { aligned[$0] == 1 && gradient.shape[$0] != 1 }
    return emit(.reshape, [sum(gradient, along: axes)], shape: shape)
  }

  mutating func times(_ a: Value, _ b: Value) -> Value { elementwise(.multiply, a, b) }

  mutating func quotient(_ a: Value, _ b: Value) -> Value { elementwise(.divide, a, b) }

  mutating func difference(_ a: Value, _ b: Value) -> Value { elementwise(.subtract, a, b) }

  /// Inputs of one rank, or the lower one aligned at the end.
  private mutating func elementwise(_ operation: BinaryOperation, _ a: Value, _ b: Value) -> Value {
    emit(.binary(operation), [a, b], shape: Lowering.broadcastShape(a, b))
  }

  mutating func combined(_ operation: ElementCombination, _ a: Value, _ b: Value) -> Value {
    emit(.tensor(.combine(operation)), [a, b], shape: Lowering.broadcastShape(a, b))
  }

  /// `value` where `condition` is not 0, else 0; both have one shape.
  mutating func kept(_ value: Value, where condition: Value) -> Value {
    let zero = number(0)
    return emit(.tensor(.select), [condition, value, zero], shape: value.shape)
  }

  private static func broadcastShape(_ a: Value, _ b: Value) -> [Int] {
    let rank = max(a.shape.count, b.shape.count)
    func aligned(_ value: Value) -> [Int] { Array(repeating: 1, count: rank - value.shape.count) + value.shape }
    return zip(aligned(a), aligned(b)).map { $0 == 1 ? $1 : $0 }
  }
}
