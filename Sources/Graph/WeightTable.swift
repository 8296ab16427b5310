import H5ConvConfig
package import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvLayers
package import H5ConvModelFiles
package import H5ConvTensors

/// Where the weights of a graph's layers are in the file; they are read when they are asked for.
package struct WeightTable: Sendable {
  /// A weight in the file.
  package struct Place: Sendable {
    /// The top-level layer whose group holds it.
    package let group: String
    /// Its path below the group.
    package let name: String
  }

  private let weights: LegacyWeights?
  private let layers: [GraphLayer]
  /// For each layer the places of its weights by their names, or why they were not found.
  private let places: [Result<[String: Place], H5ConvError>]
  /// What the groups of top-level layers list that no supported layer takes.
  package let unclaimed: [(layer: String, place: Place)]

  /// Pairs the weights of the layers with those that `weights` lists.
  package init(_ graph: Graph, _ architecture: Architecture, _ weights: LegacyWeights?) {
    self.weights = weights
    layers = graph.layers
    var places = Array(repeating: Result<[String: Place], H5ConvError>.success([:]), count: graph.layers.count)
    var unclaimed: [(layer: String, place: Place)] = []
    let order = WeightTable.configOrder(architecture)
    let groups = Dictionary(grouping: graph.layers.indices) { graph.layers[$0].path[0] }
    let stored = WeightTable.groupsByOrder(architecture, graph.layers, groups, weights)
    for spec in architecture.layers {
      guard let members = groups[spec.name] else { continue }
      let ordered = members.sorted {
        order[graph.layers[$0].path, default: 0] < order[graph.layers[$1].path, default: 0]
      }
      do {
        let found = try WeightTable.match(ordered, in: graph.layers, group: stored[spec.name] ?? spec.name, weights)
        for (layer, names) in found.places { places[layer] = .success(names) }
        unclaimed += found.unclaimed.map { (spec.name, $0) }
      } catch let error as H5ConvError {
        for layer in ordered { places[layer] = .failure(error) }
      } catch {
        for layer in ordered { places[layer] = .failure(H5ConvError(.internalFault, "\(error)")) }
      }
    }
    self.places = places
    self.unclaimed = unclaimed
  }

  /// The groups of layers whose own names the file does not have; empty when all names are there.
  ///
  /// Keras' `load_weights` pairs the layers that own weights with the groups that hold some, in order; so do we when a name is
  /// missing.
  private static func groupsByOrder(
    _ architecture: Architecture, _ layers: [GraphLayer], _ members: [String: [Int]], _ weights: LegacyWeights?
  ) -> [String: String] {
    guard let weights else { return [:] }
    let owners = architecture.layers.map(\.name).filter { name in
      members[name, default: []].contains { !layers[$0].weights.isEmpty }
    }
    if Set(owners).isSubset(of: weights.layerNames) { return [:] }
    let stored = weights.layerNames.filter { name in ((try? weights.weightNames(name)) ?? nil)?.isEmpty == false }
    guard owners.count == stored.count else { return [:] }
    return Dictionary(zip(owners, stored), uniquingKeysWith: { first, _ in first })
  }

  private static func match(
    _ members: [Int], in layers: [GraphLayer], group: String, _ weights: LegacyWeights?
  ) throws -> (places: [Int: [String: Place]], unclaimed: [Place]) {
    let expected = members.flatMap { member in
      layers[member].weights.map { spec in
        (
          member, spec.name,
          ExpectedWeight(
            owner: layers[member].path, spec: spec, isTrainable: spec.isTrainable && layers[member].isTrainable)
        )
      }
    }
    guard let weights else {
      guard expected.isEmpty else {
        throw H5ConvError(.badData, "the file has no weights", remedy: "give a file saved with model.save")
      }
      return ([:], [])
    }
    guard let stored = try weights.weightNames(group) else {
      guard expected.isEmpty else {
        throw H5ConvError(.badData, "the file has no weights for it", at: "layer '\(group)'")
      }
      return ([:], [])
    }
    let names =
      expected.isEmpty
      ? []
      : try WeightMatcher.match(expected.map(\.2), stored) { name, spec in
        spec.shape.fits(try weights.dataset(group, name).shape)
      }
    var places: [Int: [String: Place]] = [:]
    for ((member, name, _), storedName) in zip(expected, names) {
      places[member, default: [:]][name] = Place(group: group, name: storedName)
    }
    let taken = Set(names)
    return (places, stored.filter { !taken.contains($0) }.map { Place(group: group, name: $0) })
  }

  /// Paths of all layers, nested ones in their place, with their number in the config's order.
  private static func configOrder(_ architecture: Architecture) -> [[String]: Int] {
    var order: [[String]: Int] = [:]
    func visit(_ model: Architecture, _ path: [String]) {
      for layer in model.layers {
        order[path + [layer.name]] = order.count
        if let nested = layer.nested { visit(nested, path + [layer.name]) }
      }
    }
    visit(architecture, [])
    return order
  }

  /// Where the weight `name` of `layer` is.
  package func place(layer: Int, _ name: String) throws -> Place {
    guard let place = try places[layer].get()[name] else {
      throw H5ConvError(.badData, "the weight '\(name)' is not in the file", at: "layer '\(layers[layer].name)'")
    }
    return place
  }

  /// Sizes of the axes of the weight `name` of `layer`, as stored.
  package func shape(layer: Int, _ name: String) throws -> [Int] {
    try shape(of: place(layer: layer, name))
  }

  /// Sizes of the axes of the weight at `place`, as stored.
  package func shape(of place: Place) throws -> [Int] { try dataset(place).shape }

  /// Reads the weight at `place`, as float32.
  package func tensor(at place: Place) throws -> Tensor { try dataset(place).tensor() }

  /// Reads the weight `name` of `layer`, as float32.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when it is not there or its shape is not what the layer needs.
  package func tensor(layer: Int, _ name: String) throws -> Tensor {
    let dataset = try dataset(place(layer: layer, name))
    if let spec = layers[layer].weights.first(where: { $0.name == name }), !spec.shape.fits(dataset.shape) {
      throw H5ConvError(
        .badData, "the weight '\(name)' has the shape \(PartialShape(dataset.shape)) where \(spec.shape) was expected",
        at: "layer '\(layers[layer].name)'")
    }
    return try dataset.tensor()
  }

  private func dataset(_ place: Place) throws -> Dataset {
    guard let weights else { throw H5ConvError(.badData, "the file has no weights") }
    return try weights.dataset(place.group, place.name)
  }

  /// Number of elements of what is stored for the top-level `layer` without a supported layer that takes it.
  package func unclaimedCount(of layer: String) -> Int {
    unclaimed.filter { $0.layer == layer }.reduce(0) { total, weight in
      total.clampedSum((try? dataset(weight.place).elementCount()) ?? 0)
    }
  }

  /// The first reason why weights of `graph`'s layers were not found.
  package var problems: [H5ConvError] {
    var seen = Set<String>()
    return places.compactMap { place in
      if case .failure(let error) = place, seen.insert(error.description).inserted { error } else { nil }
    }
  }
}
