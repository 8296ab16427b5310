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
    try layerGroup(layer).map(weightNames(in:))
  }

  private func weightNames(in group: Group) throws -> [String] {
    if isNumbered {
      let numbers = try group.memberNames().compactMap { $0.hasPrefix("param_") ? Int($0.dropFirst(6)) : nil }
      return numbers.sorted().map { "param_\($0)" }
    }
    return try group.splitStringsAttribute("weight_names") ?? []
  }

  /// Names and weights of `layer`, in storage order; nil when it has no group.
  ///
  /// Opens each group once, where asking for the weights one by one looks each up from the top.
  package func tensors(_ layer: String) throws -> [(name: String, tensor: StoredTensor)]? {
    guard let group = try layerGroup(layer) else { return nil }
    var folder: (path: Substring?, group: Group?) = (nil, group)
    return try weightNames(in: group).map { name in
      let slash = name.lastIndex(of: "/")
      let path = slash.map { name[..<$0] }
      if path != folder.path { folder = (path, try path.map { try group.group(String($0)) } ?? group) }
      let last = slash.map { String(name[name.index(after: $0)...]) } ?? name
      return (name, try stored(try folder.group?.dataset(last), layer, name))
    }
  }

  /// The weight `name` of `layer`.
  package func tensor(_ layer: String, _ name: String) throws -> StoredTensor {
    try stored(try layerGroup(layer)?.dataset(name), layer, name)
  }

  private func stored(_ dataset: Dataset?, _ layer: String, _ name: String) throws -> StoredTensor {
    guard let dataset else {
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
