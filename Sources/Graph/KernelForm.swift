import H5ConvConfig
import H5ConvTensors
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvModelFiles

/// How older Keras stored weights that today's layers have in another form.
///
/// Source: `preprocess_weights_for_loading` of Keras 2.
struct KernelForm {
  /// Written by Keras 1.
  private let isKeras1: Bool
  /// Kernels that Theano convolved with are reversed: the others correlate. Keras 1 did not say which backend it ran on.
  private let isReversed: Bool

  init(isKeras1: Bool, backend: String?) {
    self.isKeras1 = isKeras1
    isReversed = !isKeras1 && backend == "theano"
  }

  /// The weight as the layer wants it.
  func adapted(_ tensor: StoredTensor, to spec: WeightSpec, of layer: GraphLayer) -> StoredTensor {
    var tensor = tensor
    let isKernel = ["kernel", "recurrent_kernel"].contains(spec.name)
    guard isKernel, tensor.shape.count == spec.shape.rank || isKeras1, (3...5).contains(tensor.shape.count) else {
      return tensor
    }
    if isKeras1 { tensor = ofKeras1(tensor, spec, layer) }
    if !spec.shape.fits(tensor.shape), tensor.shape.count == 4, layer.className.contains("Conv") {
      // The last resort of Keras 2: kernels as (outputs, inputs, height, width).
      let permuted = tensor.permuted([3, 2, 0, 1])
      if spec.shape.fits(permuted.shape) { tensor = permuted }
    }
    let isReversedByTheano = ["Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D"].contains(layer.className)
    if isReversed, isReversedByTheano { tensor = tensor.flipped(tensor.shape.indices.dropLast(2)) }
    return tensor
  }

  private func ofKeras1(_ tensor: StoredTensor, _ spec: WeightSpec, _ layer: GraphLayer) -> StoredTensor {
    let isChannelsFirst =
      layer.config["dim_ordering"]?.string == "th" || layer.config["data_format"]?.string == "channels_first"
    let shape = tensor.shape
    switch layer.className {
    case "Conv1D", "Convolution1D", "AtrousConvolution1D", "AtrousConv1D":
      guard shape.count == 4 else { return tensor }
      // Keras 1.2: (length, 1, inputs, outputs); before: (outputs, inputs, length, 1).
      let isOlder = spec.shape[0] != shape[0] || shape[1] != 1 || spec.shape[2] != shape[3]
      let modern = isOlder ? tensor.permuted([2, 3, 1, 0]) : tensor
      return modern.reshaped(to: [modern.shape[0]] + modern.shape[2...])
    case "Conv2DTranspose", "Deconvolution2D", "Convolution2DTranspose", "Deconv2D":
      guard shape.count == 4 else { return tensor }
      return tensor.permuted(isChannelsFirst ? [2, 3, 0, 1] : [0, 1, 3, 2])
    case "Conv3D", "Convolution3D":
      return isChannelsFirst && shape.count == 5 ? tensor.permuted([2, 3, 4, 1, 0]) : tensor
    default: return isChannelsFirst && shape.count == 4 ? tensor.permuted([2, 3, 1, 0]) : tensor
    }
  }

  /// The arrays of a recurrent layer of Keras 1, one for each gate, joined as Keras has them since.
  ///
  /// LSTM had W, U, b for the gates i, c, f, o in this order; Keras since has i, f, c, o side by side. GRU had z, r, h.
  func joinedGates(
    _ names: [String], _ tensors: [StoredTensor], _ layer: GraphLayer
  ) throws -> [(String, StoredTensor)] {
    let unchanged = Array(zip(names, tensors))
    guard isKeras1 else { return unchanged }
    let gates: [Int]
    switch layer.weights.count {
    case 3 where names.count == 12: gates = [0, 2, 1, 3]
    case 3 where names.count == 9: gates = [0, 1, 2]
    case 6 where names.count == 24:
      return try joined(names, tensors, of: [0, 2, 1, 3], from: 0, layer)
        + joined(names, tensors, of: [0, 2, 1, 3], from: 12, layer)
    case 6 where names.count == 18:
      return try joined(names, tensors, of: [0, 1, 2], from: 0, layer)
        + joined(names, tensors, of: [0, 1, 2], from: 9, layer)
    default: return unchanged
    }
    return try joined(names, tensors, of: gates, from: 0, layer)
  }

  private func joined(
    _ names: [String], _ tensors: [StoredTensor], of gates: [Int], from start: Int, _ layer: GraphLayer
  ) throws -> [(String, StoredTensor)] {
    let isChannelsFirst =
      layer.config["dim_ordering"]?.string == "th" || layer.config["data_format"]?.string == "channels_first"
    return try ["kernel", "recurrent_kernel", "bias"].enumerated().map { place, name in
      let parts = gates.map { gate in
        let part = tensors[start + gate * 3 + place]
        return isChannelsFirst && part.shape.count == 4 ? part.permuted([2, 3, 1, 0]) : part
      }
      // The name of the first gate's array keeps forward and backward apart.
      return ("\(names[start + gates[0] * 3 + place])/\(name)", try StoredTensor.joinedOnLastAxis(parts, path: name))
    }
  }
}
