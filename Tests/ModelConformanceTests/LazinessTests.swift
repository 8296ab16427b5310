import H5Conv
import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import TestSupport
import Testing

@Suite("Only what is needed is read")
struct LazinessTests {
  /// Keys (`layer/weight`) of what compiling a plan for `outputs` asks for, in that order.
  private func weightsAskedFor(_ name: String, _ outputs: [String]) throws -> [String] {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]).shape }
    var asked: [String] = []
    _ = try Plan(model.graph, wanted: try model.graph.select(outputs).map(\.tensor), inputShapes: inputs) {
      layer, weight in
      asked.append("\(model.graph.layers[layer].name)/\(weight)")
      return try model.weights.tensor(layer: layer, weight)
    }
    return asked
  }

  @Test(arguments: [
    ("tfk_sequential", ["conv"], ["conv/kernel", "conv/bias"]),
    ("tfk_sequential", ["conv2"], ["conv", "bn", "conv2"]),
    ("k3_multi", ["pool"], ["conv/kernel", "conv/bias"]),
    ("k3_multi", ["first"], ["conv", "first"]),
    ("k3_multi", ["second"], ["conv", "hidden", "second"]),
    ("tfk_two_outputs", ["backbone/low"], ["backbone/low"]),
    ("tfk_two_outputs", ["head_low"], ["backbone/low", "head_low"]),
    ("tfk_two_outputs", ["head_high"], ["backbone/low", "backbone/high", "head_high"]),
    ("tfk_nested_twice", ["tower@1"], ["before_b", "tower/tower_conv1", "tower/tower_bn1"]),
    ("k3_own_code", ["side"], ["before/kernel", "before/bias"]),
    ("tfk_merge", ["add2"], []),
  ])
  func ancestorsOnly(_ name: String, _ outputs: [String], _ expected: [String]) throws {
    let asked = try weightsAskedFor(name, outputs)
    #expect(asked.count == Set(asked).count, "a weight is read twice")
    // `expected` names weights, or layers of which all weights are needed.
    #expect(Set(asked.filter { key in !expected.contains { key == $0 || key.hasPrefix($0 + "/") } }) == [])
    for item in expected { #expect(asked.contains { $0 == item || $0.hasPrefix(item + "/") }, "\(item) is not read") }
  }

  /// A file whose weights are all damaged is opened, listed and sliced; only running says so, and only where they are needed.
  @Test func openingReadsNone() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.h5")
    let unreadable: ModelText.Weights = [
      "kernel:0": ([7], Array(repeating: 0, count: 7)), "bias:0": ([9], Array(repeating: 0, count: 9)),
    ]
    try ModelText.write(
      ModelText.sequential([
        ModelText.input("x", [nil, 4, 4, 1]), ModelText.layer("MaxPooling2D", "pool", ["pool_size": [2, 2]]),
        ModelText.layer("Conv2D", "conv", ["filters": 2, "kernel_size": [2, 2]]),
      ]), weights: ["conv": unreadable], to: path)
    let model = try Model(contentsOf: path)
    #expect(model.parameterCount == 10)
    let image = try Tensor(shape: [1, 4, 4, 1], values: (0..<16).map(Float.init))
    #expect(try model.slice(outputs: ["pool"]).run([image])[0].tensor.values == [5, 7, 13, 15])
    let slice = try model.slice(outputs: ["conv"])
    let error = try #require(throws: H5ConvError.self) { try slice.run([image]) }
    #expect(error.kind == .badData)
    #expect(error.description.contains("'kernel'") && error.description.contains("layer 'conv'"), "\(error)")
  }

  /// A declared size of exabytes costs nothing until the weight is read, and is refused then.
  @Test func hugeWeight() throws {
    let model = try Model(contentsOf: Fixtures.path("hdf5/model_huge_weight.h5"))
    #expect(model.layers.map(\.name) == ["dense"])
    let slice = try model.slice(outputs: ["dense"])
    let error = try #require(throws: H5ConvError.self) {
      try slice.run([try Tensor(shape: [1, 3], values: [1, 2, 3])])
    }
    #expect(error.kind == .badData)
  }
}
