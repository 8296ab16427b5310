extension Lowering {
  /// What the activation at the end of the call that is being lowered was computed of; `value` itself where it ends in none.
  ///
  /// The call must have been lowered with ``separatesActivations``.
  ///
  /// - Parameter value: an output of the call.
  package mutating func beforeActivation(of value: Value) -> Value {
    if let source = gated[value.id] { return source }
    guard let step = producer(of: value), step.call == call, let input = step.inputs.first.map({ values[$0] }) else {
      return value
    }
    switch step.operation {
    case .activation, .softmax, .logSoftmax, .sparsemax, .prelu: return input
    case .transpose(let axes):
      // The channels of a channels_first layer are moved behind the activation.
      let source = beforeActivation(of: input)
      return source == input ? value : emit(step.operation, [source], shape: axes.map { source.shape[$0] })
    case .reshape:
      let source = beforeActivation(of: input)
      return source == input || source.shape != input.shape ? value : emit(.reshape, [source], shape: value.shape)
    default: return value
    }
  }
}
