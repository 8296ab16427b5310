extension Operation {
  /// The activation that the operation applies itself; nil for one that cannot.
  package var activation: Activation? {
    switch self {
    case .convolution(_, _, _, _, let activation), .depthwiseConvolution(_, _, _, let activation),
      .transposedConvolution(_, _, _, let activation), .dense(_, _, let activation):
      activation
    default: nil
    }
  }

  /// The operation with `activation` in place of its own.
  package func with(_ activation: Activation) -> Operation? {
    switch self {
    case .convolution(let window, let groups, let kernel, let bias, _):
      .convolution(window, groups: groups, kernel: kernel, bias: bias, activation)
    case .depthwiseConvolution(let window, let kernel, let bias, _):
      .depthwiseConvolution(window, kernel: kernel, bias: bias, activation)
    case .transposedConvolution(let window, let kernel, let bias, _):
      .transposedConvolution(window, kernel: kernel, bias: bias, activation)
    case .dense(let kernel, let bias, _): .dense(kernel: kernel, bias: bias, activation)
    default: nil
    }
  }
}
