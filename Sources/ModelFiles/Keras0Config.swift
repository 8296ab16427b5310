import H5ConvConfig

/// Translates the JSON of Keras 0.3, `{"name": "Sequential", "layers": […]}` or a Graph, to what Keras 1 saves for the same model.
///
/// Source: `get_config` of the layers and containers of Keras 0.3.3, and its `container_from_config`. The layers are those of Keras
/// 1 but for a few fields; a class is called `name` there, and a layer's name `custom_name`.
struct Keras0Config {
  /// The model as Keras 1 has it; nil for JSON of another form.
  static func translated(_ value: JSONValue) -> JSONValue? {
    guard value["class_name"] == nil, let model = model(value, name: nil), var members = model.object else {
      return nil
    }
    members["keras_version"] = "0.3"
    return .object(members)
  }

  /// A Sequential or a Graph; nil for anything else.
  private static func model(_ value: JSONValue, name: String?) -> JSONValue? {
    switch value["name"]?.string {
    case "Sequential":
      guard let layers = value["layers"]?.array else { return nil }
      var names = Names()
      return ["class_name": "Sequential", "config": .array(layers.map { entry($0, &names) })]
    case "Graph":
      guard value["node_config"]?.array != nil, value["nodes"]?.object != nil else { return nil }
      return graph(value, name: name ?? "graph")
    default: return nil
    }
  }

  // MARK: - Layers

  /// Names of one model's layers: Keras 0.3 let several have the same.
  private struct Names {
    private var taken: Set<String> = []
    /// The number that the next layer of a name gets.
    private var numbers: [String: Int] = [:]

    mutating func unique(_ name: String) -> String {
      var result = name
      while !taken.insert(result).inserted {
        let number = numbers[name, default: 1]
        numbers[name] = number + 1
        result = "\(name)_\(number)"
      }
      return result
    }
  }

  /// A layer or a model within a model.
  private static func entry(_ value: JSONValue, _ names: inout Names) -> JSONValue {
    let className = value["name"]?.string ?? ""
    let name = names.unique(value["custom_name"]?.string ?? className.lowercased())
    return entry(value, className, name: name)
  }

  private static func entry(_ value: JSONValue, _ className: String, name: String) -> JSONValue {
    if let model = model(value, name: name), var members = model.object {
      members["name"] = .string(name)
      return .object(members)
    }
    var config = JSONObject()
    for (key, field) in value.object?.members ?? [] where !["name", "custom_name", "cache_enabled"].contains(key) {
      switch (key, className) {
      // An Embedding said how many words there are.
      case ("input_shape", "Embedding"): break
      case ("input_shape", _): config["batch_input_shape"] = field.array.map { .array([.null] + $0) }
      case ("dims", "Reshape"): config["target_shape"] = field
      case ("layers", "Merge"):
        var names = Names()
        config["layers"] = .array((field.array ?? []).map { entry($0, &names) })
      case ("layer", _):
        var names = Names()
        config["layer"] = entry(field, &names)
      default: config[key] = field
      }
    }
    config["name"] = .string(name)
    return ["class_name": .string(className), "config": .object(config)]
  }

  // MARK: - Graph

  /// A Graph as a Model; where a node joined several others, a Merge does.
  private static func graph(_ value: JSONValue, name: String) -> JSONValue {
    var names = Names()
    var layers: [JSONValue] = []
    func reference(_ name: String) -> JSONValue { [.string(name), 0, 0] }
    func add(_ entry: JSONValue, _ name: String, inputs: [String]) {
      guard var members = entry.object else { return }
      members["name"] = .string(name)
      members["inbound_nodes"] = inputs.isEmpty ? [] : [.array(inputs.map(reference))]
      layers.append(.object(members))
    }
    /// What goes into a node or an output: one name, or the Merge of several.
    func source(of node: JSONValue, called name: String) -> [String] {
      if let input = node["input"]?.string { return [input] }
      let inputs = (node["inputs"]?.array ?? []).compactMap(\.string)
      guard inputs.count > 1 else { return inputs }
      let merge = names.unique(name)
      let config: JSONValue = [
        "name": .string(merge), "mode": node["merge_mode"] ?? "concat", "concat_axis": node["concat_axis"] ?? -1,
        "dot_axes": node["dot_axes"] ?? -1,
      ]
      add(["class_name": "Merge", "config": config], merge, inputs: inputs)
      return [merge]
    }
    let inputs = (value["input_config"]?.array ?? []).compactMap { $0["name"]?.string }
    let nodes = (value["node_config"]?.array ?? []).compactMap { node in node["name"]?.string.map { ($0, node) } }
    for name in inputs + nodes.map(\.0) { _ = names.unique(name) }
    for input in value["input_config"]?.array ?? [] {
      guard let name = input["name"]?.string else { continue }
      let shape = input["batch_input_shape"] ?? .array([.null] + (input["input_shape"]?.array ?? []))
      let type: JSONValue = input["dtype"] == "int" ? "int32" : "float32"
      let config: JSONValue = ["name": .string(name), "batch_input_shape": shape, "input_dtype": type, "sparse": false]
      add(["class_name": "InputLayer", "config": config], name, inputs: [])
    }
    for (name, node) in nodes {
      let layer = value["nodes"]?[name] ?? .null
      let inputs = source(of: node, called: "\(name)_inputs")
      add(entry(layer, layer["name"]?.string ?? "", name: name), name, inputs: inputs)
    }
    let outputs = (value["output_config"]?.array ?? []).flatMap { output in
      source(of: output, called: output["name"]?.string ?? "output")
    }
    let order = (value["input_order"]?.array ?? []).compactMap(\.string)
    let config: JSONValue = [
      "name": .string(name), "layers": .array(layers),
      "input_layers": .array((order.isEmpty ? inputs : order).map(reference)),
      "output_layers": .array(outputs.map(reference)),
    ]
    return ["class_name": "Model", "config": config]
  }
}
