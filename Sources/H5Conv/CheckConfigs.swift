import H5ConvConfig
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
