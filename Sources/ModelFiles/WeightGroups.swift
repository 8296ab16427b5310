import H5ConvConfig
package import H5ConvDiagnostics
import H5ConvTensors

/// The weights of one layer in a file without an architecture, and what layer they look like.
package struct WeightGroup: Sendable {
  /// The layer's name as far as the file tells, else the path of its group.
  package let name: String
  package let weights: [StoredTensor]
  /// The class that has such weights; nil when no class that is known has.
  package let className: String?
  /// Why weights that the file lists here are not among ``weights``.
  package let missing: [H5ConvError]

  package init(name: String, weights: [StoredTensor], group: String? = nil, missing: [H5ConvError] = []) {
    self.name = name
    self.weights = weights
    self.missing = missing
    className = WeightGroup.className(weights, group: group)
  }

  /// Number of elements.
  package var count: Int { weights.reduce(0) { $0.clampedSum($1.count ?? 0) } }

  /// Guesses a class from the names and ranks of the weights.
  ///
  /// - Parameter group: in Keras 3's layout the last component of the group, which is made from the class's name.
  private static func className(_ weights: [StoredTensor], group: String?) -> String? {
    if let group {
      // conv2d_1 → conv2d
      let parts = group.split(separator: "_")
      let stem = parts.last.flatMap { Int($0) } == nil ? group : parts.dropLast().joined(separator: "_")
      if let known = classesBySnakeCase[stem] { return known }
      // A subclassed model's attribute tells nothing: numbered variables are told apart by their ranks alone.
      return weights.isEmpty ? nil : byRank(weights.map(\.shape))
    }
    let names = Set(weights.map { lastName($0.path) })
    let ranks = Dictionary(weights.map { (lastName($0.path), $0.shape.count) }, uniquingKeysWith: max)
    if names.isSuperset(of: ["depthwise_kernel", "pointwise_kernel"]) {
      return ranks["depthwise_kernel"] == 3 ? "SeparableConv1D" : "SeparableConv2D"
    }
    if names.contains("depthwise_kernel") {
      return ranks["depthwise_kernel"] == 3 ? "DepthwiseConv1D" : "DepthwiseConv2D"
    }
    if !names.isDisjoint(with: ["moving_mean", "running_mean"]) { return "BatchNormalization" }
    if names.isSuperset(of: ["mean", "variance"]) { return "Normalization" }
    if !names.isDisjoint(with: ["recurrent_kernel", "U"]) {
      let recurrent = weights.first { ["recurrent_kernel", "U"].contains(lastName($0.path)) }
      guard let shape = recurrent?.shape, shape.count == 2, shape[0] > 0 else { return "ConvLSTM2D" }
      let isPair = weights.contains { $0.path.contains("backward") } ? "Bidirectional " : ""
      return isPair + (["1": "SimpleRNN", "3": "GRU", "4": "LSTM"]["\(shape[1] / shape[0])"] ?? "RNN")
    }
    if names.contains("embeddings") { return "Embedding" }
    if !names.isDisjoint(with: ["alpha", "alphas"]) { return "PReLU" }
    if !names.isDisjoint(with: ["gamma", "beta"]) { return "LayerNormalization" }
    if let rank = ranks["kernel"] ?? ranks["W"] {
      return ["2": "Dense", "3": "Conv1D", "4": "Conv2D", "5": "Conv3D"]["\(rank)"]
    }
    return names.isEmpty || names.contains { !$0.hasPrefix("param_") } ? nil : byRank(weights.map(\.shape))
  }

  /// A guess from shapes alone: kernel and bias, or the four vectors of a batch normalization.
  private static func byRank(_ shapes: [[Int]]) -> String? {
    guard let first = shapes.first else { return nil }
    switch first.count {
    case 1: return shapes.count == 4 ? "BatchNormalization" : shapes.count == 2 ? "LayerNormalization" : nil
    case 2:
      guard shapes.count == 3, first[1] > 0, shapes[1].count == 2 else { return shapes.count <= 2 ? "Dense" : nil }
      return ["1": "SimpleRNN", "3": "GRU", "4": "LSTM"]["\(shapes[1][1] / max(1, shapes[1][0]))"]
    case 3: return "Conv1D"
    case 4: return shapes.count > 1 && shapes[1].count == 4 ? "SeparableConv2D" : "Conv2D"
    case 5: return "Conv3D"
    default: return nil
    }
  }

  /// `conv/kernel:0` → `kernel`; `convolution2d_1_W` → `W`.
  private static func lastName(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    let plain = last.split(separator: ":").first.map(String.init) ?? last
    for name in ["W", "b", "U", "gamma", "beta", "running_mean", "running_std"] where plain.hasSuffix("_" + name) {
      return name
    }
    return plain
  }

  private static let classesBySnakeCase = Dictionary(
    [
      "Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
      "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
      "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "Normalization", "PReLU",
      "MultiHeadAttention", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed", "ConvLSTM2D",
    ].map { (snakeCase($0), $0) }, uniquingKeysWith: { first, _ in first })
}

extension ModelFile {
  /// The weights by layers, as the file groups them; what training left (optimizer, metrics) is not among them.
  ///
  /// Weights that are listed and not there, or cannot be opened, are told by ``WeightGroup/missing``.
  package func weightGroups() throws -> [WeightGroup] {
    switch weights {
    case .legacy(let weights):
      return try (weights.layerNames + ["top_level_model_weights"]).compactMap { layer in
        guard let names = try weights.weightNames(layer), !names.isEmpty || layer != "top_level_model_weights" else {
          return nil
        }
        var missing: [H5ConvError] = []
        let found = try names.compactMap { name -> StoredTensor? in
          do { return try weights.tensor(layer, name) } catch let error as H5ConvError {
            missing.append(error)
            return nil
          }
        }
        return WeightGroup(name: layer, weights: found, missing: missing)
      }
    case .variables(let store):
      return try store.objects("").compactMap { path, variables in
        guard !variables.isEmpty, !["optimizer", "metrics", "loss"].contains(path.prefix { $0 != "/" }) else {
          return nil
        }
        return WeightGroup(
          name: path.isEmpty ? "vars" : path, weights: variables,
          group: path.split(separator: "/").last.map(String.init) ?? "")
      }
    case .named(let weights):
      var groups: [(name: String, weights: [StoredTensor])] = []
      for tensor in weights.tensors {
        let owner = tensor.path.split(separator: "/").dropLast().joined(separator: "/")
        if groups.last?.name == owner {
          groups[groups.count - 1].weights.append(tensor)
        } else {
          groups.append((owner, [tensor]))
        }
      }
      return groups.map { WeightGroup(name: $0.name, weights: $0.weights) }
    case nil: return []
    }
  }
}

extension ModelFile {
  /// The groups of ``weightGroups()`` when nothing is missing.
  ///
  /// - Throws: ``H5ConvError``: why the first missing weight is.
  package func completeWeightGroups() throws -> [WeightGroup] {
    let groups = try weightGroups()
    if let missing = groups.lazy.compactMap(\.missing.first).first { throw missing }
    return groups
  }

  /// The optimizer's variables with their names, in order; none when the file has none.
  package func optimizerState() throws -> [StoredTensor] {
    switch weights {
    case .legacy(let weights): return try weights.optimizerState(of: hdf5)
    case .variables(let store): return try store.variables("optimizer")
    default: return []
    }
  }
}
