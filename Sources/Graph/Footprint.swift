import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvLayers
import H5ConvTensors

/// What the calls of a graph cost, and what of the picture each of their results depends on.
///
/// Pure values: computed from the operations that the layers are made of, without weights.
package struct Footprint: Sendable {
  /// Of one call and one example.
  package struct Call: Sendable, Equatable {
    /// Shapes of the outputs, batch first.
    package let shapes: [[Int]]
    /// Multiply-accumulate operations of convolutions and matrix products; nil when there are more than an Int holds.
    package let multiplyAccumulates: Int?
    /// For each spatial axis of the network's first picture or sequence, what an element of the first output depends on; nil
    /// for an output that does not depend on it.
    package let reaches: [Reach?]

    /// Bytes of the outputs as float32; nil when they are more than an Int holds.
    package var memory: Int? {
      shapes.reduce(0 as Int?) { sum, shape in
        guard let sum, let count = Tensor.elementCount(of: shape), count <= Int.max / 8 else { return nil }
        return sum.clampedSum(4 * count)
      }
    }
  }

  /// By number of the call; nil for one that is not understood or comes after such a one.
  package let calls: [Call?]
  /// Whether sizes that the graph leaves open were assumed: then shapes, operations and memory are those of the assumption, and only
  /// sizes and strides of the fields hold in general.
  package let isAssumed: Bool

  /// Size that is assumed for an axis which the input decides.
  private static let assumedLength = 256

  /// - Parameter inputShapes: shapes of the graph's inputs, one example each; nil for those that the graph states.
  package init(_ graph: Graph, inputShapes: [[Int]]? = nil) {
    let stated = graph.inputs.map { graph.shape(of: TensorID(call: $0, output: 0))?.sizes }
    isAssumed = inputShapes == nil && stated.contains { $0?.dropFirst().contains(nil) ?? true }
    let shapes =
      inputShapes.map { $0.map { [1] + $0.dropFirst() } }
      ?? stated.map { sizes in
        guard let sizes, !sizes.isEmpty else { return [] }
        return [1] + sizes.dropFirst().map { $0 ?? Footprint.assumedLength }
      }
    var tracer = Tracer(graph)
    for (input, call) in graph.inputs.enumerated() where shapes.indices.contains(input) {
      tracer.begin(call, shape: shapes[input])
    }
    for number in graph.calls.indices where tracer.calls[number] == nil { tracer.trace(number) }
    calls = tracer.calls
  }
}

/// Goes through a graph call by call.
private struct Tracer {
  let graph: Graph
  var calls: [Footprint.Call?]
  private var shapes: [TensorID: [Int]] = [:]
  private var reaches: [TensorID: [Reach?]] = [:]
  /// The input that the fields are about: the first with a spatial axis.
  private var picture: Int?
  /// Number of its spatial axes.
  private var rank = 0

  init(_ graph: Graph) {
    self.graph = graph
    calls = Array(repeating: nil, count: graph.calls.count)
    picture = graph.inputs.first { call in (graph.shape(of: TensorID(call: call, output: 0))?.rank ?? 0) >= 3 }
    if let picture { rank = max(0, (graph.shape(of: TensorID(call: picture, output: 0))?.rank ?? 0) - 2) }
  }

  mutating func begin(_ call: Int, shape: [Int]) {
    guard !shape.isEmpty else { return }
    let tensor = TensorID(call: call, output: 0)
    shapes[tensor] = shape
    let first = graph.isChannelsFirst ? 2 : 1
    let own = (0..<rank).map { axis in
      call == picture && shape.count == rank + 2 ? Reach(axis: first + axis) : nil
    }
    reaches[tensor] = own
    calls[call] = Footprint.Call(shapes: [shape], multiplyAccumulates: 0, reaches: own)
  }

  mutating func trace(_ number: Int) {
    let call = graph.calls[number]
    let inputs = call.inputs.compactMap { shapes[$0] }
    guard inputs.count == call.inputs.count, case .success(let layer) = call.applied else { return }
    var lowering = Lowering()
    lowering.call = number
    lowering.layer = call.layer
    let arguments = inputs.map { lowering.input(shape: $0) }
    lowering.inputMasks = inputs.map { _ in nil }
    // The shape rule also checks what lowering relies on.
    guard (try? layer.computedShapes(for: inputs.map { PartialShape($0) })) != nil,
      let outputs = try? layer.lower(arguments, to: &lowering)
    else { return }

    var shapeOf = Dictionary(arguments.map { ($0.id, $0.shape) }, uniquingKeysWith: { first, _ in first })
    var reachOf: [Int: [Reach?]] = [:]
    for (argument, tensor) in zip(arguments, call.inputs) { reachOf[argument.id] = reaches[tensor] }
    var operations: Int? = 0
    for step in lowering.steps {
      let sources = step.inputs.map { shapeOf[$0] ?? [] }
      operations = operations.flatMap { sum in step.multiplyAccumulates(inputs: sources).map { sum.clampedSum($0) } }
      reachOf[step.output.id] = (0..<rank).map { axis in
        step.reach(step.inputs.map { reachOf[$0]?[axis] }, inputs: sources)
      }
      shapeOf[step.output.id] = step.output.shape
    }
    for (place, output) in outputs.enumerated() {
      let tensor = TensorID(call: number, output: place)
      shapes[tensor] = output.shape
      reaches[tensor] = reachOf[output.id] ?? Array(repeating: nil, count: rank)
    }
    calls[number] = Footprint.Call(
      shapes: outputs.map(\.shape), multiplyAccumulates: operations,
      reaches: outputs.first.flatMap { reachOf[$0.id] } ?? Array(repeating: nil, count: rank))
  }
}

extension Graph {
  /// Whether the network's pictures have their channels in front, by the first layer that says.
  package var isChannelsFirst: Bool {
    calls.lazy.compactMap { layers[$0.layer].config["data_format"]?.string }.first == "channels_first"
  }
}
