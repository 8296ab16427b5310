package import H5ConvConfig
import H5ConvHDF5

/// Model configs as Keras writes them, put together from their layers.
package enum ModelText {
  /// A layer of a Sequential, or of a functional model with the calls in `inbound`, each a list of `[layer, node, tensor]`.
  package static func layer(
    _ className: String, _ name: String, _ config: KeyValuePairs<String, JSONValue> = [:],
    inbound: [[(String, Int, Int)]]? = nil
  ) -> JSONValue {
    var fields = JSONObject(config)
    fields["name"] = .string(name)
    var entry: JSONObject = JSONObject([
      "class_name": .string(className), "name": .string(name), "config": .object(fields),
    ])
    if let inbound {
      entry["inbound_nodes"] = .array(
        inbound.map { call in .array(call.map { [.string($0.0), .int($0.1), .int($0.2), .object(JSONObject())] }) })
    }
    return .object(entry)
  }

  /// An input layer for tensors of `shape`, batch first.
  package static func input(_ name: String, _ shape: [Int?]) -> JSONValue {
    layer("InputLayer", name, ["batch_input_shape": .array(shape.map { $0.map { .int($0) } ?? .null })], inbound: [])
  }

  package static func sequential(_ layers: [JSONValue], name: String = "model") -> JSONValue {
    ["class_name": "Sequential", "config": ["name": .string(name), "layers": .array(layers)]]
  }

  package static func functional(
    _ layers: [JSONValue], inputs: [(String, Int, Int)], outputs: [(String, Int, Int)], name: String = "model"
  ) -> JSONValue {
    func references(_ list: [(String, Int, Int)]) -> JSONValue {
      .array(list.map { [.string($0.0), .int($0.1), .int($0.2)] })
    }
    return [
      "class_name": "Functional",
      "config": [
        "name": .string(name), "layers": .array(layers), "input_layers": references(inputs),
        "output_layers": references(outputs),
      ],
    ]
  }

  /// `model` as a layer of another one.
  package static func nested(_ model: JSONValue, _ name: String, inbound: [[(String, Int, Int)]]) -> JSONValue {
    guard var entry = layer("", name, inbound: inbound).object else { return .null }
    entry["class_name"] = model["class_name"]
    entry["config"] = model["config"]
    return .object(entry)
  }

  /// Weights of a layer: their names below its group, shapes and elements.
  package typealias Weights = KeyValuePairs<String, (shape: [Int], elements: [Float])>

  /// Writes `config` and `weights` (by layer) as tf.keras would.
  package static func write(
    _ config: JSONValue, weights: KeyValuePairs<String, Weights> = [:], version: String = "2.15.0", to path: String
  ) throws {
    let file = try File.create(path)
    try file.root.writeAttribute("keras_version", version)
    try file.root.writeAttribute("backend", "tensorflow")
    try file.root.writeAttribute("model_config", config.text())
    let group = try file.root.makeGroup("model_weights")
    try group.writeAttribute("layer_names", weights.map(\.key))
    for (layer, members) in weights {
      let owner = try group.makeGroup(layer)
      try owner.writeAttribute("weight_names", members.map(\.key))
      for (name, weight) in members {
        try weight.elements.withUnsafeBufferPointer { try owner.write(name, shape: weight.shape, elements: $0) }
      }
    }
    try file.flush()
  }
}

extension JSONObject {
  /// An object with `members` in their order.
  package init(_ members: KeyValuePairs<String, JSONValue>) {
    self.init()
    for (key, value) in members { self[key] = value }
  }
}
