import H5Conv
import H5ConvTesting
import TestSupport
import Testing

/// Classes of the fixtures that h5conv does not run: what needs the user's own Python.
let unsupportedClasses: Set<String> = ["Swirl", "Lambda"]

@Suite("Models computed as Keras computes them")
struct GoldenTests {
  /// The model, its inputs in order, and the golden outputs that can be computed without an unsupported layer.
  private func load(_ name: String) throws -> (model: Model, inputs: [Tensor], golden: [String: Tensor]) {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name], "input \($0.name)") }
    let refused = fixture.notRunnable.union(
      model.layers.filter { unsupportedClasses.contains($0.className) }.map(\.name))
    return (model, inputs, fixture.golden.filter { !refused.contains($0.key) })
  }

  /// Every layer's output is wanted, so that no two layers are joined to one operation.
  @Test(arguments: ModelFixture.names) func everyLayer(_ name: String) throws {
    let (model, inputs, golden) = try load(name)
    let report = try compareActivations(model, golden, on: inputs)
    #expect(report.isMatch, "\(report)")
    #expect(report.comparedCount == golden.count)
  }

  /// One layer alone: those before it may be joined, reordered and left out.
  @Test(arguments: ModelFixture.names) func eachLayerAlone(_ name: String) throws {
    let (model, inputs, golden) = try load(name)
    for (key, expected) in golden {
      let report = try compareActivations(model, [key: expected], on: inputs)
      #expect(report.isMatch, "\(report)")
    }
  }

  @Test(arguments: ModelFixture.names) func oneThreadAndMany(_ name: String) throws {
    let (model, inputs, golden) = try load(name)
    let slice = try model.slice(outputs: model.outputNames.filter { golden[$0] != nil })
    for (one, many) in zip(try slice.run(inputs, threads: 1), try slice.run(inputs, threads: 7)) {
      #expect(scaledDifference(one.tensor, many.tensor) <= 1e-5, "\(one.name)")
    }
  }

  /// `*` stands for exactly what Keras computes, under the same names.
  @Test(arguments: ModelFixture.names) func namesOfResults(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let names = try Model(contentsOf: fixture.path).slice(outputs: ["*"]).outputNames
    #expect(names.count == Set(names).count)
    #expect(Set(names) == Set(fixture.golden.keys))
  }

  /// Each example of a batch is computed by itself.
  @Test(arguments: [
    "tfk_tutorial", "tfk_transfer", "k3_multi", "k3_norm", "k3_conv_first", "tfk_conv_1d", "k3_conv_3d",
  ])
  func oneExampleOfTheBatch(_ name: String) throws {
    let (model, inputs, golden) = try load(name)
    func last(_ tensor: Tensor) throws -> Tensor {
      let row = tensor.shape.dropFirst().reduce(1, *)
      return try Tensor(shape: [1] + tensor.shape.dropFirst(), values: Array(tensor.values.suffix(row)))
    }
    try expectSameActivations(model, golden.mapValues(last), on: inputs.map(last))
  }
}
