import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

@Suite("Large batches")
struct BatchPartsTests {
  /// Some images at a time through the first layers, all of them through the dense one: the same as each image alone.
  @Test(arguments: [1, 2]) func partsAreTheWhole(_ threads: Int) throws {
    let (side, batch) = (64, 24)
    let config = ModelText.sequential([
      ModelText.input("x", [nil, side, side, 3]),
      ModelText.layer("Conv2D", "a", ["filters": 16, "kernel_size": [3, 3], "padding": "same", "activation": "relu"]),
      ModelText.layer("Conv2D", "b", ["filters": 16, "kernel_size": [3, 3], "padding": "same"]),
      ModelText.layer("BatchNormalization", "bn", [:]),
      ModelText.layer("MaxPooling2D", "pool", ["pool_size": [4, 4]]),
      ModelText.layer("Flatten", "flat", [:]),
      ModelText.layer("Dense", "d", ["units": 300]),
    ])
    let graph = try Graph(try ArchitectureReader.read(config, kerasVersion: "3.0.0"))
    var noise = Noise(5)
    var weights: [String: Tensor] = [
      "a/kernel": try noise.tensor([3, 3, 3, 16]), "a/bias": try noise.tensor([16]),
      "b/kernel": try noise.tensor([3, 3, 16, 16]), "b/bias": try noise.tensor([16]),
      "d/kernel": try noise.tensor([4096, 300]), "d/bias": try noise.tensor([300]),
      "moving_variance": try Tensor(shape: [16], values: Array(repeating: 2, count: 16)),
    ]
    for name in ["gamma", "beta", "moving_mean"] { weights[name] = try noise.tensor([16]) }
    let images = try (0..<batch).map { _ in try noise.tensor([1, side, side, 3]) }
    let all = try Tensor(shape: [batch, side, side, 3], values: images.flatMap(\.values))
    let plan = try Plan(
      graph, wanted: graph.outputs, inputShapes: [all.shape], threads: Threads(threads)
    ) { layer, name in
      guard let tensor = weights["\(graph.layers[layer].name)/\(name)"] ?? weights[name] else {
        throw MissingWeight(name: name)
      }
      return tensor
    }
    let atATime = try #require(plan.imagesAtATime)
    #expect(atATime < batch && batch % atATime == 0)
    let result = try plan.run([all], threads: Threads(threads))[0]
    let alone = try images.flatMap { try run(graph, on: [$0], weights: weights, threads: threads).values }
    #expect(difference(result, alone.map(Double.init)) < 1e-5)
  }
}
