import H5ConvConfig
import H5ConvLayers
package import H5ConvModelFiles

/// Changes of what a config says about quantized layers.
package enum QuantizedConfig {
  /// The model with plain policies in the place of quantized ones: `float32` for `int8_from_float32`.
  package static func plain(_ model: Architecture) -> Architecture {
    rewritten(model) { object in
      guard object["quantization_config"] != nil || object["dtype"].map(isQuantized) == true else { return object }
      var object = object
      if let dtype = object["dtype"], isQuantized(dtype) {
        object["dtype"] = .string(source(dtype))
        // Factors are merged when the kernel becomes floating point.
        for key in ["lora_rank", "lora_alpha"] { object[key] = nil }
      }
      for key in ["quantization_config", "gptq_unpacked_column_size"] { object[key] = nil }
      return object
    }
  }

  /// The model with int4 named as Keras 3.14 and later name it, where it has the name of 3.11 to 3.13.
  package static func modern(_ model: Architecture) -> Architecture {
    rewritten(model) { object in
      let settings = object["quantization_config"]
      guard let dtype = object["dtype"], let policy = try? QuantizationPolicy(dtype, settings: settings),
        case .int4(nil, isOlder: true) = policy.mode
      else { return object }
      var object = object
      object["dtype"] = [
        "module": "keras.dtype_policies", "class_name": "Int4DTypePolicy",
        "config": ["mode": "int4/-1", "source_name": .string(policy.source)], "registered_name": .null,
      ]
      return object
    }
  }

  private static func isQuantized(_ dtype: JSONValue) -> Bool {
    if QuantizationPolicy.isQuantized(dtype) { return true }
    guard let map = dtype["config"]?["policy_map"]?.object else { return false }
    return map.members.contains { QuantizationPolicy.isQuantized($0.value) }
  }

  private static func source(_ dtype: JSONValue) -> String {
    if let source = QuantizationPolicy.source(of: dtype) { return source }
    let base = dtype["config"]?["default_policy"]
    return base.flatMap { QuantizationPolicy.source(of: $0) ?? $0.string ?? $0["config"]?["name"]?.string } ?? "float32"
  }

  private static func rewritten(_ model: Architecture, _ change: (JSONObject) -> JSONObject) -> Architecture {
    var model = model
    for place in model.layers.indices {
      model.layers[place].config = rewritten(model.layers[place].config, change)
      model.layers[place].nested = model.layers[place].nested.map { rewritten($0, change) }
    }
    return model
  }

  /// The config with its own fields changed, and those of the layer in a wrapper.
  private static func rewritten(_ config: JSONObject, _ change: (JSONObject) -> JSONObject) -> JSONObject {
    var config = change(config)
    if var inner = config["layer"]?.object, let fields = inner["config"]?.object {
      inner["config"] = .object(rewritten(fields, change))
      config["layer"] = .object(inner)
    }
    return config
  }
}
