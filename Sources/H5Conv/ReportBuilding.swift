import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors
import H5ConvVisualization

/// What a report tells besides the feature maps.
public struct ReportOptions: Sendable {
  /// Bytes that the page may have; large maps become thumbnails until it does, and the page says so.
  public var maxBytes = 25_000_000
  /// Names of the classes, by their numbers; empty for none.
  public var labels: [String] = []
  /// How many classes to tell.
  public var top = 5
  /// Whether the scores are logits that a softmax makes probabilities.
  public var softmax = false
  /// Whether the whole network runs, for its scores; nil does so when the layers behind the last one shown hold few weights.
  public var scores: Bool?
  /// What makes the page again.
  public var command = ""

  /// The defaults of `h5conv viz`.
  public init() {}
}

/// A page that was made.
public struct ReportPage: Sendable {
  /// The HTML file, in UTF-8.
  public let html: [UInt8]
  /// What had to be left out, in words.
  public let notes: [String]
  /// What was done to the pictures, each only once.
  public let preprocess: [String]

  /// Writes the page to the file at `path`.
  ///
  /// - Parameter replaces: whether an existing file may be replaced.
  /// - Throws: `H5ConvError` of kind `cannotWrite` or `inputOutput`.
  public func write(to path: String, replaces: Bool = false) throws {
    try OutputFile(path, replaces: replaces).write(html)
  }
}

/// Puts together what the page of a sub-model shows.
struct ReportBuilder {
  private(set) var report: Report

  init(_ subModel: SubModel, _ options: ReportOptions, inputShapes: [[Int]]) {
    let model = subModel.model
    let footprint = Footprint(model.graph, inputShapes: inputShapes)
    report = Report(h5convVersion: version, command: options.command)
    let operations = footprint.calls.reduce(0 as Int?) { sum, call in
      guard let sum, let count = call?.multiplyAccumulates else { return nil }
      return sum.clampedSum(count)
    }
    report.models = [
      Report.Model(
        path: model.path, name: model.name, className: model.architecture.className,
        origin: "\(model.format), " + (model.kerasVersion.map { "Keras \($0)" } ?? "Keras version not stated"),
        parameters: model.parameterCount, multiplyAccumulates: operations,
        diagram: model.diagram(footprint, showsAssumed: true))
    ]
    report.layers = subModel.taps.map { tap in
      let call = footprint.calls[tap.tensor.call]
      let layer = model.graph.layers[model.graph.calls[tap.tensor.call].layer]
      return Report.Layer(
        index: tap.index, name: tap.key, className: tap.className, shape: call?.shapes.first ?? [],
        parameters: layer.parameterCount, multiplyAccumulates: call?.multiplyAccumulates,
        fields: tap.output == 0 ? Report.Field.all(call?.reaches ?? []) : [],
        kernel: model.pictureKernel(of: tap))
    }
  }

  /// Adds a run, whose maps are those of the sub-model's layers.
  mutating func add(_ run: Report.Run) {
    for (layer, maps) in run.maps.enumerated() where report.layers[layer].shape.isEmpty {
      if let maps { report.layers[layer].shape = [1, maps.fullHeight, maps.fullWidth, maps.channels] }
    }
    report.runs.append(run)
  }
}

extension Report.Field {
  /// The fields along height and width; empty when they are not known.
  fileprivate static func all(_ reaches: [Reach?]) -> [Report.Field] {
    let known = reaches.compactMap { $0 }
    guard known.count == reaches.count else { return [] }
    return known.map { reach in
      Report.Field(
        start: reach.start, stride: reach.stride, size: reach.size, isBound: reach.isBound, isGated: reach.isGated,
        isWhole: reach.axis == nil)
    }
  }
}

extension GraphLayer {
  /// Elements of its weights, as far as their shapes are known.
  fileprivate var parameterCount: Int {
    weights.reduce(0) { $0.clampedSum($1.shape.product(of: 0..<$1.shape.rank) ?? 0) }
  }
}

extension Model {
  /// Elements that a kernel may have to be shown.
  private static let largestKernel = 1 << 16

  /// The kernel of a convolution over one to four channels, which can be shown as pictures; nil for other layers.
  fileprivate func pictureKernel(of tap: Tap) -> Report.Kernel? {
    let place = graph.calls[tap.tensor.call].layer
    guard let spec = graph.layers[place].weights.first, spec.name == "kernel",
      graph.layers[place].className == "Conv2D",
      let shape = spec.shape.known, shape.count == 4, shape[2] <= 4,
      let count = Tensor.elementCount(of: shape), count <= Model.largestKernel,
      let tensor = try? weights.tensor(layer: place, spec.name), tensor.shape == shape
    else { return nil }
    return Report.Kernel(shape: shape, values: tensor.values)
  }
}
