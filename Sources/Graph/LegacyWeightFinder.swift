import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// Finds weights in the groups of a legacy file, one for each top-level layer.
struct LegacyWeightFinder: WeightFinder {
  private let layers: [GraphLayer]
  private let architecture: Architecture
  private let weights: LegacyWeights
  private let isKeras1: Bool
  private let form: KernelForm

  init(_ layers: [GraphLayer], _ architecture: Architecture, _ weights: LegacyWeights, backend: String?) {
    self.layers = layers
    self.architecture = architecture
    self.weights = weights
    // As Keras 2 has it: weights that do not say which Keras wrote them are of Keras 1, whoever wrote the architecture.
    isKeras1 = !weights.hasVersion
    let isTheano = isKeras1 ? try? Keras1Weights.areOfTheano(weights) : backend == "theano"
    form = KernelForm(isKeras0: weights.isNumbered, isKeras1: isKeras1, isTheano: isTheano ?? false)
  }

  func find() -> ([Result<[String: StoredTensor], H5ConvError>], [WeightTable.Unclaimed]) {
    var found = Array(repeating: Result<[String: StoredTensor], H5ConvError>.success([:]), count: layers.count)
    var unclaimed: [WeightTable.Unclaimed] = []
    let order = configOrder
    let groups = Dictionary(grouping: layers.indices) { layers[$0].path[0] }
    let stored = groupsByOrder(groups)
    var numbered = try? isInOneRow(groups) ? NumberedWeights(weights) : nil
    for spec in architecture.layers {
      guard let members = groups[spec.name] else { continue }
      let ordered = members.sorted { order[layers[$0].path, default: 0] < order[layers[$1].path, default: 0] }
      do {
        let match =
          if let dealt = try numbered?.next(ordered.map { layers[$0] }, of: spec) {
            try match(
              ordered, group: spec.name, stored: try dealt.map { ($0.name, try weights.tensor($0.group, $0.name)) })
          } else {
            try match(ordered, group: stored[spec.name] ?? spec.name)
          }
        for (layer, tensors) in match.found { found[layer] = .success(tensors) }
        unclaimed += match.unclaimed.map { WeightTable.Unclaimed(layer: spec.name, tensor: $0) }
      } catch let error as H5ConvError {
        for layer in ordered { found[layer] = .failure(error) }
      } catch {
        for layer in ordered { found[layer] = .failure(H5ConvError(.internalFault, "\(error)")) }
      }
    }
    return (found, unclaimed)
  }

  /// Whether the groups of a file with numbers for names are not those of the layers that own weights.
  private func isInOneRow(_ members: [String: [Int]]) -> Bool {
    guard weights.isNumbered else { return false }
    return weights.isOfGraph || owners(members).count != holders.count
  }

  /// Names of the top-level layers that own weights.
  private func owners(_ members: [String: [Int]]) -> [String] {
    architecture.layers.map(\.name).filter { name in
      members[name, default: []].contains { !layers[$0].weights.isEmpty }
    }
  }

  /// Names of the groups that hold weights.
  private var holders: [String] {
    weights.layerNames.filter { name in ((try? weights.weightNames(name)) ?? nil)?.isEmpty == false }
  }

  /// The groups of layers whose own names the file does not have; empty when all names are there.
  ///
  /// Keras' `load_weights` pairs the layers that own weights with the groups that hold some, in order; so do we when a name is
  /// missing.
  private func groupsByOrder(_ members: [String: [Int]]) -> [String: String] {
    let owners = owners(members)
    // A Sequential of Keras up to 2.1 does not have the names of the models in it, so that these were made up.
    let isUnnamed =
      architecture.kind == .sequential
      && architecture.layers.contains { $0.nested != nil && $0.config["name"] == nil }
    if !isUnnamed, Set(owners).isSubset(of: weights.layerNames) { return [:] }
    let stored = holders
    guard owners.count == stored.count else { return [:] }
    return Dictionary(zip(owners, stored), uniquingKeysWith: { first, _ in first })
  }

  private func match(
    _ members: [Int], group: String
  ) throws -> (found: [Int: [String: StoredTensor]], unclaimed: [StoredTensor]) {
    try match(members, group: group, stored: try weights.tensors(group))
  }

  /// - Parameter weights: names and tensors of what is stored for the layers; nil when the file has nothing of them.
  private func match(
    _ members: [Int], group: String, stored weights: [(name: String, tensor: StoredTensor)]?
  ) throws -> (found: [Int: [String: StoredTensor]], unclaimed: [StoredTensor]) {
    let required = members.reduce(0) { $0 + layers[$1].weights.filter { !$0.isOptional }.count }
    let expected = members.flatMap { member in
      layers[member].weights.filter { !$0.isOptional || weights?.count != required }.map { spec in
        (
          member, spec,
          ExpectedWeight(
            owner: layers[member].path, spec: spec, isTrainable: spec.isTrainable && layers[member].isTrainable)
        )
      }
    }
    guard let weights else {
      guard expected.isEmpty else {
        throw H5ConvError(.badData, "the file has no weights for it", at: "layer '\(group)'")
      }
      return ([:], [])
    }
    guard !expected.isEmpty else { return ([:], weights.map(\.tensor)) }
    let stored: [(String, StoredTensor)] =
      try isKeras1 ? ofKeras1(weights, members, expected.count) : weights.map { ($0.name, $0.tensor) }
    let places = Dictionary(stored, uniquingKeysWith: { first, _ in first })
    let chosen = try WeightMatcher.match(expected.map(\.2), stored.map(\.0)) { name, spec in
      guard let tensor = places[name] else { return false }
      let owners = members.filter { layers[$0].weights.contains(spec) }
      return owners.contains { spec.shape.fits(form.adapted(tensor, to: spec, of: layers[$0]).shape) }
    }
    var found: [Int: [String: StoredTensor]] = [:]
    for ((member, spec, _), name) in zip(expected, chosen) {
      guard let tensor = places[name] else { continue }
      found[member, default: [:]][spec.name] = form.adapted(tensor, to: spec, of: layers[member])
    }
    let taken = Set(chosen)
    return (found, stored.filter { !taken.contains($0.0) }.map(\.1))
  }

  /// Weights of Keras 1 under names as today's.
  private func ofKeras1(
    _ weights: [(name: String, tensor: StoredTensor)], _ members: [Int], _ expected: Int
  ) throws -> [(String, StoredTensor)] {
    try Keras1Weights.modern(weights, expected: expected) { owner in
      let member = members.count == 1 ? members.first : members.first { layers[$0].path.last == owner }
      return member.map { KernelForm.isChannelsFirst(layers[$0]) } ?? false
    }
  }

  /// Paths of all layers, nested ones in their place, with their number in the config's order.
  private var configOrder: [[String]: Int] {
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
}
