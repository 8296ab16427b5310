import H5ConvConfig
import H5ConvLayers

extension ModelTranslator {
  /// hard_sigmoid is clip(0.2·x + 0.5, 0, 1) up to Keras 2 and clip(x/6 + 0.5, 0, 1) since Keras 3: a Rescaling and a ReLU are
  /// the same in both.
  mutating func splitHardSigmoid(
    _ layer: inout LayerSpec, _ name: String, _ taken: inout Set<String>
  ) -> [LayerSpec] {
    guard ModelTranslator.hasHardSigmoid(layer.className, layer.config, depth: 0) else { return [] }
    let slope = configs.generation < 3 ? 0.2 : 1.0 / 6
    configs.note(
      name,
      "hard_sigmoid, which means something else in Keras \(configs.generation < 3 ? 3 : 2), is a Rescaling and a ReLU now"
    )
    let dtype = configs.policy(layer.config["dtype"])
    let scaled: JSONObject = ["scale": .double(slope), "offset": 0.5]
    let clipped: JSONObject = ["max_value": 1.0]
    if layer.className == "Activation" {
      // What scales is new; what clips has the layer's name, so that it stays what others know.
      let last = layer.name
      layer = LayerSpec.made(
        ModelTranslator.fresh(last + "_scale", &taken), "Rescaling", scaled, dtype: dtype, calls: layer.calls)
      return [LayerSpec.made(last, "ReLU", clipped, dtype: dtype, calls: layer.following, isChained: true)]
    }
    layer.config = ModelTranslator.withLinearActivation(layer.config)
    let second = LayerSpec.made(
      ModelTranslator.fresh(layer.name + "_scale", &taken), "Rescaling", scaled, dtype: dtype, calls: layer.following,
      isChained: true)
    let third = LayerSpec.made(
      ModelTranslator.fresh(layer.name + "_hard_sigmoid", &taken), "ReLU", clipped, dtype: dtype,
      calls: second.following,
      isChained: true)
    return [second, third]
  }

  /// Whether the last thing that a layer does is hard_sigmoid, where TimeDistributed may be around it.
  private static func hasHardSigmoid(_ className: String, _ config: JSONObject, depth: Int) -> Bool {
    if className == "TimeDistributed", depth < 16, let inner = config["layer"] {
      return hasHardSigmoid(
        ConfigReader.plainName(inner["class_name"]?.string ?? ""), inner["config"]?.object ?? JSONObject(),
        depth: depth + 1)
    }
    return RecurrentPart.all(in: className, config).isEmpty
      && config["activation"].flatMap(ActivationName.of) == "hard_sigmoid"
  }

  private static func withLinearActivation(_ config: JSONObject) -> JSONObject {
    var config = config
    if config["activation"] != nil { config["activation"] = "linear" }
    if var inner = config["layer"]?.object, let fields = inner["config"]?.object {
      inner["config"] = .object(withLinearActivation(fields))
      config["layer"] = .object(inner)
    }
    return config
  }
}

extension LayerSpec {
  /// A layer that a translation adds.
  ///
  /// - Parameter isChained: whether it takes what another that was added for the same layer gives.
  static func made(
    _ name: String, _ className: String, _ fields: JSONObject, dtype: JSONValue?, calls: [LayerCall],
    isChained: Bool = false
  ) -> LayerSpec {
    var config: JSONObject = ["name": .string(name), "trainable": true]
    config["dtype"] = dtype
    for (key, value) in fields.members { config[key] = value }
    return LayerSpec(
      name: name, className: className, module: "keras.layers", registeredName: nil, config: config, isTrainable: true,
      nested: nil, calls: calls, isChained: isChained)
  }

  /// A call on the first output of each of this layer's calls.
  var following: [LayerCall] {
    calls.indices.map { LayerCall(CallArguments([.tensor(TensorReference(layer: name, call: $0, output: 0))])) }
  }
}
