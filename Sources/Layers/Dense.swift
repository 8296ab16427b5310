import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// x · kernel + bias along the last axis of any rank.
///
/// Kernel (inputs, units).
struct Dense: Layer {
  private let units: Int
  private let usesBias: Bool
  private let activation: Activation

  init(_ config: ConfigReader) throws {
    units = try config.int(config.has("output_dim") ? "output_dim" : "units", in: 1...1 << 30)
    usesBias = try config.bool("use_bias", default: true)
    activation = try config.activation()
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs)
    guard shape.rank >= 2 else { throw H5ConvError(.badData, "an input of shape \(shape) without features") }
    shape[shape.rank - 1] = units
    return [shape]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let features = try single(inputs).sizes.last ?? nil
    return [WeightSpec("kernel", [features, units], aliases: ["W"])]
      + (usesBias ? [WeightSpec("bias", [units], aliases: ["b"])] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let bias = usesBias ? lowering.weight("bias") : nil
    let kernel = lowering.weight("kernel")
    let output = try lowering.emit(
      inputs[0], shape: try knownOutputShape(for: inputs), activation: activation
    ) { .dense(kernel: kernel, bias: bias, $0) }
    return [output]
  }
}
