import H5Conv
import TestSupport
import Testing

@Suite("Layers that cannot be run are refused by name, and what does not need them runs")
struct RefusedLayerTests {
  @Test(arguments: [
    ("k3_own_code", "lambda", "Swirl"),
    ("k3_own_code", "swirl", "Swirl"), ("k3_own_code", "between", "Swirl"), ("k3_own_code", "after", "Swirl"),
    ("tfk_own_code", "swirl", "Swirl"), ("tfk_own_code", "lambda", "Swirl"), ("tfk_own_code", "after", "Swirl"),
  ])
  func refused(_ name: String, _ layer: String, _ culprit: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let slice = try model.slice(outputs: [layer])
    let error = try #require(throws: H5ConvError.self) { try slice.run(inputs) }
    #expect(error.kind == .unsupported)
    #expect(error.file == fixture.path)
    let culpritName = try #require(
      model.layers.first { $0.className == culprit }?.name)
    #expect(error.description.contains("'\(culpritName)'") && error.description.contains(culprit), "\(error)")
    #expect(error.remedy != nil)
  }

  @Test(arguments: ["k3_own_code", "tfk_own_code"]) func parametersAreStillCounted(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    #expect(model.layers.first { $0.name == "swirl" }?.parameterCount == 3)
  }

  /// Axis lists of BatchNormalization do not exist, those of Softmax and Normalization do.
  @Test(arguments: ["k3_norm_axis_lists", "tfk_norm_axis_lists", "k3_softmax_axis_lists"])
  func axisLists(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    #expect(model.layers.allSatisfy { $0.isSupported })
  }
}
