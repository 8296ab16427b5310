package import H5ConvConfig

/// How a model was compiled, between the forms of legacy files (`training_config`) and of archives (`compile_config`), and
/// between Keras 2 and 3.
package enum TrainingConfig {
  /// The settings as a legacy file has them; nil when they say something that today's Keras would not read.
  package static func legacy(_ config: JSONValue, dialect: Dialect) -> JSONValue? {
    guard let parts = Parts(config, dialect) else { return nil }
    return [
      "loss": parts.loss, "metrics": parts.metrics, "weighted_metrics": parts.weightedMetrics,
      "loss_weights": parts.lossWeights, "sample_weight_mode": .null,
      "optimizer_config": ["class_name": .string(parts.optimizer), "config": .object(parts.optimizerConfig)],
    ]
  }

  /// The settings as an archive has them.
  package static func archive(_ config: JSONValue, dialect: Dialect) -> JSONValue? {
    guard let parts = Parts(config, dialect) else { return nil }
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
    let optimizerConfig: JSONObject
    let loss: JSONValue
    let metrics: JSONValue
    let weightedMetrics: JSONValue
    let lossWeights: JSONValue

    init?(_ config: JSONValue, _ dialect: Dialect) {
      let stored = config["optimizer_config"] ?? config["optimizer"]
      guard let name = stored?["class_name"]?.string ?? stored?.string else { return nil }
      optimizer = ConfigReader.plainName(name)
      guard let fields = TrainingConfig.optimizers[optimizer] else { return nil }
      optimizerConfig = TrainingConfig.optimizerConfig(stored?["config"]?.object ?? JSONObject(), fields)
      guard let loss = TrainingConfig.nested(config["loss"] ?? .null, "keras.losses"),
        let metrics = TrainingConfig.nested(config["metrics"] ?? .null, "keras.metrics"),
        let weighted = TrainingConfig.nested(config["weighted_metrics"] ?? .null, "keras.metrics")
      else { return nil }
      self.loss = loss
      self.metrics = metrics
      weightedMetrics = weighted
      lossWeights = config["loss_weights"] ?? .null
    }
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
    case .null, .string: return value
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

  private static func one(_ className: String, _ config: JSONValue?, _ module: String) -> JSONValue? {
    // A function by its name.
    if let name = config?.string { return .string(name) }
    var fields = config?.object ?? JSONObject()
    if ["MeanMetricWrapper", "LossFunctionWrapper"].contains(className) {
      return (fields["fn"]?.string ?? fields["fn"]?["config"]?.string ?? fields["name"]?.string).map { .string($0) }
    }
    for key in ["fn", "dtype"] { fields[key] = nil }
    if fields["reduction"] == "auto" { fields["reduction"] = "sum_over_batch_size" }
    guard className.first?.isUppercase == true else { return .string(className) }
    return [
      "module": .string(module), "class_name": .string(className), "config": .object(fields), "registered_name": .null,
    ]
  }
}
