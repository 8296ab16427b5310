/// A tensor between two operations: its number in the plan and its shape.
package struct Value: Sendable, Equatable {
  package let id: Int
  /// Sizes of the axes, all known.
  package let shape: [Int]

  package init(id: Int, shape: [Int]) {
    self.id = id
    self.shape = shape
  }
}

/// A tensor that does not depend on the input.
package enum Parameter: Sendable, Equatable {
  /// The weight `name` of the layer that is lowered; `layer` is its number in the graph.
  case stored(layer: Int, name: String)
  /// Numbers from a config.
  case constant([Float], shape: [Int])
  /// A convolution's kernel (spatial axes, input channels / groups, output channels) with its spatial axes reversed and, within each
  /// group, its input and output channels exchanged; a depthwise one (spatial axes, channels, 1) with its spatial axes reversed.
  indirect case reversed(Parameter, groups: Int)
}

/// What the engine can do.
///
/// Image tensors are (batch, spatial axes, channels) throughout, with one to three spatial axes: (height, width) of pictures,
/// (depth, height, width) of volumes.
package enum Operation: Sendable, Equatable {
  /// A tensor that does not depend on the input.
  case parameter(Parameter)
  /// Convolution; kernel (spatial axes, input channels / groups, output channels), bias (output channels).
  case convolution(Window, groups: Int, kernel: Parameter, bias: Parameter?, Activation)
  /// Each channel by itself, over one or two axes; kernel (spatial axes, channels, multiplier), bias (channels · multiplier).
  case depthwiseConvolution(Window, kernel: Parameter, bias: Parameter?, Activation)
  /// The gradient of a convolution; kernel (spatial axes, output channels, input channels). `window.before` is what is
  /// cut off at the beginning of the full result's axes.
  case transposedConvolution(Window, kernel: Parameter, bias: Parameter?, Activation)
  /// A convolution over one or two axes with a kernel of its own for each output cell; kernel (output cells, patch, output
  /// channels), bias (spatial axes, output channels). The elements of a patch are (taps, channels); when `channelsFirst` they
  /// are (channels, taps), and the bias is (output channels, spatial axes) in memory.
  case locallyConnected(Window, kernel: Parameter, bias: Parameter?, channelsFirst: Bool)
  /// x · kernel + bias along the last axis; kernel (inputs, units).
  case dense(kernel: Parameter, bias: Parameter?, Activation)
  /// The maximum of each window over one or two axes.
  case maxPool(Window)
  /// The mean of each window over one or two axes, of the elements that are not padding.
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
  /// One number for each image and channel: `axes` are all spatial axes.
  case reduce(Reduction, axes: [Int])
  /// One number for each of `sections`, which are ranges of places along `axis`.
  case reduceSections(Reduction, axis: Int, [Range<Int>])
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
  case gradient(GradientOperation)
}

package enum BinaryOperation: Sendable, Equatable { case add, subtract, multiply, divide, maximum, minimum }

package enum Reduction: Sendable, Equatable { case mean, maximum }

/// How an image tensor is resized, with half-pixel centres, as `tf.image.resize` does.
package enum ResizeMethod: String, Sendable {
  case nearest, bilinear, bicubic, lanczos3, lanczos5, area, gaussian, mitchellcubic
}

/// The window of a convolution or pooling that slides over one to three spatial axes; each list has a number for each axis.
package struct Window: Sendable, Equatable {
  /// Taps of the kernel.
  package var size: [Int]
  package var strides: [Int]
  package var dilation: [Int]
  /// Cells before the input that count as padding.
  package var before: [Int]

  package init(size: [Int], strides: [Int], dilation: [Int], before: [Int]) {
    (self.size, self.strides, self.dilation, self.before) = (size, strides, dilation, before)
  }

  /// The window of one cell.
  static func point(rank: Int) -> Window {
    let ones = Array(repeating: 1, count: rank)
    return Window(size: ones, strides: ones, dilation: ones, before: ones.map { _ in 0 })
  }
}
