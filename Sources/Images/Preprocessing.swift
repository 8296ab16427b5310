/// What is done to the samples 0…255 of a picture before a model sees them.
///
/// A model file does not say which of these it was trained with.
package enum Preprocessing: Sendable, Equatable {
  /// x, 0…255: what `keras.utils.img_to_array` gives.
  case none
  /// x / 255.
  case rescale
  /// x / 127.5 − 1: `preprocess_input(mode="tf")`, for MobileNet, Inception, Xception, ResNetV2, NASNet.
  case tf
  /// Blue, green, red, minus the ImageNet means: `preprocess_input(mode="caffe")`, for VGG and ResNet.
  case caffe
  /// x / 255, minus the ImageNet means, over the deviations: `preprocess_input(mode="torch")`, for DenseNet.
  case torch
  /// (x − mean) / std on 0…255; the arrays have one number for all channels, or one for each.
  case custom(mean: [Float], std: [Float])
}

extension Preprocessing: CustomStringConvertible {
  /// The name, and the formula with x in 0…255.
  package var description: String {
    switch self {
    case .none: "none: x, 0…255"
    case .rescale: "rescale: x / 255"
    case .tf: "tf: x / 127.5 − 1"
    case .caffe: "caffe: RGB → BGR, x − (103.939, 116.779, 123.68)"
    case .torch: "torch: (x / 255 − (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)"
    case .custom(let mean, let std): "custom: (x − \(listed(mean))) / \(listed(std))"
    }
  }

  private func listed(_ numbers: [Float]) -> String {
    let text = numbers.map(\.description).joined(separator: ", ")
    return numbers.count == 1 ? text : "(\(text))"
  }
}
