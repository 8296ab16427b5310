import H5ConvDiagnostics

extension Operation {
  /// The gradient of the image that a window slid over.
  func windowGradient(_ x: Value, _ gradient: Value, in lowering: inout Lowering) throws -> Value {
    switch self {
    case .convolution(let window, let groups, let kernel, _, _):
      // With steps of one cell the gradient is a convolution too.
      if let turned = window.reversed {
        let operation = Operation.convolution(
          turned, groups: groups, kernel: .reversed(kernel, groups: groups), bias: nil, .linear)
        return lowering.emit(operation, [gradient], shape: x.shape)
      }
      return lowering.emit(.gradient(.convolution(window, groups: groups, kernel: kernel)), [gradient], shape: x.shape)
    case .depthwiseConvolution(let window, let kernel, _, _):
      if let turned = window.reversed, x.shape.last == gradient.shape.last {
        let operation = Operation.depthwiseConvolution(
          turned, kernel: .reversed(kernel, groups: x.shape.last ?? 1), bias: nil, .linear)
        return lowering.emit(operation, [gradient], shape: x.shape)
      }
      return lowering.emit(.gradient(.depthwiseConvolution(window, kernel: kernel)), [gradient], shape: x.shape)
    case .transposedConvolution(let window, let kernel, _, _):
      // Its kernel (spatial axes, outputs, inputs) is that of the convolution that it is the gradient of.
      return lowering.emit(
        .convolution(window, groups: 1, kernel: kernel, bias: nil, .linear), [gradient], shape: x.shape)
    case .maxPool(let window): return lowering.emit(.gradient(.maxPool(window)), [x, gradient], shape: x.shape)
    case .averagePool(let window): return lowering.emit(.gradient(.averagePool(window)), [gradient], shape: x.shape)
    case .resize(let method, let antialias):
      return lowering.emit(.gradient(.resize(method, antialias: antialias)), [gradient], shape: x.shape)
    default: throw H5ConvError.noDerivative(of: "an operation without a window")
    }
  }
}

extension Window {
  /// The window of the gradient of a convolution that moves by one cell; nil for one with longer strides.
  fileprivate var reversed: Window? {
    let cut = size.indices.map { (size[$0] - 1) * dilation[$0] - before[$0] }
    guard strides.allSatisfy({ $0 == 1 }), cut.allSatisfy({ $0 >= 0 }) else { return nil }
    return Window(size: size, strides: strides, dilation: dilation, before: cut)
  }
}
