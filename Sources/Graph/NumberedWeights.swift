import H5ConvDiagnostics
import H5ConvModelFiles

/// Deals the weights of a Graph of Keras before 1.0, which stand one behind the other in a single group, to its layers.
struct GraphWeights {
  private let weights: LegacyWeights
  private var place = 0

  init(_ weights: LegacyWeights) { self.weights = weights }

  /// The names of the weights of the next node, whose layers are `layers`.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported` for a layer of which it is not known how many it has.
  mutating func next(_ layers: [GraphLayer], of node: LayerSpec) throws -> [String] {
    var count = 0
    for layer in layers {
      if case .failure(let error) = layer.kind {
        // What follows cannot be told apart from its weights.
        place = .max
        throw H5ConvError(error.kind, error.what, at: error.place, remedy: error.remedy, reason: error.reason)
      }
      count += layer.weights.count * GraphWeights.gates(of: layer)
    }
    if count == 0 { return [] }
    guard place != .max else {
      throw H5ConvError(
        .unsupported, "the weights of a layer before it are not known, and a Graph has them all in a row",
        at: "layer '\(node.name)'")
    }
    let names = try weights.weightNames(LegacyWeights.graphName) ?? []
    guard count <= names.count - place else {
      throw H5ConvError(.badData, "the file has too few weights", at: "layer '\(node.name)'", reason: .missingWeight)
    }
    defer { place += count }
    return Array(names[place..<place + count])
  }

  /// How many arrays there are for one of today: LSTM and GRU had one for each gate.
  private static func gates(of layer: GraphLayer) -> Int {
    ["LSTM": 4, "GRU": 3][layer.className] ?? 1
  }
}
