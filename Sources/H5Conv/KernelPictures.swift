import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvImages
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

extension Model {
  /// Numbers that a kernel may have to be drawn.
  private static let largestKernel = 1 << 26
  /// Pixels that a picture of a kernel is about as wide as.
  private static let kernelWidth = 1600

  /// Draws the kernels of the convolutions among `taps`: of one over red, green and blue each filter in colours, of any other the
  /// matrix of its input and output channels.
  ///
  /// - Parameter isBGR: whether the network is given blue first.
  func kernelPictures(of taps: [Tap], isBGR: Bool, dpi: Int) throws -> [RenderedKernel] {
    let layers = try taps.compactMap { tap in try kernel(of: tap).map { (tap, $0) } }
    let names = PictureNames.make(for: layers.map { ($0.0.index, $0.0.key) })
    return try zip(layers, names).map { layer, name in
      let (tap, kernel) = layer
      let isColored = kernel.shape[2] == 3 && seesColors(tap)
      let tiles = isColored ? kernel.shape[3] : kernel.shape[2] * kernel.shape[3]
      let columns = isColored || kernel.shape[3] == 1 ? min(16, tiles) : kernel.shape[3]
      let side = max(kernel.shape[0], kernel.shape[1])
      let cell = min(max(Model.kernelWidth / (columns * (side + 1)), 1), 16)
      let source = KernelSource(
        index: tap.index, name: tap.key, className: tap.className, kernel: kernel,
        isTransposed: tap.className.contains("Transpose"),
        groups: max(1, graph.layers[graph.calls[tap.tensor.call].layer].config["groups"]?.integer ?? 1))
      return try isColored
        ? RenderedKernel(colors: source, isBGR: isBGR, named: name, columns: columns, cell: cell, dpi: dpi)
        : RenderedKernel(matrix: source, named: name, columns: columns, cell: cell, dpi: dpi)
    }
  }

  /// Whether the three channels that a convolution is given are the picture's colours: nothing before it mixes channels.
  private func seesColors(_ tap: Tap) -> Bool {
    let before = graph.ancestors(of: graph.calls[tap.tensor.call].inputs)
    return tap.className == "Conv2D"
      && !before.contains { call in
        graph.layers[graph.calls[call].layer].weights.contains { $0.name.hasSuffix("kernel") }
      }
  }

  /// The kernel (height, width, input channels, output channels) of a convolution over pictures; nil for other layers.
  private func kernel(of tap: Tap) throws -> Tensor? {
    let place = graph.calls[tap.tensor.call].layer
    guard tap.output == 0, tap.isConvolution, let spec = graph.layers[place].weights.first,
      let shape = spec.shape.known, shape.count == 4, !shape.contains(0)
    else { return nil }
    guard let count = Tensor.elementCount(of: shape), count <= Model.largestKernel else {
      throw H5ConvError(.limit, "a kernel of shape \(shape) is too large to be drawn", at: "layer '\(tap.key)'")
    }
    let tensor = try weights.tensor(layer: place, spec.name)
    guard tensor.shape == shape else {
      throw H5ConvError(
        .badData,
        "the weight '\(spec.name)' has the shape \(PartialShape(tensor.shape)) where \(spec.shape) was expected",
        at: "layer '\(tap.key)'")
    }
    return tensor
  }
}

extension Visualizer {
  func kernelPictures(dpi: Int) throws -> [RenderedKernel] {
    let preprocessing = try subModel.model.choosePreprocessing(image.preprocess).preprocessing
    return try naming(subModel.model.path) {
      try subModel.model.kernelPictures(of: subModel.taps, isBGR: preprocessing == .caffe, dpi: dpi)
    }
  }
}
