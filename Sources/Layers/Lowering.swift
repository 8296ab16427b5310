import H5ConvDiagnostics

/// One operation of a plan.
package struct Step: Sendable {
  package let operation: Operation
  /// Numbers of the input values.
  package let inputs: [Int]
  package let output: Value
  /// Number in the graph of the call that it computes.
  package let call: Int
}

/// Collects the operations that the layers of a graph emit.
package struct Lowering {
  package private(set) var steps: [Step] = []
  /// Inputs of the plan.
  package private(set) var inputs: [Value] = []
  private var producers: [Int: Int] = [:]
  /// Every value by its number.
  private(set) var values: [Value] = []
  /// Whether gradients will be taken: activations are then operations of their own, and every value is computed from the one that
  /// its layer was given.
  package var isDifferentiated = false
  /// Whether activations become operations of their own, because somebody looks at what goes into them.
  package var separatesActivations = false
  /// What gated linear units were computed of, by the number of their result.
  private(set) var gated: [Int: Value] = [:]
  /// Numbers in the graph of the call and the layer that is being lowered.
  package var call = 0
  package var layer = 0
  /// What the names of the layer's weights begin with: the layers inside a layer have names of their own.
  package var weightPrefix = ""
  /// What stands for weights of a layer that is made of an operation's constants.
  var constantWeights: [String: Parameter] = [:]
  /// Masks (batch, time) that come along with the inputs of the call being lowered, and those that its outputs get.
  package var inputMasks: [Value?] = []
  package var outputMasks: [Value?] = []
  /// Whether the call takes the masks off its inputs, for others too.
  package var deletesInputMasks = false

  package init() {}

  /// A value that the caller of the plan gives.
  package mutating func input(shape: [Int]) -> Value {
    let value = newValue(shape)
    inputs.append(value)
    return value
  }

  /// Appends an operation and gives its result, a tensor of `shape`.
  package mutating func emit(_ operation: Operation, _ inputs: [Value], shape: [Int]) -> Value {
    if let same = withoutNewStep(operation, inputs, shape: shape) { return same }
    if isDifferentiated || separatesActivations, let activation = operation.activation, activation != .linear,
      let linear = operation.with(.linear)
    {
      return emit(.activation(activation), [emit(linear, inputs, shape: shape)], shape: shape)
    }
    let value = newValue(shape)
    producers[value.id] = steps.count
    steps.append(Step(operation: operation, inputs: inputs.map(\.id), output: value, call: call))
    return value
  }

  private mutating func newValue(_ shape: [Int]) -> Value {
    let value = Value(id: values.count, shape: shape)
    values.append(value)
    return value
  }

  /// The operation that gives `value`; nil for an input.
  func producer(of value: Value) -> Step? { producers[value.id].map { steps[$0] } }

  /// A value that already is what the operation would give: identities, and a transposition that undoes the one before, so
  /// that a channels_first network is transposed only where somebody looks.
  private func withoutNewStep(_ operation: Operation, _ inputs: [Value], shape: [Int]) -> Value? {
    guard let input = inputs.first else { return nil }
    switch operation {
    case .reshape where input.shape == shape, .activation(.linear): return input
    case .repeatElements(let times) where times.allSatisfy { $0 == 1 }: return input
    case .pad(let before, _) where input.shape == shape && before.allSatisfy({ $0 == 0 }): return input
    case .transpose(let axes):
      if axes == Array(axes.indices) { return input }
      guard !isDifferentiated, let step = producer(of: input), case .transpose(let previous) = step.operation,
        axes.map({ previous[$0] }) == Array(axes.indices), let source = step.inputs.first
      else { return nil }
      return Value(id: source, shape: shape)
    default: return nil
    }
  }

  /// The weight `name` of the layer that is being lowered.
  package func weight(_ name: String) -> Parameter {
    constantWeights[weightPrefix + name] ?? .stored(layer: layer, name: weightPrefix + name)
  }

  /// The input with its channels moved to the end.
  mutating func channelsLast(_ value: Value, _ format: DataFormat) -> Value {
    let rank = value.shape.count
    guard format == .channelsFirst, rank >= 3 else { return value }
    let axes = [0] + Array(2..<rank) + [1]
    return emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }

  /// The inverse of ``channelsLast(_:_:)``.
  mutating func from(channelsLast value: Value, _ format: DataFormat) -> Value {
    let rank = value.shape.count
    guard format == .channelsFirst, rank >= 3 else { return value }
    let axes = [0, rank - 1] + Array(1..<rank - 1)
    return emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }

  /// Emits the activation behind `value`, as an operation of its own.
  mutating func activate(_ value: Value, _ activation: Activation) throws -> Value {
    let rank = value.shape.count
    switch activation {
    case .linear: return value
    case .softmax: return emit(.softmax(axes: [rank - 1]), [value], shape: value.shape)
    case .logSoftmax: return emit(.logSoftmax(axis: rank - 1), [value], shape: value.shape)
    case .sparsemax: return emit(.sparsemax, [value], shape: value.shape)
    case .glu: return try gatedLinearUnit(value)
    default: return emit(.activation(activation), [value], shape: value.shape)
    }
  }

  /// Emits an operation that can apply an elementwise activation itself; any other activation follows it.
  mutating func emit(
    _ input: Value, shape: [Int], activation: Activation, _ operation: (Activation) -> Operation
  ) throws -> Value {
    if activation.isElementwise { return emit(operation(activation), [input], shape: shape) }
    return try activate(emit(operation(.linear), [input], shape: shape), activation)
  }

  /// a · sigmoid(b), where a and b are the halves of the last axis.
  private mutating func gatedLinearUnit(_ value: Value) throws -> Value {
    guard let size = value.shape.last, size % 2 == 0 else {
      throw H5ConvError(.badData, "glu needs an even last axis, not the shape \(value.shape)")
    }
    let half = Array(value.shape.dropLast()) + [size / 2]
    let start = value.shape.map { _ in 0 }
    let a = emit(.slice(start: start), [value], shape: half)
    let b = emit(.slice(start: Array(start.dropLast()) + [size / 2]), [value], shape: half)
    let gate = emit(.activation(.sigmoid), [b], shape: half)
    let result = emit(.binary(.multiply), [a, gate], shape: half)
    gated[result.id] = value
    return result
  }
}
