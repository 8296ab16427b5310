import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// Loads each weight once and brings it into the form that the executor wants.
struct WeightLoader {
  private let source: Plan.WeightSource
  private var loaded: [String: Tensor] = [:]

  init(source: @escaping Plan.WeightSource) { self.source = source }

  private mutating func load(_ parameter: Parameter) throws -> Tensor {
    switch parameter {
    case .constant(let values, let shape): return try Tensor(shape: shape, values: values)
    case .stored(let layer, let name):
      let key = "\(layer)/\(name)"
      if let tensor = loaded[key] { return tensor }
      let tensor = try source(layer, name)
      loaded[key] = tensor
      return tensor
    }
  }

  /// The weights of `step`: kernel and bias (empty where there is none); scale and shift; the parameter itself.
  mutating func weights(of step: FusedStep) throws -> [Tensor] {
    switch step.operation {
    case .parameter(let parameter): return [try load(parameter).reshaped(to: step.output.shape)]
    case .convolution(_, _, let kernel, let bias, _), .transposedConvolution(_, let kernel, let bias, _),
      .dense(let kernel, let bias, _):
      return try normalized(step, [try load(kernel)] + (try bias.map { [try load($0)] } ?? []))
    case .depthwiseConvolution(_, let kernel, let bias, _):
      // (spatial axes, channels, multiplier) is (spatial axes, outputs) as it lies in memory.
      return try normalized(step, [try load(kernel)] + (try bias.map { [try load($0)] } ?? []))
    case .locallyConnected(_, let kernel, let bias, _):
      return [try load(kernel)] + (try bias.map { [try load($0)] } ?? [])
    case .batchNormalization: return try affine(step.operation)
    default: return []
    }
  }

  /// Kernel and bias with the batch normalization behind them multiplied in: the output channel is the last axis of both.
  private mutating func normalized(_ step: FusedStep, _ weights: [Tensor]) throws -> [Tensor] {
    guard let normalization = step.normalization else { return weights }
    let factors = try affine(normalization)
    let channels = factors[0].count
    let kernel = weights[0]
    guard channels > 0, kernel.count % channels == 0 else {
      throw H5ConvError(.badData, "a kernel of shape \(kernel.shape) before \(channels) normalized channels")
    }
    let scaled = try Tensor(shape: kernel.shape) { target in
      kernel.withUnsafeElements { source in
        factors[0].withUnsafeElements { scale in
          for row in stride(from: 0, to: source.count, by: channels) {
            for channel in 0..<channels { target[row + channel] = source[row + channel] * scale[channel] }
          }
        }
      }
    }
    let scale = factors[0].values
    let shift = factors[1].values
    let bias = weights.count > 1 ? weights[1].values : Array(repeating: 0, count: channels)
    return [scaled, try Tensor(shape: [channels], values: (0..<channels).map { bias[$0] * scale[$0] + shift[$0] })]
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
