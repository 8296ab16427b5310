/// A tensor between two operations: its number in the plan and its shape.
package struct Value: Sendable, Equatable {
  package let id: Int
  /// Sizes of the axes, all known.
  package let shape: [Int]
}

/// A tensor that does not depend on the input.
package enum Parameter: Sendable, Equatable {
  /// The weight `name` of the layer that is lowered; `layer` is its number in the graph.
  case stored(layer: Int, name: String)
  /// Numbers from a config.
  case constant([Float], shape: [Int])
}

/// What the engine can do.
///
/// Image tensors are (batch, height, width, channels) throughout.
package enum Operation: Sendable, Equatable {
  /// A tensor that does not depend on the input.
  case parameter(Parameter)
  /// Convolution; kernel (height, width, input channels / groups, output channels), bias (output channels).
  case convolution(Window, groups: Int, kernel: Parameter, bias: Parameter?, Activation)
  /// Each channel by itself; kernel (height, width, channels, multiplier), bias (channels · multiplier).
  case depthwiseConvolution(Window, kernel: Parameter, bias: Parameter?, Activation)
  /// The gradient of a convolution; kernel (height, width, output channels, input channels). `window.before` is what is
  /// cut off at the top and left of the full result.
  case transposedConvolution(Window, kernel: Parameter, bias: Parameter?, Activation)
  /// x · kernel + bias along the last axis; kernel (inputs, units).
  case dense(kernel: Parameter, bias: Parameter?, Activation)
  case maxPool(Window)
  /// The mean over the elements that are not padding.
  case averagePool(Window)
  /// γ(x − μ)/√(σ² + ε) + β along the last axis.
  case batchNormalization(gamma: Parameter?, beta: Parameter?, mean: Parameter, variance: Parameter, epsilon: Float)
  case activation(Activation)
  /// x where x ≥ 0, else x times the second input, which is broadcast.
  case prelu
  /// Two inputs, broadcast by NumPy's rule.
  case binary(BinaryOperation)
  /// x · scale + offset.
  case scale(by: Float, plus: Float)
  case reduce(Reduction, axes: [Int])
  case softmax(axes: [Int])
  case logSoftmax(axis: Int)
  case sparsemax
  case concatenate(axis: Int)
  case reshape
  /// Axis i of the result is axis `axes[i]` of the input.
  case transpose(axes: [Int])
  /// Adds `value` around: so much before each axis, and what is missing of the result's shape behind.
  case pad(before: [Int], value: Float)
  /// Keeps what begins at `start`, of the result's shape.
  case slice(start: [Int])
  /// Repeats each element `times[axis]` times along each axis.
  case repeatElements(times: [Int])
  case resize(ResizeMethod, antialias: Bool)
  case tensor(TensorOperation)
}

package enum BinaryOperation: Sendable, Equatable { case add, subtract, multiply, divide, maximum, minimum }

package enum Reduction: Sendable, Equatable { case mean, maximum }

/// How an image tensor is resized, with half-pixel centres, as `tf.image.resize` does.
package enum ResizeMethod: String, Sendable {
  case nearest, bilinear, bicubic, lanczos3, lanczos5, area, gaussian, mitchellcubic
}

/// The sliding window of a convolution or pooling over height and width.
package struct Window: Sendable, Equatable {
  /// Height and width of the kernel.
  package var size: [Int]
  package var strides: [Int]
  package var dilation: [Int]
  /// Rows above and columns left of the input that count as padding.
  package var before: [Int]
}
