import H5ConvConfig
package import H5ConvGraph
import H5ConvInference
import H5ConvLayers
import H5ConvTensors
package import H5ConvVisualization

/// The kernels that a report shows beside the channels they made.
package struct ReportKernels {
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
  package init(_ model: Model, _ taps: [Tap]) {
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

  /// How the kernel that is shown is made of what is stored.
  private enum Form {
    case plain
    /// Outputs stand before inputs.
    case transposed
    /// A kernel for each input channel, and one by 1 × 1 over what these give.
    case separable

    /// What else is to be said of the kernel; nil for nothing.
    var note: String? {
      switch self {
      case .plain: nil
      case .transposed: "what each input cell is spread by"
      case .separable: "the depthwise and the pointwise one multiplied"
      }
    }
  }

  /// Where the kernel of a convolution is, and how it lies in memory as (height, width, inputs, filters).
  private struct Place {
    let layer: Int
    let weight: String
    let stored: [Int]
    let shape: [Int]
    let groups: Int
    var form = Form.plain

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
    case ("Conv2DTranspose", "kernel", 4), ("Conv1DTranspose", "kernel", 3):
      let rank = stored.count
      let shape = Array(repeating: 1, count: 4 - rank) + stored[..<(rank - 2)] + [stored[rank - 1], stored[rank - 2]]
      return Place(layer: number, weight: spec.name, stored: stored, shape: shape, groups: 1, form: .transposed)
    case ("SeparableConv2D", "depthwise_kernel", 4), ("SeparableConv1D", "depthwise_kernel", 3):
      guard let filters = layer.config["filters"]?.integer, filters > 0 else { return nil }
      let shape = Array(repeating: 1, count: 4 - stored.count) + stored.dropLast() + [filters]
      guard let count = Tensor.elementCount(of: shape), count <= ReportKernels.mostElements else { return nil }
      return Place(layer: number, weight: spec.name, stored: stored, shape: shape, groups: 1, form: .separable)
    default: return nil
    }
  }

  private func tensor(_ place: Place) -> Tensor? {
    guard let tensor = try? model.weights.tensor(layer: place.layer, place.weight), tensor.shape == place.stored else {
      return nil
    }
    let (height, width, inputs, filters) = (place.shape[0], place.shape[1], place.shape[2], place.shape[3])
    switch place.form {
    case .plain: return try? tensor.reshaped(to: place.shape)
    case .transposed: return try? tensor.reshaped(to: [height, width, filters, inputs]).transposed([0, 1, 3, 2])
    case .separable:
      guard let pointwise = try? model.weights.tensor(layer: place.layer, "pointwise_kernel") else { return nil }
      return try? ReportKernels.product(tensor, pointwise, shape: place.shape)
    }
  }

  /// What a depthwise kernel (…, inputs, multiplier) and a pointwise one (…, inputs · multiplier, filters) compute together.
  private static func product(_ depthwise: Tensor, _ pointwise: Tensor, shape: [Int]) throws -> Tensor? {
    let (inputs, filters) = (shape[2], shape[3])
    guard let multiplier = depthwise.shape.last, multiplier > 0, pointwise.count == inputs * multiplier * filters else {
      return nil
    }
    return try Tensor(shape: shape) { target in
      target.initialize(repeating: 0)
      depthwise.withUnsafeElements { depthwise in
        pointwise.withUnsafeElements { pointwise in
          for (place, weight) in depthwise.enumerated() {
            let cell = target[place / multiplier * filters..<(place / multiplier + 1) * filters]
            let row = pointwise[place % (inputs * multiplier) * filters..<(place % (inputs * multiplier) + 1) * filters]
            for (at, factor) in zip(cell.indices, row) { target[at] += weight * factor }
          }
        }
      }
    }
  }

  /// What is to be said of the kernel besides; nil for nothing.
  func note(_ tap: Tap) -> String? { ReportKernels.place(tap, in: model)?.form.note }

  /// The kernel over one to four channels, as it is; nil for other layers.
  package func whole(_ tap: Tap) -> Report.Kernel? {
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
