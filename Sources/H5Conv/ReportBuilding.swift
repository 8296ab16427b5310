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

/// Puts together what the page shows of one or several sub-models.
struct ReportBuilder {
  /// A sub-model that is shown, with what its layers computed for the first picture.
  struct Part {
    let subModel: SubModel
    let inputShapes: [[Int]]
    let maps: [FeatureMaps]
  }

  private(set) var report: Report
  private let pairing: ReportPairing

  init(_ parts: [Part], _ options: ReportOptions, threads: Int) throws {
    pairing = ReportPairing(parts.map(\.maps))
    report = Report(h5convVersion: version, command: options.command)
    var layers: [[Report.Layer]] = []
    for part in parts {
      let footprint = Footprint(part.subModel.model.graph, inputShapes: part.inputShapes)
      report.models.append(ReportBuilder.model(part.subModel.model, footprint))
      layers.append(try ReportBuilder.layers(part, footprint, threads: threads))
    }
    report.layers = pairing.rows.map { row in
      let found = row.enumerated().compactMap { model, number in number.map { (model: model, layer: layers[model][$0]) }
      }
      var layer = found[0].layer
      layer.model = found[0].model
      layer.others = found.dropFirst().map { other in
        var other = other
        other.layer.model = other.model
        return other.layer
      }
      return layer
    }
    nameApart()
  }

  /// Of layers of one name that are not the same, a link has to tell which is meant: those of the first model keep theirs.
  private mutating func nameApart() {
    var names = Set<String>()
    for model in report.models.indices {
      let file = report.models[model].path.split(separator: "/").last.map(String.init) ?? ""
      for place in report.layers.indices where report.layers[place].model == model {
        while !names.insert(report.layers[place].name).inserted { report.layers[place].name += " (\(file))" }
      }
    }
  }

  private static func model(_ model: Model, _ footprint: Footprint) -> Report.Model {
    let operations = footprint.calls.reduce(0 as Int?) { sum, call in
      guard let sum, let count = call?.multiplyAccumulates else { return nil }
      return sum.clampedSum(count)
    }
    return Report.Model(
      path: model.path, name: model.name, className: model.architecture.className,
      origin: "\(model.format), " + (model.kerasVersion.map { "Keras \($0)" } ?? "Keras version not stated"),
      parameters: model.parameterCount, multiplyAccumulates: operations,
      diagram: model.diagram(footprint, showsAssumed: true))
  }

  private static func layers(_ part: Part, _ footprint: Footprint, threads: Int) throws -> [Report.Layer] {
    let (model, taps) = (part.subModel.model, part.subModel.taps)
    let kernels = ReportKernels(model, taps)
    let slices = try concurrentMap(taps, threads: threads) { kernels.slices($0) }
    return taps.indices.map { place in
      let tap = taps[place]
      let call = footprint.calls[tap.tensor.call]
      var layer = Report.Layer(
        index: tap.index, name: tap.key, className: tap.classDescription, shape: call?.shapes.first ?? [],
        parameters: model.graph.layers[model.graph.calls[tap.tensor.call].layer].parameterCount,
        multiplyAccumulates: call?.multiplyAccumulates,
        fields: tap.output == 0 ? Report.Field.all(call?.reaches ?? []) : [], kernel: kernels.whole(tap))
      layer.slices = slices[place]
      layer.kernelNote = kernels.note(tap)
      let maps = part.maps[place]
      if layer.shape.isEmpty { layer.shape = maps.shape }
      return layer
    }
  }

  /// Adds what a model computed: the maps of its own layers, in 8 bits.
  mutating func add(_ run: Report.Run, _ bytes: [ByteMaps]) {
    var run = run
    run.maps = pairing.rows.map { row in row[run.model].map { bytes[$0] } }
    report.runs.append(run)
  }

  /// What one should know about the layers that stand together.
  var notes: [String] {
    guard report.models.count > 1 else { return [] }
    if pairing.isByOrder {
      return [
        "the models' layers have other names, but are of the same classes in the same order: so they stand together"
      ]
    }
    let alone = pairing.rows.count { $0.contains { $0 == nil } }
    return alone == 0 ? [] : ["\(alone) of \(pairing.rows.count) layers are not in every model"]
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
