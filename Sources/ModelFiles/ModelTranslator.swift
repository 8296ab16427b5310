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
  /// What becomes of layers' weights, by their paths in this architecture.
  package let weightChanges: [[String]: [WeightChange]]
  private let sourcePaths: [[String]: [String]]

  init(_ architecture: Architecture, _ translator: ModelTranslator, _ names: KerasNames) {
    self.architecture = architecture
    dialect = translator.dialect
    notes = ([names.note].compactMap { $0 }) + translator.configs.notes
    problems = translator.configs.problems
    weightChanges = translator.weightChanges
    sourcePaths = names.sourcePaths
  }

  /// Where the layer at `path` is in the model that was translated.
  package func sourcePath(_ path: [String]) -> [String] { sourcePaths[path] ?? path }

  /// What layers are called now, by the names that they had, where these are others.
  package var outputNames: [String: String] {
    sourcePaths.reduce(into: [:]) { names, paths in
      if paths.key.count == 1 { names[paths.value.joined(separator: "/")] = paths.key[0] }
    }
  }
}

/// Brings a model's architecture into a form that today's Keras reads and that computes the same numbers.
package struct ModelTranslator {
  let dialect: Dialect
  var configs: ConfigTranslator
  var weightChanges: [[String]: [WeightChange]] = [:]

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
    var names = KerasNames()
    let architecture = translator.model(names.renamed(model), path: [])
    return TranslatedModel(architecture, translator, names)
  }

  private init(_ dialect: Dialect, version: KerasVersion) {
    self.dialect = dialect
    configs = ConfigTranslator(dialect, version: version)
  }

  /// - Parameter path: names of the models around it.
  private mutating func model(_ model: Architecture, path: [String]) -> Architecture {
    let model = resolveSizes(sendMasks(model, path: path), path: path)
    let sizes = SizeFlow(model)
    var result = model
    result.layers = []
    /// The layer that gives what a layer of the old graph gave.
    var last: [String: String] = [:]
    var taken = Set(model.layers.map(\.name))
    for layer in model.layers {
      guard !sizes.sizes.contains(layer.name), !sizes.users.contains(layer.name) else {
        // It stays whole: what it becomes alone would not take a size.
        configs.problem(
          (path + [layer.name]).joined(separator: "/"),
          sizes.sizes.contains(layer.name)
            ? "computes a size, which is no tensor in Keras 3"
            : "takes a size that the graph computes, which Keras 3 has no tensor for")
        result.layers.append(layer)
        continue
      }
      let chain = translated(layer, path: path, in: model, &taken)
      if let end = chain.last, end.name != layer.name { last[layer.name] = end.name }
      result.layers += chain
    }
    if !last.isEmpty {
      let added = Set(last.values)
      func redirected(_ reference: TensorReference) -> TensorReference {
        guard reference.output == 0, let name = last[reference.layer] else { return reference }
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
    if layer.isOperation { return [operation(layer, name)] }
    if let function = OperationTranslator.function(of: layer) {
      let replaced = OperationTranslator(dialect).layers(for: layer) { ModelTranslator.fresh(layer.name + $0, &taken) }
      guard let replaced else {
        configs.problem(
          name,
          "the operation \(function) has no counterpart in \(dialect == .portable ? "both Keras 2 and 3" : "Keras 3")")
        return [layer]
      }
      let classes = replaced.map(\.className).joined(separator: ", ")
      configs.note(name, "the operation \(function) is the layer\(replaced.count == 1 ? "" : "s") \(classes) now")
      return replaced
    }
    let className = LayerRegistry.kerasName(ConfigReader.plainName(layer.className))
    layer.className = className
    layer.isImplied = false
    changeWeights(&layer, path: path + [layer.name], name)
    configs.replaceRemovedClass(&layer.className, &layer.config, name)
    if LayerFields.of(layer.className) != nil {
      layer.className = LayerFields.apiName(layer.className)
      layer.module = "keras.layers"
      layer.registeredName = nil
    }
    if layer.className == "Lambda" {
      configs.problem(
        name, "a Lambda layer is Python code: Keras 3 asks for safe_mode=False to run it, and may not be able to")
      return [layer]
    }
    translateRecurrence(&layer, name)
    var before: [LayerSpec] = []
    var after: [LayerSpec] = []
    if configs.generation < 3 {
      before = padCausally(&layer, &taken)
      let around = turnTimeMajor(&layer, name, &taken)
      before += around.before
      after = around.after
      translateWrappedModel(&layer.config, name)
    }
    if configs.generation < 3 || dialect == .portable { after += splitHardSigmoid(&layer, name, &taken) }
    layer.config = configs.config(layer.config, className: layer.className, layer: name)
    return before + [layer] + after
  }

  /// An operation of Keras 3 with its module, which legacy files do not tell.
  private mutating func operation(_ layer: LayerSpec, _ name: String) -> LayerSpec {
    var layer = layer
    if ["AdaptiveAveragePool", "AdaptiveMaxPool"].contains(layer.className),
      let sizes = layer.config["output_size"]?.array
    {
      let pooling = "\(layer.className)ing\(sizes.count)D"
      configs.note(name, "the operation \(layer.className), which Keras 3 cannot load, is the layer \(pooling) now")
      var fields: JSONObject = ["output_size": .array(sizes)]
      fields["data_format"] = layer.config["data_format"]
      return LayerSpec.made(
        layer.name, pooling, fields, dtype: configs.policy(layer.config["dtype"]), calls: layer.calls)
    }
    if layer.module == nil {
      layer.module = OperationModules.module(of: layer.className)
      layer.registeredName = layer.className
    }
    if layer.module == nil { configs.problem(name, "Keras has no operation \(layer.className)") }
    return layer
  }

  /// A SeparableConv1D of Keras 2 that sees the past alone: Keras 3 has none, but pads as well.
  private func padCausally(_ layer: inout LayerSpec, _ taken: inout Set<String>) -> [LayerSpec] {
    func number(_ field: String) -> Int {
      let value = layer.config[field]
      return value?.integer ?? value?.array?.first?.integer ?? 1
    }
    guard layer.className == "SeparableConv1D", layer.config["padding"] == "causal" else { return [] }
    layer.config["padding"] = "valid"
    var fields: JSONObject = ["padding": [.int((number("kernel_size") - 1) * number("dilation_rate")), 0]]
    if layer.config["data_format"] == "channels_first" { fields["data_format"] = "channels_first" }
    return [added("_pad", "ZeroPadding1D", fields, before: &layer, &taken)]
  }

  /// A new layer that takes what `layer` took, and gives it on to that.
  func added(
    _ suffix: String, _ className: String, _ fields: JSONObject, before layer: inout LayerSpec,
    _ taken: inout Set<String>
  ) -> LayerSpec {
    let made = LayerSpec.made(
      ModelTranslator.fresh(layer.name + suffix, &taken), className, fields,
      dtype: configs.policy(layer.config["dtype"]),
      calls: layer.calls)
    layer.calls = made.following
    layer.isChained = true
    return made
  }

  /// The model inside a wrapper such as TimeDistributed, in the words of Keras 3.
  private mutating func translateWrappedModel(_ config: inout JSONObject, _ name: String) {
    guard dialect == .keras3, var wrapped = config["layer"]?.object, var inner = wrapped["config"]?.object else {
      return
    }
    guard inner["layers"] != nil else {
      translateWrappedModel(&inner, name)
      wrapped["config"] = .object(inner)
      config["layer"] = .object(wrapped)
      return
    }
    guard
      let model = try? ArchitectureReader.read(.object(wrapped), kerasVersion: "\(configs.version)")
    else { return }
    var names = KerasNames()
    let known = weightChanges
    let translated = self.model(names.renamed(model), path: [name])
    if weightChanges != known {
      configs.problem(name, "a recurrent layer inside the model that is wrapped computes something else in Keras 3")
      weightChanges = known
    }
    config["layer"] = ArchitectureWriter(dialect).config(translated)
  }

  /// A name that no layer has.
  static func fresh(_ name: String, _ taken: inout Set<String>) -> String {
    var candidate = name
    while !taken.insert(candidate).inserted { candidate += "_" }
    return candidate
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
