import H5ConvConfig
import H5ConvLayers

/// A recurrent layer or cell, be it the layer itself or inside wrappers.
struct RecurrentPart {
  /// Attributes that lead to it in Keras 3's layout, as in `WeightSpec.owner`.
  let owner: [String]
  let className: String
  let config: JSONObject

  private static let classes: Set = [
    "SimpleRNN", "GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "SimpleRNNCell",
    "GRUCell", "LSTMCell",
  ]

  /// The recurrent parts of a layer of class `className`, which may be one itself.
  static func all(in className: String, _ config: JSONObject, owner: [String] = []) -> [RecurrentPart] {
    func parts(_ field: String, as name: String) -> [RecurrentPart] {
      guard owner.count < 16, let inner = config[field], let rawName = inner["class_name"]?.string,
        let fields = inner["config"]?.object
      else { return [] }
      return all(in: ConfigReader.plainName(rawName), fields, owner: owner + [name])
    }
    if classes.contains(className) { return [RecurrentPart(owner: owner, className: className, config: config)] }
    switch className {
    case "TimeDistributed": return parts("layer", as: "layer")
    case "Bidirectional":
      let isStated = config["backward_layer"]?.object != nil
      return parts("layer", as: "forward_layer") + parts(isStated ? "backward_layer" : "layer", as: "backward_layer")
    case "RNN":
      guard config["cell"]?["class_name"]?.string == "StackedRNNCells" else { return parts("cell", as: "cell") }
      return stacked(config["cell"]?["config"]?["cells"]?.array ?? [], owner: owner + ["cell", "cells"])
    default: return []
    }
  }

  private static func stacked(_ cells: [JSONValue], owner: [String]) -> [RecurrentPart] {
    var counts: [String: Int] = [:]
    return cells.flatMap { cell -> [RecurrentPart] in
      let className = ConfigReader.plainName(cell["class_name"]?.string ?? "")
      let name = snakeCase(className)
      let number = counts[name, default: 0]
      counts[name] = number + 1
      return all(
        in: className, cell["config"]?.object ?? JSONObject(), owner: owner + [number == 0 ? name : "\(name)_\(number)"]
      )
    }
  }

  /// How many gates' matrices stand side by side in its kernels.
  var gates: Int {
    switch className {
    case "SimpleRNN", "SimpleRNNCell": 1
    case "GRU", "GRUCell", "CuDNNGRU": 3
    default: 4
    }
  }

  var isCuDNN: Bool { className.hasPrefix("CuDNN") }

  /// Whether its gates go through hard_sigmoid: what they did in Keras up to 2 unless told otherwise.
  func hasHardGates(_ generation: Int) -> Bool {
    guard gates > 1, !isCuDNN else { return false }
    return config["recurrent_activation"].map { ActivationName.of($0) == "hard_sigmoid" } ?? (generation < 3)
  }

  /// Whether its candidate state goes through hard_sigmoid.
  var hasHardCandidate: Bool {
    !isCuDNN && config["activation"].map { ActivationName.of($0) == "hard_sigmoid" } ?? false
  }

  /// What the gates' weights are multiplied by so that Keras 3's hard_sigmoid gives what that of Keras 2 gave; nil when
  /// numbers cannot make up for it.
  ///
  /// clip(0.2·x + 0.5, 0, 1) = clip((1.2·x)/6 + 0.5, 0, 1). In an LSTM the same activation is applied to the state, which no
  /// weight scales.
  func factors(_ generation: Int) -> [Float]? {
    let gate: Float = hasHardGates(generation) ? 1.2 : 1
    let candidate: Float = hasHardCandidate ? 1.2 : 1
    switch gates {
    case 1: return [candidate]
    // z, r, h
    case 3: return [gate, gate, candidate]
    // i, f, c, o
    default: return hasHardCandidate ? nil : [gate, gate, 1, gate]
    }
  }
}

enum ActivationName {
  /// The name of a function in a config, be it the name itself or an object that says no more.
  static func of(_ value: JSONValue) -> String? {
    if let name = value.string { return name }
    guard value["class_name"]?.string == "function" || value["module"]?.string == "builtins" else { return nil }
    return value["config"]?.string
  }
}
