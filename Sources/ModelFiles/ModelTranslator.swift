import H5ConvConfig
import H5ConvLayers

/// A model in a form that today's Keras reads, and how that came about.
package struct TranslatedModel: Sendable {
  package let architecture: Architecture
  package let dialect: Dialect
  /// What was changed so that the numbers stay the same.
  package let notes: [TranslationNote]
  /// What Keras will not read.
  package let problems: [TranslationNote]
  /// Layers, by path, whose gates' weights are multiplied so that another hard_sigmoid gives the same.
  package let scaledGates: Set<[String]>
}

/// Brings a model's architecture into a form that today's Keras reads and that computes the same numbers.
package struct ModelTranslator {
  private let dialect: Dialect
  private var configs: ConfigTranslator
  private var scaledGates = Set<[String]>()

  /// The model in the form that most Keras versions read: the portable one when it has no need of Keras 3's own words.
  package static func translate(_ model: Architecture) -> TranslatedModel {
    let portable = translate(model, .portable)
    guard !portable.problems.isEmpty else { return portable }
    let keras3 = translate(model, .keras3)
    // Where neither serves, that of Keras 3 says less that is not so.
    return keras3
  }

  /// The model for `dialect`; what it has no words for is among the problems.
  package static func translate(_ model: Architecture, _ dialect: Dialect) -> TranslatedModel {
    var translator = ModelTranslator(dialect, version: model.version)
    let architecture = translator.model(model, path: [])
    return TranslatedModel(
      architecture: architecture, dialect: dialect, notes: translator.configs.notes,
      problems: translator.configs.problems, scaledGates: translator.scaledGates)
  }

  private init(_ dialect: Dialect, version: KerasVersion) {
    self.dialect = dialect
    configs = ConfigTranslator(dialect, version: version)
  }

  private mutating func model(_ model: Architecture, path: [String]) -> Architecture {
    var result = model
    result.layers = []
    /// The layer that gives what a layer of the old graph gave.
    var last: [String: String] = [:]
    var taken = Set(model.layers.map(\.name))
    for layer in model.layers {
      let chain = translated(layer, path: path, in: model, &taken)
      if let end = chain.last, end.name != layer.name { last[layer.name] = end.name }
      result.layers += chain
    }
    if !last.isEmpty {
      let added = Set(last.values)
      func redirected(_ reference: TensorReference) -> TensorReference {
        guard let name = last[reference.layer] else { return reference }
        return TensorReference(layer: name, call: reference.call, output: 0)
      }
      for place in result.layers.indices {
        // The layers of a chain follow each other; what came from outside is led to the chain's end.
        guard !added.contains(result.layers[place].name), !result.layers[place].isChained else { continue }
        for call in result.layers[place].calls.indices {
          let arguments = result.layers[place].calls[call].arguments
          result.layers[place].calls[call].arguments = arguments.map(redirected)
        }
      }
      result.outputStructure = model.outputStructure.map(redirected)
    }
    if result.kind == .functional { check(result, path: path) }
    return result.kind == .functional ? result.inKerasOrder() : result
  }

  /// What the portable form has no words for in a functional graph.
  private mutating func check(_ model: Architecture, path: [String]) {
    guard dialect == .portable else { return }
    for layer in model.layers {
      let name = (path + [layer.name]).joined(separator: "/")
      if layer.nested != nil { configs.problem(name, "Keras 2 and 3 count the calls of a nested model differently") }
      if layer.isOperation { configs.problem(name, "an operation of Keras 3") }
      for call in layer.calls where !call.isPortable {
        configs.problem(name, "arguments that Keras 2 and 3 write differently")
      }
    }
    func isPlain(_ structure: Argument<TensorReference>) -> Bool {
      switch structure {
      case .tensor: true
      case .list(let items): items.allSatisfy { $0.tensor != nil }
      default: false
      }
    }
    if !isPlain(model.inputStructure) || !isPlain(model.outputStructure) {
      configs.problem(path.joined(separator: "/"), "inputs or outputs by name")
    }
  }

  // MARK: - One layer

  /// The layer, or a chain of layers that computes what it did.
  private mutating func translated(
    _ layer: LayerSpec, path: [String], in model: Architecture, _ taken: inout Set<String>
  ) -> [LayerSpec] {
    let name = (path + [layer.name]).joined(separator: "/")
    var layer = layer
    if configs.generation >= 3, dialect == .portable {
      // Keras 3 overrides it when the model is run, Keras 2 would not.
      for call in layer.calls.indices {
        layer.calls[call].arguments.keywords.removeAll { $0.name == "training" }
      }
    }
    if let nested = layer.nested {
      layer.nested = self.model(nested, path: path + [layer.name])
      layer.className = nested.kind == .sequential ? "Sequential" : "Functional"
      return [layer]
    }
    if layer.className == "InputLayer" { return [layer] }
    if layer.isOperation { return [layer] }
    if ["TFOpLambda", "SlicingOpLambda"].contains(layer.className) {
      guard let replaced = OperationTranslator(dialect).layers(for: layer) else {
        configs.problem(
          name, "the operation \(layer.config["function"]?.string ?? layer.className) has no counterpart in Keras 3")
        return [layer]
      }
      configs.note(
        name, "the operation \(layer.config["function"]?.string ?? "getitem") is the layer \(replaced.className) now")
      return [replaced]
    }
    let className = LayerRegistry.kerasName(ConfigReader.plainName(layer.className))
    layer.className = className
    layer.isImplied = false
    replaceRemovedClass(&layer, name)
    if LayerFields.of(layer.className) != nil {
      layer.module = "keras.layers"
      layer.registeredName = nil
    }
    if ["LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "RNN"].contains(
      layer.className)
    {
      separateInitialState(&layer)
    }
    scaleGates(&layer, path: path + [layer.name], name)
    if layer.className == "Bidirectional" { stateBackwardLayer(&layer) }
    var tail: [LayerSpec] = []
    if configs.generation < 3 || dialect == .portable { tail = splitHardSigmoid(&layer, name, &taken) }
    if layer.className != "Lambda" || dialect == .keras3 || configs.generation < 3 {
      layer.config = configs.config(layer.config, className: layer.className, layer: name)
    }
    if layer.className == "Lambda" {
      configs.problem(
        name, "a Lambda layer is Python code: Keras 3 asks for safe_mode=False to run it, and may not be able to")
    }
    return [layer] + tail
  }

  /// Classes that Keras 3 dropped and that another computes.
  private mutating func replaceRemovedClass(_ layer: inout LayerSpec, _ name: String) {
    switch layer.className {
    case "ThresholdedReLU":
      let threshold = layer.config["theta"] ?? 1.0
      layer.config["theta"] = nil
      layer.config["threshold"] = threshold
      layer.className = "ReLU"
      configs.note(name, "a ThresholdedReLU is a ReLU with a threshold now")
    case "RandomCrop": replaceRandomCrop(&layer, name)
    case "SyncBatchNormalization": layer.className = "BatchNormalization"
    case "FixedDropout": layer.className = "Dropout"
    default: break
    }
  }

  /// `[x, h, c]` as the one argument of a recurrent layer of Keras 2: the states have an argument of their own in Keras 3.
  private func separateInitialState(_ layer: inout LayerSpec) {
    guard dialect == .keras3 else { return }
    for place in layer.calls.indices {
      let arguments = layer.calls[place].arguments
      guard arguments.positional.count == 1, case .list(let items) = arguments.positional[0], items.count > 1 else {
        continue
      }
      layer.calls[place].arguments.positional = [items[0]]
      layer.calls[place].arguments.keywords.append(
        KeywordArgument(name: "initial_state", value: .list(Array(items.dropFirst()))))
    }
  }

  /// Keras 3 makes no backward layer of one that itself goes backwards; it is stated then.
  private func stateBackwardLayer(_ layer: inout LayerSpec) {
    guard layer.config["backward_layer"]?.object == nil, var backward = layer.config["layer"]?.object,
      var config = backward["config"]?.object, config["go_backwards"] == true
    else { return }
    config["go_backwards"] = false
    config["name"] = .string("backward_" + (config["name"]?.string ?? layer.name))
    backward["config"] = .object(config)
    layer.config["backward_layer"] = .object(backward)
  }

  // MARK: - hard_sigmoid

  /// hard_sigmoid is clip(0.2·x + 0.5, 0, 1) up to Keras 2 and clip(x/6 + 0.5, 0, 1) since Keras 3: a Rescaling and a ReLU are
  /// the same in both.
  private mutating func splitHardSigmoid(
    _ layer: inout LayerSpec, _ name: String, _ taken: inout Set<String>
  ) -> [LayerSpec] {
    guard
      !["LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "TimeDistributed"]
        .contains(layer.className),
      layer.config["activation"]?.string == "hard_sigmoid"
    else { return [] }
    let slope = configs.generation < 3 ? 0.2 : 1.0 / 6
    configs.note(
      name,
      "hard_sigmoid, which means something else in Keras \(configs.generation < 3 ? 3 : 2), is a Rescaling and a ReLU now"
    )
    func fresh(_ suffix: String) -> String {
      var candidate = layer.name + suffix
      while !taken.insert(candidate).inserted { candidate += "_" }
      return candidate
    }
    let original = layer.name
    let trainable: JSONValue = true
    let dtype = layer.config["dtype"]
    func config(_ name: String, _ fields: JSONObject) -> JSONObject {
      var config: JSONObject = ["name": .string(name), "trainable": trainable]
      config["dtype"] = dtype
      for (key, value) in fields.members { config[key] = value }
      return config
    }
    func spec(_ name: String, _ className: String, _ fields: JSONObject, after previous: String) -> LayerSpec {
      LayerSpec(
        name: name, className: className, module: "keras.layers", registeredName: nil, config: config(name, fields),
        isTrainable: true, nested: nil,
        calls: layer.calls.indices.map { call in
          LayerCall(CallArguments([.tensor(TensorReference(layer: previous, call: call, output: 0))]))
        }, isChained: true)
    }
    let scaled: JSONObject = ["scale": .double(slope), "offset": 0.5]
    let clipped: JSONObject = ["max_value": 1.0]
    if layer.className == "Activation" {
      // The layer itself scales; what follows has its name, so that it stays what others know.
      let first = fresh("_scale")
      let calls = layer.calls
      let last = spec(original, "ReLU", clipped, after: first)
      layer = spec(first, "Rescaling", scaled, after: first)
      layer.calls = calls
      layer.isChained = false
      return [last]
    }
    layer.config["activation"] = "linear"
    let second = spec(fresh("_scale"), "Rescaling", scaled, after: original)
    return [second, spec(fresh("_hard_sigmoid"), "ReLU", clipped, after: second.name)]
  }

  /// At inference a RandomCrop resized the image before Keras 3.8; since then it hands it through.
  private mutating func replaceRandomCrop(_ layer: inout LayerSpec, _ name: String) {
    if RandomCrop.resizes(in: configs.version) {
      for (field, value) in [("interpolation", "bilinear"), ("crop_to_aspect_ratio", true)] as [(String, JSONValue)] {
        layer.config[field] = value
      }
      layer.config["seed"] = nil
      layer.config["rng_type"] = nil
      layer.className = "Resizing"
      configs.note(name, "a RandomCrop, which newer Keras computes otherwise, is a Resizing that keeps the aspect now")
    } else if configs.version < KerasVersion(3, 8) || dialect == .portable {
      configs.problem(name, "a RandomCrop is something else in each Keras")
    }
  }

  /// In a recurrent layer the gates' weights and biases times 1.2 give through Keras 3's hard_sigmoid what they gave before.
  private mutating func scaleGates(_ layer: inout LayerSpec, path: [String], _ name: String) {
    guard configs.generation < 3 else {
      if dialect == .portable, layer.config["recurrent_activation"]?.string == "hard_sigmoid" {
        configs.problem(name, "hard_sigmoid means something else in Keras 2")
      }
      return
    }
    func isHard(_ config: JSONObject?, _ className: String) -> Bool {
      guard ["LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "LSTMCell", "GRUCell"].contains(className) else {
        return false
      }
      return (config?["recurrent_activation"]?.string ?? "hard_sigmoid") == "hard_sigmoid"
    }
    let inner = layer.config["layer"]
    let isInner = isHard(inner?["config"]?.object, ConfigReader.plainName(inner?["class_name"]?.string ?? ""))
    guard isHard(layer.config, layer.className) || isInner else { return }
    if dialect == .portable {
      configs.problem(name, "hard_sigmoid means something else in Keras 3")
    } else {
      scaledGates.insert(path)
      configs.note(
        name, "the gates' weights are multiplied by 1.2, so that Keras 3's hard_sigmoid gives what Keras 2's gave")
    }
  }
}

extension LayerCall {
  /// Whether Keras 2 and 3 write it alike: tensors in one argument, and nothing but plain values by name.
  fileprivate var isPortable: Bool {
    guard arguments.positional.count <= 1, arguments.keywords.allSatisfy({ $0.value.value != nil }) else {
      return false
    }
    switch arguments.positional.first {
    case nil, .tensor: return true
    case .list(let items): return items.allSatisfy { $0.tensor != nil }
    default: return false
    }
  }
}
