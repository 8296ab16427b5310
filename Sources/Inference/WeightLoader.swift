import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// Loads each weight once and brings it into the form that the executor wants.
struct WeightLoader {
  private let source: Plan.WeightSource
  /// Weights that are asked for again: a layer may be called more than once.
  private var loaded: [String: Tensor] = [:]
  private var remaining: [String: Int] = [:]

  init(for steps: [FusedStep], source: @escaping Plan.WeightSource) {
    self.source = source
    for case .stored(let layer, let name) in steps.flatMap(\.parameters).map(\.source) {
      remaining["\(layer)/\(name)", default: 0] += 1
    }
  }

  private mutating func load(_ parameter: Parameter) throws -> Tensor {
    switch parameter {
    case .constant(let values, let shape): return try Tensor(shape: shape, values: values)
    case .stored(let layer, let name):
      let key = "\(layer)/\(name)"
      let uses = remaining[key, default: 1] - 1
      remaining[key] = uses
      let tensor = try loaded[key] ?? source(layer, name)
      loaded[key] = uses > 0 ? tensor : nil
      return tensor
    case .reversed(let parameter, let groups): return try load(parameter).reversedKernel(groups: groups)
    }
  }

  /// The weights of `step`: kernel and bias (empty where there is none); scale and shift; the parameter itself.
  mutating func weights(of step: FusedStep) throws -> [Tensor] {
    switch step.operation {
    case .parameter(let parameter): return [try load(parameter).reshaped(to: step.output.shape)]
    case .transposedConvolution(_, let kernel, let bias, _), .dense(let kernel, let bias, _):
      return [try load(kernel)] + (try bias.map { [try load($0)] } ?? [])
    case .depthwiseConvolution(_, let kernel, let bias, _):
      // (spatial axes, channels, multiplier) is (spatial axes, outputs) as it lies in memory.
      let loaded = try normalized(step, [try load(kernel)] + (try bias.map { [try load($0)] } ?? []))
      return [try scaled(loaded.kernel, by: loaded.scale)] + (loaded.bias.map { [$0] } ?? [])
    case .locallyConnected(_, let kernel, let bias, _):
      return [try load(kernel)] + (try bias.map { [try load($0)] } ?? [])
    case .batchNormalization: return try affine(step.operation)
    case .gradient(.convolution(_, _, let kernel)), .gradient(.depthwiseConvolution(_, let kernel)):
      return [try load(kernel)]
    default: return []
    }
  }

  /// The kernel of a convolution and what each filter of it is multiplied by, nil for 1, and its bias, with the batch normalization behind it.
  mutating func convolution(_ step: FusedStep) throws -> (kernel: Tensor, scale: [Float]?, bias: Tensor?) {
    guard case .convolution(_, _, let kernel, let bias, _) = step.operation else {
      throw H5ConvError(.internalFault, "weights of a convolution that is none")
    }
    return try normalized(step, [try load(kernel)] + (try bias.map { [try load($0)] } ?? []))
  }

  /// The batch normalization as a factor of each filter, and in the bias: the output channel is the last axis of the kernel.
  private mutating func normalized(
    _ step: FusedStep, _ weights: [Tensor]
  ) throws -> (kernel: Tensor, scale: [Float]?, bias: Tensor?) {
    let kernel = weights[0]
    let bias = weights.count > 1 ? weights[1] : nil
    guard let normalization = step.normalization else { return (kernel, nil, bias) }
    let factors = try affine(normalization)
    let channels = factors[0].count
    guard channels > 0, kernel.count % channels == 0, (bias?.count ?? channels) == channels else {
      throw H5ConvError(.badData, "a kernel of shape \(kernel.shape) before \(channels) normalized channels")
    }
    let (scale, shift) = (factors[0].values, factors[1].values)
    let terms = bias?.values ?? Array(repeating: 0, count: channels)
    return (
      kernel, scale, try Tensor(shape: [channels], values: (0..<channels).map { terms[$0] * scale[$0] + shift[$0] })
    )
  }

  /// A depthwise kernel with the factors multiplied in.
  private func scaled(_ kernel: Tensor, by scale: [Float]?) throws -> Tensor {
    guard let scale else { return kernel }
    return try Tensor(shape: kernel.shape) { target in
      kernel.withUnsafeElements { source in
        for row in stride(from: 0, to: source.count, by: scale.count) {
          for channel in 0..<scale.count { target[row + channel] = source[row + channel] * scale[channel] }
        }
      }
    }
  }

  /// Scale and shift of a batch normalization: γ/√(σ² + ε) and β − μ·scale.
  private mutating func affine(_ operation: Operation) throws -> [Tensor] {
    guard case .batchNormalization(let gamma, let beta, let mean, let variance, let epsilon) = operation else {
      return []
    }
    let means = try load(mean).values
    let variances = try load(variance).values
    let gammas = try gamma.map { try load($0).values } ?? Array(repeating: 1, count: means.count)
    let betas = try beta.map { try load($0).values } ?? Array(repeating: 0, count: means.count)
    guard variances.count == means.count, gammas.count == means.count, betas.count == means.count else {
      throw H5ConvError(.badData, "statistics of different lengths")
    }
    let scales = means.indices.map { gammas[$0] / (variances[$0] + epsilon).squareRoot() }
    let shifts = means.indices.map { betas[$0] - means[$0] * scales[$0] }
    return [
      try Tensor(shape: [means.count], values: scales), try Tensor(shape: [means.count], values: shifts),
    ]
  }
}

extension Parameter {
  /// What is read for it.
  fileprivate var source: Parameter { if case .reversed(let parameter, _) = self { parameter } else { self } }
}

extension Tensor {
  /// The kernel of a convolution's gradient: what ``Parameter/reversed(_:groups:)`` says.
  fileprivate func reversedKernel(groups: Int) throws -> Tensor {
    guard shape.count >= 3, let outputs = shape.last else {
      throw H5ConvError(.badData, "a kernel of shape \(shape)")
    }
    let spatial = Array(shape.dropLast(2))
    let taps = spatial.reduce(1, *)
    let isDepthwise = outputs == 1 && shape[shape.count - 2] == groups
    let (ins, outs) = isDepthwise ? (1, groups) : (shape[shape.count - 2], outputs)
    guard groups > 0, outs % groups == 0 else {
      throw H5ConvError(.badData, "a kernel of shape \(shape) in \(groups) groups")
    }
    let part = outs / groups
    let target = isDepthwise ? shape : spatial + [part, ins * groups]
    return try Tensor(shape: target) { target in
      withUnsafeElements { source in
        for tap in 0..<taps {
          let from = (taps - 1 - tap) * ins * outs
          let to = tap * ins * outs
          for input in 0..<ins {
            for output in 0..<outs {
              let (group, place) = output.quotientAndRemainder(dividingBy: part)
              target[to + place * ins * groups + group * ins + input] = source[from + input * outs + output]
            }
          }
        }
      }
    }
  }
}
