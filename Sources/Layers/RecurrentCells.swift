import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// The cell of a recurrent layer over vectors: what it computes at one step, and its weights.
///
/// Kernel (features, gates · units), recurrent kernel (units, gates · units), bias (gates · units), or (2, gates · units) for a GRU
/// that resets after its product: first for the input, then for the state.
struct RecurrentCell: Sendable {
  let kind: RecurrentKind
  let units: Int
  let activation: Activation
  let recurrentActivation: Activation
  let usesBias: Bool
  /// Weights in the order of CuDNN (CuDNNLSTM, CuDNNGRU): each gate's matrices transposed, one bias for the input and one for
  /// the state.
  let isCuDNN: Bool

  init(_ kind: RecurrentKind, _ config: ConfigReader, isCuDNN: Bool = false) throws {
    units = try config.int(config.has("output_dim") ? "output_dim" : "units", in: 1...sizeLimit)
    self.isCuDNN = isCuDNN
    if isCuDNN {
      self.kind = kind == .lstm ? .lstm : .gru(resetsAfter: true)
      (activation, recurrentActivation, usesBias) = (.tanh, .sigmoid, true)
      return
    }
    // Keras up to 2.0 has no reset_after and means false.
    self.kind =
      kind == .lstm || kind == .simple ? kind : .gru(resetsAfter: try config.bool("reset_after", default: false))
    usesBias = try config.bool("use_bias", default: true)
    activation = config.has("activation") ? try config.recurrentActivation("activation") : .tanh
    let gate = config.has("recurrent_activation") ? "recurrent_activation" : "inner_activation"
    recurrentActivation =
      config.has(gate)
      ? try config.recurrentActivation(gate) : config.generation < 3 ? .hardSigmoid(slope: 0.2) : .sigmoid
  }

  /// The cell of an RNN layer: SimpleRNNCell, GRUCell or LSTMCell.
  static func named(_ className: String, _ config: ConfigReader) throws -> RecurrentCell {
    switch className {
    case "SimpleRNNCell": return try RecurrentCell(.simple, config)
    case "GRUCell": return try RecurrentCell(.gru(resetsAfter: false), config)
    case "LSTMCell": return try RecurrentCell(.lstm, config)
    default: throw config.error("cell", "of class \(className) is not supported", kind: .unsupported)
    }
  }

  private var columns: Int { kind.gates * units }

  /// Whether the product with the state has a bias of its own.
  private var hasRecurrentBias: Bool { usesBias && kind == .gru(resetsAfter: true) }

  func weights(features: Int?, prefix: String, owner: [String]) -> [WeightSpec] {
    func spec(_ name: String, _ shape: PartialShape) -> WeightSpec {
      WeightSpec(prefix + name, shape, aliases: prefix.isEmpty ? [] : [name], owner: owner)
    }
    let bias: PartialShape = isCuDNN ? [2 * columns] : hasRecurrentBias ? [2, columns] : [columns]
    return [spec("kernel", [features, columns]), spec("recurrent_kernel", [units, columns])]
      + (usesBias ? [spec("bias", bias)] : [])
  }

  /// What a cell is run with.
  struct Run {
    var states: [Value]
    var mask: Value?
    var zeroesMasked: Bool
    var keepsSequence: Bool
    var appendsStates: Bool
  }

  /// Runs the cell over `input` (batch, time, features); gives (batch, outputs and states, units).
  func lower(_ input: Value, _ run: Run, prefix: String, to lowering: inout Lowering) -> Value {
    let weights = loaded(features: input.shape[2], prefix: prefix, in: &lowering)
    let (batch, time) = (input.shape[0], input.shape[1])
    var projected = lowering.product(input, weights.kernel)
    if let bias = weights.bias {
      projected = lowering.emit(.binary(.add), [projected, bias], shape: projected.shape)
    }
    let recurrence = Recurrence(
      cell: kind, units: units, activation: activation, recurrentActivation: recurrentActivation,
      hasRecurrentBias: weights.recurrentBias != nil, hasInitialStates: !run.states.isEmpty, hasMask: run.mask != nil,
      zeroesMasked: run.zeroesMasked, keepsSequence: run.keepsSequence, appendsStates: run.appendsStates)
    let rows = (run.keepsSequence ? time : 1) + (run.appendsStates ? kind.stateCount : 0)
    let inputs = [projected, weights.recurrentKernel] + [weights.recurrentBias].compactMap { $0 } + run.states
    return lowering.emit(
      .tensor(.recurrence(recurrence)), inputs + [run.mask].compactMap { $0 }, shape: [batch, rows, units])
  }

  private func loaded(
    features: Int, prefix: String, in lowering: inout Lowering
  ) -> (kernel: Value, recurrentKernel: Value, bias: Value?, recurrentBias: Value?) {
    let gates = kind.gates
    var kernel = lowering.stored(prefix + "kernel", shape: [features, columns])
    var recurrent = lowering.stored(prefix + "recurrent_kernel", shape: [units, columns])
    guard usesBias else { return (kernel, recurrent, nil, nil) }
    guard isCuDNN || hasRecurrentBias else {
      return (kernel, recurrent, lowering.stored(prefix + "bias", shape: [columns]), nil)
    }
    if isCuDNN {
      kernel = transposedGates(kernel, gates, in: &lowering)
      recurrent = transposedGates(recurrent, gates, in: &lowering)
    }
    let biases = lowering.stored(prefix + "bias", shape: [2, columns])
    let rows = (0..<2).map { row in
      let slice = lowering.emit(.slice(start: [row, 0]), [biases], shape: [1, columns])
      return lowering.emit(.reshape, [slice], shape: [columns])
    }
    if hasRecurrentBias { return (kernel, recurrent, rows[0], rows[1]) }
    return (kernel, recurrent, lowering.emit(.binary(.add), rows, shape: [columns]), nil)
  }

  /// CuDNN's matrices: those of each gate lie in memory as (units, rows).
  private func transposedGates(_ kernel: Value, _ gates: Int, in lowering: inout Lowering) -> Value {
    let rows = kernel.shape[0]
    let split = lowering.emit(.reshape, [kernel], shape: [rows, gates, units])
    let byGate = lowering.emit(.transpose(axes: [1, 0, 2]), [split], shape: [gates, rows, units])
    let asStored = lowering.emit(.reshape, [byGate], shape: [gates, units, rows])
    let turned = lowering.emit(.transpose(axes: [2, 0, 1]), [asStored], shape: [rows, gates, units])
    return lowering.emit(.reshape, [turned], shape: [rows, columns])
  }
}

extension ConfigReader {
  /// An activation that a recurrent cell can apply to a gate.
  func recurrentActivation(_ field: String) throws -> Activation {
    let activation = try activation(field)
    guard activation.isElementwise || activation == .softmax else {
      throw error(field, "'\(self[field]?.string ?? "")' is not supported in a recurrent cell", kind: .unsupported)
    }
    return activation
  }
}

extension Lowering {
  /// The weight `name` of the layer that is being lowered, as an operand.
  mutating func stored(_ name: String, shape: [Int]) -> Value { emit(.parameter(weight(name)), [], shape: shape) }

  /// x · kernel along the last axis of x; kernel (inputs, units).
  mutating func product(_ input: Value, _ kernel: Value) -> Value {
    emit(
      .tensor(.matrixProduct(transposingSecond: false)), [input, kernel],
      shape: Array(input.shape.dropLast()) + [kernel.shape[kernel.shape.count - 1]])
  }

  /// One number, as an operand.
  mutating func number(_ number: Float) -> Value { emit(.parameter(.constant([number], shape: [1])), [], shape: [1]) }
}
