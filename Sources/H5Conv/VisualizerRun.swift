import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvImages
import H5ConvInference
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

/// What the sub-model computed for an item.
struct VisualizerRun {
  /// Layers that are drawn at once; no network that is known has as many.
  private static let mostLayers = 4000

  private let item: InputItem
  private let visualizer: Visualizer
  private let activations: [Activation]
  /// The network's output, when it is computed for its scores.
  private let output: Tensor?
  let preprocess: String
  let picture: Raster?
  private let overview: PictureOverview?
  let inputs: [Tensor]
  var inputShapes: [[Int]] { inputs.map(\.shape) }
  let height: Int
  let width: Int

  init(_ item: InputItem, of visualizer: Visualizer) throws {
    self.item = item
    self.visualizer = visualizer
    let model = visualizer.subModel.model
    let layers = visualizer.subModel.taps.count
    guard layers <= VisualizerRun.mostLayers else {
      throw H5ConvError(
        .limit, "\(layers) layers are more than the \(VisualizerRun.mostLayers) that are drawn at once",
        remedy: "choose some with --layers", file: model.path)
    }
    let preprocess: String
    let image: PreparedImage?
    (inputs, preprocess, image) = try model.loadWithPicture(item, visualizer.image, withOverview: true)
    (picture, overview) = (image?.raster, image?.overview)
    (activations, output) = try VisualizerRun.compute(visualizer, inputs)
    if !visualizer.keepsWeights {
      for part in [visualizer.running, visualizer.subModel] { part.forgetWeights() }
    }
    self.preprocess = preprocess
    let size = inputs.first.map(\.shape).map { model.isChannelsFirst ? $0.dropFirst(2) : $0.dropFirst() } ?? []
    (height, width) = (size.first ?? 0, size.dropFirst().first ?? 1)
  }

  private static func compute(_ visualizer: Visualizer, _ inputs: [Tensor]) throws -> ([Activation], Tensor?) {
    let count = visualizer.subModel.taps.count
    do {
      let all = try visualizer.running.run(inputs, threads: visualizer.threads)
      return (Array(all[..<count]), all.dropFirst(count).first?.tensor)
    } catch let error as H5ConvError where !visualizer.scores.taps.isEmpty && !visualizer.scores.isAskedFor {
      // Layers behind those that are shown may be what cannot be run.
      guard let activations = try? visualizer.subModel.run(inputs, threads: visualizer.threads) else { throw error }
      return (activations, nil)
    }
  }

  /// Number of examples.
  var count: Int { inputShapes.first?.first ?? 0 }

  func name(of example: Int) -> String { item.isBatch ? "\(item.path)[\(example)]" : item.path }

  /// The network's only input for one example, as a batch of one.
  func input(of example: Int) throws -> Tensor {
    guard let input = inputs.first, inputs.count == 1 else {
      throw H5ConvError(
        .usage, "only networks that take one picture can be explained", remedy: "leave out --explain",
        file: visualizer.subModel.model.path)
    }
    let one = try input.example(example)
    return try one.reshaped(to: [1] + one.shape)
  }

  func maps(of example: Int) throws -> [FeatureMaps] {
    let model = visualizer.subModel.model
    let dataFormat = model.dataFormat
    return try zip(activations, visualizer.subModel.taps).map { activation, tap in
      try activation.featureMaps(
        of: example, format: model.dataFormat(of: tap) ?? dataFormat, isBeforeActivation: tap.isBeforeActivation)
    }
  }

  /// All that the page shows of a run but the feature maps.
  func forReport(_ example: Int, explanations: [ExplanationMap], model: Int) throws -> Report.Run {
    let (scores, note) =
      try output.map { try visualizer.scores.best($0, example: example, visualizer.report) }
      ?? ([], visualizer.scores.note)
    var run = Report.Run(
      model: model, image: name(of: example), preprocess: preprocess, picture: picture, height: height, width: width,
      scores: scores, scoreNote: note, maps: [])
    run.original = overview?.forReport
    run.explanations = try explanations.map { try Report.Explanation($0) }
    return run
  }
}

extension Model {
  /// The data format that the layer states at which `tap` looks.
  func dataFormat(of tap: Tap) -> DataFormat? {
    let stated = graph.layers[graph.calls[tap.tensor.call].layer].config["data_format"]?.string
    return stated.map { $0 == "channels_first" ? .channelsFirst : .channelsLast }
  }
}

extension Activation {
  /// One example's maps as (height, width, channels): a sequence has height 1, a vector is one map of height 1.
  func featureMaps(
    of example: Int, format: DataFormat, isBeforeActivation: Bool
  ) throws -> FeatureMaps {
    let one = try tensor.example(example)
    let shape = one.shape
    let maps =
      switch shape.count {
      case 3: format == .channelsFirst ? try one.transposed([1, 2, 0]) : one
      case 2: try one.reshaped(to: [1, shape[0], shape[1]])
      case 1: try one.reshaped(to: [1, shape[0], 1])
      default:
        throw H5ConvError(
          .usage, "an output of shape \(PartialShape(tensor.shape)) cannot be drawn", at: "layer '\(name)'",
          remedy: "leave it out with --layers '!\(name)'")
      }
    return try FeatureMaps(
      index: index, name: name, className: className, isBeforeActivation: isBeforeActivation, shape: [1] + shape,
      tensor: maps)
  }
}

extension Tensor {
  /// The tensor of one example, without the batch axis.
  fileprivate func example(_ place: Int) throws -> Tensor {
    let shape = Array(shape.dropFirst())
    let count = shape.reduce(1, *)
    if self.shape.first == 1 { return try reshaped(to: shape) }
    return try Tensor(shape: shape) { target in
      withUnsafeElements { _ = target.update(fromContentsOf: $0[place * count..<(place + 1) * count]) }
    }
  }
}
