import H5ConvLayers
package import H5ConvModelFiles
package import H5ConvTensors

/// What Keras' `model.summary()` says.
package struct Summary: Sendable {
  /// A line of the summary: a layer of the model, in the model's order.
  package struct Row: Sendable {
    package let name: String
    package let className: String
    /// Shapes of the outputs; empty when they are not known.
    package let outputShapes: [PartialShape]
    package let parameters: Int
    package let trainableParameters: Int
    /// Names of the layers whose outputs go in.
    package let inbound: [String]
    /// Place in execution order of its first call, by which `#` patterns and file names count.
    package let index: Int?
    /// Whether this program runs it.
    package let isSupported: Bool
    /// The layers inside, when it is a model.
    package let nested: [Row]
  }

  package let rows: [Row]
  package let totalParameters: Int
  package let trainableParameters: Int
  package var nonTrainableParameters: Int { totalParameters - trainableParameters }

  package init(_ architecture: Architecture, _ graph: Graph, _ weights: WeightTable) {
    let maker = RowMaker(graph: graph, weights: weights)
    rows = maker.rows(architecture, path: [], isTrainable: architecture.isTrainable)
    let shared = SharedLayers(graph, weights).repeated
    totalParameters = rows.reduce(0) { $0.clampedSum($1.parameters) } - shared.total
    trainableParameters = rows.reduce(0) { $0.clampedSum($1.trainableParameters) } - shared.trainable
  }
}

private struct RowMaker {
  let graph: Graph
  let weights: WeightTable
  private let places: [[String]: Int]
  private let firstCalls: [Int: Int]
  private let firstModelCalls: [[String]: ModelCall]
  private let indices: [String: Int]

  init(graph: Graph, weights: WeightTable) {
    self.graph = graph
    self.weights = weights
    places = Dictionary(graph.layers.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
    // The first in the config, which need not be the first that is computed.
    firstCalls = Dictionary(grouping: graph.calls.indices) { graph.calls[$0].layer }.compactMapValues { calls in
      calls.min { graph.calls[$0].callNumbers.lexicographicallyPrecedes(graph.calls[$1].callNumbers) }
    }
    firstModelCalls = Dictionary(grouping: graph.modelCalls, by: \.path).compactMapValues { calls in
      calls.min { $0.callNumbers.lexicographicallyPrecedes($1.callNumbers) }
    }
    indices = Dictionary(graph.taps.map { ($0.key, $0.index) }, uniquingKeysWith: { first, _ in first })
  }

  func rows(_ model: Architecture, path: [String], isTrainable: Bool) -> [Summary.Row] {
    var hidden = Set<String>()
    return model.layers.compactMap { spec in
      // A Sequential does not list its input layer.
      if model.kind == .sequential, spec.className == "InputLayer" {
        hidden.insert(spec.name)
        return nil
      }
      let layerPath = path + [spec.name]
      let isTrainable = isTrainable && spec.isTrainable && spec.nested?.isTrainable ?? true
      let nested = spec.nested.map { rows($0, path: layerPath, isTrainable: isTrainable) } ?? []
      let (total, trainable) =
        spec.nested == nil
        ? parameters(layerPath, isTrainable: isTrainable)
        : nested.reduce((0, 0)) { ($0.0.clampedSum($1.parameters), $0.1.clampedSum($1.trainableParameters)) }
      var seen = hidden
      let inbound = spec.calls.flatMap(\.inputs).map(\.layer).filter { seen.insert($0).inserted }
      // A nested model's input layer is no call of its own: it only names what comes in.
      let isInnerInput = !path.isEmpty && spec.className == "InputLayer"
      let shapes = isInnerInput ? InputLayer.declaredShape(spec.config).map { [$0] } ?? [] : outputShapes(layerPath)
      return Summary.Row(
        name: spec.name, className: spec.className, outputShapes: shapes, parameters: total,
        trainableParameters: trainable, inbound: inbound, index: indices[layerPath.joined(separator: "/")],
        isSupported: isInnerInput || (spec.nested == nil ? isSupported(layerPath) : nested.allSatisfy(\.isSupported)),
        nested: nested)
    }
  }

  private func isSupported(_ path: [String]) -> Bool {
    guard let place = places[path], case .success = graph.layers[place].kind else { return false }
    return true
  }

  private func outputShapes(_ path: [String]) -> [PartialShape] {
    if let place = places[path] {
      guard let call = firstCalls[place], case .success(let shapes) = graph.calls[call].outputShapes else {
        return []
      }
      return shapes
    }
    let outputs = firstModelCalls[path]?.outputs ?? []
    let shapes = outputs.compactMap { graph.shape(of: $0) }
    return shapes.count == outputs.count ? shapes : []
  }

  /// Parameters of a layer: from the shapes its config implies, else from what is stored.
  private func parameters(_ path: [String], isTrainable: Bool) -> (total: Int, trainable: Int) {
    guard let place = places[path] else { return (0, 0) }
    let layer = graph.layers[place]
    if !isSupported(path) || layer.weights.isEmpty {
      // What is stored for a layer that is not understood, or whose input's shape is not known. Inside a nested model nobody
      // knows which of the stored weights are this layer's.
      let count = path.count == 1 ? weights.unclaimedCount(of: path[0]) : 0
      return (count, isTrainable ? count : 0)
    }
    var total = 0
    var trainable = 0
    for spec in layer.weights {
      let count =
        spec.shape.product(of: 0..<spec.shape.rank)
        ?? (try? weights.shape(layer: place, spec.name)).flatMap { Tensor.elementCount(of: $0) } ?? 0
      total = total.clampedSum(count)
      if isTrainable, spec.isTrainable { trainable = trainable.clampedSum(count) }
    }
    return (total, trainable)
  }
}

/// Layers that a model and one nested in it share: the file stores their weights in both groups, Keras counts them once.
private struct SharedLayers {
  /// Parameters that stand in more than one group.
  let repeated: (total: Int, trainable: Int)

  init(_ graph: Graph, _ weights: WeightTable) {
    let candidates = Dictionary(grouping: graph.layers.indices.filter { !graph.layers[$0].weights.isEmpty }) {
      graph.layers[$0].path.last ?? ""
    }
    var repeated = (total: 0, trainable: 0)
    for places in candidates.values where places.count > 1 {
      for (number, place) in places.enumerated() {
        let isRepeated = places[..<number].contains { SharedLayers.isSame(graph, weights, $0, place) }
        guard isRepeated else { continue }
        for spec in graph.layers[place].weights {
          let count = spec.shape.product(of: 0..<spec.shape.rank) ?? 0
          repeated.total = repeated.total.clampedSum(count)
          if spec.isTrainable, graph.layers[place].isTrainable {
            repeated.trainable = repeated.trainable.clampedSum(count)
          }
        }
      }
    }
    self.repeated = repeated
  }

  /// Whether two layers of one name and config have the same weights: only then are any read.
  private static func isSame(_ graph: Graph, _ weights: WeightTable, _ a: Int, _ b: Int) -> Bool {
    let (first, second) = (graph.layers[a], graph.layers[b])
    guard first.path[0] != second.path[0], first.className == second.className, first.config == second.config,
      first.weights == second.weights
    else { return false }
    return first.weights.allSatisfy { spec in
      guard let x = try? weights.tensor(layer: a, spec.name), let y = try? weights.tensor(layer: b, spec.name) else {
        return false
      }
      return x.shape == y.shape && x.values == y.values
    }
  }
}
