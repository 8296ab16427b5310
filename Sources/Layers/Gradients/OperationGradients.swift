import H5ConvDiagnostics

extension Operation {
  /// Emits the gradients of the operation's inputs.
  ///
  /// - Parameters:
  ///   - x: the inputs.
  ///   - y: the result.
  ///   - gradient: the gradient of the result.
  /// - Returns: one value of the shape of each input; nil where the gradient is 0 everywhere.
  /// - Throws: `H5ConvError` of kind `unsupported` when the operation has no derivative here.
  func gradients(_ x: [Value], _ y: Value, _ gradient: Value, in lowering: inout Lowering) throws -> [Value?] {
    switch self {
    case .parameter: return []
    case .convolution, .depthwiseConvolution, .transposedConvolution, .maxPool, .averagePool, .resize:
      return [try windowGradient(x[0], gradient, in: &lowering)]
    case .dense(let kernel, _, _):
      let (inputs, units) = (x[0].shape[x[0].shape.count - 1], y.shape[y.shape.count - 1])
      let matrix = lowering.emit(.parameter(kernel), [], shape: [inputs, units])
      return [
        lowering.emit(.tensor(.matrixProduct(transposingSecond: true)), [gradient, matrix], shape: x[0].shape)
      ]
    case .batchNormalization(let gamma, _, _, let variance, let epsilon):
      // The statistics are constants at inference: the gradient is scaled as the input was.
      let channels = y.shape[y.shape.count - 1]
      let zeros = Parameter.constant(Array(repeating: 0, count: channels), shape: [channels])
      let scaling = Operation.batchNormalization(
        gamma: gamma, beta: nil, mean: zeros, variance: variance, epsilon: epsilon)
      return [lowering.emit(scaling, [gradient], shape: y.shape)]
    case .activation(let activation):
      // The result of a ReLU without bounds tells as much, and need not be kept beside its input.
      let source: Value =
        if case .relu(_, .infinity, 0) = activation { y } else { x[0] }
      return [lowering.emit(.gradient(.activation(activation)), [source, gradient], shape: y.shape)]
    case .prelu:
      // Keras adds relu(x) and −α relu(−x): neither counts at 0.
      let zero = lowering.number(0)
      let above = lowering.kept(gradient, where: lowering.combined(.greater, x[0], zero))
      let below = lowering.kept(lowering.times(gradient, x[1]), where: lowering.combined(.less, x[0], zero))
      return [lowering.emit(.binary(.add), [above, below], shape: y.shape), nil]
    case .binary(let operation): return operation.gradients(x, gradient, in: &lowering)
    case .scale(let factor, _): return [lowering.scaled(gradient, by: factor)]
    case .reduce(.mean, let axes): return [AxisReduction.mean.gradient(x[0], y, gradient, axes, in: &lowering)]
    case .reduce(.maximum, let axes): return [AxisReduction.maximum.gradient(x[0], y, gradient, axes, in: &lowering)]
    case .softmax(let axes):
      // y · (g − Σ g y)
      let weighted = lowering.times(gradient, y)
      let rest = lowering.difference(gradient, lowering.sum(weighted, along: axes))
      return [lowering.times(y, rest)]
    case .logSoftmax(let axis):
      // g − eʸ Σ g
      let sum = lowering.sum(gradient, along: [axis])
      return [lowering.difference(gradient, lowering.times(lowering.map(y, .exponential), sum))]
    case .concatenate, .reshape, .transpose, .pad, .slice, .repeatElements:
      return movedGradients(x, gradient, in: &lowering)
    case .tensor(let operation): return try operation.gradients(x, y, gradient, in: &lowering)
    case .locallyConnected: throw H5ConvError.noDerivative(of: "a locally connected layer")
    case .reduceSections: throw H5ConvError.noDerivative(of: "adaptive pooling")
    case .sparsemax: throw H5ConvError.noDerivative(of: "sparsemax")
    case .gradient: throw H5ConvError.noDerivative(of: "a gradient")
    }
  }
}

extension BinaryOperation {
  fileprivate func gradients(_ x: [Value], _ gradient: Value, in lowering: inout Lowering) -> [Value?] {
    let (a, b) = (x[0], x[1])
    let parts: (Value, Value)
    switch self {
    case .add: parts = (gradient, gradient)
    case .subtract: parts = (gradient, lowering.scaled(gradient, by: -1))
    case .multiply: parts = (lowering.times(gradient, b), lowering.times(gradient, a))
    case .divide:
      // 1/b and −a/b²
      let first = lowering.quotient(gradient, b)
      parts = (first, lowering.scaled(lowering.quotient(lowering.times(first, a), b), by: -1))
    case .maximum, .minimum:
      // Of equal elements the first gets it, as in TensorFlow.
      let isFirst = lowering.combined(self == .maximum ? .greaterOrEqual : .lessOrEqual, a, b)
      let kept = lowering.kept(gradient, where: isFirst)
      parts = (kept, lowering.difference(gradient, kept))
    }
    return [lowering.unbroadcast(parts.0, to: a.shape), lowering.unbroadcast(parts.1, to: b.shape)]
  }
}

extension H5ConvError {
  static func noDerivative(of operation: String) -> H5ConvError {
    H5ConvError(.unsupported, "the derivative of \(operation) is not supported")
  }
}
