package import H5ConvDiagnostics
package import H5ConvLayers
package import H5ConvModelFiles
package import H5ConvTensors

/// Where the weights of a graph's layers are in the file; they are read when they are asked for.
package struct WeightTable: Sendable {
  /// What is stored for a top-level layer and no supported layer takes.
  package struct Unclaimed: Sendable {
    package let layer: String
    package let tensor: StoredTensor
  }

  private let layers: [GraphLayer]
  /// For each layer its weights by their names, or why they were not found.
  private let found: [Result<[String: StoredTensor], H5ConvError>]
  package let unclaimed: [Unclaimed]
  /// The same, by layer.
  package let unclaimedByLayer: [String: [Unclaimed]]

  /// Pairs the weights of the layers with those in the file.
  ///
  /// - Parameter backend: the backend that wrote them, when the file tells.
  package init(_ graph: Graph, _ architecture: Architecture, _ layout: WeightLayout?, backend: String? = nil) {
    layers = graph.layers
    var finder: any WeightFinder
    switch layout {
    case .legacy(let weights):
      finder = LegacyWeightFinder(graph.layers, architecture, weights, backend: backend)
    case .variables(let store): finder = VariableFinder(graph.layers, architecture, store)
    case .named(let weights): finder = NamedWeightFinder(graph.layers, weights)
    case nil: finder = NoWeightFinder(graph.layers)
    }
    (found, unclaimed) = finder.find()
    unclaimedByLayer = Dictionary(grouping: unclaimed, by: \.layer)
  }

  /// The weight `name` of `layer`, as it is stored.
  package func stored(layer: Int, _ name: String) throws -> StoredTensor {
    guard let tensor = try found[layer].get()[name] else {
      throw H5ConvError(
        .badData, "the weight '\(name)' is not in the file", at: "layer '\(layers[layer].name)'", reason: .missingWeight
      )
    }
    return tensor
  }

  /// Sizes of the axes of the weight `name` of `layer`, as stored.
  package func shape(layer: Int, _ name: String) throws -> [Int] { try stored(layer: layer, name).shape }

  /// Reads the weight `name` of `layer`, as float32.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when it is not there or its shape is not what the layer needs.
  package func tensor(layer: Int, _ name: String) throws -> Tensor {
    if let quantization = layers[layer].quantization, quantization.covers(name) {
      return try placed(layer) { try quantization.tensor(name) { try found[layer].get()[$0]?.tensor() } }
    }
    let stored = try stored(layer: layer, name)
    if let spec = layers[layer].weights.first(where: { $0.name == name }), !spec.shape.fits(stored.shape) {
      throw H5ConvError(
        .badData, "the weight '\(name)' has the shape \(PartialShape(stored.shape)) where \(spec.shape) was expected",
        at: "layer '\(layers[layer].name)'")
    }
    return try stored.tensor()
  }

  /// Runs `body`; an error without a place gets the layer.
  private func placed<Value>(_ layer: Int, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as H5ConvError {
      throw H5ConvError(
        error.kind, error.what, at: error.place ?? "layer '\(layers[layer].name)'", remedy: error.remedy,
        reason: error.reason)
    }
  }

  /// Whether the file has the weight `name` of `layer`, which it may lack when it is optional.
  package func holds(layer: Int, _ name: String) -> Bool { (try? found[layer].get()[name]) != nil }

  /// Whether the file lacks a weight that it may lack.
  package func lacks(layer: Int, _ spec: WeightSpec) -> Bool { spec.isOptional && !holds(layer: layer, spec.name) }

  /// Number of elements of what is stored for the top-level `layer` without a supported layer that takes it.
  package func unclaimedCount(of layer: String) -> Int {
    unclaimedByLayer[layer, default: []].reduce(0) { $0.clampedSum($1.tensor.count ?? 0) }
  }

  /// The first reason why weights of `graph`'s layers were not found.
  package var problems: [H5ConvError] {
    var seen = Set<String>()
    return found.compactMap { place in
      if case .failure(let error) = place, seen.insert(error.description).inserted { error } else { nil }
    }
  }
}

/// Finds the weights of a graph's layers in one layout of files.
protocol WeightFinder {
  /// For each layer its weights by name, and what is left over.
  mutating func find() -> ([Result<[String: StoredTensor], H5ConvError>], [WeightTable.Unclaimed])
}

/// The finder of a file without weights.
private struct NoWeightFinder: WeightFinder {
  private let layers: [GraphLayer]

  init(_ layers: [GraphLayer]) { self.layers = layers }

  func find() -> ([Result<[String: StoredTensor], H5ConvError>], [WeightTable.Unclaimed]) {
    let error = H5ConvError(
      .badData, "the file has no weights", remedy: "give a file saved with model.save")
    return (layers.map { $0.weights.isEmpty ? .success([:]) : .failure(error) }, [])
  }
}

/// Finds weights by path: `conv1/kernel`, `outer/inner/kernel`, `lstm/cell/kernel`.
private struct NamedWeightFinder: WeightFinder {
  private let layers: [GraphLayer]
  private let weights: NamedWeights

  init(_ layers: [GraphLayer], _ weights: NamedWeights) {
    self.layers = layers
    self.weights = weights
  }

  func find() -> ([Result<[String: StoredTensor], H5ConvError>], [WeightTable.Unclaimed]) {
    var taken = Set<String>()
    let found = layers.map { layer in
      Result<[String: StoredTensor], H5ConvError> { () throws(H5ConvError) in
        var tensors: [String: StoredTensor] = [:]
        for spec in layer.weights {
          let owner = (layer.path + spec.owner).joined(separator: "/")
          let names = [spec.name] + spec.aliases
          guard let tensor = names.lazy.compactMap({ weights["\(owner)/\($0)"] }).first else {
            if spec.isOptional { continue }
            throw H5ConvError(
              .badData, "the weight '\(owner)/\(spec.name)' is not in the file", at: "layer '\(layer.name)'")
          }
          taken.insert(tensor.path)
          tensors[spec.name] = tensor
        }
        return tensors
      }
    }
    let left = weights.tensors.filter { !taken.contains($0.path) }
    return (
      found,
      left.map { tensor in
        WeightTable.Unclaimed(layer: tensor.path.split(separator: "/").first.map(String.init) ?? "", tensor: tensor)
      }
    )
  }
}
