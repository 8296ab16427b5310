import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
package import H5ConvModelFiles
import H5ConvTensors

extension Graph {
  /// Calls that a graph may have once its nested models are unfolded.
  private static var callLimit: Int { 50_000 }

  /// Understands the layers of `architecture`, unfolds its nested models and infers shapes.
  ///
  /// A layer that is not supported stays in the graph with the reason; so do shapes that cannot be inferred.
  /// - Parameter inputShapes: shapes of the inputs of one run, batch first, in their order; nil for those that the model states.
  /// - Throws: ``H5ConvError`` of kind `badData` for a graph that cannot be: cycles, references to nothing.
  package init(_ architecture: Architecture, inputShapes: [[Int]]? = nil) throws {
    var builder = GraphBuilder(limit: Graph.callLimit)
    if let inputShapes {
      for (reference, shape) in zip(architecture.inputs, inputShapes) {
        builder.inputShapes[reference] = PartialShape(shape)
      }
    }
    outputs = try builder.unfold(
      architecture, inputs: nil, site: GraphBuilder.Site(path: [], key: "", numbers: []),
      isTrainable: architecture.isTrainable)
    layers = builder.layers
    calls = builder.calls
    modelCalls = builder.modelCalls
    inputs = builder.inputs
    dependsOnSizes = builder.dependsOnSizes
    if inputs.isEmpty {
      throw H5ConvError(.badData, "the model has no input layer", at: "model '\(architecture.name)'")
    }
  }
}

private struct GraphBuilder {
  /// Longest axis of a tensor: with kernels, strides and factors below 2²⁰ a layer's arithmetic on sizes stays below 2⁶².
  static let sizeLimit = 1 << 40
  /// Bytes of all keys together.
  static let keyLimit = 256 << 20

  let limit: Int
  var layers: [GraphLayer] = []
  var calls: [GraphCall] = []
  var modelCalls: [ModelCall] = []
  var inputs: [Int] = []
  /// Shapes of the outermost model's inputs for one run.
  var inputShapes: [TensorReference: PartialShape] = [:]
  private(set) var dependsOnSizes = false
  /// What tensors hold that tell sizes of others.
  private var sizes: [TensorID: SizeNumbers] = [:]
  private var layerPlaces: [[String]: Int] = [:]
  private var keyBytes = 0

  init(limit: Int) { self.limit = limit }

  private struct Node: Hashable {
    let layer: Int
    let call: Int
  }

  /// One call of a model: where its layers' calls belong.
  struct Site {
    /// Names of the models around its layers.
    let path: [String]
    /// What the keys of its calls begin with: `outer/`, or `outer@1/` when the model is called a second time.
    let key: String
    /// Which calls of those models these are.
    let numbers: [Int]
  }

  /// Adds the calls of `model` and gives its outputs.
  ///
  /// - Parameters:
  ///   - inputs: the tensors it is applied to; nil for the outermost model, whose input layers become calls.
  mutating func unfold(
    _ model: Architecture, inputs given: [TensorID]?, site: Site, isTrainable: Bool
  ) throws -> [TensorID] {
    let path = site.path
    let place = path.isEmpty ? "model '\(model.name)'" : "model '\(path.joined(separator: "/"))'"
    let names = Dictionary(model.layers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    if let given, given.count != model.inputs.count {
      throw H5ConvError(.badData, "\(given.count) inputs where \(model.inputs.count) were expected", at: place)
    }
    var results: [Node: [TensorID]] = [:]
    var bound: [Node: TensorID] = [:]
    for (input, reference) in model.inputs.enumerated() {
      guard let layer = names[reference.layer] else { throw missing(reference, place) }
      if let given { bound[Node(layer: layer, call: reference.call)] = given[input] }
    }
    for node in try GraphBuilder.order(model, names: names, place: place) {
      let spec = model.layers[node.layer]
      let callInputs = try spec.calls[node.call].inputs.map { reference in
        guard let layer = names[reference.layer], let tensors = results[Node(layer: layer, call: reference.call)],
          tensors.indices.contains(reference.output)
        else { throw missing(reference, "\(place), inputs of '\(spec.name)'") }
        return tensors[reference.output]
      }
      if let tensor = bound[node] {
        results[node] = [tensor]
      } else if let nested = spec.nested {
        // Keras 3 states the mask that comes along with the input; here masks follow tensors by themselves.
        let stated = spec.calls[node.call].arguments.argument("mask")?.tensors ?? []
        let given = zip(spec.calls[node.call].inputs, callInputs).filter { !stated.contains($0.0) }.map(\.1)
        results[node] = try apply(nested, spec, node.call, given, at: site, isTrainable: isTrainable)
      } else {
        results[node] = try call(spec, node.call, callInputs, in: model, at: site, isTrainable: isTrainable)
      }
    }
    if given == nil {
      self.inputs = try model.inputs.map { reference in
        guard let layer = names[reference.layer], let tensor = results[Node(layer: layer, call: reference.call)]?.first
        else { throw missing(reference, place) }
        return tensor.call
      }
    }
    return try model.outputs.map { reference in
      guard let layer = names[reference.layer], let tensors = results[Node(layer: layer, call: reference.call)],
        tensors.indices.contains(reference.output)
      else { throw missing(reference, "\(place), outputs") }
      return tensors[reference.output]
    }
  }

  private func missing(_ reference: TensorReference, _ place: String) -> H5ConvError {
    H5ConvError(
      .badData, "output \(reference.output) of call \(reference.call) of '\(reference.layer)' does not exist", at: place
    )
  }

  /// The key of a call of `name`: `name`, and from its second call in the config's order on `name@1`, `name@2`….
  private mutating func key(_ name: String, _ number: Int) throws -> String {
    // Each key takes its room, of a name that may be long and is in the file once.
    keyBytes += name.utf8.count
    guard keyBytes <= GraphBuilder.keyLimit else {
      throw H5ConvError(.limit, "a graph whose layers' names take more than \(GraphBuilder.keyLimit >> 20) MB")
    }
    return number == 0 ? name : "\(name)@\(number)"
  }

  private mutating func apply(
    _ nested: Architecture, _ spec: LayerSpec, _ number: Int, _ inputs: [TensorID], at site: Site, isTrainable: Bool
  ) throws -> [TensorID] {
    guard calls.count + modelCalls.count < limit else {
      throw H5ConvError(.limit, "a graph of more than \(limit) calls")
    }
    let inner = site.path + [spec.name]
    let key = try self.key(site.key + spec.name, number)
    let numbers = site.numbers + [number]
    let outputs = try unfold(
      nested, inputs: inputs, site: Site(path: inner, key: key + "/", numbers: numbers),
      isTrainable: isTrainable && spec.isTrainable && nested.isTrainable)
    modelCalls.append(
      ModelCall(
        path: inner, key: key, callNumbers: numbers, className: spec.className, inputs: inputs, outputs: outputs,
        position: calls.count))
    return outputs
  }

  private mutating func call(
    _ spec: LayerSpec, _ number: Int, _ inputs: [TensorID], in model: Architecture, at site: Site, isTrainable: Bool
  ) throws -> [TensorID] {
    guard calls.count + modelCalls.count < limit else {
      throw H5ConvError(.limit, "a graph of more than \(limit) calls")
    }
    let layerPath = site.path + [spec.name]
    let place = layerPlaces[layerPath] ?? add(spec, layerPath, in: model, isTrainable: isTrainable)
    layerPlaces[layerPath] = place
    let known = inputs.map { sizes[$0] }
    let applied = applied(place, spec.calls[number], known)
    var shapes = outputShapes(of: place, applied, inputs)
    let isInput = spec.className == "InputLayer"
    if isInput, site.path.isEmpty,
      let shape = inputShapes[TensorReference(layer: spec.name, call: number, output: 0)]
    {
      shapes = .success([shape])
    }
    noteSizes(place, spec.calls[number], inputs, known)
    calls.append(
      GraphCall(
        layer: place, key: try key(site.key + spec.name, number), callNumbers: site.numbers + [number], inputs: inputs,
        applied: applied, outputShapes: shapes,
        isListed: !(isInput && (model.kind == .sequential || !site.path.isEmpty))))
    let count = if case .success(let shapes) = shapes { max(1, shapes.count) } else { 16 }
    return (0..<count).map { TensorID(call: calls.count - 1, output: $0) }
  }

  /// The layer that a config describes; that inside a wrapper may be a model.
  private static func layer(_ className: String, _ config: ConfigReader) throws -> any Layer {
    guard className == "TimeDistributed", let wrapped = config["layer"],
      wrapped["config"]?.array != nil || wrapped["config"]?["layers"]?.array != nil
    else { return try LayerRegistry.layer(className, config) }
    // Configs of Keras 1 are Keras 2's by now.
    let model = try ArchitectureReader.read(wrapped, kerasVersion: config.generation < 2 ? "2.0" : "\(config.version)")
    return try LayerRegistry.timeDistributed(config, model: try ModelLayer(model))
  }

  private mutating func add(_ spec: LayerSpec, _ path: [String], in model: Architecture, isTrainable: Bool) -> Int {
    let place = "layer '\(path.joined(separator: "/"))' of class \(spec.className)"
    let reader = ConfigReader(spec.config, at: place, version: model.version)
    let kind = Result<any Layer, H5ConvError> {
      () throws(H5ConvError) in
      do { return try GraphBuilder.layer(spec.className, reader) } catch let error as H5ConvError { throw error } catch
      {
        throw H5ConvError(.internalFault, "\(error)", at: place)
      }
    }
    layers.append(
      GraphLayer(
        path: path, className: spec.className, config: spec.config, generation: model.generation,
        isTrainable: isTrainable && spec.isTrainable, kind: kind))
    return layers.count - 1
  }

  /// The layer as the call uses it.
  ///
  /// - Parameter known: sizes that its inputs hold.
  private func applied(
    _ place: Int, _ call: LayerCall, _ known: [SizeNumbers?]
  ) -> Result<any Layer, H5ConvError> {
    located(site(place)) {
      let layer = try layers[place].kind.get()
      var arguments = call.arguments
      // What Keras 3 runs a model with overrides what its calls were made with; Keras 2 keeps to the calls.
      if layers[place].generation >= 3 {
        arguments.keywords.removeAll { $0.name == "training" }
      } else if call.training == true, layer.differsInTraining {
        throw H5ConvError(
          .unsupported, "the layer is called with training=True, so that its output is random or depends on the batch")
      }
      return try layer.applied(to: GraphBuilder.numbered(arguments).replacing(known, splits: layer.takesSizes))
    }
  }

  /// The arguments with tensors as places among the call's inputs.
  private static func numbered(_ arguments: CallArguments<TensorReference>) -> CallArguments<Int> {
    var input = -1
    return arguments.map { _ in
      input += 1
      return input
    }
  }

  /// Notes which sizes the outputs of the next call hold.
  private mutating func noteSizes(_ place: Int, _ call: LayerCall, _ inputs: [TensorID], _ known: [SizeNumbers?]) {
    guard case .success(let layer) = layers[place].kind else { return }
    let shapes = inputs.map { tensor -> PartialShape? in
      guard case .success(let shapes) = calls[tensor.call].outputShapes, shapes.indices.contains(tensor.output) else {
        return nil
      }
      return shapes[tensor.output]
    }
    let found = shapes.compactMap { $0 }
    guard found.count == shapes.count else { return }
    let results = layer.sizes(of: GraphBuilder.numbered(call.arguments), shapes: found, known: known)
    for (output, numbers) in results.enumerated() { sizes[TensorID(call: calls.count, output: output)] = numbers }
    if !results.isEmpty { dependsOnSizes = true }
  }

  private func site(_ place: Int) -> String { "layer '\(layers[place].name)' of class \(layers[place].className)" }

  /// Runs `body`; an error without a place gets `site`.
  private func located<Value>(_ site: String, _ body: () throws -> Value) -> Result<Value, H5ConvError> {
    do { return .success(try body()) } catch let error as H5ConvError {
      return .failure(H5ConvError(error.kind, error.what, at: error.place ?? site, remedy: error.remedy))
    } catch {
      return .failure(H5ConvError(.internalFault, "\(error)", at: site))
    }
  }

  /// Infers the output shapes of a call and, at the first call of a layer, its weights.
  private mutating func outputShapes(
    of place: Int, _ layer: Result<any Layer, H5ConvError>, _ inputs: [TensorID]
  ) -> Result<[PartialShape], H5ConvError> {
    let site = site(place)
    var weights: [WeightSpec]?
    var quantization: Quantization?
    let shapes = located(site) {
      let layer = try layer.get()
      let shapes = try inputs.map { tensor -> PartialShape in
        let shapes = try calls[tensor.call].outputShapes.get()
        if shapes.isEmpty, layers[calls[tensor.call].layer].className == "InputLayer" {
          throw H5ConvError(
            .unsupported, "the model does not state the shape of its input: it was saved before it was built",
            at: site, remedy: "build it in Keras with model.build(shape), and save it again")
        }
        guard shapes.indices.contains(tensor.output) else {
          throw H5ConvError(.badData, "output \(tensor.output) of '\(calls[tensor.call].key)' does not exist", at: site)
        }
        return shapes[tensor.output]
      }
      if layers[place].weights.isEmpty {
        let specs = try layer.weights(for: shapes)
        quantization = try Quantization.read(
          layers[place].config, className: layers[place].className, specs: specs)
        weights = quantization?.stored ?? specs
      }
      let outputs = try layer.outputShapes(for: shapes)
      for size in outputs.flatMap(\.sizes) where size ?? 0 > GraphBuilder.sizeLimit {
        throw H5ConvError(.limit, "an output with an axis of \(size ?? 0)")
      }
      return outputs
    }
    if let weights {
      layers[place].weights = weights
      layers[place].quantization = quantization
    }
    return shapes
  }

  /// The calls of one model in an order in which each comes after its inputs: of those that could be next, the first in the
  /// config's order.
  private static func order(_ model: Architecture, names: [String: Int], place: String) throws -> [Node] {
    var waiting: [Node: Int] = [:]
    var users: [Node: [Node]] = [:]
    var ready: [Node] = []
    var total = 0
    for (layer, spec) in model.layers.enumerated() {
      for (call, details) in spec.calls.enumerated() {
        let node = Node(layer: layer, call: call)
        total += 1
        let sources = Set(
          try details.inputs.map { reference in
            guard let source = names[reference.layer], reference.call < model.layers[source].calls.count else {
              throw H5ConvError(
                .badData, "call \(reference.call) of '\(reference.layer)' does not exist",
                at: "\(place), inputs of '\(spec.name)'")
            }
            return Node(layer: source, call: reference.call)
          })
        waiting[node] = sources.count
        for source in sources { users[source, default: []].append(node) }
        if sources.isEmpty { ready.append(node) }
      }
    }
    var queue = FirstOfAll(ready.map { ($0.layer, $0.call) })
    var order: [Node] = []
    while let (layer, call) = queue.popFirst() {
      let node = Node(layer: layer, call: call)
      order.append(node)
      for user in users[node] ?? [] {
        waiting[user, default: 0] -= 1
        if waiting[user] == 0 { queue.insert((user.layer, user.call)) }
      }
    }
    guard order.count == total else {
      let stuck = model.layers.enumerated().first { layer, spec in
        spec.calls.indices.contains { (waiting[Node(layer: layer, call: $0)] ?? 0) > 0 }
      }
      throw H5ConvError(.badData, "the graph has a cycle", at: "\(place), at layer '\(stuck?.element.name ?? "")'")
    }
    return order
  }
}

/// Pairs of numbers, of which the least comes out first: a binary heap, since as many layers as a model has may wait for one.
private struct FirstOfAll {
  private var items: [(Int, Int)] = []

  init(_ items: [(Int, Int)]) {
    // In order is a heap too.
    self.items = items.sorted { $0 < $1 }
  }

  mutating func insert(_ item: (Int, Int)) {
    items.append(item)
    var place = items.count - 1
    while place > 0, items[place] < items[(place - 1) / 2] {
      items.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func popFirst() -> (Int, Int)? {
    guard let first = items.first else { return nil }
    items.swapAt(0, items.count - 1)
    items.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < items.count && items[child] < items[least] {
        least = child
      }
      if least == place { return first }
      items.swapAt(place, least)
      place = least
    }
  }
}
