import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

// Dense layers that only Keras 1 had. Source: `keras/layers/core.py` of Keras 1.2.2.

/// The largest of `nb_feature` products x · W + b, element by element, for inputs (batch, features).
struct MaxoutDense: Layer {
  private let units: Int
  private let pieces: Int
  private let usesBias: Bool

  init(_ config: ConfigReader) throws {
    units = try config.int("output_dim", in: 1...sizeLimit)
    pieces = try config.int("nb_feature", default: 4, in: 1...sizeLimit)
    usesBias = try config.bool("bias", default: true)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [[try single(inputs, rank: 2)[0], units]]
  }

  /// Kernel (nb_feature, features, output_dim), bias (nb_feature, output_dim).
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    [WeightSpec("kernel", [pieces, try single(inputs, rank: 2)[1], units], aliases: ["W"])]
      + (usesBias ? [WeightSpec("bias", [pieces, units], aliases: ["b"])] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let (batch, features) = (inputs[0].shape[0], inputs[0].shape[1])
    let shape = [pieces, batch, units]
    let kernel = lowering.stored("kernel", shape: [pieces, features, units])
    let rows = lowering.emit(.reshape, inputs, shape: [1, batch, features])
    var products = lowering.emit(.tensor(.matrixProduct(transposingSecond: false)), [rows, kernel], shape: shape)
    if usesBias {
      let bias = lowering.stored("bias", shape: [pieces, 1, units])
      products = lowering.emit(.binary(.add), [products, bias], shape: shape)
    }
    return [lowering.emit(.tensor(.reduce(.maximum, axes: [0])), [products], shape: [batch, units])]
  }
}

/// t · f(x · W + b) + (1 − t) · x with t = sigmoid(x · W_carry + b_carry), for inputs (batch, features).
struct Highway: Layer {
  private let usesBias: Bool
  private let activation: Activation

  init(_ config: ConfigReader) throws {
    usesBias = try config.bool("bias", default: true)
    activation = try config.activation()
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { [try single(inputs, rank: 2)] }

  /// Both kernels (features, features), both biases (features).
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let features = try single(inputs, rank: 2)[1]
    return [
      WeightSpec("kernel", [features, features], aliases: ["W"]),
      WeightSpec("carry_kernel", [features, features], aliases: ["W_carry"]),
    ]
      + (usesBias
        ? [WeightSpec("bias", [features], aliases: ["b"]), WeightSpec("carry_bias", [features], aliases: ["b_carry"])]
        : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let (x, shape) = (inputs[0], inputs[0].shape)
    func product(_ kernel: String, _ bias: String, _ activation: Activation) throws -> Value {
      let (kernel, bias) = (lowering.weight(kernel), usesBias ? lowering.weight(bias) : nil)
      return try lowering.emit(x, shape: shape, activation: activation) { .dense(kernel: kernel, bias: bias, $0) }
    }
    let gate = try product("carry_kernel", "carry_bias", .sigmoid)
    let made = try product("kernel", "bias", activation)
    let taken = lowering.emit(.binary(.multiply), [made, gate], shape: shape)
    let rest = lowering.emit(.scale(by: -1, plus: 1), [gate], shape: shape)
    let carried = lowering.emit(.binary(.multiply), [rest, x], shape: shape)
    return [lowering.emit(.binary(.add), [taken, carried], shape: shape)]
  }
}
