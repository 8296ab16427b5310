import H5ConvDiagnostics
package import H5ConvHDF5

/// The weights of a legacy file: one group per layer, listed by `layer_names`; in each its `weight_names`.
package struct LegacyWeights: Sendable {
  private let group: Group
  /// Names of the layers in the model's order.
  package let layerNames: [String]

  init(_ group: Group) throws {
    self.group = group
    layerNames = try group.splitStringsAttribute("layer_names") ?? []
  }

  /// Names (paths below the layer's group) of the weights of `layer`, in storage order; nil when it has no group.
  package func weightNames(_ layer: String) throws -> [String]? {
    guard let names = try layerGroup(layer) else { return nil }
    return try names.splitStringsAttribute("weight_names") ?? []
  }

  /// The dataset `name` of `layer`.
  package func dataset(_ layer: String, _ name: String) throws -> Dataset {
    guard let dataset = try layerGroup(layer)?.dataset(name) else {
      throw H5ConvError(.badData, "the weight '\(name)' is listed but not in the file", at: "layer '\(layer)'")
    }
    return dataset
  }

  private func layerGroup(_ layer: String) throws -> Group? {
    try layer.isEmpty ? nil : group.group(layer)
  }
}
