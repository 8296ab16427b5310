package import H5ConvConfig
import H5ConvDiagnostics

/// An activation function.
package enum Activation: Sendable, Equatable {
  case linear
  /// x ≥ maximum → maximum; x > threshold → x; else negativeSlope · (x − threshold).
  case relu(negativeSlope: Float, maximum: Float, threshold: Float)
  /// x for x > 0, else α(eˣ − 1).
  case elu(alpha: Float)
  case selu
  /// max(x, 0) + min(0, α(e^(x/α) − 1))
  case celu(alpha: Float)
  /// x·Φ(x), by the error function or its tanh approximation.
  case gelu(approximate: Bool)
  case sigmoid
  /// clip(slope·x + 0.5, 0, 1): slope 0.2 in Keras 1 and 2, 1/6 in Keras 3.
  case hardSigmoid(slope: Float)
  case silu
  case hardSilu
  case tanh
  case hardTanh
  case tanhShrink
  case softplus
  case softsign
  case softShrink(threshold: Float)
  case hardShrink(threshold: Float)
  case logSigmoid
  case exponential
  case mish
  case squareplus(b: Float)
  /// x where x > threshold, else value.
  case threshold(Float, value: Float)
  case sparsePlus
  case sparseSigmoid
  /// max(√x, minimum); not a Keras activation, part of Normalization.
  case squareRoot(minimum: Float)
  // Over the last axis.
  case softmax
  case logSoftmax
  case sparsemax
  case glu

  package static let relu = Activation.relu(negativeSlope: 0, maximum: .infinity, threshold: 0)

  /// Whether each output element depends on its input element alone.
  package var isElementwise: Bool {
    switch self {
    case .softmax, .logSoftmax, .sparsemax, .glu: false
    default: true
    }
  }
}

extension Activation {
  /// The activation that Keras calls `name`; nil for an unknown one.
  ///
  /// - Parameter generation: which Keras wrote the name: `hard_sigmoid` changed its meaning in Keras 3.
  package static func named(_ name: String, generation: Int) -> Activation? {
    switch name.lowercased() {
    case "linear": .linear
    case "relu": .relu
    case "relu6": .relu(negativeSlope: 0, maximum: 6, threshold: 0)
    case "leaky_relu", "leakyrelu": .relu(negativeSlope: 0.2, maximum: .infinity, threshold: 0)
    case "elu": .elu(alpha: 1)
    case "selu": .selu
    case "celu": .celu(alpha: 1)
    case "gelu": .gelu(approximate: false)
    case "sigmoid": .sigmoid
    case "hard_sigmoid": .hardSigmoid(slope: generation < 3 ? 0.2 : 1 / 6)
    case "silu", "swish": .silu
    case "hard_silu", "hard_swish", "_hard_swish": .hardSilu
    case "tanh": .tanh
    case "hard_tanh": .hardTanh
    case "tanh_shrink": .tanhShrink
    case "softplus": .softplus
    case "softsign": .softsign
    case "soft_shrink": .softShrink(threshold: 0.5)
    case "hard_shrink": .hardShrink(threshold: 0.5)
    case "log_sigmoid": .logSigmoid
    case "exponential", "exp": .exponential
    case "mish": .mish
    case "squareplus": .squareplus(b: 4)
    case "threshold": .threshold(0, value: 0)
    case "sparse_plus": .sparsePlus
    case "sparse_sigmoid": .sparseSigmoid
    case "softmax": .softmax
    case "log_softmax": .logSoftmax
    case "sparsemax": .sparsemax
    case "glu": .glu
    default: nil
    }
  }
}

extension ConfigReader {
  /// Functions of well-known packages (efficientnet, segmentation_models, keras_cv) that compute what Keras calls so.
  ///
  /// Any other function under a package's name is Python code that is not in the file, even where Keras has one of its name.
  package static let packageFunctions: Set<String> = ["swish", "relu6", "hard_swish", "mish"]

  /// The activation in `field`: a name, a layer or function object, or (missing or null) linear.
  package func activation(_ field: String = "activation") throws -> Activation {
    guard let value = self[field] else { return .linear }
    if let name = value.string { return try activation(called: name, field) }
    guard let className = value["class_name"]?.string.map(ConfigReader.plainName) else {
      throw error(field, "is \(value.kindName) where an activation was expected")
    }
    if let name = value["config"]?.string { return try activation(called: name, field) }
    let reader = ConfigReader(value["config"]?.object ?? JSONObject(), at: place, generation: generation)
    switch className {
    case "ReLU": return try ReLU(reader).activation
    case "LeakyReLU": return try LeakyReLU(reader).activation
    case "ELU": return try ELU(reader).activation
    case "ThresholdedReLU": return try ThresholdedReLU(reader).activation
    case "Softmax": return .softmax
    case "Activation": return try reader.activation()
    default:
      guard let activation = Activation.named(className, generation: generation) else {
        throw error(field, "'\(className)' is not an activation that is supported", kind: .unsupported)
      }
      return activation
    }
  }

  private func activation(called name: String, _ field: String) throws -> Activation {
    let plain = ConfigReader.plainName(name)
    let isKnown = plain == name || name.hasPrefix("keras>") || ConfigReader.packageFunctions.contains(plain)
    guard isKnown, let activation = Activation.named(plain, generation: generation) else {
      throw error(field, "'\(name)' is not an activation of Keras; custom functions are not run", kind: .unsupported)
    }
    return activation
  }
}
