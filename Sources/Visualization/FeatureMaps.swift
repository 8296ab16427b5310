import H5ConvDiagnostics
package import H5ConvTensors

/// The feature maps that one layer gave for one image.
package struct FeatureMaps: Sendable {
  /// Place of the layer in the order of execution; the number at the front of its files' names.
  package let index: Int
  /// The layer's name; any text, since strangers write it.
  package let name: String
  /// The layer's Keras class, as `Conv2D`.
  package let className: String
  /// Whether they are what the layer's activation is computed of, and not its output.
  package let isBeforeActivation: Bool
  /// The output's shape as Keras gives it, as `[1, 224, 224, 64]`.
  package let shape: [Int]
  /// The activations in the order (height, width, channels).
  package let tensor: Tensor

  /// - Throws: ``H5ConvError`` of kind `unsupported` when `tensor` is not (height, width, channels) with a pixel at least.
  package init(
    index: Int, name: String, className: String, isBeforeActivation: Bool = false, shape: [Int], tensor: Tensor
  ) throws {
    guard tensor.shape.count == 3, tensor.count > 0 else {
      throw H5ConvError(
        .unsupported, "an output of shape \(tensor.shape) is not a stack of feature maps", at: name,
        remedy: "choose layers whose output has a height, a width and channels")
    }
    self.index = index
    self.name = name
    self.className = className
    self.isBeforeActivation = isBeforeActivation
    self.shape = shape
    self.tensor = tensor
  }
}
