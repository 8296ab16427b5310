import H5Conv
import H5ConvConfig
import TestSupport
import Testing

@Suite("Models described as Keras describes them")
struct SummaryTests {
  @Test(arguments: ModelFixture.names) func layers(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let expected = try #require(fixture.facts["layers"]?.array)
    try #require(model.layers.map(\.name) == expected.map { $0["name"]?.string })
    for (layer, facts) in zip(model.layers, expected) {
      #expect(layer.className == facts["class"]?.string, "\(layer.name)")
      #expect(layer.parameterCount == facts["params"]?.integer, "\(layer.name)")
      // Keras 3.15 counts an axis too many and keeps one that is pooled.
      if layer.className.hasPrefix("Adaptive"), layer.className.hasSuffix("Pool") {
        #expect(layer.outputShapes.first?.suffix(3) == shapes(facts["output_shape"]).first?.suffix(3), "\(layer.name)")
        continue
      }
      // TensorFlow decides by a condition in the graph whether to turn an image, and so forgets its size.
      if layer.name.hasPrefix("tf.image.rot90") {
        #expect(layer.outputShapes.map(\.count) == shapes(facts["output_shape"]).map(\.count), "\(layer.name)")
        continue
      }
      // TensorFlow forgets all of a computed list of sizes when it does not know one of them.
      if layer.name.hasPrefix("tf.image.resize"), let shape = layer.outputShapes.first {
        let declared = try #require(shapes(facts["output_shape"]).first)
        #expect(
          declared.count == shape.count && zip(declared, shape).allSatisfy { $0 == nil || $0 == $1 }, "\(layer.name)")
        continue
      }
      if layer.outputShapes.isEmpty {
        // What cannot be known without the user's Python, or without a layer that is not supported.
        #expect(
          fixture.notRunnable.contains(layer.name) || unsupportedClasses.contains(layer.className), "\(layer.name)")
        continue
      }
      #expect(layer.outputShapes == shapes(facts["output_shape"]), "\(layer.name)")
    }
  }

  @Test(arguments: ModelFixture.names) func totals(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    #expect(model.parameterCount == fixture.facts["total_params"]?.integer)
    #expect(model.trainableParameterCount == fixture.facts["trainable_params"]?.integer)
    #expect(
      model.parameterCount - model.trainableParameterCount == fixture.facts["non_trainable_params"]?.integer)
  }

  @Test(arguments: ModelFixture.names) func whoWroteIt(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    #expect(model.backend == "tensorflow")
    #expect(model.kerasVersion?.first == (name.hasPrefix("k3") ? "3" : "2"))
    #expect(model.format == "legacy-h5")
  }

  @Test(arguments: ModelFixture.names) func supportedLayers(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    for layer in model.layers {
      #expect(
        layer.isSupported != unsupportedClasses.contains(layer.className), "\(layer.name) of class \(layer.className)")
    }
  }

  /// The numbers of the feature-map tutorial, as its text gives them.
  @Test(arguments: [("conv2d_1", 448), ("block0_conv2", 2320)]) func tutorial(_ layer: String, _ count: Int) throws {
    let model = try Model(contentsOf: ModelFixture.path("tfk_tutorial"))
    #expect(model.layers.first { $0.name == layer }?.parameterCount == count)
  }

  /// `output_shape` as Keras gives it: one shape, or a list of shapes.
  private func shapes(_ value: JSONValue?) -> [[Int?]] {
    let items = value?.array ?? []
    return (items.first?.array == nil ? [value ?? .null] : items).map { $0.array?.map(\.integer) ?? [] }
  }
}
