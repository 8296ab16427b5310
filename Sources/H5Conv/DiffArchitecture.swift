import H5ConvConfig
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// Something in which two architectures are not the same.
public struct ArchitectureDifference: Sendable {
  /// What kind of difference it is.
  public enum Kind: String, Sendable, CaseIterable {
    /// Only the first model has the layer.
    case removed
    /// Only the second model has the layer.
    case added
    /// The layer has another name, and is otherwise the same.
    case renamed
    /// A field that decides what the layer, or the model, computes.
    case changed
    /// Something else goes into the layer, or the model's inputs or outputs are others.
    case connections
    /// A field that only training uses: an initializer, a regularizer, a dropout rate, `trainable`.
    case training
    /// Something that changes neither outputs nor names of layers, as the model's own name.
    case note
  }

  /// The kind of difference.
  public let kind: Kind
  /// The layer, `outer/inner` inside a nested model; empty for the model itself.
  public let layer: String
  /// The field: `strides`, `class`, `inputs`; nil for a layer that only one has.
  public let field: String?
  let a: JSONValue
  let b: JSONValue

  /// Whether the models are different for it; training fields and notes are told, no more.
  public var isSignificant: Bool { kind != .training && kind != .note }

  /// The first model's value as text; nil when it has none.
  public var first: String? { ArchitectureDifference.text(a) }

  /// The second model's value as text; nil when it has none.
  public var second: String? { ArchitectureDifference.text(b) }

  private static func text(_ value: JSONValue) -> String? {
    if value.isNull { return nil }
    return value.string ?? value.text().replacing(",", with: ", ")
  }
}

/// Compares two architectures layer by layer, by names, whatever container and version of Keras they come from.
struct ArchitectureComparison {
  private(set) var differences: [ArchitectureDifference] = []
  /// Paths of layers that are not models, of which both have one, in the first model's order.
  private(set) var pairs: [(a: [String], b: [String])] = []
  /// Number of layers that were compared.
  private(set) var layerCount = 0
  private let a: Side
  private let b: Side

  private struct Side {
    let graph: Graph
    let places: [[String]: Int]
    let ranks: [Int: Int]

    init(_ graph: Graph) {
      self.graph = graph
      places = Dictionary(graph.layers.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
      var ranks: [Int: Int] = [:]
      for call in graph.calls where ranks[call.layer] == nil {
        ranks[call.layer] = call.inputs.first.flatMap { graph.shape(of: $0)?.rank }
      }
      self.ranks = ranks
    }

    /// The layer with everything it has read from its config; nil when it is not understood.
    func understood(_ path: [String]) -> String? {
      guard let place = places[path], case .success(let layer) = graph.layers[place].kind else { return nil }
      return String(reflecting: layer)
    }

    func config(_ spec: LayerSpec, _ path: [String], generation: Int) -> CanonicalConfig {
      CanonicalConfig(
        spec.className, spec.config, generation: generation, rank: places[path].flatMap { ranks[$0] })
    }
  }

  init(_ first: Model, _ second: Model) {
    a = Side(first.graph)
    b = Side(second.graph)
    if first.name != second.name {
      add(.note, "", "name", .string(first.name), .string(second.name))
    }
    compareInputs(first, second)
    compare(first.architecture, second.architecture, [], [])
  }

  private mutating func add(
    _ kind: ArchitectureDifference.Kind, _ layer: String, _ field: String?, _ a: JSONValue, _ b: JSONValue
  ) {
    differences.append(ArchitectureDifference(kind: kind, layer: layer, field: field, a: a, b: b))
  }

  private mutating func compareInputs(_ first: Model, _ second: Model) {
    let shapes = (first.inputs.map { JSONValue.shape($0.shape) }, second.inputs.map { JSONValue.shape($0.shape) })
    // A file that does not tell a shape contradicts none.
    let isSame =
      shapes.0.count == shapes.1.count && zip(shapes.0, shapes.1).allSatisfy { $0 == $1 || $0 == [] || $1 == [] }
    if !isSame { add(.changed, "", "input_shape", .array(shapes.0), .array(shapes.1)) }
  }

  // MARK: - One model

  private mutating func compare(
    _ first: Architecture, _ second: Architecture, _ pathA: [String], _ pathB: [String]
  ) {
    // A Sequential's input layer is not listed, and those of nested models only name what comes in.
    let hidesInputs = first.kind == .sequential || second.kind == .sequential || !pathA.isEmpty
    let layersA = ArchitectureComparison.layers(first, hidesInputs: hidesInputs)
    let layersB = ArchitectureComparison.layers(second, hidesInputs: hidesInputs)
    let names = pair(layersA, layersB, pathA, pathB, (first.generation, second.generation))
    let others = Dictionary(layersB.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let outer = pathA.isEmpty ? "" : pathA.joined(separator: "/")
    if first.kind != second.kind {
      add(.note, outer, "class", .string(first.className), .string(second.className))
    }
    for layer in layersA {
      let path = pathA + [layer.name]
      guard let name = names[layer.name], let other = others[name] else {
        add(.removed, path.joined(separator: "/"), nil, .string(layer.className), .null)
        continue
      }
      layerCount += 1
      if name != layer.name {
        add(.renamed, path.joined(separator: "/"), "name", .string(layer.name), .string(name))
      }
      let connectionsA = Connections(layer, in: first, names: names)
      let connectionsB = Connections(other, in: second, names: [:])
      if connectionsA.text != connectionsB.text {
        add(
          .connections, path.joined(separator: "/"), "inputs", .string(connectionsA.text), .string(connectionsB.text))
      }
      compare(layer, other, path, pathB + [name], (first.generation, second.generation))
    }
    let taken = Set(names.values)
    for layer in layersB where !taken.contains(layer.name) {
      add(.added, (pathA + [layer.name]).joined(separator: "/"), nil, .null, .string(layer.className))
    }
    let outputs = (
      Connections.list(first.outputs, in: first, names: names), Connections.list(second.outputs, in: second, names: [:])
    )
    if outputs.0 != outputs.1 { add(.connections, outer, "outputs", .string(outputs.0), .string(outputs.1)) }
  }

  private static func layers(_ model: Architecture, hidesInputs: Bool) -> [LayerSpec] {
    let needed = Connections.needed(model)
    return model.layers.filter { layer in
      if layer.className == "InputLayer" { return !hidesInputs }
      // Keras 3 computes masks with operations that nothing else needs; before, layers did so by themselves.
      return !layer.isOperation || needed.contains(layer.name)
    }
  }

  /// The names of the second model's layers by those of the first: the same, or of layers that are alike but for the name.
  private func pair(
    _ layersA: [LayerSpec], _ layersB: [LayerSpec], _ pathA: [String], _ pathB: [String], _ generations: (Int, Int)
  ) -> [String: String] {
    let (namesA, namesB) = (Set(layersA.map(\.name)), Set(layersB.map(\.name)))
    var names: [String: String] = [:]
    for name in namesA.intersection(namesB) { names[name] = name }
    var left = layersB.filter { !namesA.contains($0.name) }
    for layer in layersA where !namesB.contains(layer.name) {
      // Those that were renamed keep their order by and large; to try all with all of a large model would take for ever.
      let place = left.prefix(200).firstIndex { other in
        isAlike(layer, other, pathA + [layer.name], pathB + [other.name], generations)
      }
      if let place { names[layer.name] = left.remove(at: place).name }
    }
    return names
  }

  private func isAlike(
    _ layer: LayerSpec, _ other: LayerSpec, _ pathA: [String], _ pathB: [String], _ generations: (Int, Int)
  ) -> Bool {
    guard (layer.nested == nil) == (other.nested == nil) else { return false }
    if let model = layer.nested, let otherModel = other.nested {
      return model.layers.filter { $0.className != "InputLayer" }.map { LayerRegistry.kerasName($0.className) }
        == otherModel.layers.filter { $0.className != "InputLayer" }.map { LayerRegistry.kerasName($0.className) }
    }
    guard LayerRegistry.kerasName(layer.className) == LayerRegistry.kerasName(other.className) else { return false }
    if layer.className == "InputLayer" { return true }
    let configs = (
      a.config(layer, pathA, generation: generations.0), b.config(other, pathB, generation: generations.1)
    )
    return isSame(configs, pathA, pathB)
  }

  // MARK: - One layer

  private func isSame(_ configs: (CanonicalConfig, CanonicalConfig), _ pathA: [String], _ pathB: [String]) -> Bool {
    let fields = Set(configs.0.computing.keys).union(configs.1.computing.keys)
    if fields.allSatisfy({ CanonicalConfig.isSame(configs.0.computing[$0], configs.1.computing[$0], $0) }) {
      return true
    }
    guard configs.0.computing["dtype"]?.value == configs.1.computing["dtype"]?.value else { return false }
    // The config says it in other words, but what was read from it is the same.
    return a.understood(pathA).map { $0 == b.understood(pathB) } ?? false
  }

  private mutating func compare(
    _ layer: LayerSpec, _ other: LayerSpec, _ pathA: [String], _ pathB: [String], _ generations: (Int, Int)
  ) {
    let place = pathA.joined(separator: "/")
    if let model = layer.nested, let otherModel = other.nested {
      if layer.isTrainable != other.isTrainable {
        add(.training, place, "trainable", .bool(layer.isTrainable), .bool(other.isTrainable))
      }
      return compare(model, otherModel, pathA, pathB)
    }
    pairs.append((pathA, pathB))
    let classes = (LayerRegistry.kerasName(layer.className), LayerRegistry.kerasName(other.className))
    guard classes.0 == classes.1, (layer.nested == nil) == (other.nested == nil) else {
      return add(.changed, place, "class", .string(layer.className), .string(other.className))
    }
    let configs = (
      a.config(layer, pathA, generation: generations.0), b.config(other, pathB, generation: generations.1)
    )
    if !isSame(configs, pathA, pathB) {
      add(.changed, place, configs, (configs.0.computing, configs.1.computing))
    }
    add(.training, place, configs, (configs.0.training, configs.1.training))
  }

  private mutating func add(
    _ kind: ArchitectureDifference.Kind, _ place: String, _ configs: (CanonicalConfig, CanonicalConfig),
    _ fields: ([String: CanonicalConfig.Field], [String: CanonicalConfig.Field])
  ) {
    for name in Set(fields.0.keys).union(fields.1.keys).sorted() {
      let (value, other) = (fields.0[name], fields.1[name])
      if CanonicalConfig.isSame(value, other, name) { continue }
      // Versions differ in which of these they write at all.
      let isOptional = ["_initializer", "momentum", "unit_forget_bias"].contains { name.hasSuffix($0) }
      if kind == .training, isOptional, value == nil || other == nil { continue }
      add(kind, place, name, configs.0.shown(name), configs.1.shown(name))
    }
  }
}
