import H5ConvConfig
import H5ConvLayers

/// Brings the config of single layers into a form that today's Keras reads: the fields that its class takes, objects with their
/// modules.
struct ConfigTranslator {
  let dialect: Dialect
  /// Which Keras wrote the config.
  let version: KerasVersion
  /// 1, 2 or 3.
  var generation: Int { version.major }
  private(set) var notes: [TranslationNote] = []
  /// What the dialect has no words for.
  private(set) var problems: [TranslationNote] = []
  private var told: (notes: Set<TranslationNote>, problems: Set<TranslationNote>) = ([], [])

  init(_ dialect: Dialect, version: KerasVersion) {
    self.dialect = dialect
    self.version = version
  }

  mutating func note(_ layer: String, _ what: String, concernsWeights: Bool = false) {
    let note = TranslationNote(layer, what, concernsWeights: concernsWeights)
    if told.notes.insert(note).inserted { notes.append(note) }
  }

  mutating func problem(_ layer: String, _ what: String) {
    let note = TranslationNote(layer, what)
    if told.problems.insert(note).inserted { problems.append(note) }
  }

  // MARK: - A layer

  /// The config of a layer of class `className`, with the fields that the class takes.
  mutating func config(_ config: JSONObject, className: String, layer: String) -> JSONObject {
    let fields = LayerFields.of(className)
    checkValues(config, className, layer)
    var result = JSONObject()
    for (key, value) in renamed(config, className).members {
      guard let translated = field(key, value, className: className, layer: layer) else { continue }
      if let allowed = allowed(fields), !allowed.contains(key) {
        if !ConfigTranslator.isWithoutEffect(key, value) {
          problem(
            layer,
            "\(className) takes no \(key) (\(value.text().prefix(40))) in \(dialect == .portable ? "both Keras 2 and 3" : "Keras 3")"
          )
          result[key] = translated
        }
        continue
      }
      result[key] = translated
    }
    if fields == nil {
      problem(layer, "Keras has no class \(className): load it with custom_objects")
    } else if allowed(fields) == nil {
      problem(
        layer,
        "\(dialect == .portable ? "not both Keras 2 and 3 have" : "Keras 3 does not have") the class \(className)")
    }
    return result
  }

  /// Classes that Keras 3 dropped and that another computes.
  mutating func replaceRemovedClass(_ className: inout String, _ config: inout JSONObject, _ layer: String) {
    switch className {
    case "ThresholdedReLU":
      let threshold = config["theta"] ?? 1.0
      config["theta"] = nil
      config["threshold"] = threshold
      className = "ReLU"
      note(layer, "a ThresholdedReLU is a ReLU with a threshold now")
    case "CuDNNLSTM", "CuDNNGRU":
      note(
        layer, "a \(className) is a \(className.dropFirst(5)) now, and its weights have the form of that",
        concernsWeights: true)
      className = String(className.dropFirst(5))
      for (key, value) in [("activation", "tanh"), ("recurrent_activation", "sigmoid")] {
        config[key] = .string(value)
      }
      config["use_bias"] = true
      if className == "GRU" { config["reset_after"] = true }
    case "RandomCrop": replaceRandomCrop(&className, &config, layer)
    case "SyncBatchNormalization": className = "BatchNormalization"
    case "FixedDropout": className = "Dropout"
    default: break
    }
  }

  /// At inference a RandomCrop resized the image before Keras 3.8; since then it hands it through.
  private mutating func replaceRandomCrop(_ className: inout String, _ config: inout JSONObject, _ layer: String) {
    if RandomCrop.resizes(in: version) {
      for (field, value) in [("interpolation", "bilinear"), ("crop_to_aspect_ratio", true)] as [(String, JSONValue)] {
        config[field] = value
      }
      config["seed"] = nil
      config["rng_type"] = nil
      className = "Resizing"
      note(layer, "a RandomCrop, which newer Keras computes otherwise, is a Resizing that keeps the aspect now")
    } else if version < KerasVersion(3, 8) || dialect == .portable {
      problem(layer, "a RandomCrop is something else in each Keras")
    }
  }

  /// Values that one Keras takes and another does not.
  private mutating func checkValues(_ config: JSONObject, _ className: String, _ layer: String) {
    func isMoreThanOne(_ field: String) -> Bool {
      let value = config[field]
      return (value?.array ?? value.map { [$0] } ?? []).contains { ($0.integer ?? 1) > 1 }
    }
    if dialect == .portable, className.hasPrefix("SeparableConv") || className.hasPrefix("DepthwiseConv"),
      isMoreThanOne("strides"), isMoreThanOne("dilation_rate")
    {
      problem(layer, "Keras 2 refuses strides together with dilation")
    }
  }

  private func allowed(_ fields: LayerFields?) -> Set<String>? {
    guard let fields else { return nil }
    switch dialect {
    case .portable:
      guard let three = fields.keras3, let two = fields.keras2 else { return nil }
      return three.intersection(two)
    case .keras3: return fields.keras3
    }
  }

  /// Fields under the names that the dialect uses, and defaults that Keras 2 left unsaid and that changed since.
  private func renamed(_ config: JSONObject, _ className: String) -> JSONObject {
    var config = config
    func rename(_ old: String, _ new: String) {
      guard let value = config[old] else { return }
      config[old] = nil
      if config[new] == nil { config[new] = value }
    }
    switch className {
    case "LeakyReLU": dialect == .portable ? rename("negative_slope", "alpha") : rename("alpha", "negative_slope")
    case "GRU", "GRUCell":
      if generation < 3, config["reset_after"] == nil { config["reset_after"] = false }
    default: break
    }
    if ["GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRUCell", "LSTMCell"].contains(className),
      generation < 3,
      config["recurrent_activation"] == nil
    {
      config["recurrent_activation"] = "hard_sigmoid"
    }
    return config
  }

  /// Fields that may go: they say what is the default, or nothing about what is computed.
  private static func isWithoutEffect(_ key: String, _ value: JSONValue) -> Bool {
    if value.isNull || value == false || value == .string("") { return true }
    let unimportant: Set<String> = [
      "trainable", "batch_input_shape", "batch_shape", "input_shape", "input_dim", "input_length", "input_dtype",
      "implementation",
      "unroll", "dynamic", "experimental_autocast", "autocast", "fused", "renorm_momentum", "seed", "force_generator",
      "query_shape", "key_shape", "value_shape", "softmax_robust_masking", "robust_masking", "lora_alpha",
      "consume_less", "build_config", "noise_shape", "fill_value", "fill_mode", "value_range", "synchronized",
      "allow_sparse", "allow_ragged", "gptq_unpacked_column_size", "adjustment", "virtual_batch_size", "rng_type",
    ]
    if unimportant.contains(key) { return true }
    // What training begins with or adds.
    if ["_initializer", "_regularizer", "_constraint"].contains(where: key.hasSuffix) { return true }
    switch key {
    case "groups": return value.integer == 1
    case "dilation_rate": return value.integer == 1 || value.array?.allSatisfy { $0.integer == 1 } == true
    case "interpolation": return value == "nearest"
    case "data_format": return value == "channels_last"
    case "dropout": return value.number == 0
    case "cast_output", "supports_masking", "use_legacy_config": return true
    default: return false
    }
  }

  // MARK: - A field's value

  private mutating func field(_ key: String, _ value: JSONValue, className: String, layer: String) -> JSONValue? {
    switch key {
    case "dtype":
      if dialect == .portable, QuantizationPolicy.isQuantized(value) || value["config"]?["policy_map"] != nil {
        problem(layer, "a quantized dtype policy")
      }
      return policy(value)
    case "interpolation":
      if let name = value.string, !ConfigTranslator.interpolations.contains(name.lowercased()) {
        problem(layer, "Keras 3 has no interpolation '\(name)'")
      }
      return value
    case "axis":
      // tf.keras has one axis as a list, which Keras 3 refuses for some classes.
      if let items = value.array, items.count == 1, let axis = items[0].integer { return .int(axis) }
      return value
    case "layer", "backward_layer", "forward_layer", "cell": return inner(value, layer: layer) ?? value
    case "cells": return .array(value.array?.map { inner($0, layer: layer) ?? $0 } ?? [])
    case _ where key.hasSuffix("_initializer"): return object(value, "keras.initializers", layer: layer)
    case _ where key.hasSuffix("_regularizer"): return object(value, "keras.regularizers", layer: layer)
    case _ where key.hasSuffix("_constraint"): return object(value, "keras.constraints", layer: layer)
    case "activation", "recurrent_activation": return activation(value, layer: layer)
    default: return value
    }
  }

  /// The dtype policy: its name, which every Keras reads, unless it says more than a name.
  func policy(_ value: JSONValue?) -> JSONValue? { value.map(policy) }

  private func policy(_ value: JSONValue) -> JSONValue {
    guard let config = value["config"] else { return value }
    guard let name = config["name"]?.string,
      ["Policy", "DTypePolicy", "PolicyV1"].contains(ConfigReader.plainName(value["class_name"]?.string ?? ""))
    else { return value }
    return .string(name)
  }

  /// The layer that a wrapper holds, with its module: without it Keras 3 does not find the class.
  private mutating func inner(_ value: JSONValue, layer: String) -> JSONValue? {
    guard let rawName = value["class_name"]?.string, let config = value["config"] else { return nil }
    if config["layers"] != nil {
      // What Keras 3 reads is translated already.
      if dialect == .portable { problem(layer, "a model inside a wrapper") }
      return nil
    }
    var className = LayerRegistry.kerasName(ConfigReader.plainName(rawName))
    var fields = config.object ?? JSONObject()
    replaceRemovedClass(&className, &fields, layer)
    var object: JSONObject = ["module": "keras.layers", "class_name": .string(LayerFields.apiName(className))]
    object["config"] = .object(self.config(fields, className: className, layer: layer))
    object["registered_name"] = .null
    if LayerFields.of(className) == nil {
      object["module"] = value["module"] ?? .null
      object["registered_name"] = value["registered_name"] ?? .string(rawName)
    }
    return .object(object)
  }

  private static let initializers: Set<String> = [
    "Constant", "Identity", "Ones", "Zeros", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal",
    "LecunUniform", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
  ]
  private static let regularizers: Set<String> = ["L1", "L2", "L1L2", "OrthogonalRegularizer"]
  private static let constraints: Set<String> = ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]

  /// An initializer, regularizer or constraint: what training would begin with or add; the stored weights do not need it.
  private mutating func object(_ value: JSONValue, _ module: String, layer: String) -> JSONValue? {
    guard let rawName = value["class_name"]?.string else { return value }
    let known =
      module == "keras.initializers"
      ? ConfigTranslator.initializers
      : module == "keras.regularizers"
        ? ConfigTranslator.regularizers : ConfigTranslator.constraints
    let name = ConfigReader.plainName(rawName)
    guard known.contains(name) else {
      note(
        layer,
        "the \(module.split(separator: ".").last?.dropLast() ?? "") \(rawName) is unknown to Keras and left out; only training would use it"
      )
      return nil
    }
    var config = value["config"]?.object ?? JSONObject()
    for key in ["dtype", "input_axes", "output_axes", "partitioner", "layout"] { config[key] = nil }
    if name == "VarianceScaling", config["distribution"] == "normal" { config["distribution"] = "truncated_normal" }
    return [
      "module": .string(module), "class_name": .string(name), "config": .object(config), "registered_name": .null,
    ]
  }

  private static let interpolations: Set = ["bilinear", "nearest", "lanczos3", "lanczos5", "bicubic", "area"]

  /// Functions that Keras 2 and 3 have, and those of Keras 3 alone.
  private static let activations: Set = [
    "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish", "relu", "relu6",
    "selu",
    "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
  ]
  private static let activationsOfKeras3: Set = [
    "celu", "glu", "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold",
  ]

  /// An activation: a name, or a layer that serves as one.
  private mutating func activation(_ value: JSONValue, layer: String) -> JSONValue {
    // A function is known by its name.
    if let name = ActivationName.of(value) {
      let plain = ConfigReader.plainName(name)
      var name = name
      if plain != name, ConfigReader.packageFunctions.contains(plain) {
        note(layer, "the function \(name) is taken for Keras' own \(plain)")
        name = plain
      }
      if ConfigTranslator.activationsOfKeras3.contains(name) {
        if dialect == .portable { problem(layer, "Keras 2 has no activation '\(name)'") }
      } else if !ConfigTranslator.activations.contains(name) {
        problem(layer, "the activation '\(name)' is not one of Keras: load the model with custom_objects")
      }
      return .string(name)
    }
    return inner(value, layer: layer) ?? value
  }
}
