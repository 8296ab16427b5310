import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// A model as one layer: what a wrapper such as TimeDistributed has inside.
///
/// Its weights are those of its layers, with the layers' names before theirs: `block/conv/kernel`.
struct ModelLayer: Layer {
  private let graph: Graph
  /// Where Keras 3 keeps the layers, by their paths.
  private let places: [[String]: String]

  init(_ config: ConfigReader) throws { throw config.error("layers", "are those of a model") }

  init(_ model: Architecture) throws {
    graph = try Graph(model)
    places = StorePaths.paths(of: model)
  }

  /// Shapes of all tensors when the inputs have the shapes `inputs`.
  private func shapes(_ inputs: [PartialShape]) throws -> [TensorID: PartialShape] {
    guard inputs.count == graph.inputs.count else {
      throw H5ConvError(.badData, "\(inputs.count) inputs where \(graph.inputs.count) were expected")
    }
    var shapes: [TensorID: PartialShape] = [:]
    for (call, shape) in zip(graph.inputs, inputs) { shapes[TensorID(call: call, output: 0)] = shape }
    for number in graph.ancestors(of: graph.outputs) where shapes[TensorID(call: number, output: 0)] == nil {
      let call = graph.calls[number]
      let given = try call.inputs.map { try ModelLayer.known(shapes[$0], call) }
      let outputs = try located(call) { try call.applied.get().outputShapes(for: given) }
      for (output, shape) in outputs.enumerated() { shapes[TensorID(call: number, output: output)] = shape }
    }
    return shapes
  }

  private static func known<Found>(_ found: Found?, _ call: GraphCall) throws -> Found {
    guard let found else { throw H5ConvError(.badData, "an input of '\(call.key)' does not exist") }
    return found
  }

  /// Runs `body`; its errors say which layer of the model they are about.
  private func located<Result>(_ call: GraphCall, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as H5ConvError {
      // The wrapper's place is added outside.
      throw H5ConvError(error.kind, "\(error.what), in '\(call.key)' of class \(graph.layers[call.layer].className)")
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shapes = try shapes(inputs)
    return try graph.outputs.map { try ModelLayer.known(shapes[$0], graph.calls[$0.call]) }
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let shapes = try shapes(inputs)
    var specs: [Int: [WeightSpec]] = [:]
    for number in graph.ancestors(of: graph.outputs) where !graph.inputs.contains(number) {
      let call = graph.calls[number]
      if specs[call.layer] != nil { continue }
      let given = try call.inputs.map { try ModelLayer.known(shapes[$0], call) }
      specs[call.layer] = try located(call) { try call.applied.get().weights(for: given) }
    }
    return graph.layers.indices.flatMap { number in
      let layer = graph.layers[number]
      let owner = places[layer.path]?.split(separator: "/").map(String.init) ?? []
      return (specs[number] ?? []).map { spec in
        WeightSpec(
          "\(layer.name)/\(spec.name)", spec.shape, aliases: [spec.name] + spec.aliases,
          isTrainable: spec.isTrainable && layer.isTrainable, owner: owner + spec.owner, number: spec.number)
      }
    }
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    var values: [TensorID: Value] = [:]
    let (prefix, masks) = (lowering.weightPrefix, lowering.inputMasks)
    defer { (lowering.weightPrefix, lowering.inputMasks) = (prefix, masks) }
    for (call, value) in zip(graph.inputs, inputs) { values[TensorID(call: call, output: 0)] = value }
    for number in graph.ancestors(of: graph.outputs) where values[TensorID(call: number, output: 0)] == nil {
      let call = graph.calls[number]
      let given = try call.inputs.map { try ModelLayer.known(values[$0], call) }
      lowering.weightPrefix = "\(prefix)\(graph.layers[call.layer].name)/"
      lowering.inputMasks = given.map { _ in nil }
      lowering.outputMasks = []
      let outputs = try located(call) { try call.applied.get().lower(given, to: &lowering) }
      guard lowering.outputMasks.allSatisfy({ $0 == nil }) else {
        throw H5ConvError(.unsupported, "masks inside a model in a wrapper ('\(call.key)') are not supported")
      }
      for (output, value) in outputs.enumerated() { values[TensorID(call: number, output: output)] = value }
    }
    return try graph.outputs.map { try ModelLayer.known(values[$0], graph.calls[$0.call]) }
  }
}
