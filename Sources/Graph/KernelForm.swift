import H5ConvTensors
import H5ConvConfig
import H5ConvLayers
import H5ConvModelFiles

/// How older Keras stored kernels that today's layers have in another form.
///
/// Source: `preprocess_weights_for_loading` of Keras 2, which does the same where it can know.
struct KernelForm {
  /// Written by Keras before 1.0.
  private let isKeras0: Bool
  /// Written by Keras 1, or before.
  private let isKeras1: Bool
  /// Theano turned the kernels over when it convolved with them; the others correlate.
  private let isTheano: Bool

  init(isKeras0: Bool, isKeras1: Bool, isTheano: Bool) {
    self.isKeras0 = isKeras0
    self.isKeras1 = isKeras1
    self.isTheano = isTheano
  }

  /// The weight as the layer wants it.
  func adapted(_ tensor: StoredTensor, to spec: WeightSpec, of layer: GraphLayer) -> StoredTensor {
    if isKeras1, spec.name == "alpha", let shape = spec.shape.known, shape != tensor.shape {
      // Keras 1 did not save on which axes a PReLU shares its slopes.
      return tensor.broadcast(to: shape) ?? tensor
    }
    if isKeras0, spec.name == "moving_variance", KernelForm.innermost(layer).className == "BatchNormalization" {
      return tensor.variance(epsilon: KernelForm.innermost(layer).config["epsilon"]?.number ?? 1e-6)
    }
    guard spec.name.hasSuffix("kernel"), (3...5).contains(tensor.shape.count) else { return tensor }
    let (className, config) = KernelForm.innermost(layer)
    guard KernelForm.convolutions.contains(className) else { return tensor }
    var tensor = tensor
    if isKeras1 { tensor = ofKeras1(tensor, spec, className, config) }
    if !spec.shape.fits(tensor.shape), tensor.shape.count == 4 {
      // The last resort of Keras 2: kernels as (outputs, inputs, height, width).
      let permuted = tensor.permuted([3, 2, 0, 1])
      if spec.shape.fits(permuted.shape) { tensor = permuted }
    }
    return isTheano ? tensor.flipped(tensor.shape.indices.dropLast(2)) : tensor
  }

  private static let convolutions: Set = [
    "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D", "ConvLSTM2D",
  ]

  /// Whether the layer, or the one in its wrappers, has the channels first.
  static func isChannelsFirst(_ layer: GraphLayer) -> Bool {
    innermost(layer).config["data_format"]?.string == "channels_first"
  }

  /// Class and config of the layer, or of the one in its wrappers.
  private static func innermost(_ layer: GraphLayer) -> (className: String, config: JSONObject) {
    var (className, config) = (layer.className, layer.config)
    while let inner = config["layer"], let name = inner["class_name"]?.string, let fields = inner["config"]?.object {
      (className, config) = (name, fields)
    }
    return (className, config)
  }

  private func ofKeras1(
    _ tensor: StoredTensor, _ spec: WeightSpec, _ className: String, _ config: JSONObject
  ) -> StoredTensor {
    let isChannelsFirst = config["data_format"]?.string == "channels_first"
    let shape = tensor.shape
    switch (className, shape.count) {
    case ("Conv1D", 4):
      // Keras 1.2: (length, 1, inputs, outputs); before: (outputs, inputs, length, 1).
      let isOlder = spec.shape[0] != shape[0] || shape[1] != 1 || spec.shape[2] != shape[3]
      let modern = isOlder ? tensor.permuted([2, 3, 1, 0]) : tensor
      return modern.reshaped(to: [modern.shape[0]] + modern.shape[2...])
    case ("Conv2DTranspose", 4): return tensor.permuted(isChannelsFirst ? [2, 3, 0, 1] : [0, 1, 3, 2])
    case ("Conv3D", 5): return isChannelsFirst ? tensor.permuted([2, 3, 4, 1, 0]) : tensor
    // (outputs, inputs, height, width)
    case ("Conv2D", 4), ("SeparableConv2D", 4):
      return isChannelsFirst ? tensor.permuted([2, 3, 1, 0]) : tensor
    default: return tensor
    }
  }
}
