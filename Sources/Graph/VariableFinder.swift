import H5ConvDiagnostics
package import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// Finds weights in Keras 3's layout, where a group's path follows the objects of the model.
struct VariableFinder: WeightFinder {
  private let layers: [GraphLayer]
  private let store: VariableStore
  /// Paths of the layers' groups.
  private let paths: [[String]: String]

  init(_ layers: [GraphLayer], _ architecture: Architecture, _ store: VariableStore) {
    self.layers = layers
    self.store = store
    // A layer has weights, and so has a model with such a layer in it.
    let owners = Set(
      layers.filter { !$0.weights.isEmpty }.flatMap { layer in
        layer.path.indices.map { Array(layer.path[...$0]) }
      })
    let once = StorePaths.paths(of: architecture, container: store.layersName)
    guard store.layersName != "layers" else {
      paths = once
      return
    }
    // Keras 2.12 and 2.13 counted layers with weights twice, 2.14 did not; what is there tells.
    let twice = StorePaths.paths(of: architecture, container: store.layersName) { owners.contains($0) }
    func found(_ paths: [[String]: String]) -> Int {
      layers.filter { layer in
        !layer.weights.isEmpty && (paths[layer.path].map { (try? store.variables($0))?.isEmpty == false } ?? false)
      }.count
    }
    paths = found(twice) > found(once) ? twice : once
  }

  mutating func find() -> ([Result<[String: StoredTensor], H5ConvError>], [WeightTable.Unclaimed]) {
    var unclaimed: [WeightTable.Unclaimed] = []
    let found = layers.map { layer in
      Result<[String: StoredTensor], H5ConvError> { () throws(H5ConvError) in
        do { return try find(layer, &unclaimed) } catch let error as H5ConvError { throw error } catch {
          throw H5ConvError(.internalFault, "\(error)", at: "layer '\(layer.name)'")
        }
      }
    }
    return (found, unclaimed)
  }

  private func find(_ layer: GraphLayer, _ unclaimed: inout [WeightTable.Unclaimed]) throws -> [String: StoredTensor] {
    guard let path = paths[layer.path] else { return [:] }
    let group = try groupPath(layer, at: path)
    guard !layer.weights.isEmpty else {
      // A layer that is not understood: everything below it.
      unclaimed += try store.objects(group).flatMap(\.variables).map {
        WeightTable.Unclaimed(layer: layer.path[0], tensor: $0)
      }
      return [:]
    }
    var tensors: [String: StoredTensor] = [:]
    for (owner, specs) in WeightSpec.byOwner(layer.weights) {
      let variables = try variables(owner, in: group, layer)
      // An object may list variables of others among its own; their numbers tell which are meant then.
      if specs.contains(where: { $0.number != nil }) {
        for (place, spec) in specs.enumerated() {
          guard let variable = variables[safe: spec.number ?? place] else {
            throw H5ConvError(.badData, "the variable of '\(spec.name)' is missing", at: "layer '\(layer.name)'")
          }
          tensors[spec.name] = variable
        }
        continue
      }
      let specs = variables.count < specs.count ? specs.filter { !$0.isOptional } : specs
      guard variables.count == specs.count else {
        throw H5ConvError(
          .badData,
          "\(variables.count) variables where \(specs.count) were expected "
            + "(\(specs.map(\.name).joined(separator: ", "))), in '\(([group] + owner).joined(separator: "/"))'",
          at: "layer '\(layer.name)'")
      }
      for (spec, variable) in zip(specs, variables) { tensors[spec.name] = variable }
    }
    return tensors
  }

  /// The variables of the object that `owner` leads to from `layer`.
  func variables(of layer: GraphLayer, owner: [String]) throws -> [StoredTensor] {
    guard let path = paths[layer.path] else { return [] }
    return try variables(owner, in: try groupPath(layer, at: path), layer)
  }

  /// The variables of the object that `owner` leads to; attributes were private in some versions.
  private func variables(_ owner: [String], in group: String, _ layer: GraphLayer) throws -> [StoredTensor] {
    for candidate in [owner, owner.map { "_" + $0 }] {
      let variables = try store.variables(([group] + candidate).filter { !$0.isEmpty }.joined(separator: "/"))
      if !variables.isEmpty { return variables }
    }
    return []
  }

  /// The group of a layer: where its place in the model leads, unless another there has its name.
  ///
  /// A layer that two models share is stored where the first of them has it.
  private func groupPath(_ layer: GraphLayer, at path: String) throws -> String {
    guard let name = layer.path.last else { return path }
    let stored = try store.objectName(path)
    if stored == nil || stored == name { if try layer.weights.isEmpty || holdsVariables(path) { return path } }
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    if stored != nil, let sibling = try sibling(named: name, in: parent) { return sibling }
    guard !layer.weights.isEmpty, try !holdsVariables(path) else { return path }
    for other in layers where other.path.last == name && other.path != layer.path && other.className == layer.className
    {
      if let place = paths[other.path], try holdsVariables(place) { return place }
    }
    return path
  }

  private func sibling(named name: String, in parent: String) throws -> String? {
    for child in try store.children(parent) {
      let place = parent.isEmpty ? child : "\(parent)/\(child)"
      if try store.objectName(place) == name { return place }
    }
    return nil
  }

  private func holdsVariables(_ path: String) throws -> Bool {
    guard try store.has(path) else { return false }
    return try store.objects(path).contains { !$0.variables.isEmpty }
  }
}

extension Array {
  fileprivate subscript(safe place: Int) -> Element? { indices.contains(place) ? self[place] : nil }
}

extension WeightSpec {
  /// The specs grouped by the objects that own them, in order.
  package static func byOwner(_ specs: [WeightSpec]) -> [(owner: [String], specs: [WeightSpec])] {
    var groups: [(owner: [String], specs: [WeightSpec])] = []
    for spec in specs {
      if let place = groups.firstIndex(where: { $0.owner == spec.owner }) {
        groups[place].specs.append(spec)
      } else {
        groups.append((spec.owner, [spec]))
      }
    }
    return groups
  }
}
