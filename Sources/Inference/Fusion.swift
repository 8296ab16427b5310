import H5ConvLayers
import H5ConvTensors

/// A step after fusion: it may compute a batch normalization that followed it.
struct FusedStep {
  var operation: Operation
  var inputs: [Int]
  var output: Value
  /// A batch normalization applied to the result of a convolution before its activation.
  var normalization: Operation?
}

/// Removes steps that nobody needs, and joins a convolution with the batch normalization and activation behind it where nobody
/// looks at what is between.
enum Fusion {
  /// - Parameter foldsNormalizations: whether batch normalizations become part of a convolution's kernel.
  static func steps(_ steps: [Step], keeping outputs: Set<Int>, foldsNormalizations: Bool = true) -> [FusedStep] {
    var needed = outputs
    var live: [FusedStep] = []
    for step in steps.reversed() where needed.contains(step.output.id) {
      needed.formUnion(step.inputs)
      live.append(FusedStep(operation: step.operation, inputs: step.inputs, output: step.output))
    }
    return fuse(live.reversed(), keeping: outputs, foldsNormalizations)
  }

  private static func fuse(_ steps: [FusedStep], keeping outputs: Set<Int>, _ foldsNormalizations: Bool) -> [FusedStep]
  {
    var uses: [Int: Int] = [:]
    for input in steps.flatMap(\.inputs) { uses[input, default: 0] += 1 }
    var result: [FusedStep] = []
    var producers: [Int: Int] = [:]
    for step in steps {
      if let input = step.inputs.first, step.inputs.count == 1, uses[input] == 1, !outputs.contains(input),
        let place = producers[input], let joined = joined(result[place], step, foldsNormalizations)
      {
        result[place] = joined
        producers[step.output.id] = place
      } else {
        producers[step.output.id] = result.count
        result.append(step)
      }
    }
    return result
  }

  /// The two steps as one, or nil.
  private static func joined(_ first: FusedStep, _ second: FusedStep, _ foldsNormalizations: Bool) -> FusedStep? {
    var joined = first
    joined.output = second.output
    switch second.operation {
    case .batchNormalization where first.normalization == nil && first.operation.activation == .linear:
      guard foldsNormalizations, first.operation.isConvolution else { return nil }
      joined.normalization = second.operation
    case .activation(let activation) where first.operation.activation == .linear:
      guard let operation = first.operation.with(activation) else { return nil }
      joined.operation = operation
    default: return nil
    }
    return joined
  }
}

extension Operation {
  var isConvolution: Bool {
    switch self {
    case .convolution, .depthwiseConvolution: true
    default: false
    }
  }

  /// The activation that the operation applies itself; nil for one that cannot.
  var activation: Activation? {
    switch self {
    case .convolution(_, _, _, _, let activation), .depthwiseConvolution(_, _, _, let activation),
      .transposedConvolution(_, _, _, let activation), .dense(_, _, let activation):
      activation
    default: nil
    }
  }

  /// The operation with `activation` in place of its own.
  func with(_ activation: Activation) -> Operation? {
    switch self {
    case .convolution(let window, let groups, let kernel, let bias, _):
      .convolution(window, groups: groups, kernel: kernel, bias: bias, activation)
    case .depthwiseConvolution(let window, let kernel, let bias, _):
      .depthwiseConvolution(window, kernel: kernel, bias: bias, activation)
    case .transposedConvolution(let window, let kernel, let bias, _):
      .transposedConvolution(window, kernel: kernel, bias: bias, activation)
    case .dense(let kernel, let bias, _): .dense(kernel: kernel, bias: bias, activation)
    default: nil
    }
  }
}
