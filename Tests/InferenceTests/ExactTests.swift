import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

@Suite("Plans that reorder no arithmetic")
struct ExactTests {
  /// Convolution, batch normalization and activation are one operation; of an exact plan the normalization is one of its own.
  @Test(arguments: [(false, 1), (true, 3)]) func normalizationsAreNotFolded(_ isExact: Bool, _ steps: Int) throws {
    let config = ModelText.sequential([
      ModelText.input("x", [nil, 5, 5, 2]),
      ModelText.layer("Conv2D", "conv", ["filters": 3, "kernel_size": [3, 3]]),
      ModelText.layer("BatchNormalization", "bn", [:]),
      ModelText.layer("Activation", "relu", ["activation": "relu"]),
    ])
    let graph = try Graph(try ArchitectureReader.read(config, kerasVersion: "3.0.0"))
    var noise = Noise(3)
    let input = try noise.tensor([1, 5, 5, 2])
    var weights: [String: Tensor] = ["kernel": try noise.tensor([3, 3, 2, 3])]
    for name in ["bias", "gamma", "beta", "moving_mean"] { weights[name] = try noise.tensor([3]) }
    weights["moving_variance"] = try Tensor(shape: [3], values: [0.5, 1.5, 2])
    let plan = try Plan(graph, wanted: graph.outputs, inputShapes: [input.shape], isExact: isExact) { _, name in
      guard let tensor = weights[name] else { throw MissingWeight(name: name) }
      return tensor
    }
    #expect(plan.stepCount == steps)
    let result = try plan.run([input], threads: Threads(1))[0]
    let reference = try run(graph, on: [input], weights: weights)
    #expect(difference(result, reference.values.map(Double.init)) < 1e-5)
  }
}
