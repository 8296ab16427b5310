import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

/// The scores of the whole network, which a report shows beside the feature maps of some layers.
struct NetworkScores: Sendable {
  /// Bytes of weights that are read, without being asked, only for the scores.
  private static let freeBytes = 32 << 20

  /// What has to be computed besides the feature maps; empty when there are no scores to tell.
  let taps: [Tap]
  /// Why there are none.
  let note: String?
  /// Whether they are asked for, so that a failure to compute them is one.
  let isAskedFor: Bool

  /// - Parameter isWanted: whether scores are asked for; nil takes them when they cost little.
  init(_ subModel: SubModel, isWanted: Bool?) {
    isAskedFor = isWanted == true
    let graph = subModel.model.graph
    let outputs = (try? graph.select(["@outputs"])) ?? []
    guard isWanted != false, outputs.count == 1, let output = outputs.first,
      let shape = graph.shape(of: output.tensor), shape.sizes.dropFirst().filter({ $0 != 1 }).count == 1,
      shape.rank == 2
    else {
      (taps, note) = ([], nil)
      return
    }
    let known = Set(graph.ancestors(of: subModel.taps.map(\.tensor)))
    let further = graph.ancestors(of: [output.tensor]).filter { !known.contains($0) }
    let isComputable = further.allSatisfy { if case .success = graph.calls[$0].applied { true } else { false } }
    let weights = Set(further.map { graph.calls[$0].layer }).flatMap { graph.layers[$0].weights }
    let bytes = weights.reduce(0) { sum, weight in
      sum.clampedSum(weight.shape.product(of: 0..<weight.shape.rank).map { min($0, 1 << 40) * 4 } ?? 0)
    }
    guard isComputable, isWanted == true || bytes <= NetworkScores.freeBytes else {
      taps = []
      note =
        isComputable
        ? "The classes are not computed: the layers behind the last one shown hold \(bytes.inMegabytes) of weights. --labels or --top ask for them."
        : nil
      return
    }
    (taps, note) = ([output], nil)
  }

  /// The best classes in the output for one example.
  func best(_ output: Tensor, example: Int, _ options: ReportOptions) throws -> (scores: [Report.Score], note: String?)
  {
    let classes = output.shape.dropFirst().reduce(1, *)
    let scores = Array(output.values[example * classes..<(example + 1) * classes])
    let best = try topPredictions(scores, labels: options.labels, top: options.top, softmax: options.softmax)
    let isProbability =
      options.softmax
      || scores.allSatisfy { (0...1).contains($0) } && (classes == 1 || abs(scores.reduce(0, +) - 1) < 0.01)
    return (
      best.map { Report.Score(index: $0.index, label: $0.label, score: $0.score) },
      isProbability ? nil : "The scores are not probabilities."
    )
  }
}
