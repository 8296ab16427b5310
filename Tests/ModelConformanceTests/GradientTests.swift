import Foundation
import H5Conv
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvInference
import H5ConvTensors
import TestSupport
import Testing

/// Gradients as `tf.GradientTape` gives them: `tools/make_gradient_fixtures.py`.
@Suite("Gradients as TensorFlow computes them")
struct GradientTests {
  /// What TensorFlow gives for one layer of a model: some elements of the gradient of an input.
  struct Golden {
    let layer: String
    let input: String
    let values: [Float]
    let largest: Float
  }

  private static let golden: [String: [Golden]] = {
    let arrays = (try? ArrayFile.npz(Fixtures.path("gradients/gradients.npz"))) ?? []
    let tensors = Dictionary(arrays.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    var result: [String: [Golden]] = [:]
    for (key, tensor) in tensors where !key.hasSuffix("|largest") {
      let parts = key.split(separator: "|").map(String.init)
      guard parts.count == 3, let largest = tensors[key + "|largest"]?.values.first else { continue }
      result[parts[0], default: []].append(
        Golden(layer: parts[1], input: parts[2], values: tensor.values, largest: largest))
    }
    return result
  }()

  static let names = golden.keys.sorted()

  @Test func thereAreFixtures() { #expect(GradientTests.names.count > 100) }

  /// Of every layer of every fixture; what has no derivative here says so.
  @Test(arguments: names) func everyLayer(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let taps = Dictionary(model.graph.taps.map { ($0.key, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let points = model.graph.inputs.map { TensorID(call: $0, output: 0) }
    for golden in try #require(GradientTests.golden[name]) {
      let tensor = try #require(taps[golden.layer], "\(golden.layer)")
      let shape = try #require(fixture.golden[golden.layer]).shape
      let place = try #require(model.inputs.firstIndex { $0.name == golden.input })
      do {
        let derivative = Derivative(of: tensor, by: points, ofLogits: false)
        let plan = try Plan(
          model.graph, wanted: [], inputShapes: inputs.map(\.shape), derivative: derivative,
          weights: { try model.weights.tensor(layer: $0, $1) })
        let gradient = try plan.run(inputs + [GradientTests.seed(shape)], threads: Threads(2))[1 + place].values
        let step = max(1, gradient.count / 24)
        for (number, expected) in golden.values.enumerated() {
          let difference = abs(gradient[number * step] - expected)
          #expect(difference <= 1e-4 * max(1, golden.largest), "\(golden.layer) by \(golden.input)")
        }
      } catch let error as H5ConvError where error.kind == .unsupported {
        #expect(GradientTests.hasNoDerivative.contains { error.what.contains($0) }, "\(golden.layer): \(error)")
      }
    }
  }

  /// sin(0.37 i + 1) at place i.
  private static func seed(_ shape: [Int]) throws -> Tensor {
    try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { Float(sin(0.37 * Double($0) + 1)) })
  }

  /// What the engine has no derivative for.
  private static let hasNoDerivative = [
    "a recurrent layer", "a locally connected layer", "adaptive pooling", "sparsemax", "a cumulative sum",
    "sorting and picking",
    "a product of elements", "a change of colours", "the function", "not supported",
  ]
}
