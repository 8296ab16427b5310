import H5ConvConfig
import H5ConvLayers

/// Follows the sizes that a graph of tf.keras computes (`tf.shape(x)[1] * 2`), which Keras 3 has no tensors for.
struct SizeFlow {
  /// Operations that compute sizes out of `tf.shape` alone.
  private(set) var sizes: Set<String> = []
  /// Operations that take a size.
  private(set) var users: Set<String> = []
  /// Sizes of the batch.
  private var batches: Set<TensorReference> = []
  /// Calls whose results have the batch of the model's inputs as first axis.
  private var batched: Set<CallPlace> = []
  private let layers: [String: LayerSpec]

  init(_ model: Architecture) {
    layers = Dictionary(model.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    guard model.layers.contains(where: { Self.name(of: $0) == "shape" }) else { return }
    for (place, layer) in model.callsInOrder {
      let call = layer.calls[place.call]
      guard let function = Self.name(of: layer) else {
        if Self.keepsBatch(layer), call.inputs.allSatisfy({ isBatched($0) }) { batched.insert(place) }
        continue
      }
      let inputs = call.arguments.tensors
      if function == "shape" || !inputs.isEmpty && inputs.allSatisfy({ sizes.contains($0.layer) }) {
        sizes.insert(layer.name)
        if let batch = batch(function, layer, call) { batches.insert(batch) }
        continue
      }
      if inputs.contains(where: { sizes.contains($0.layer) }) { users.insert(layer.name) }
      if keepsBatch(function, layer, call),
        inputs.allSatisfy({ isBatched($0) || sizes.contains($0.layer) })
      {
        batched.insert(place)
      }
    }
  }

  private func isBatched(_ reference: TensorReference) -> Bool {
    batched.contains(CallPlace(layer: reference.layer, call: reference.call))
  }

  /// Whether a layer, which is no operation, keeps the batch: all of Keras do, and models of such; other people's code may not.
  private static func keepsBatch(_ layer: LayerSpec) -> Bool {
    if let nested = layer.nested { return nested.layers.allSatisfy { name(of: $0) == nil && keepsBatch($0) } }
    return layer.className == "InputLayer" || LayerFields.of(layer.className) != nil
  }

  /// What an operation of TensorFlow computes, as ``OperationTranslator`` names it; nil for a layer.
  private static func name(of layer: LayerSpec) -> String? {
    OperationTranslator.function(of: layer).map(CallArguments<TensorReference>.plainName)
  }

  /// The result of an operation on sizes that is the size of the batch.
  private func batch(_ function: String, _ layer: LayerSpec, _ call: LayerCall) -> TensorReference? {
    let arguments = OperationArguments(call.arguments)
    guard let source = arguments.first?.tensor, let shape = layers[source.layer], Self.name(of: shape) == "shape",
      shape.calls.indices.contains(source.call),
      let measured = shape.calls[source.call].inputs.first, isBatched(measured)
    else { return nil }
    let first = TensorReference(layer: layer.name, call: 0, output: 0)
    switch function {
    case "unstack": return (arguments.value("axis", at: 2)?.integer ?? 0) == 0 ? first : nil
    case "getitem": return arguments.ints("slice_spec", at: 1) == [0] ? first : nil
    default: return nil
    }
  }

  /// Whether the first axis of an operation's result is that of its inputs.
  private func keepsBatch(_ function: String, _ layer: LayerSpec, _ call: LayerCall) -> Bool {
    switch function {
    case "add", "addv2", "subtract", "sub", "multiply", "mul", "truediv", "realdiv", "relu", "relu6", "leakyrelu",
      "elu",
      "sigmoid", "tanh", "softmax", "softplus", "exp", "square", "sqrt", "identity", "cast", "biasadd", "l2normalize":
      return true
    case "concat", "concatenate":
      let axis = OperationArguments(call.arguments).value("axis", at: 1)?.integer
      return axis.map { $0 > 0 } ?? false
    case "reshape": return target(of: layer) != nil
    default: return false
    }
  }

  // MARK: - Reshaping

  /// The axes behind the batch that a `tf.reshape` makes, with -1 for one that follows from the others; nil when Keras' Reshape does
  /// not do the same.
  func target(of layer: LayerSpec) -> [Int]? {
    guard layer.calls.count == 1, let call = layer.calls.first, Self.name(of: layer) == "reshape" else { return nil }
    let arguments = OperationArguments(call.arguments)
    guard let x = arguments.first?.tensor, isBatched(x),
      let items = items(arguments.argument("shape", at: 1)),
      let first = items.first?.tensor, batches.contains(first)
    else { return nil }
    var target: [Int] = []
    for item in items.dropFirst() {
      if let reference = item.tensor, sizes.contains(reference.layer), !batches.contains(reference) {
        target.append(-1)
      } else if let number = item.value.map(ConfigReader.unwrapped)?.integer, number > 0 || number == -1 {
        target.append(number)
      } else {
        return nil
      }
    }
    return !target.isEmpty && target.count(where: { $0 == -1 }) <= 1 ? target : nil
  }

  /// The sizes of a shape that is a list, or that `tf.stack` makes of one.
  private func items(_ shape: Argument<TensorReference>?) -> [Argument<TensorReference>]? {
    switch shape {
    case .list(let items): return items
    case .tensor(let reference):
      guard let maker = layers[reference.layer], Self.name(of: maker) == "stack",
        maker.calls.indices.contains(reference.call)
      else { return nil }
      let arguments = OperationArguments(maker.calls[reference.call].arguments)
      guard (arguments.value("axis", at: 1)?.integer ?? 0) == 0, case .list(let items)? = arguments.first else {
        return nil
      }
      return items
    default: return nil
    }
  }
}

extension ModelTranslator {
  /// The model with Keras' Reshape where `tf.reshape` gives the batch the size that it has, and without the sizes that nothing needs
  /// any more.
  mutating func resolveSizes(_ model: Architecture, path: [String]) -> Architecture {
    guard configs.generation < 3, model.kind == .functional else { return model }
    let flow = SizeFlow(model)
    guard !flow.users.isEmpty else { return model }
    var model = model
    for place in model.layers.indices {
      let layer = model.layers[place]
      guard let target = flow.target(of: layer), let x = layer.calls[0].arguments.positional.first?.tensor else {
        continue
      }
      model.layers[place] = LayerSpec.made(
        layer.name, "Reshape", ["target_shape": .array(target.map { .int($0) })],
        dtype: layer.config["dtype"]?.string.map { .string($0) } ?? "float32",
        calls: [LayerCall(CallArguments([.tensor(x)]))])
      configs.note((path + [layer.name]).joined(separator: "/"), "the operation reshape is the layer Reshape now")
    }
    let unused = model.unusedLayers(among: flow.sizes)
    for name in unused.sorted() {
      configs.note(
        (path + [name]).joined(separator: "/"), "computes a size that nothing needs any more, and is left out")
    }
    model.layers.removeAll { unused.contains($0.name) }
    return model
  }
}

extension Architecture {
  /// Which of the layers in `candidates` nothing takes anything from, but others of them that are unused too.
  fileprivate func unusedLayers(among candidates: Set<String>) -> Set<String> {
    var uses: [String: Int] = [:]
    func sources(_ layer: LayerSpec) -> [String] { layer.calls.flatMap { $0.arguments.tensors.map(\.layer) } }
    for layer in layers { for source in sources(layer) { uses[source, default: 0] += 1 } }
    for output in outputs { uses[output.layer, default: 0] += 1 }
    let byName = Dictionary(layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var unused: Set<String> = []
    var waiting = candidates.filter { uses[$0] == nil }
    while let name = waiting.popFirst() {
      guard unused.insert(name).inserted, let layer = byName[name] else { continue }
      for source in sources(layer) {
        uses[source, default: 1] -= 1
        if uses[source] == 0, candidates.contains(source) { waiting.insert(source) }
      }
    }
    return unused
  }
}
