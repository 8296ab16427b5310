import H5ConvDiagnostics
import H5ConvHDF5

/// The weights of a legacy file: one group per layer, listed by `layer_names`; in each its `weight_names`.
package struct LegacyWeights: Sendable {
  private let group: Group
  private let window: FileWindow?
  /// Names of the layers in the model's order.
  package let layerNames: [String]
  /// Whether the group says which Keras wrote it; Keras 1 did not.
  package let hasVersion: Bool
  /// Whether it is the form of Keras before 1.0, where groups and weights have numbers for names.
  package let isNumbered: Bool
  /// Whether it is that of a Graph of such a Keras, which has the weights of all its layers in one group.
  package let isOfGraph: Bool

  init(_ group: Group, in window: FileWindow?) throws {
    self.group = group
    self.window = window
    hasVersion = try group.hasAttribute("keras_version")
    if let names = try group.splitStringsAttribute("layer_names") {
      layerNames = names
      isNumbered = false
      isOfGraph = false
    } else if try LegacyWeights.isOfGraph(group) {
      layerNames = [LegacyWeights.graphName]
      isNumbered = true
      isOfGraph = true
    } else {
      isOfGraph = false
      let names = try group.memberNames().compactMap { name in
        name.hasPrefix("layer_") ? Int(name.dropFirst("layer_".count)) : nil
      }
      layerNames = names.sorted().map { "layer_\($0)" }
      isNumbered = true
    }
  }

  /// What a Graph of Keras before 1.0 calls its one group.
  package static let graphName = "graph"

  static func isOfGraph(_ root: Group) throws -> Bool {
    guard try root.member(graphName) == .group, let group = try root.group(graphName) else { return false }
    return try group.hasAttribute("nb_params")
  }

  /// Names (paths below the layer's group) of the weights of `layer`, in storage order; nil when it has no group.
  package func weightNames(_ layer: String) throws -> [String]? {
    guard let names = try layerGroup(layer) else { return nil }
    if isNumbered {
      let numbers = try names.memberNames().compactMap { $0.hasPrefix("param_") ? Int($0.dropFirst(6)) : nil }
      return numbers.sorted().map { "param_\($0)" }
    }
    return try names.splitStringsAttribute("weight_names") ?? []
  }

  /// The weight `name` of `layer`.
  package func tensor(_ layer: String, _ name: String) throws -> StoredTensor {
    guard let dataset = try layerGroup(layer)?.dataset(name) else {
      throw H5ConvError(
        .badData, "the weight '\(name)' is listed but not in the file", at: "layer '\(layer)'",
        reason: .listedWeightMissing)
    }
    return StoredTensor("\(layer)/\(name)", dataset, in: window)
  }

  /// The variables of the optimizer, which stand beside the layers of a whole model.
  func optimizerState(of file: File?) throws -> [StoredTensor] {
    guard let root = file?.root, try root.member("optimizer_weights") == .group,
      let group = try root.group("optimizer_weights")
    else { return [] }
    return try (group.splitStringsAttribute("weight_names") ?? []).compactMap { name in
      try group.dataset(name).map { StoredTensor(name, $0, in: window) }
    }
  }

  private func layerGroup(_ layer: String) throws -> Group? {
    try layer.isEmpty ? nil : group.group(layer)
  }
}
