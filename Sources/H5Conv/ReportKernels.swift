import H5ConvConfig
import H5ConvGraph
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

/// The kernels that a report shows beside the channels they made.
struct ReportKernels {
  /// Elements that a kernel may have to be kept as it is.
  private static let largestKernel = 1 << 16
  /// Elements that a kernel may have to be looked at.
  private static let mostElements = 1 << 28
  /// Bytes that all of a model's kernels may take in 8 bits; a fifth of what VGG16's feature maps take.
  private static let mostBytes = 2_000_000
  /// Weights that are kept of each filter, where all of them are too many.
  private static let choices = [288, 144, 72, 36, 18, 9]

  private let model: Model
  private let cells: Int

  /// - Parameter taps: the layers that are shown.
  init(_ model: Model, _ taps: [Tap]) {
    self.model = model
    let kernels = taps.compactMap { ReportKernels.place($0, in: model) }.filter { !$0.isSmall }
    cells =
      ReportKernels.choices.first { cells in
        kernels.reduce(0) { sum, kernel in
          sum.clampedSum(
            KernelSlices.size(
              height: kernel.shape[0], width: kernel.shape[1], inputs: kernel.shape[2], filters: kernel.shape[3],
              cells: cells))
        } <= ReportKernels.mostBytes
      } ?? 0
  }

  /// Where the kernel of a convolution is, and how it lies in memory as (height, width, inputs, filters).
  private struct Place {
    let layer: Int
    let weight: String
    let stored: [Int]
    let shape: [Int]
    let groups: Int

    /// Whether it looks at the picture itself, so that its filters are pictures of three colours or grey.
    var isSmall: Bool { shape[2] <= 4 && groups == 1 && shape.reduce(1, *) <= largestKernel }
  }

  private static func place(_ tap: Tap, in model: Model) -> Place? {
    let number = model.graph.calls[tap.tensor.call].layer
    let layer = model.graph.layers[number]
    guard tap.output == 0, let spec = layer.weights.first, let stored = spec.shape.known, !stored.contains(0) else {
      return nil
    }
    guard let count = Tensor.elementCount(of: stored), count <= ReportKernels.mostElements else { return nil }
    let groups = layer.config["groups"]?.integer ?? 1
    switch (layer.className, spec.name, stored.count) {
    case ("Conv2D", "kernel", 4):
      return Place(layer: number, weight: spec.name, stored: stored, shape: stored, groups: groups)
    case ("Conv1D", "kernel", 3):
      return Place(layer: number, weight: spec.name, stored: stored, shape: [1] + stored, groups: groups)
    case ("DepthwiseConv2D", "depthwise_kernel", 4), ("DepthwiseConv2D", "kernel", 4):
      let shape = [stored[0], stored[1], 1, stored[2] * stored[3]]
      return Place(layer: number, weight: spec.name, stored: stored, shape: shape, groups: stored[2])
    default: return nil
    }
  }

  private func tensor(_ place: Place) -> Tensor? {
    guard let tensor = try? model.weights.tensor(layer: place.layer, place.weight), tensor.shape == place.stored else {
      return nil
    }
    return try? tensor.reshaped(to: place.shape)
  }

  /// The kernel over one to four channels, as it is; nil for other layers.
  func whole(_ tap: Tap) -> Report.Kernel? {
    guard let place = ReportKernels.place(tap, in: model), place.isSmall, let tensor = tensor(place) else { return nil }
    return Report.Kernel(shape: tensor.shape, values: tensor.values)
  }

  /// The slices of a deeper kernel; nil for other layers, and when there is no room for them.
  func slices(_ tap: Tap) -> KernelSlices? {
    guard cells > 0, let place = ReportKernels.place(tap, in: model), !place.isSmall, let tensor = tensor(place) else {
      return nil
    }
    return KernelSlices(tensor, groups: place.groups, cells: cells)
  }
}
