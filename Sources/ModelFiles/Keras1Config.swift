package import H5ConvConfig

/// Translates the config of a Keras 1 model to what Keras 2 saves for the same model.
///
/// Source: `legacy/interfaces.py` and `legacy/layers.py` of Keras 2, and `get_config` of the layers of Keras 1.0.8 to 1.2.2.
/// Classes that Keras 2 does not have (`MaxoutDense`, `Highway`, `SReLU`, `ParametricSoftplus`, the user's own) stay as they are;
/// `Merge`, which Keras 2 still saved, is left to ``LegacyMerge``.
package struct Keras1Config {
  /// The data format of layers that do not say theirs.
  ///
  /// Padding, cropping and upsampling never did: they followed `keras.json` of the writer, as the others did that say so. Where
  /// none says so, a picture whose second axis alone looks like channels decides, else it is channels_last, Keras 1.1's default.
  private let dataFormat: String

  /// The translation of `model`, `{"class_name": …, "config": …}`, with all models and layers in it.
  package static func translated(_ model: JSONValue) -> JSONValue {
    Keras1Config(dataFormat: Keras1DataFormat.of(model)).entry(model)
  }

  /// A layer or model with what stands beside its class and config.
  private func entry(_ entry: JSONValue, isFirst: Bool = false) -> JSONValue {
    guard var members = entry.object, let className = entry["class_name"]?.string, let config = entry["config"] else {
      return entry
    }
    if let layers = config.array ?? config["layers"]?.array {
      // In a Sequential the first layer also says what comes in; in a Merge the layers are branches with inputs of their own.
      let isSequential = className == "Sequential"
      let translated = JSONValue.array(
        layers.enumerated().map { self.entry($1, isFirst: isSequential && $0 == 0 || className == "Merge") })
      if var object = config.object {
        object["layers"] = translated
        members["config"] = .object(object)
      } else {
        members["config"] = translated
      }
      return .object(members)
    }
    guard let object = config.object else { return entry }
    let (name, fields) = layer(className, object, isFirst: isFirst)
    members["class_name"] = .string(name)
    members["config"] = .object(fields)
    return .object(members)
  }

  /// - Parameter isFirst: whether the layer may tell the shape of the model's input by `input_dim`.
  private func layer(_ className: String, _ config: JSONObject, isFirst: Bool) -> (String, JSONObject) {
    var config = config
    if isFirst, config["batch_input_shape"] == nil, let shape = Keras1Config.inputShape(className, config) {
      config["batch_input_shape"] = shape
    }
    guard let family = Keras1Names.families[className] else {
      // What goes in is said by the input; in Keras 2 a layer's dtype is that of its weights.
      config["input_dtype"] = nil
      return (className, config)
    }
    let special = special(className, config)
    var fields = JSONObject()
    for (key, value) in config.members where !special.replaced.contains(key) {
      for new in family.names(key) { fields[new] = Keras1Values.translated(new, value) }
    }
    for (key, value) in special.fields.members { fields[key] = value }
    if className == "TimeDistributedDense" { return ("TimeDistributed", Keras1Config.timeDistributed(fields)) }
    return (special.className ?? Keras1Names.classes[className] ?? className, fields)
  }

  /// What `input_dim` and `input_length` of a first layer say; Keras 1 writes `batch_input_shape` besides, edited files may not.
  package static func inputShape(_ className: String, _ config: JSONObject) -> JSONValue? {
    let length = config["input_length"] ?? .null
    switch className {
    case "Embedding": return length.integer.map { [nil, .int($0)] }
    case "Dense", "MaxoutDense", "Highway": return config["input_dim"]?.integer.map { [nil, .int($0)] }
    default: return config["input_dim"]?.integer.map { [nil, length, .int($0)] }
    }
  }

  private static func timeDistributed(_ fields: JSONObject) -> JSONObject {
    var outer = JSONObject()
    var inner = JSONObject()
    for (key, value) in fields.members {
      if ["name", "trainable", "batch_input_shape", "dtype"].contains(key) { outer[key] = value }
      if !["batch_input_shape", "dtype"].contains(key) { inner[key] = value }
    }
    outer["layer"] = ["class_name": "Dense", "config": .object(inner)]
    return outer
  }

  // MARK: - Fields that are more than renamed

  private struct Special {
    var className: String?
    /// Keys of Keras 1 that `fields` stand for.
    var replaced: Set<String> = []
    var fields = JSONObject()
  }

  private func special(_ className: String, _ config: JSONObject) -> Special {
    var special = Special()
    for keys in [["nb_row", "nb_col"], ["kernel_dim1", "kernel_dim2", "kernel_dim3"]] {
      let sizes = keys.compactMap { config[$0] }
      guard sizes.count == keys.count else { continue }
      special.fields["kernel_size"] = .array(sizes)
      special.replaced.formUnion(keys)
    }
    if config["dim_ordering"] != nil || Keras1Names.silentAboutFormat.contains(className) {
      special.replaced.insert("dim_ordering")
      special.fields["data_format"] = .string(
        config["dim_ordering"]?.string.flatMap { Keras1DataFormat.names[$0] } ?? dataFormat)
    }
    if let bias = config["forget_bias_init"] {
      special.replaced.insert("forget_bias_init")
      special.fields["unit_forget_bias"] = .bool(bias.string == "one")
    }
    switch className {
    case "InputLayer": special.fields["dtype"] = config["input_dtype"]
    case "GRU": special.fields["reset_after"] = false
    case "BatchNormalization":
      // Statistics of each sample (1), or of the batch even at inference (2), are nothing that Keras 2 computes.
      if let mode = config["mode"]?.integer, mode != 0 { special.className = "BatchNormalization(mode=\(mode))" }
    case "Deconvolution2D":
      special.fields["output_padding"] = Keras1Deconvolution.outputPadding(
        config, isChannelsFirst: special.fields["data_format"] == "channels_first")
    case "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D":
      let rank = className == "ZeroPadding1D" ? 1 : className == "ZeroPadding2D" ? 2 : 3
      special.fields["padding"] = config["padding"].flatMap { Keras1Values.borders($0, rank: rank) }
    case "TimeDistributed", "Bidirectional":
      if let layer = config["layer"] { special.fields["layer"] = entry(layer) }
    default: break
    }
    special.replaced.formUnion(special.fields.keys)
    return special
  }
}
