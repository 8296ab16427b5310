package import H5ConvConfig
import H5ConvLayers

/// Writes an ``Architecture`` as the config that Keras reads.
package struct ArchitectureWriter {
  private let dialect: Dialect

  package init(_ dialect: Dialect) { self.dialect = dialect }

  /// `{"module", "class_name", "config", "registered_name"}` of the model.
  package func config(_ model: Architecture) -> JSONValue {
    .object(object(model, name: nil))
  }

  private func object(_ model: Architecture, name: String?) -> JSONObject {
    var config: JSONObject = ["name": .string(name ?? model.name), "trainable": .bool(model.isTrainable)]
    let isFunctional = model.kind == .functional
    config["layers"] = .array(
      model.layers.filter { !($0.isImplied && $0.config["batch_input_shape"] == nil) }.map { entry($0, in: model) })
    if isFunctional {
      config["input_layers"] = boundary(model.inputStructure, in: model)
      config["output_layers"] = boundary(model.outputStructure, in: model)
    }
    // Keras 2 knows a functional model in an archive as Model only, Keras 3 takes both.
    let className = isFunctional ? (dialect == .portable ? "Model" : "Functional") : "Sequential"
    return [
      "module": .string(isFunctional && dialect == .keras3 ? "keras.src.models.functional" : "keras"),
      "class_name": .string(className), "config": .object(config),
      "registered_name": isFunctional && dialect == .keras3 ? "Functional" : .null,
    ]
  }

  private func entry(_ layer: LayerSpec, in model: Architecture) -> JSONValue {
    var entry: JSONObject
    if let nested = layer.nested {
      entry = object(nested, name: layer.name)
    } else {
      var config = layer.config
      config["name"] = .string(layer.name)
      entry = [
        "module": .string(layer.module ?? "keras.layers"), "class_name": .string(layer.className),
        "config": .object(layer.className == "InputLayer" ? input(config) : config),
        "registered_name": layer.registeredName.map { .string($0) } ?? .null,
      ]
    }
    guard model.kind == .functional else { return .object(entry) }
    entry["name"] = .string(layer.name)
    let isInput = layer.className == "InputLayer"
    entry["inbound_nodes"] = .array(isInput ? [] : layer.calls.map { call($0, in: model) })
    return .object(entry)
  }

  /// An InputLayer's config under the name that the dialect has for the shape.
  private func input(_ config: JSONObject) -> JSONObject {
    var result: JSONObject = [:]
    let shape = config["batch_shape"] ?? config["batch_input_shape"]
    if let shape { result[dialect == .portable ? "batch_input_shape" : "batch_shape"] = ConfigReader.unwrapped(shape) }
    let dtype = config["dtype"]?.string ?? config["dtype"]?["config"]?["name"]?.string ?? config["input_dtype"]?.string
    result["dtype"] = .string(dtype ?? "float32")
    for key in ["sparse", "ragged", "optional"] where config[key] == true { result[key] = true }
    result["name"] = config["name"]
    return result
  }

  // MARK: - Edges

  private func call(_ call: LayerCall, in model: Architecture) -> JSONValue {
    dialect == .portable ? portableCall(call) : keras3Call(call, in: model)
  }

  /// `[["layer", node, tensor, {kwargs}], …]`.
  private func portableCall(_ call: LayerCall) -> JSONValue {
    var kwargs = JSONObject()
    for keyword in call.arguments.keywords { kwargs[keyword.name] = keyword.value.value ?? .null }
    return .array(
      call.inputs.map { [.string($0.layer), .int($0.call), .int($0.output), .object(kwargs)] })
  }

  private func keras3Call(_ call: LayerCall, in model: Architecture) -> JSONValue {
    var kwargs = JSONObject()
    for keyword in call.arguments.keywords { kwargs[keyword.name] = value(keyword.value, in: model) }
    return ["args": .array(call.arguments.positional.map { value($0, in: model) }), "kwargs": .object(kwargs)]
  }

  private func value(_ argument: Argument<TensorReference>, in model: Architecture) -> JSONValue {
    switch argument {
    case .tensor(let reference):
      [
        "class_name": "__keras_tensor__",
        // Keras looks at the history only; the shape is the one thing that it must be able to read.
        "config": [
          "shape": [], "dtype": "float32",
          "keras_history": [.string(reference.layer), .int(reference.call), .int(reference.output)],
        ],
      ]
    case .list(let items): .array(items.map { value($0, in: model) })
    case .object(let members):
      .object(members.reduce(into: JSONObject()) { $0[$1.name] = value($1.value, in: model) })
    case .value(let value): value
    }
  }

  private func boundary(_ structure: Argument<TensorReference>, in model: Architecture) -> JSONValue {
    let nested = Set(model.layers.filter { $0.nested?.kind == .functional }.map(\.name))
    func triple(_ reference: TensorReference) -> JSONValue {
      // Keras 3 counts the calls of a nested functional model from 1 here, though from 0 in inbound_nodes.
      let isNested = nested.contains(reference.layer)
      return [
        .string(reference.layer), .int(reference.call + (isNested && dialect == .keras3 ? 1 : 0)),
        .int(reference.output),
      ]
    }
    func write(_ structure: Argument<TensorReference>) -> JSONValue {
      switch structure {
      case .tensor(let reference): triple(reference)
      case .list(let items): .array(items.map(write))
      case .object(let members): .object(members.reduce(into: JSONObject()) { $0[$1.name] = write($1.value) })
      case .value(let value): value
      }
    }
    return write(structure)
  }
}
