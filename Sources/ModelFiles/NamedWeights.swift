import H5ConvDiagnostics

/// Weights by their paths, `conv1/kernel` or `outer/inner/kernel`: what `.npz` and `.safetensors` files hold.
package struct NamedWeights: Sendable {
  /// The weights in the file's order.
  package let tensors: [StoredTensor]
  private let places: [String: Int]

  package init(_ tensors: [StoredTensor]) throws {
    self.tensors = tensors
    var places: [String: Int] = [:]
    for (place, tensor) in tensors.enumerated() {
      guard places.updateValue(place, forKey: tensor.path) == nil else {
        throw H5ConvError(.badData, "two weights are called '\(tensor.path)'")
      }
    }
    self.places = places
  }

  package subscript(path: String) -> StoredTensor? { places[path].map { tensors[$0] } }
}

/// Where a file keeps its weights, by layout.
package enum WeightLayout: Sendable {
  /// One group per layer with a list of names.
  case legacy(LegacyWeights)
  /// Numbered variables in groups that follow the objects of the model.
  case variables(VariableStore)
  /// By path.
  case named(NamedWeights)
}
