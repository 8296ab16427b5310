import CKernels
import H5ConvDiagnostics
import H5ConvLayers
package import H5ConvTensors

extension Plan {
  /// Computes the wanted tensors for `inputs`, which have the shapes that the plan was compiled for.
  ///
  /// - Parameter profile: gets the time of each operation.
  /// - Returns: the tensors in the order in which they were asked for.
  package func run(_ inputs: [Tensor], threads: Threads, profile: RunProfile? = nil) throws -> [Tensor] {
    guard inputs.map(\.shape) == self.inputs.map(\.shape) else {
      throw H5ConvError(.internalFault, "inputs of other shapes than the plan was compiled for")
    }
    var values: [Int: Tensor] = [:]
    for (value, tensor) in zip(self.inputs, inputs) { values[value.id] = tensor }
    try parts?.run(&values, threads, profile)
    try Plan.run(steps[(parts?.stepCount ?? 0)...], &values, lastUses: lastUses, threads, profile)
    return try zip(outputs, outputs.map { values[$0.id] }).map { output, tensor in
      guard let tensor else { throw H5ConvError(.internalFault, "an output was not computed") }
      return try tensor.reshaped(to: output.shape)
    }
  }

  /// Adds what the steps give to `values`, and takes off what no step behind them needs.
  static func run(
    _ steps: ArraySlice<PlanStep>, _ values: inout [Int: Tensor], lastUses: [Int: Int], _ threads: Threads,
    _ profile: RunProfile?
  ) throws {
    for (place, step) in zip(steps.indices, steps) {
      let arguments = try step.inputs.map { id in
        guard let tensor = values[id] else {
          throw H5ConvError(.internalFault, "a value is used before it is computed")
        }
        return tensor
      }
      values[step.output.id] =
        try profile?.time(step, at: place, threads) { try step.compute(arguments, threads) }
        ?? step.compute(arguments, threads)
      for id in step.inputs where lastUses[id] == place { values[id] = nil }
    }
  }
}

extension PlanStep {
  /// The C loops for this processor: constant function pointers, so that sharing them is safe.
  nonisolated(unsafe) static let loops = h5k_best().pointee

  fileprivate func compute(_ inputs: [Tensor], _ threads: Threads) throws -> Tensor {
    let shape = output.shape
    switch operation {
    case .parameter: return weights[0]
    case .convolution: return try convolution(inputs, threads)
    case .depthwiseConvolution(let window, _, _, let activation):
      return try depthwise(inputs[0], window, activation, threads)
    case .transposedConvolution(let window, _, _, let activation):
      return try transposedConvolution(inputs[0], window, activation, threads)
    case .locallyConnected(let window, _, _, let channelsFirst):
      return try locallyConnected(inputs[0], window, channelsFirst: channelsFirst, threads)
    case .dense: return try dense(inputs[0], threads)
    case .maxPool(let window): return try pool(inputs[0], window, PlanStep.loops.max_pool_row, threads)
    case .averagePool(let window): return try pool(inputs[0], window, PlanStep.loops.average_pool_row, threads)
    case .batchNormalization: return try affine(inputs[0], threads)
    case .activation(let activation): return try activate(inputs[0], activation.forKernels, threads)
    case .scale(let factor, let term):
      return try affine(
        inputs[0], scale: Tensor(shape: [1], values: [factor]), shift: Tensor(shape: [1], values: [term]), threads)
    case .prelu: return try prelu(inputs[0], inputs[1], threads)
    case .binary(let operation): return try binary(inputs[0], inputs[1], operation, threads)
    case .reduce(let reduction, let axes): return try reduce(inputs[0], reduction, axes, threads)
    case .reduceSections(let reduction, let axis, let sections):
      return try reduceSections(inputs[0], reduction, axis, sections, threads)
    case .softmax(let axes): return try softmax(inputs[0], axes, threads)
    case .logSoftmax(let axis): return try logSoftmax(inputs[0], axis, threads)
    case .sparsemax: return try sparsemax(inputs[0], threads)
    case .concatenate(let axis): return try concatenate(inputs, axis)
    case .reshape: return try inputs[0].reshaped(to: shape)
    case .transpose(let axes): return try inputs[0].transposed(axes, threads)
    case .pad(let before, let value): return try pad(inputs[0], before, value)
    case .slice(let start): return try slice(inputs[0], start)
    case .repeatElements(let times): return try repeatElements(inputs[0], times)
    case .resize(let method, let antialias): return try resize(inputs[0], method, antialias: antialias, threads)
    case .tensor(let operation): return try compute(operation, inputs, threads)
    case .gradient(let operation): return try compute(operation, inputs, threads)
    }
  }
}

extension Activation {
  /// The function as the C loops want it; those over an axis are never asked for.
  var forKernels: h5k_activation {
    func make(_ function: h5k_function, _ a: Float = 0, _ b: Float = 0, _ c: Float = 0) -> h5k_activation {
      h5k_activation(function: function, a: a, b: b, c: c)
    }
    switch self {
    case .linear, .softmax, .logSoftmax, .sparsemax, .glu: return make(H5K_LINEAR)
    case .relu(0, .infinity, 0): return make(H5K_RELU)
    case .relu(let slope, let maximum, let threshold): return make(H5K_RELU_GENERAL, slope, maximum, threshold)
    case .elu(let alpha): return make(H5K_ELU, alpha)
    case .selu: return make(H5K_SELU)
    case .celu(let alpha): return make(H5K_CELU, alpha)
    case .gelu(let approximate): return make(approximate ? H5K_GELU_TANH : H5K_GELU)
    case .sigmoid: return make(H5K_SIGMOID)
    case .hardSigmoid(let slope): return make(H5K_HARD_SIGMOID, slope)
    case .silu: return make(H5K_SILU)
    case .hardSilu: return make(H5K_HARD_SILU)
    case .tanh: return make(H5K_TANH)
    case .hardTanh: return make(H5K_HARD_TANH)
    case .tanhShrink: return make(H5K_TANH_SHRINK)
    case .softplus: return make(H5K_SOFTPLUS)
    case .softsign: return make(H5K_SOFTSIGN)
    case .softShrink(let threshold): return make(H5K_SOFT_SHRINK, threshold)
    case .hardShrink(let threshold): return make(H5K_HARD_SHRINK, threshold)
    case .logSigmoid: return make(H5K_LOG_SIGMOID)
    case .exponential: return make(H5K_EXPONENTIAL)
    case .mish: return make(H5K_MISH)
    case .squareplus(let b): return make(H5K_SQUAREPLUS, b)
    case .threshold(let threshold, let value): return make(H5K_THRESHOLD, threshold, value)
    case .sparsePlus: return make(H5K_SPARSE_PLUS)
    case .sparseSigmoid: return make(H5K_SPARSE_SIGMOID)
    case .squareRoot(let minimum): return make(H5K_SQUARE_ROOT, minimum)
    }
  }
}
