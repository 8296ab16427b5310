package import H5ConvConfig

/// How a model was compiled, between the forms of legacy files (`training_config`) and of archives (`compile_config`), and
/// between Keras 2 and 3.
package enum TrainingConfig {
  /// Whether the settings name an optimizer; those of some archives of Keras 3.15 do not, and Keras takes its default then.
  package static func namesOptimizer(_ config: JSONValue) -> Bool {
    let stored = config["optimizer_config"] ?? config["optimizer"]
    return stored.map { !$0.isNull } ?? false
  }

  /// The settings as a legacy file has them; nil when they say something that today's Keras would not read.
  ///
  /// - Parameter names: what outputs are called now, by the names that they had.
  package static func legacy(_ config: JSONValue, dialect: Dialect, names: [String: String] = [:]) -> JSONValue? {
    guard var parts = Parts(config, names) else { return nil }
    if dialect == .portable, parts.optimizerConfig["use_ema"] != true {
      // The optimizers that tf_keras reads from legacy files are older than moving averages of weights.
      for key in ["use_ema", "ema_momentum", "ema_overwrite_frequency"] { parts.optimizerConfig[key] = nil }
    }
    return [
      "loss": parts.loss, "metrics": parts.metrics, "weighted_metrics": parts.weightedMetrics,
      "loss_weights": parts.lossWeights, "sample_weight_mode": .null,
      "optimizer_config": ["class_name": .string(parts.optimizer), "config": .object(parts.optimizerConfig)],
    ]
  }

  /// The settings as an archive has them.
  package static func archive(_ config: JSONValue, names: [String: String] = [:]) -> JSONValue? {
    guard let parts = Parts(config, names) else { return nil }
    return [
      "optimizer": [
        "module": "keras.optimizers", "class_name": .string(parts.optimizer), "config": .object(parts.optimizerConfig),
        "registered_name": .null,
      ],
      "loss": parts.loss, "loss_weights": parts.lossWeights, "metrics": parts.metrics,
      "weighted_metrics": parts.weightedMetrics, "run_eagerly": false, "steps_per_execution": 1, "jit_compile": false,
    ]
  }

  private struct Parts {
    let optimizer: String
    var optimizerConfig: JSONObject
    let loss: JSONValue
    let metrics: JSONValue
    let weightedMetrics: JSONValue
    let lossWeights: JSONValue

    init?(_ config: JSONValue, _ names: [String: String]) {
      let stored = config["optimizer_config"] ?? config["optimizer"]
      let name = stored?["class_name"]?.string ?? stored?.string ?? "rmsprop"
      guard let known = TrainingConfig.optimizer(ConfigReader.plainName(name)) else { return nil }
      optimizer = known.name
      optimizerConfig = TrainingConfig.optimizerConfig(stored?["config"]?.object ?? JSONObject(), known.fields)
      func nested(_ key: String, _ module: String) -> JSONValue? {
        TrainingConfig.nested(TrainingConfig.renamed(config[key] ?? .null, names), module)
      }
      guard let loss = nested("loss", "keras.losses"), let metrics = nested("metrics", "keras.metrics"),
        let weighted = nested("weighted_metrics", "keras.metrics")
      else { return nil }
      self.loss = loss
      self.metrics = metrics
      weightedMetrics = weighted
      lossWeights = TrainingConfig.renamed(config["loss_weights"] ?? .null, names)
    }
  }

  /// An object that has something for each output, with the names that these have now.
  private static func renamed(_ value: JSONValue, _ names: [String: String]) -> JSONValue {
    guard let object = value.object, object["class_name"] == nil, !names.isEmpty else { return value }
    return .object(object.members.reduce(into: JSONObject()) { $0[names[$1.key] ?? $1.key] = $1.value })
  }

  /// An optimizer by its class, or by the name that Keras has for that.
  private static func optimizer(_ name: String) -> (name: String, fields: Set<String>)? {
    optimizers.first { $0.key.lowercased() == name.lowercased() }.map { ($0.key, $0.value) }
  }

  /// What each optimizer takes besides what all take.
  private static let optimizers: [String: Set<String>] = [
    "Adam": ["beta_1", "beta_2", "epsilon", "amsgrad"], "AdamW": ["beta_1", "beta_2", "epsilon", "amsgrad"],
    "Adamax": ["beta_1", "beta_2", "epsilon"], "Nadam": ["beta_1", "beta_2", "epsilon"],
    "SGD": ["momentum", "nesterov"], "RMSprop": ["rho", "momentum", "epsilon", "centered"],
    "Adagrad": ["initial_accumulator_value", "epsilon"], "Adadelta": ["rho", "epsilon"],
    "Ftrl": [
      "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
      "l2_shrinkage_regularization_strength", "beta",
    ],
    "Lion": ["beta_1", "beta_2"],
  ]
  private static let common: Set<String> = [
    "name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
    "ema_overwrite_frequency",
  ]

  private static func optimizerConfig(_ config: JSONObject, _ fields: Set<String>) -> JSONObject {
    var result = JSONObject()
    for (key, value) in config.members {
      let key = key == "lr" ? "learning_rate" : key
      // A null is a default that Keras fills in, and not in every version a value that it takes.
      guard common.contains(key) || fields.contains(key), !value.isNull else { continue }
      if key == "learning_rate", var schedule = value.object, schedule["class_name"] != nil {
        schedule["module"] = "keras.optimizers.schedules"
        schedule["registered_name"] = .null
        result[key] = .object(schedule)
      } else if key == "weight_decay", value.number == 0 {
        continue
      } else {
        result[key] = value
      }
    }
    return result
  }

  /// A loss or metric, or lists and objects of them: names, or objects with what Keras 2 and 3 share; nil for what is neither's.
  private static func nested(_ value: JSONValue, _ module: String) -> JSONValue? {
    switch value {
    case .null: return value
    case .string(let name): return function(name, module)
    case .array(let items):
      let translated = items.compactMap { nested($0, module) }
      return translated.count == items.count ? .array(translated) : nil
    case .object(let object):
      guard let rawName = object["class_name"]?.string else {
        var result = JSONObject()
        for (key, value) in object.members {
          guard let translated = nested(value, module) else { return nil }
          result[key] = translated
        }
        return .object(result)
      }
      return one(ConfigReader.plainName(rawName), object["config"], module)
    default: return nil
    }
  }

  /// A loss or metric by its function's name, as the class of it: Keras 3 does not read all such names in legacy files.
  private static func function(_ name: String, _ module: String) -> JSONValue? {
    if ["accuracy", "acc", "crossentropy", "ce"].contains(name) { return .string(name) }
    let short = [
      "mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
      "msle": "MeanSquaredLogarithmicError", "kld": "KLDivergence", "kl_divergence": "KLDivergence",
      "kullback_leibler_divergence": "KLDivergence", "bce": "BinaryCrossentropy",
    ]
    let isLogCosh = ["logcosh", "log_cosh"].contains(name)
    let className =
      isLogCosh
      ? module == "keras.losses" ? "LogCosh" : "LogCoshError"
      : short[name.lowercased()]
        ?? name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    guard className.first?.isUppercase == true else { return nil }
    var config: JSONObject = ["name": .string(name)]
    if module == "keras.losses" { config["reduction"] = "sum_over_batch_size" }
    return [
      "module": .string(module), "class_name": .string(className), "config": .object(config), "registered_name": .null,
    ]
  }

  private static func one(_ className: String, _ config: JSONValue?, _ module: String) -> JSONValue? {
    // A function by its name.
    if let name = config?.string { return nested(.string(name), module) }
    var fields = config?.object ?? JSONObject()
    if ["MeanMetricWrapper", "LossFunctionWrapper"].contains(className) {
      let name = fields["fn"]?.string ?? fields["fn"]?["config"]?.string ?? fields["name"]?.string
      return name.flatMap { nested(.string($0), module) }
    }
    for key in ["fn", "dtype"] { fields[key] = nil }
    if fields["reduction"] == "auto" { fields["reduction"] = "sum_over_batch_size" }
    guard className.first?.isUppercase == true else { return nested(.string(className), module) }
    return [
      "module": .string(module), "class_name": .string(className), "config": .object(fields), "registered_name": .null,
    ]
  }
}
