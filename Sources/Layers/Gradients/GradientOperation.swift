/// What the engine computes for gradients alone; everything else of a gradient is made of the operations of a forward run.
///
/// The last input is the gradient of the operation's result; the result has the shape of the operation's input.
package enum GradientOperation: Sendable, Equatable {
  /// Of a convolution: each element of the gradient times the kernel, added into the cells that the element came from.
  case convolution(Window, groups: Int, kernel: Parameter)
  case depthwiseConvolution(Window, kernel: Parameter)
  /// Inputs: x, the gradient. Of each window the first of the largest elements gets the gradient, as in TensorFlow.
  case maxPool(Window)
  /// Each cell of a window that is inside the image gets an even share.
  case averagePool(Window)
  /// Inputs: x, the gradient g. Result: g · f′(x).
  ///
  /// For `relu` without threshold and maximum x may be its result as well: both lie on the same side of 0.
  case activation(Activation)
  case resize(ResizeMethod, antialias: Bool)
}
