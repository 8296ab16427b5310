package import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers

/// Reads `model_config` in the dialects of Keras 1 to 3.
package struct ArchitectureReader {
  private let version: KerasVersion
  private var generation: Int { version.major }

  /// The model that `value` describes: `{"class_name": …, "config": …}`.
  ///
  /// - Parameter kerasVersion: the file's `keras_version`; without one the generation is taken from the config's form.
  /// - Throws: ``H5ConvError`` of kind `badData` naming the place, `unsupported` for a subclassed model.
  package static func read(_ value: JSONValue, kerasVersion: String?) throws -> Architecture {
    guard let className = value["class_name"]?.string, let config = value["config"] else {
      throw H5ConvError(
        .badData, "the model's config has no class_name and config", at: "model_config", reason: .damagedConfig)
    }
    let reader = ArchitectureReader(version: version(of: value, kerasVersion: kerasVersion))
    let modern = reader.generation == 1 ? Keras1Config.translated(value)["config"] ?? config : config
    return try reader.model(ConfigReader.plainName(className), modern, fallbackName: nil, depth: 0)
  }

  private static func version(of value: JSONValue, kerasVersion: String?) -> KerasVersion {
    if let version = (kerasVersion ?? value["keras_version"]?.string).flatMap({ KerasVersion($0) }),
      (0...3).contains(version.major)
    {
      // The layers of Keras 0.3 are those of Keras 1.
      return version.major == 0 ? KerasVersion(1, 0) : version
    }
    return .newest(of: generation(byKeysOf: value) ?? 2)
  }

  /// The Keras that has a field of those that the config has; nil when there is none that tells.
  private static func generation(byKeysOf value: JSONValue) -> Int? {
    var result: Int?
    for item in value.array ?? [] {
      guard let found = generation(byKeysOf: item) else { continue }
      if found == 3 { return 3 }
      result = found
    }
    for (key, item) in value.object?.members ?? [] {
      switch key {
      case "batch_shape": return 3
      case "class_name" where item == "DTypePolicy": return 3
      case "nb_filter", "border_mode", "dim_ordering", "W_regularizer": result = 1
      default:
        guard let found = generation(byKeysOf: item) else { continue }
        if found == 3 { return 3 }
        result = found
      }
    }
    return result
  }

  /// Whether a layer entry is itself a model.
  private static func isModel(_ className: String, _ config: JSONValue) -> Bool {
    switch className {
    case "Sequential": config.array != nil || config["layers"]?.array != nil
    case "Functional", "Model": config["layers"]?.array != nil
    // A subclass of Model that was built functionally is saved like a Functional.
    default: config["layers"]?.array != nil && config["output_layers"] != nil
    }
  }

  private func model(_ className: String, _ config: JSONValue, fallbackName: String?, depth: Int) throws -> Architecture
  {
    guard depth < 64 else { throw H5ConvError(.limit, "models nested deeper than 64 levels", at: "model_config") }
    guard ArchitectureReader.isModel(className, config) else {
      throw H5ConvError(
        .unsupported, "a model of class \(className) whose config lists no layers", at: "model_config",
        remedy: "it is built by Python code that is not in the file; only its weights can be listed")
    }
    return className == "Sequential"
      ? try sequential(config, fallbackName: fallbackName, depth: depth)
      : try functional(className, config, fallbackName: fallbackName, depth: depth)
  }

  /// One entry of `layers`.
  private func layer(_ entry: JSONValue, at place: String, depth: Int) throws -> LayerSpec {
    let entry = generation < 3 ? LegacyMerge.translated(entry) : entry
    guard let rawClass = entry["class_name"]?.string else {
      throw H5ConvError(.badData, "a layer without class_name", at: place)
    }
    let className = ConfigReader.plainName(rawClass)
    let config = entry["config"] ?? .object(JSONObject())
    let name = config["name"]?.string ?? entry["name"]?.string ?? place
    let nested =
      ArchitectureReader.isModel(className, config)
      ? try model(className, config, fallbackName: entry["name"]?.string, depth: depth + 1) : nil
    return LayerSpec(
      name: entry["name"]?.string ?? nested?.name ?? name, className: className, module: entry["module"]?.string,
      registeredName: entry["registered_name"]?.string ?? (rawClass == className ? nil : rawClass),
      config: config.object ?? JSONObject(),
      isTrainable: config["trainable"]?.bool ?? true, nested: nested, calls: [])
  }

  // MARK: - Sequential

  private func sequential(_ config: JSONValue, fallbackName: String?, depth: Int) throws -> Architecture {
    // A list in Keras 1 and 2.0–2.1, an object with `layers` since.
    let entries = config.array ?? config["layers"]?.array ?? []
    let name = config["name"]?.string ?? fallbackName ?? "sequential"
    if generation < 3, entries.first?["class_name"] == "Merge", let branches = entries[0]["config"]?["layers"]?.array {
      return try branched(branches, entries, name: name, config, depth: depth)
    }
    var layers = try entries.enumerated().map { try layer($1, at: "layer \($0) of '\(name)'", depth: depth) }
    nameModels(&layers, entries)
    if layers.first?.className != "InputLayer" {
      layers.insert(try impliedInput(layers.first, config), at: 0)
    }
    var previous = TensorReference(layer: layers[0].name, call: 0, output: 0)
    for place in layers.indices.dropFirst() {
      layers[place].calls = [LayerCall(CallArguments([.tensor(previous)]))]
      previous = TensorReference(layer: layers[place].name, call: 0, output: 0)
    }
    layers[0].calls = [LayerCall(CallArguments())]
    return Architecture(
      kind: .sequential, name: name, className: "Sequential", version: version,
      isTrainable: config["trainable"]?.bool ?? true, layers: layers,
      inputStructure: .tensor(TensorReference(layer: layers[0].name, call: 0, output: 0)),
      outputStructure: .tensor(previous))
  }

  /// Names the models among `layers` that have no name in the file, as Keras names new ones: `sequential_1`.
  ///
  /// Up to Keras 2.1 a Sequential was saved without its name.
  private func nameModels(_ layers: inout [LayerSpec], _ entries: [JSONValue]) {
    let isNamed = entries.map { $0["name"] != nil || $0["config"]?["name"] != nil }
    var taken = Set(zip(layers, isNamed).filter(\.1).map(\.0.name))
    var numbers: [String: Int] = [:]
    for place in layers.indices where layers[place].nested != nil && !isNamed[place] {
      let stem = layers[place].className.lowercased()
      var number = numbers[stem, default: 1]
      while taken.contains("\(stem)_\(number)") { number += 1 }
      numbers[stem] = number + 1
      let name = "\(stem)_\(number)"
      layers[place].name = name
      layers[place].nested?.name = name
      taken.insert(name)
    }
  }

  /// A Sequential whose first entry merges `branches`.
  private func branched(
    _ branches: [JSONValue], _ entries: [JSONValue], name: String, _ config: JSONValue, depth: Int
  ) throws -> Architecture {
    let place = "model '\(name)'"
    var joined = BranchedSequential()
    var outputs: [TensorReference] = []
    for (number, branch) in branches.enumerated() {
      let branchName = branch["config"]?["name"]?.string ?? branch["name"]?.string ?? "branch \(number) of '\(name)'"
      let isModel =
        branch["class_name"]?.string.map { ArchitectureReader.isModel($0, branch["config"] ?? .null) } ?? false
      // A layer by itself is a branch of one layer.
      let architecture = try model(
        isModel ? branch["class_name"]?.string ?? "" : "Sequential", isModel ? branch["config"] ?? .null : [branch],
        fallbackName: branchName, depth: depth + 1)
      outputs += try joined.add(architecture, at: place)
    }
    var last = Argument.list(outputs.map { .tensor($0) })
    for (number, entry) in entries.enumerated() {
      let layer = try layer(entry, at: "layer \(number) of '\(name)'", depth: depth)
      last = .tensor(try joined.add(layer, on: last, at: place))
    }
    return Architecture(
      kind: .functional, name: name, className: "Sequential", version: version,
      isTrainable: config["trainable"]?.bool ?? true, layers: joined.layers,
      inputStructure: joined.inputs.count == 1
        ? .tensor(joined.inputs[0]) : .list(joined.inputs.map { .tensor($0) }),
      outputStructure: last)
  }

  /// The InputLayer that Keras makes from the first layer's `batch_input_shape`, from the input of a nested first model, or
  /// from `build_input_shape`.
  private func impliedInput(_ first: LayerSpec?, _ config: JSONValue) throws -> LayerSpec {
    var input = JSONObject()
    let candidates = [
      first?.config["batch_input_shape"], first?.config["batch_shape"], nestedInputShape(first?.nested),
      config["build_input_shape"], first.flatMap { Keras1Config.inputShape($0.className, $0.config) },
    ]
    if let shape = candidates.compactMap({ $0 }).first(where: { !$0.isNull }) { input["batch_input_shape"] = shape }
    let name = "\(first?.name ?? "sequential")_input"
    input["name"] = .string(name)
    return LayerSpec(
      name: name, className: "InputLayer", config: input, isTrainable: true, nested: nil, calls: [], isImplied: true)
  }

  private func nestedInputShape(_ model: Architecture?) -> JSONValue? {
    guard let model, let input = model.inputs.first, let layer = model.layers.first(where: { $0.name == input.layer })
    else { return nil }
    return layer.config["batch_shape"] ?? layer.config["batch_input_shape"]
  }

  // MARK: - Functional

  private func functional(
    _ className: String, _ config: JSONValue, fallbackName: String?, depth: Int
  ) throws -> Architecture {
    let name = config["name"]?.string ?? fallbackName ?? "model"
    let entries = config["layers"]?.array ?? []
    var layers = try entries.enumerated().map { try layer($1, at: "layer \($0) of '\(name)'", depth: depth) }
    var kinds: [String: Architecture.Kind?] = [:]
    for layer in layers {
      guard kinds.updateValue(layer.nested?.kind, forKey: layer.name) == nil else {
        throw H5ConvError(.badData, "two layers are called '\(layer.name)'", at: "model '\(name)'")
      }
    }
    let references = ReferenceReader(nestedKinds: kinds, generation: generation)
    for (place, entry) in entries.enumerated() {
      layers[place].calls = try references.calls(
        entry["inbound_nodes"] ?? .array([]), at: "inbound_nodes of layer '\(layers[place].name)'")
      if layers[place].calls.isEmpty { layers[place].calls = [LayerCall(CallArguments())] }
    }
    return Architecture(
      kind: .functional, name: name, className: className, version: version,
      isTrainable: config["trainable"]?.bool ?? true, layers: layers,
      inputStructure: try references.boundary(config["input_layers"], at: "input_layers of '\(name)'"),
      outputStructure: try references.boundary(config["output_layers"], at: "output_layers of '\(name)'"))
  }
}
