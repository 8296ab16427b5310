import H5ConvConfig
import H5ConvLayers
import H5ConvModelFiles

/// A layer or model of a config, with where it stands.
struct ConfigEntry {
  /// Names from the top-level layer down.
  let name: String
  let className: String
  let config: JSONObject
  /// The whole entry.
  let entry: JSONValue
  /// Whether a wrapper (Bidirectional, TimeDistributed, RNN) holds it.
  let isWrapped: Bool
  /// Whether it is the first layer of a Sequential.
  let isFirstOfSequential: Bool
  /// Whether it is a model in a functional graph.
  let isNestedModel: Bool

  /// Whether Keras 3 reads the entry as it reads its own, instead of as Keras 2 wrote it into an `.h5`: it does where the file
  /// says which module the class is from.
  var isReadStrictly: Bool { isWrapped || entry["module"] != nil }

  /// Whether Keras 3 drops the axes of a layer that has several.
  var dropsAxes: Bool { !isReadStrictly && (config["axis"]?.array?.count ?? 0) > 1 }

  /// Arguments that Keras 3.15 refuses for the class.
  var refusedArguments: [String] {
    guard config["layers"] == nil, className != "InputLayer", className != "Lambda",
      let known = LayerFields.of(className)?.keras3
    else { return [] }
    let taken = ConfigEntry.alwaysTaken.union(isReadStrictly ? [] : ["batch_input_shape"])
      .union(ConfigEntry.alsoTaken[className] ?? [])
    return config.members.map(\.key).filter { !known.contains($0) && !taken.contains($0) }
  }

  /// What the layers of Keras 3 take, or drop, besides their own arguments.
  private static let alwaysTaken: Set<String> = ["input_shape", "input_dim"]

  /// Old arguments that classes of Keras 3 still look for (`kwargs.pop` in their code), or hand to one that has them.
  private static let alsoTaken: [String: Set<String>] = [
    "LeakyReLU": ["alpha"], "LayerNormalization": ["rms_scaling"], "Embedding": ["input_length"],
    "LSTM": ["implementation"], "GRU": ["implementation"], "LSTMCell": ["implementation"],
    "GRUCell": ["implementation"], "ConvLSTM1D": ["unroll"], "ConvLSTM2D": ["unroll"], "ConvLSTM3D": ["unroll"],
    "IntegerLookup": ["vocabulary_size", "has_input_vocabulary"],
    "StringLookup": ["vocabulary_size", "has_input_vocabulary"],
    "TextVectorization": ["vocabulary_size", "has_input_vocabulary"],
  ]

  /// Classes of layers that are given as activations.
  var activationClasses: [String] {
    ConfigEntry.activations.compactMap { config[$0]?["class_name"]?.string.map(ConfigReader.plainName) }
  }

  /// Activations that only the code which defines or registers them knows.
  var customFunctions: [String] {
    ConfigEntry.activations.compactMap { field -> String? in
      let value = config[field]
      guard let name = value?.string ?? value?["config"]?.string else { return nil }
      let isUnknown =
        value?["class_name"] == "function" && value?["module"] == "builtins"
        && H5ConvLayers.Activation.named(name, generation: 3) == nil
      return isUnknown || name.contains(">") ? name : nil
    }
  }

  static let activations = ["activation", "recurrent_activation", "inner_activation"]
}

/// All layers and models of a config, wrapped and nested ones too, as the file writes them.
struct ConfigWalk {
  private(set) var entries: [ConfigEntry] = []

  /// - Parameter root: `{"class_name": …, "config": …}`.
  init(_ root: JSONValue) {
    var pending: [(value: JSONValue, path: String, isWrapped: Bool, isFirst: Bool, isInGraph: Bool)] = [
      (root, "", false, false, false)
    ]
    while let (value, path, isWrapped, isFirst, isInGraph) = pending.popLast() {
      guard let rawClass = value["class_name"]?.string else { continue }
      let className = ConfigReader.plainName(rawClass)
      let config = value["config"] ?? .null
      let layers = config.array ?? config["layers"]?.array
      let name = config["name"]?.string ?? value["name"]?.string ?? className
      // The outermost model's name is no part of the paths.
      let isRoot = entries.isEmpty
      let place = isRoot ? name : path.isEmpty ? name : "\(path)/\(name)"
      entries.append(
        ConfigEntry(
          name: place, className: className, config: config.object ?? JSONObject(), entry: value, isWrapped: isWrapped,
          isFirstOfSequential: isFirst, isNestedModel: layers != nil && isInGraph))
      let inner = isRoot ? "" : place
      var children = (layers ?? []).enumerated().map { number, layer in
        (layer, inner, false, number == 0 && className == "Sequential", className != "Sequential")
      }
      for key in ["layer", "backward_layer", "cell"] {
        if let wrapped = config[key], wrapped["class_name"] != nil {
          children.append((wrapped, place, true, false, false))
        }
      }
      children += (config["cells"]?.array ?? []).map { ($0, place, true, false, false) }
      pending += children.reversed()
    }
  }
}
