import H5ConvDiagnostics
package import H5ConvGraph
import H5ConvLayers
package import H5ConvTensors

/// A graph compiled for one input shape: the operations that the wanted tensors need, with their weights loaded.
package struct Plan: Sendable {
  /// Where weights come from: number of the layer in the graph, name of the weight.
  package typealias WeightSource = (_ layer: Int, _ name: String) throws -> Tensor

  let inputs: [Value]
  let steps: [PlanStep]
  /// Values that are wanted, in the order asked for.
  let outputs: [Value]
  /// After which step (by its number) a value is not needed any more.
  let lastUses: [Int: Int]
  /// The first steps for a few images at a time, where the batch is large.
  let parts: BatchParts?

  /// The number of operations that a run computes.
  package var stepCount: Int { steps.count }

  /// How many images of the batch the first operations take at a time; nil where they take all.
  package var imagesAtATime: Int? { parts?.size }

  /// Bytes of the largest step's inputs and result, and of all outputs.
  package let largestBytes: (step: Int, outputs: Int)

  /// Compiles what `wanted` needs of `graph`; layers that it does not need are neither lowered nor are their weights read.
  ///
  /// - Parameters:
  ///   - beforeActivation: places in `wanted` where not a layer's output is meant but what the activation at its end is computed of.
  ///   - inputShapes: shapes of the model's inputs, batch first, in the order of `graph.inputs`.
  ///   - isExact: whether every layer is computed as it stands; else batch normalizations are multiplied into the convolutions before
  ///     them, and convolutions may be computed by Winograd's algorithm.
  ///   - derivative: gradients that are wanted besides: the results get them behind the wanted tensors, and the inputs get the seed.
  ///   - threads: prepare the weights.
  ///   - weights: gives the weights; asked once for each one that is needed.
  /// - Throws: ``H5ConvError`` of kind `unsupported` naming the first layer that cannot be run, `badData` for shapes that do not
  ///   fit or weights that are missing.
  package init(
    _ graph: Graph, wanted: [TensorID], beforeActivation: Set<Int> = [], inputShapes: [[Int]], isExact: Bool = false,
    derivative: Derivative? = nil, threads: Threads = Threads(),
    weights: WeightSource
  ) throws {
    var lowering = Lowering()
    lowering.isDifferentiated = derivative != nil
    var weightShapes: [WeightKey: PartialShape] = [:]
    var values: [TensorID: Value] = [:]
    let opened = Set(beforeActivation.map { wanted[$0].call })
    var preactivations: [TensorID: Value] = [:]
    var masks = MaskTable(graph)
    for (input, call) in graph.inputs.enumerated() {
      values[TensorID(call: call, output: 0)] = lowering.input(shape: inputShapes[input])
    }
    for number in graph.ancestors(of: wanted + (derivative?.needed ?? []))
    where values[TensorID(call: number, output: 0)] == nil {
      let call = graph.calls[number]
      lowering.call = number
      lowering.layer = call.layer
      let arguments = try call.inputs.map { tensor in
        guard let value = values[tensor] else { throw Plan.missing(graph, tensor) }
        return value
      }
      lowering.inputMasks = masks.inputs(of: number)
      lowering.outputMasks = []
      lowering.deletesInputMasks = false
      lowering.separatesActivations = opened.contains(number)
      let outputs = try Plan.lower(graph, number, arguments, to: &lowering, &weightShapes)
      try masks.add(number, outputs, lowering)
      for (output, value) in outputs.enumerated() {
        values[TensorID(call: number, output: output)] = value
        guard opened.contains(number) else { continue }
        preactivations[TensorID(call: number, output: output)] = lowering.beforeActivation(of: value)
      }
    }
    func value(of tensor: TensorID) throws -> Value {
      guard let value = values[tensor] else { throw Plan.missing(graph, tensor) }
      return value
    }
    let gradients = try derivative.map { try $0.emit(graph, value(of:), in: &lowering) } ?? []
    inputs = lowering.inputs
    outputs =
      try wanted.enumerated().map { place, tensor in
        try (beforeActivation.contains(place) ? preactivations[tensor] : nil) ?? value(of: tensor)
      } + gradients
    let fused = Fusion.steps(
      lowering.steps, of: lowering.inputs, keeping: Set(outputs.map(\.id)), isExact: isExact)
    var shapes = Dictionary(uniqueKeysWithValues: inputs.map { ($0.id, $0.shape) })
    for step in fused { shapes[step.output.id] = step.output.shape }
    func bytes(_ values: [Int]) -> Int {
      values.reduce(0) { $0 + (shapes[$1] ?? []).reduce(MemoryLayout<Float>.stride, *) }
    }
    largestBytes = (fused.map { bytes($0.inputs + [$0.output.id]) }.max() ?? 0, bytes(outputs.map(\.id)))
    steps = try withoutActuallyEscaping(weights) { weights in
      var loader = WeightLoader(
        for: fused,
        source: { layer, name in
          let tensor = try weights(layer, name)
          // What the graph could not know while a size was open is known now.
          if let shape = weightShapes[WeightKey(layer: layer, name: name)], !shape.fits(tensor.shape) {
            throw H5ConvError(
              .badData, "the weight '\(name)' has the shape \(PartialShape(tensor.shape)) where \(shape) was expected",
              at: "layer '\(graph.layers[layer].name)'")
          }
          return tensor
        })
      return try fused.map { step in
        let inputs = try step.inputs.map { input in
          guard let shape = shapes[input] else { throw H5ConvError(.internalFault, "a value of no step") }
          return shape
        }
        return try PlanStep(
          step, inputs, layer: graph.calls[step.call].key, isExact: isExact, weights: &loader, threads)
      }
    }
    var lastUses: [Int: Int] = [:]
    for (place, step) in steps.enumerated() {
      for input in step.inputs { lastUses[input] = place }
    }
    for output in outputs { lastUses[output.id] = Int.max }
    self.lastUses = lastUses
    parts = BatchParts(steps, of: inputs, lastUses: lastUses, threads)
  }

  private static func missing(_ graph: Graph, _ tensor: TensorID) -> H5ConvError {
    H5ConvError(.badData, "output \(tensor.output) does not exist", at: "layer '\(graph.calls[tensor.call].key)'")
  }

  private static func lower(
    _ graph: Graph, _ number: Int, _ arguments: [Value], to lowering: inout Lowering,
    _ weightShapes: inout [WeightKey: PartialShape]
  ) throws -> [Value] {
    let call = graph.calls[number]
    let layer = graph.layers[call.layer]
    let place = "layer '\(call.key)' of class \(layer.className)"
    do {
      // Calls come after those they need, so that an unsupported one before this would have thrown: the reason is its own.
      if case .failure(let error) = call.outputShapes, error.kind == .unsupported { throw error }
      let kind = try call.applied.get()
      // The shape rule also checks the number of inputs and their axes, which lowering may then rely on.
      let inputs = arguments.map { PartialShape($0.shape) }
      let shapes = try kind.computedShapes(for: inputs)
      for spec in try kind.weights(for: inputs) {
        weightShapes[WeightKey(layer: call.layer, name: spec.name)] = spec.shape
      }
      let done = lowering.steps.count
      let outputs = try kind.lower(arguments, to: &lowering)
      lowering.outputMasks = try lowering.masks(of: layer.className, generation: layer.generation)
      guard outputs.map({ PartialShape($0.shape) }) == shapes else {
        throw H5ConvError(.internalFault, "shapes \(outputs.map(\.shape)) were computed where \(shapes) were inferred")
      }
      for step in lowering.steps[done...] {
        let shape = step.output.shape
        guard let count = Tensor.elementCount(of: shape), count <= Int32.max, shape.allSatisfy({ $0 <= Int32.max })
        else {
          throw H5ConvError(.limit, "a result of shape \(shape) has too many elements")
        }
      }
      return outputs
    } catch let error as H5ConvError {
      throw H5ConvError(
        error.kind, error.what, at: error.place ?? place,
        remedy: error.remedy ?? (error.kind == .unsupported ? "the layers above it can still be run or sliced" : nil))
    }
  }
}

/// A step with its weights.
struct PlanStep: Sendable {
  /// The layer that it computes, as results are keyed.
  let layer: String
  let operation: Operation
  let inputs: [Int]
  let output: Value
  /// What the operation needs, in its order: kernel and bias; scale and shift.
  let weights: [Tensor]
  /// A convolution or dense layer, which keeps its weights itself.
  let convolution: PackedConvolution?
  let dense: PackedDense?

  init(
    _ step: FusedStep, _ inputShapes: [[Int]], layer: String, isExact: Bool, weights loader: inout WeightLoader,
    _ threads: Threads
  ) throws {
    self.layer = layer
    operation = step.operation
    inputs = step.inputs
    output = step.output
    switch step.operation {
    case .convolution(let window, let groups, _, _, let activation):
      let shape = try ConvolutionShape(
        window, groups: groups, from: inputShapes[0], to: step.pooled ?? step.output.shape)
      let loaded = try loader.convolution(step)
      convolution = try PackedConvolution(
        shape, kernel: loaded.kernel, scale: loaded.scale, bias: loaded.bias, activation, pools: step.pooled != nil,
        isExact: isExact, threads)
      dense = nil
      weights = []
    case .dense(_, _, let activation):
      let loaded = try loader.weights(of: step)
      convolution = nil
      dense = try PackedDense(
        rows: step.output.shape.dropLast().reduce(1, *), kernel: loaded[0], bias: loaded.count > 1 ? loaded[1] : nil,
        activation, threads)
      weights = []
    default:
      convolution = nil
      dense = nil
      weights = try loader.weights(of: step)
    }
  }
}

extension PlanStep {
  /// The same for a batch of `count` images; the weights are shared.
  func forImages(_ count: Int) -> PlanStep {
    PlanStep(self, output: Value(id: output.id, shape: [count] + output.shape.dropFirst()))
  }

  private init(_ other: PlanStep, output: Value) {
    layer = other.layer
    operation = other.operation
    inputs = other.inputs
    self.output = output
    weights = other.weights
    convolution = other.convolution.map { $0.forImages(output.shape[0]) }
    dense = other.dense
  }
}

/// The weight `name` of a layer of the graph.
private struct WeightKey: Hashable {
  let layer: Int
  let name: String
}
