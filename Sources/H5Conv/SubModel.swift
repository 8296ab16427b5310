import H5ConvDiagnostics
package import H5ConvGraph
import H5ConvInference
public import H5ConvTensors
import Synchronization

extension Model {
  /// A model with the named layers as its outputs; it loads and runs only what they need.
  ///
  /// - Parameter outputs: names, globs (`block?_conv*`), `type:Conv2D`, `#3`, `#2..5`, `!excluded`, `@outputs` (the model's own),
  ///   `*` (everything but inputs); layers inside nested models are `outer/inner`, a second call of a layer `name@1`. Without
  ///   any: the convolution layers.
  /// - Parameter point: the side of the activation at a layer's end at which its output is taken.
  /// - Throws: `H5ConvError` of kind `usage` for a name that the model does not have, telling the nearest ones.
  public func slice(outputs: [String], at point: ActivationPoint = .post) throws -> SubModel {
    var taps = try naming(path) { try graph.select(outputs) }
    for place in taps.indices { taps[place].isBeforeActivation = point == .pre }
    return SubModel(self, taps)
  }
}

/// A side of the activation at a layer's end.
public enum ActivationPoint: String, Sendable, CaseIterable {
  /// What the activation is computed of: of `Conv2D(…, activation="relu")` the convolution with its bias.
  ///
  /// Layers that are activations themselves (`ReLU`, `Softmax`) give their input, and layers that end in none what they give otherwise.
  case pre
  /// The layer's output, as Keras gives it.
  case post
}

/// A part of a model that computes chosen layers.
///
/// Weights are read at the first run and kept. A sub-model may be used from several tasks at once.
public struct SubModel: Sendable {
  /// The whole model.
  public let model: Model
  package let taps: [Tap]
  private let plans = PlanCache()

  init(_ model: Model, _ taps: [Tap]) {
    self.model = model
    self.taps = taps
  }

  /// The side of the layers' activations at which the outputs are taken.
  public var point: ActivationPoint { taps.first?.isBeforeActivation == true ? .pre : .post }

  /// Names of the outputs, in the order of the results.
  public var outputNames: [String] { taps.map(\.key) }

  /// Computes the outputs for the network's `inputs`.
  ///
  /// - Parameters:
  ///   - inputs: one tensor for each of ``Model/inputs``, batch first, channels where the model has them.
  ///   - threads: number of threads; nil for one per processor.
  /// - Returns: the outputs with their names, in the order of ``outputNames``, shaped as Keras gives them.
  /// - Throws: `H5ConvError`: `usage` for inputs that do not fit, `unsupported` naming a layer that cannot be run, `badData` for
  ///   weights that are missing or of another shape.
  public func run(_ inputs: [Tensor], threads: Int? = nil) throws -> [Activation] {
    try naming(model.path) {
      try check(inputs)
      let plan = try plans.plan(for: inputs.map(\.shape)) {
        try Plan(
          try model.graph(for: inputs.map(\.shape)), wanted: taps.map(\.tensor),
          beforeActivation: Set(taps.indices.filter { taps[$0].isBeforeActivation }), inputShapes: inputs.map(\.shape),
          isExact: model.isExact, threads: Threads(threads), weights: { try model.weights.tensor(layer: $0, $1) })
      }
      return try run(plan, inputs, Threads(threads))
    }
  }

  private func run(_ plan: Plan, _ inputs: [Tensor], _ threads: Threads) throws -> [Activation] {
    let results = try plan.run(inputs, threads: threads, profile: model.profile?.record)
    return zip(taps, results).map { Activation(name: $0.key, className: $0.className, index: $0.index, tensor: $1) }
  }

  /// Runs on one thread, so that others may run at the same time; nil where a run has to prepare something first, or where so many
  /// runs at the same time would take much more memory than one.
  ///
  /// - Parameters:
  ///   - runs: how many there are at a time.
  ///   - kept: how many results are kept at a time.
  func runAlone(_ inputs: [Tensor], ofAtOnce runs: Int, keeping kept: Int) throws -> [Activation]? {
    guard let plan = plans.known(for: inputs.map(\.shape)) else { return nil }
    let (step, outputs) = plan.largestBytes
    guard (runs - 1) * step + (kept - 1) * outputs <= SubModel.mostForRuns else { return nil }
    return try naming(model.path) { try run(plan, inputs, Threads(1)) }
  }

  /// Bytes that runs at the same time may take besides those of one.
  private static let mostForRuns = 32 << 20

  /// Gives back the memory of the weights, which the next run reads again.
  func forgetWeights() {
    plans.forget()
    TensorMemory.releaseFree()
  }

  private func check(_ inputs: [Tensor]) throws {
    let expected = model.inputs
    guard inputs.count == expected.count else {
      throw H5ConvError(
        .usage,
        "\(inputs.count) inputs where the model has \(expected.count): \(expected.map(\.name).joined(separator: ", "))",
        remedy: "give a .npz with one array per input, named after the input layers")
    }
    for (tensor, input) in zip(inputs, expected) where !input.shape.isEmpty {
      let fits =
        tensor.shape.count == input.shape.count
        && zip(tensor.shape, input.shape).dropFirst().allSatisfy { $1 == nil || $0 == $1 }
      guard fits else {
        throw H5ConvError(
          .usage, "an input of shape \(PartialShape(tensor.shape)) where \(PartialShape(input.shape)) is expected",
          at: "input '\(input.name)'")
      }
    }
    if Set(inputs.compactMap(\.shape.first)).count > 1 {
      throw H5ConvError(.usage, "the inputs have different batch sizes")
    }
  }
}

/// The output of a layer for some input.
public struct Activation: Sendable {
  /// The layer's name, as results are keyed: `conv1`, `outer/inner`, `name@1`, `name:1`.
  public let name: String
  /// Keras' class of the layer.
  public let className: String
  /// Place of the layer in execution order, from 0.
  public let index: Int
  /// What it computed, batch first, channels where the layer has them.
  public let tensor: Tensor
}

/// Plans by input shape, compiled once each.
private final class PlanCache: Sendable {
  private let plans = Mutex<[[[Int]]: Plan]>([:])

  func plan(for shapes: [[Int]], _ compile: () throws -> Plan) throws -> Plan {
    if let plan = known(for: shapes) { return plan }
    let plan = try compile()
    plans.withLock { plans in
      // Pictures of many sizes must not keep a copy of the weights for each.
      if plans.count >= 4 { plans.removeAll() }
      plans[shapes] = plan
    }
    return plan
  }

  func known(for shapes: [[Int]]) -> Plan? { plans.withLock { $0[shapes] } }

  func forget() { plans.withLock { $0.removeAll() } }
}
