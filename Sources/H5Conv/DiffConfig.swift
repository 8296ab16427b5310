import H5ConvConfig
import H5ConvLayers
import H5ConvModelFiles

/// A layer's config brought to one form, so that what Keras 1, 2 and 3 write for the same layer is the same.
///
/// Names of fields and classes are today's, lists of equal sizes are one number, axes count from the end, defaults and what
/// no computation depends on are left out.
struct CanonicalConfig {
  /// A field: what is compared, and what is shown.
  struct Field {
    let value: JSONValue
    let shown: JSONValue
  }

  /// Fields that decide what the layer computes.
  private(set) var computing: [String: Field] = [:]
  /// Fields that only training uses: initializers, regularizers, constraints, seeds, dropout rates, `trainable`.
  private(set) var training: [String: Field] = [:]
  /// What fields that are as they are by default are written as.
  private var written: [String: JSONValue] = [:]

  /// The value of `field` as a person reads it; null when the config does not have it.
  func shown(_ field: String) -> JSONValue {
    computing[field]?.shown ?? training[field]?.shown ?? written[field] ?? .null
  }

  /// - Parameters:
  ///   - generation: which Keras wrote it, 1, 2 or 3.
  ///   - rank: number of axes of the input, when it is known.
  init(_ className: String, _ config: JSONObject, generation: Int, rank: Int? = nil) {
    let className = LayerRegistry.kerasName(className)
    let isInput = className == "InputLayer"
    let isOnlyTrained = CanonicalConfig.regularizing.contains(className) || className.hasPrefix("Random")
    for (name, raw) in config.members {
      let key = CanonicalConfig.otherNames[name] ?? name
      let value = ConfigReader.unwrapped(raw)
      let isSize = key == "input_dim" && className == "Embedding"
      if value.isNull || CanonicalConfig.ignored.contains(key) || key == "input_dim" && !isSize { continue }
      if isInput, key != "dtype" { continue }
      if key == "trainable" {
        if value == false { training[key] = Field(value: value, shown: value) }
      } else if CanonicalConfig.isTraining(key) || isOnlyTrained && key != "dtype" {
        guard let plain = CanonicalConfig.trainingValue(value) else { continue }
        training[key] = Field(value: plain, shown: plain.string == nil ? CanonicalConfig.shown(value) : plain)
      } else if let wrapped = value["class_name"]?.string, CanonicalConfig.wrapping.contains(key) {
        add(wrapped, value["config"], under: key, generation)
      } else {
        let field = CanonicalConfig.field(key, value, raw, generation: generation, rank: rank)
        written[key] = field.shown
        if !CanonicalConfig.isDefault(field.value, key, className) { computing[key] = field }
      }
    }
    if isInput { computing["dtype"] = nil }
    if className.contains("Pooling"), computing["strides"] == nil { computing["strides"] = computing["pool_size"] }
    dropMirroredLayer()
  }

  /// Adds the fields of the layer that a wrapper holds, as `layer.units`.
  private mutating func add(_ className: String, _ config: JSONValue?, under key: String, _ generation: Int) {
    let plain = LayerRegistry.kerasName(ConfigReader.plainName(className))
    computing["\(key).class"] = Field(value: .string(plain), shown: .string(plain))
    guard let object = config?.object else { return }
    if let layers = object["layers"] {
      let value = CanonicalConfig.cleaned(layers)
      computing["\(key).layers"] = Field(value: value, shown: "a model")
      return
    }
    let inner = CanonicalConfig(plain, object, generation: generation)
    // Bidirectional sets it by itself, and some versions write that down.
    for (name, field) in inner.computing where name != "zero_output_for_mask" { computing["\(key).\(name)"] = field }
    for (name, value) in inner.written { written["\(key).\(name)"] = value }
    for (name, field) in inner.training { training["\(key).\(name)"] = field }
  }

  /// Leaves out a Bidirectional's second layer when it is the first one backwards, as it is when nobody says otherwise.
  private mutating func dropMirroredLayer() {
    func fields(_ prefix: String) -> [String: JSONValue] {
      var fields: [String: JSONValue] = [:]
      for (name, field) in computing where name.hasPrefix(prefix) && !name.hasSuffix(".go_backwards") {
        fields[String(name.dropFirst(prefix.count))] = field.value
      }
      return fields
    }
    let backward = computing.keys.filter { $0.hasPrefix("backward_layer.") }
    guard !backward.isEmpty, fields("backward_layer.") == fields("layer.") else { return }
    let isMirrored =
      (computing["layer.go_backwards"] == nil) != (computing["backward_layer.go_backwards"] == nil)
    guard isMirrored else { return }
    for name in backward { computing[name] = nil }
    for name in training.keys where name.hasPrefix("backward_layer.") { training[name] = nil }
  }

  // MARK: - Values

  private static func field(
    _ key: String, _ value: JSONValue, _ raw: JSONValue, generation: Int, rank: Int?
  ) -> Field {
    switch key {
    case "activation", "recurrent_activation":
      let reader = ConfigReader(["activation": raw], at: key, generation: generation)
      let shown = JSONValue.string(activationName(value))
      guard let activation = try? reader.activation() else { return Field(value: shown, shown: shown) }
      // 0.2 or 1/6 is all that tells the two kinds of hard_sigmoid apart.
      let isOlder = generation < 3 && shown == "hard_sigmoid"
      return Field(
        value: .string(String(describing: activation)), shown: isOlder ? "hard_sigmoid (of Keras 2)" : shown)
    case "dtype":
      let name = JSONValue.string(policyName(value))
      return Field(value: name, shown: name)
    case "axis":
      let axes = (value.array ?? [value]).map { axis -> JSONValue in
        guard let number = axis.integer, let rank, number >= 0 else { return axis }
        return .int(number - rank)
      }
      return Field(value: axes.count == 1 ? axes[0] : .array(axes), shown: value)
    case "function":
      // Code, as a list in Keras 2 and as an object since.
      let inner = value["config"]?["value"] ?? value["config"]?["code"] ?? value
      let code = inner.array?.first ?? inner
      let text = JSONValue.string(String((code.string ?? code.text()).filter { !$0.isWhitespace }))
      return Field(value: text, shown: code.string.map { $0.count > 40 ? "code" : .string($0) } ?? "code")
    default:
      return Field(value: collapsed(cleaned(value)), shown: shown(value))
    }
  }

  /// The name of an activation that is a name, a function or a layer.
  private static func activationName(_ value: JSONValue) -> String {
    if let name = value.string { return ConfigReader.plainName(name) }
    return value["config"]?.string ?? value["class_name"]?.string.map(ConfigReader.plainName) ?? value.text()
  }

  /// The name of a dtype policy that is a name or an object.
  static func policyName(_ value: JSONValue) -> String {
    if let name = value.string { return name }
    if let mode = value["config"]?["mode"]?.string {
      return "\(mode)_from_\(value["config"]?["source_name"]?.string ?? "float32")"
    }
    return value["config"]?["name"]?.string ?? value.text()
  }

  /// The value as a person reads it.
  private static func shown(_ value: JSONValue) -> JSONValue { value.object == nil ? value : cleaned(value) }

  /// The value without what only tells where classes are, with numbers as float32 has them.
  static func cleaned(_ value: JSONValue) -> JSONValue {
    let value = ConfigReader.unwrapped(value)
    switch value {
    case .double(let number):
      if let integer = Int(exactly: number) { return .int(integer) }
      return .double(Double(Float(number)))
    case .array(let items): return .array(items.map(cleaned))
    case .object(let object):
      var result = JSONObject()
      for (key, value) in object.members.sorted(by: { $0.key < $1.key })
      where !value.isNull && !ignoredInside.contains(key) { result[key] = cleaned(value) }
      return .object(result)
    default: return value
    }
  }

  /// Whether two values of a field are the same as far as can be told: an axis that counts from the end and one that counts
  /// from the start may be the same when the number of axes is not known.
  static func isSame(_ a: Field?, _ b: Field?, _ key: String) -> Bool {
    if a?.value == b?.value { return true }
    guard key == "axis", let first = (a?.value ?? -1).integer, let second = (b?.value ?? -1).integer else {
      return false
    }
    return (first < 0) != (second < 0)
  }

  /// A list of equal items as one of them: `[[1, 1], [1, 1]]` → 1.
  private static func collapsed(_ value: JSONValue) -> JSONValue {
    guard let items = value.array?.map(collapsed), let first = items.first else { return value }
    return items.allSatisfy { $0 == first } ? first : .array(items)
  }
}

// MARK: - Which field is what

extension CanonicalConfig {
  private static let ignored: Set<String> = [
    "name", "batch_input_shape", "batch_shape", "input_shape", "input_dtype", "input_length", "build_config",
    "autocast",
    "dynamic", "shared_object_id", "implementation", "consume_less", "unroll", "use_cudnn", "flash_attention", "fused",
    "virtual_batch_size", "synchronized", "softmax_robust_masking", "robust_masking", "query_shape", "key_shape",
    "value_shape", "function_type", "module", "registered_name", "output_shape_type", "output_shape_module",
    "quantization_config", "adjustment", "sparse", "ragged", "optional", "supports_masking",
  ]
  private static let ignoredInside: Set<String> = [
    "module", "registered_name", "build_config", "shared_object_id", "name", "dtype", "seed",
  ]
  private static let otherNames = ["alpha": "negative_slope"]
  private static let wrapping: Set<String> = ["layer", "backward_layer", "forward_layer", "cell"]

  /// Layers that leave their input as it is at inference, so that all their fields are for training.
  private static let regularizing: Set<String> = [
    "Dropout", "FixedDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
    "GaussianDropout", "GaussianNoise", "ActivityRegularization", "StochasticDepth",
  ]

  /// Whether a layer does something else when it is called with `training=True`.
  static func dependsOnTraining(_ className: String) -> Bool {
    regularizing.contains(className) || className.hasPrefix("Random") || className.hasPrefix("BatchNorm")
      || !LayerRegistry.isSupported(className)
  }

  private static func isTraining(_ key: String) -> Bool {
    ["_initializer", "_regularizer", "_constraint"].contains { key.hasSuffix($0) }
      || [
        "seed", "momentum", "dropout", "recurrent_dropout", "unit_forget_bias", "renorm_clipping", "renorm_momentum",
        "noise_shape",
      ].contains(key)
  }

  private static func isDefault(_ value: JSONValue, _ key: String, _ className: String) -> Bool {
    if let own = classDefaults[className]?[key] { return value == own }
    return defaults[key] == value
  }

  /// What a field is when it is not there.
  private static let defaults: [String: JSONValue] = [
    "groups": 1, "dilation_rate": 1, "strides": 1, "padding": "valid", "depth_multiplier": 1, "use_bias": true,
    "data_format": "channels_last", "keepdims": false, "dtype": "float32",
    "activation": .string(String(describing: H5ConvLayers.Activation.linear)), "center": true, "scale": true,
    "axis": -1,
    "renorm": false, "rms_scaling": false, "go_backwards": false, "return_sequences": false, "return_state": false,
    "stateful": false, "time_major": false, "zero_output_for_mask": false, "mask_zero": false, "reset_after": false,
    "threshold": 0, "crop_to_aspect_ratio": false, "pad_to_aspect_ratio": false, "antialias": false,
    "fill_mode": "constant", "fill_value": 0, "offset": 0, "use_gate": false, "invert": false, "use_scale": false,
    "score_mode": "dot", "causal": false, "normalize": false, "arguments": .object(JSONObject()),
  ]

  private static let classDefaults: [String: [String: JSONValue]] = [
    "ReLU": ["negative_slope": 0], "ELU": ["negative_slope": 1], "UpSampling2D": ["interpolation": "nearest"],
    "Resizing": ["interpolation": "bilinear"], "BatchNormalization": ["epsilon": .double(Double(Float(0.001)))],
    "LayerNormalization": ["epsilon": .double(Double(Float(0.001)))], "Bidirectional": ["merge_mode": "concat"],
  ]

  /// A value that training uses in one form; nil when it says nothing.
  private static func trainingValue(_ value: JSONValue) -> JSONValue? {
    guard let className = value["class_name"]?.string.map(ConfigReader.plainName) else {
      let plain = cleaned(value)
      if plain == false || plain == 0 { return nil }
      return plain
    }
    var config = cleaned(value["config"] ?? .null).object ?? JSONObject()
    for key in ["input_axes", "output_axes"] { config[key] = nil }
    for (key, value) in config.members where value == 0 || value == false { config[key] = nil }
    var name = className
    switch className {
    case "VarianceScaling":
      name = varianceScaling(config) ?? className
      if name != className { config = JSONObject() }
    case "L1", "L2", "L1L2": name = "L1L2"
    case "Orthogonal", "OrthogonalInitializer":
      name = "Orthogonal"
      if config["gain"] == 1 { config["gain"] = nil }
    default: break
    }
    if config.members.isEmpty {
      if name == "L1L2" { return nil }
      return .string(snakeCase(name))
    }
    return .string(snakeCase(name) + " " + JSONValue.object(config).text())
  }

  /// The initializer that a VarianceScaling is: Keras 2 wrote Glorot's and He's so.
  private static func varianceScaling(_ config: JSONObject) -> String? {
    let kind = config["distribution"]?.string == "uniform" ? "Uniform" : "Normal"
    switch (config["scale"]?.integer, config["mode"]?.string) {
    case (1, "fan_avg"): return "Glorot" + kind
    case (2, "fan_in"): return "He" + kind
    case (1, "fan_in"): return "Lecun" + kind
    default: return nil
    }
  }
}
