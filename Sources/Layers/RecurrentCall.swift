import H5ConvConfig
import H5ConvDiagnostics

/// Which of a call's inputs are the sequence, the initial states and the mask of a recurrent layer.
struct RecurrentCall: Sendable {
  var sequence = 0
  var states: [Int] = []
  var mask: Int?
  /// Whether a mask that comes along with the sequence counts: Keras 3 looks for one only where the sequence is the only tensor.
  var takesImpliedMask = true

  init() {}

  /// Reads `layer(sequence, initial_state, mask)`; Keras 2 gives `layer([sequence, state, …])`.
  init(_ arguments: CallArguments<Int>, generation: Int) throws {
    guard let first = arguments.positional.first ?? arguments.argument("sequences") ?? arguments.argument("inputs"),
      let sequence = first.tensors.first
    else { throw H5ConvError(.badData, "a call without a sequence") }
    self.sequence = sequence
    let given = arguments.argument("initial_state", at: generation < 3 ? nil : 1)
    if let given, !given.isTensors { throw H5ConvError(.unsupported, "a constant as initial_state is not supported") }
    states = Array(first.tensors.dropFirst()) + (given?.tensors ?? [])
    let mask = arguments.argument("mask", at: generation < 3 ? 1 : 2)
    self.mask = mask?.tensors.first
    if self.mask == nil, let value = mask?.value, !value.isNull, value.array?.allSatisfy(\.isNull) != true {
      throw H5ConvError(.unsupported, "a constant as mask is not supported")
    }
    takesImpliedMask = generation < 3 || states.isEmpty
    let known = [sequence] + states + (mask?.tensors ?? [])
    guard Set(arguments.tensors).isSubset(of: known) else {
      throw H5ConvError(.unsupported, "constants for a recurrent cell are not supported")
    }
  }

  /// The mask (batch, time) of a call: the one that is given, else the one that comes with the sequence.
  func mask(_ inputs: [Value], time: Int, in lowering: inout Lowering) throws -> Value? {
    let implied = lowering.inputMasks.indices.contains(sequence) ? lowering.inputMasks[sequence] : nil
    guard var value = mask.map({ inputs[$0] }) ?? (takesImpliedMask ? implied : nil) else { return nil }
    if value.shape.count == 3, value.shape[2] == 1 {
      value = lowering.emit(.reshape, [value], shape: Array(value.shape.dropLast()))
    }
    guard value.shape == [inputs[sequence].shape[0], time] else {
      throw H5ConvError(.unsupported, "a mask of shape \(value.shape) is not supported")
    }
    return value
  }
}
