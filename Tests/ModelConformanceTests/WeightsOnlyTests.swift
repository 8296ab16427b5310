import H5Conv
import H5ConvTesting
import TestSupport
import Testing

@Suite("Weights with their architecture beside them")
struct WeightsOnlyTests {
  private let weights = Fixtures.path("weights/weights.h5")

  /// By name from JSON and from a whole model, by order from JSON with other names: always what Keras computes.
  @Test(arguments: [
    (Fixtures.path("weights/architecture.json"), ""), (ModelFixture.path("tfk_sequential"), ""),
    (Fixtures.path("weights/renamed.json"), "other_"),
  ])
  func sameAsWholeModel(_ architecture: String, _ prefix: String) throws {
    let fixture = try ModelFixture("tfk_sequential")
    let model = try Model(contentsOf: weights, architecture: architecture)
    let golden = Dictionary(uniqueKeysWithValues: fixture.golden.map { (prefix + $0.key, $0.value) })
    let report = try compareActivations(model, golden, on: Array(fixture.inputs.values))
    #expect(report.isMatch, "\(report)")
    #expect(report.comparedCount == golden.count)
    #expect(model.parameterCount == (try Model(contentsOf: fixture.path)).parameterCount)
  }

  @Test func withoutArchitecture() {
    let error = #expect(throws: H5ConvError.self) { try Model(contentsOf: weights) }
    #expect(error?.kind == .badData)
    #expect(error?.remedy?.contains("--architecture") == true)
  }

  /// An architecture that has none, and files that are none.
  @Test(arguments: [
    ("weights/weights.h5", "weights/weights.h5", H5ConvError.Kind.badData),
    ("weights/weights.h5", "images/rgb8.png", .badData), ("weights/weights.h5", "absent.json", .cannotRead),
  ])
  func refused(_ weights: String, _ architecture: String, _ kind: H5ConvError.Kind) {
    let error = #expect(throws: H5ConvError.self) {
      try Model(contentsOf: Fixtures.path(weights), architecture: Fixtures.path(architecture))
    }
    #expect(error?.kind == kind)
  }

  @Test func otherNetwork() throws {
    let model = try Model(contentsOf: weights, architecture: ModelFixture.path("tfk_dense"))
    let fixture = try ModelFixture("tfk_dense")
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let error = #expect(throws: H5ConvError.self) { try model.slice(outputs: ["*"]).run(inputs) }
    #expect(error?.kind == .badData)
  }
}
