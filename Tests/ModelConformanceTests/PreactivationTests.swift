import Foundation
import H5Conv
import H5ConvTesting
import H5ConvTensors
import TestSupport
import Testing

/// Outputs before activations as Keras gives them: `tools/make_preactivation_fixtures.py`.
@Suite("What goes into activations as Keras computes it")
struct PreactivationTests {
  private static let golden: [String: Tensor] = {
    let arrays = (try? ArrayFile.npz(Fixtures.path("preactivations/preactivations.npz"))) ?? []
    return Dictionary(arrays.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  }()

  static let layers = golden.keys.filter { !$0.hasSuffix("|largest") }.sorted()

  @Test func thereAreFixtures() { #expect(PreactivationTests.layers.count > 100) }

  @Test(arguments: layers) func everyLayer(_ key: String) throws {
    let parts = key.split(separator: "|").map(String.init)
    let fixture = try ModelFixture(parts[0])
    let golden = try #require(PreactivationTests.golden[key]).values
    let largest = try #require(PreactivationTests.golden[key + "|largest"]?.values.first)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let values = try model.slice(outputs: [parts[1]], at: .pre).run(inputs)[0].tensor.values
    let step = max(1, values.count / 24)
    #expect((values.count + step - 1) / step == golden.count)
    for (place, expected) in golden.enumerated() {
      #expect(abs(values[place * step] - expected) <= 1e-4 * max(1, largest), "place \(place * step)")
    }
  }

  /// Layers without an activation give what they give otherwise, behind layers with one too.
  @Test(arguments: ["tfk_tutorial", "k3_separable", "k3_conv_first", "k3_fused"])
  func outputsStay(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let plain = ["MaxPooling2D", "BatchNormalization", "Flatten", "Concatenate", "Add", "SeparableConv2D"]
    for layer in try model.slice(outputs: ["*"], at: .pre).run(inputs)
    where plain.contains(layer.className) && PreactivationTests.golden["\(name)|\(layer.name)"] == nil {
      #expect(scaledDifference(layer.tensor, try #require(fixture.golden[layer.name])) <= 1e-4, "\(layer.name)")
    }
  }

  /// TensorFlow computes no channels_first convolution on a processor: the sigmoid of what goes in is Keras' output.
  @Test func channelsFirst() throws {
    let fixture = try ModelFixture("tfk_conv_first")
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let before = try model.slice(outputs: ["conv_sigmoid"], at: .pre).run(inputs)[0].tensor
    let after = try #require(fixture.golden["conv_sigmoid"])
    #expect(before.shape == after.shape)
    #expect(before.values.contains { $0 < 0 } && before.values.contains { $0 > 1 })
    for (pre, post) in zip(before.values, after.values) { #expect(abs(1 / (1 + exp(-pre)) - post) < 1e-5) }
  }
}
