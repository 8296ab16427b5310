import H5ConvConfig
import H5ConvLayers

extension Architecture {
  /// The model with some of its nested models dissolved into it.
  ///
  /// - Parameter models: nested models of this model that are dissolved, with those inside them, by their paths.
  /// - Returns: the model, a functional one, and for each layer of the old model its new name. A layer keeps its own name unless
  ///   another has it; then it gets the name of the model around it before its own.
  package func inlined(_ models: Set<[String]>) -> (model: Architecture, names: [[String]: String]) {
    var dissolving = Dissolving(self)
    // From the outside in: a dissolved model's own nested models become this model's.
    let paths = models.map { (path: $0, text: $0.joined(separator: "/")) }
    for (path, _) in paths.sorted(by: { ($0.path.count, $0.text) < ($1.path.count, $1.text) }) {
      dissolving.dissolve(path)
    }
    return dissolving.result(self)
  }
}

/// Dissolves nested models, each in the time that its own layers take: what refers to a dissolved model is redirected at the end, once.
private struct Dissolving {
  /// A place in `entries`, in the text that a reference has for a layer: unlike names, which a dissolved model and a layer inside it
  /// may share.
  private typealias Key = String

  private struct Entry {
    /// Its name in the result.
    var name: String
    /// The layer, with keys in its calls; nil for an input of a dissolved model and for what no layer has.
    var layer: LayerSpec?
    /// What it was dissolved into.
    var parts: Parts?
  }

  /// The layers of a dissolved model.
  private struct Parts {
    var layers: [Key] = []
    /// By key, which of its inputs it is.
    var inputs: [Key: Int] = [:]
    var outputs: [TensorReference] = []
    /// Calls of each layer for one call of the model.
    var callCounts: [Key: Int] = [:]
    let calls: [LayerCall]

    /// What `reference` of one of its layers is in call `call` of it.
    func moved(_ reference: TensorReference, call: Int) -> TensorReference {
      if let input = inputs[reference.layer] {
        let given = calls.indices.contains(call) ? calls[call].inputs : []
        return given.indices.contains(input) ? given[input] : reference
      }
      // Call c of the model makes the calls c·n … of an inner layer that has n calls.
      return TensorReference(
        layer: reference.layer, call: call * (callCounts[reference.layer] ?? 1) + reference.call,
        output: reference.output)
    }
  }

  private var entries: [Key: Entry] = [:]
  private var keys: [[String]: Key] = [:]
  private var taken: Set<String>
  private var top: [Key] = []
  private var outputs: Argument<TensorReference>

  init(_ model: Architecture) {
    taken = Set(model.layers.map(\.name))
    outputs = model.outputStructure
    for layer in model.layers { top.append(key(of: [layer.name])) }
    for (key, var layer) in zip(top, model.layers) {
      layer.calls = layer.calls.map { LayerCall($0.arguments.map { reference($0, in: []) }) }
      entries[key]?.layer = layer
    }
    outputs = outputs.map { reference($0, in: []) }
  }

  private mutating func key(of path: [String]) -> Key {
    if let key = keys[path] { return key }
    let key = String(entries.count)
    keys[path] = key
    entries[key] = Entry(name: path.last ?? "")
    return key
  }

  private mutating func reference(_ reference: TensorReference, in path: [String]) -> TensorReference {
    TensorReference(layer: key(of: path + [reference.layer]), call: reference.call, output: reference.output)
  }

  /// Puts the layers of the model at `path` in its place; nothing when there is none.
  mutating func dissolve(_ path: [String]) {
    guard let outerKey = keys[path], let entry = entries[outerKey], let outer = entry.layer, let nested = outer.nested
    else { return }
    taken.remove(entry.name)
    var parts = Parts(calls: outer.calls)
    for (number, input) in nested.inputs.enumerated() where parts.inputs[key(of: path + [input.layer])] == nil {
      parts.inputs[key(of: path + [input.layer])] = number
    }
    let layers = nested.layers.map { (key: key(of: path + [$0.name]), layer: $0) }
    for (key, layer) in layers { parts.callCounts[key] = parts.callCounts[key] ?? layer.calls.count }
    parts.outputs = nested.outputs.map { reference($0, in: path) }
    for (key, layer) in layers where parts.inputs[key] == nil {
      var name = layer.name
      if taken.contains(name) { name = "\(entry.name)_\(layer.name)" }
      while taken.contains(name) { name += "_" }
      taken.insert(name)
      var copy = layer
      copy.isTrainable = layer.isTrainable && outer.isTrainable && nested.isTrainable
      if !copy.isTrainable { copy.config["trainable"] = false }
      let calls = layer.calls.map { $0.arguments.map { reference($0, in: path) } }
      copy.calls = outer.calls.indices.flatMap { call in
        calls.map { LayerCall($0.map { parts.moved($0, call: call) }) }
      }
      entries[key]?.layer = copy
      entries[key]?.name = name
      parts.layers.append(key)
    }
    entries[outerKey]?.layer = nil
    entries[outerKey]?.parts = parts
  }

  /// The model with what is left, and the new names of its layers.
  func result(_ old: Architecture) -> (model: Architecture, names: [[String]: String]) {
    var model = old
    model.kind = .functional
    model.className = "Functional"
    var known: [TensorReference: TensorReference] = [:]
    model.layers = []
    var pending = Array(top.reversed())
    while let key = pending.popLast() {
      guard let entry = entries[key] else { continue }
      pending += (entry.parts?.layers ?? []).reversed()
      guard var layer = entry.layer else { continue }
      layer.name = entry.name
      layer.calls = layer.calls.map { LayerCall($0.arguments.map { named($0, &known) }) }
      model.layers.append(layer)
    }
    model.outputStructure = outputs.map { named($0, &known) }
    let names = keys.compactMap { path, key in
      entries[key].flatMap { entry in entry.layer == nil ? nil : (path, entry.name) }
    }
    return (model, Dictionary(names, uniquingKeysWith: { first, _ in first }))
  }

  /// The layer that `reference` leads to through dissolved models, by its new name.
  private func named(
    _ reference: TensorReference, _ known: inout [TensorReference: TensorReference]
  ) -> TensorReference {
    var way: [TensorReference] = []
    var last = reference
    // An output of a model may be its input, which is another model's output: the graph has no circles, or is refused elsewhere.
    while let parts = entries[last.layer]?.parts, parts.outputs.indices.contains(last.output),
      way.count <= entries.count
    {
      if let end = known[last] {
        last = end
        break
      }
      way.append(last)
      last = parts.moved(parts.outputs[last.output], call: last.call)
    }
    for each in way { known[each] = last }
    return TensorReference(layer: entries[last.layer]?.name ?? last.layer, call: last.call, output: last.output)
  }
}
