import H5ConvDiagnostics
import H5ConvModelFiles

/// Deals the weights of a file of Keras before 1.0, which have numbers for names, to the layers in their order.
///
/// A Graph has the weights of all its nodes in one group, and a Merge those of the models that it joins: where the groups are not
/// those of the layers, only the order tells whose a weight is.
struct NumberedWeights {
  private let stored: [(group: String, name: String)]
  private var place: Int? = 0

  init(_ weights: LegacyWeights) throws {
    stored = try weights.layerNames.flatMap { group in
      (try weights.weightNames(group) ?? []).map { (group, $0) }
    }
  }

  /// The weights of the next layer of the model, which consists of `layers`.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported` for a layer of which it is not known how many it has, and for all behind it.
  mutating func next(_ layers: [GraphLayer], of spec: LayerSpec) throws -> [(group: String, name: String)] {
    var count = 0
    for layer in layers {
      if case .failure(let error) = layer.kind {
        place = nil
        throw error
      }
      count += layer.weights.count * NumberedWeights.arrays(of: layer)
    }
    if count == 0 { return [] }
    guard let place else {
      throw H5ConvError(
        .unsupported, "the file has all weights in a row, and how many a layer before this one has is not known",
        at: "layer '\(spec.name)'")
    }
    guard count <= stored.count - place else {
      throw H5ConvError(.badData, "the file has too few weights", at: "layer '\(spec.name)'")
    }
    self.place = place + count
    return Array(stored[place..<place + count])
  }

  /// How many arrays there are for one of today: LSTM and GRU had one for each gate.
  private static func arrays(of layer: GraphLayer) -> Int { ["LSTM": 4, "GRU": 3][layer.className] ?? 1 }
}
