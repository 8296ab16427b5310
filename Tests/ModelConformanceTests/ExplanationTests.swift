import H5Conv
import H5ConvDiagnostics
import H5ConvTensors
import TestSupport
import Testing

/// Explanations as the papers' formulas give them with TensorFlow's gradients: `tools/make_explanation_fixtures.py`.
@Suite("Explanations")
struct ExplanationTests {
  static let layers = ["k3_compiled": "relu", "tfk_tutorial": "block3_conv1"]

  private func golden() throws -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: try ArrayFile.npz(Fixtures.path("gradients/explanations.npz")).map { ($0.name, $0.tensor) })
  }

  /// The model and its first picture.
  private func load(_ name: String) throws -> (Model, Tensor) {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let input = try #require(fixture.inputs[model.inputs[0].name])
    let one = input.shape.dropFirst().reduce(1, *)
    return (model, try Tensor(shape: [1] + input.shape.dropFirst(), values: Array(input.values.prefix(one))))
  }

  @Test(
    arguments: layers.keys.sorted(),
    ["gradcam", "hirescam", "layercam", "gradcam++", "eigencam", "scorecam", "saliency", "ig", "occlusion"])
  func method(_ name: String, _ method: String) throws {
    let (model, picture) = try load(name)
    var options = ExplanationOptions()
    options.method = method
    options.layer = ExplanationTests.layers[name]
    (options.steps, options.patch, options.stride) = (16, 3, 2)
    let explanation = try model.explain(picture, options)
    let golden = try golden()
    let expected = try #require(golden["\(name)|\(method)"])
    #expect(explanation.map.shape == expected.shape)
    #expect(
      abs(explanation.score - (golden["\(name)|score"]?.values[0] ?? .nan)) <= 1e-4 * max(1, abs(explanation.score)))
    let largest = expected.values.reduce(0) { max($0, abs($1)) }
    for (value, wanted) in zip(explanation.map.values, expected.values) {
      #expect(abs(value - wanted) <= 1e-4 * max(largest, 1e-3), "\(value) where TensorFlow gives \(wanted)")
    }
  }

  /// Many at once are the same as each alone, though their gradients come from one pass.
  @Test func several() throws {
    let (model, picture) = try load("tfk_tutorial")
    let layers = ["conv2d_1", "block1_conv2", "block1_conv2", "block3_conv1"]
    let options = zip(
      layers + layers, ["gradcam", "layercam", "hirescam", "gradcam++", "layercam", "eigencam", "ig", "hirescam"]
    )
    .map { layer, method in
      var options = ExplanationOptions()
      (options.method, options.layer, options.classIndex) = (method, layer, method == "hirescam" ? 0 : nil)
      return options
    }
    let together = try model.explain(picture, options)
    for (one, options) in zip(together, options) {
      let alone = try model.explain(picture, options)
      #expect(one.method == options.method && one.layer == alone.layer && one.classIndex == alone.classIndex)
      let largest = alone.map.values.reduce(1e-6) { max($0, abs($1)) }
      #expect(zip(one.map.values, alone.map.values).allSatisfy { abs($0 - $1) <= 1e-5 * largest }, "\(options.method)")
    }
  }

  /// What the sum of Integrated Gradients misses of the difference of the scores, as with TensorFlow's gradients.
  @Test(arguments: [(2, 0.047282), (16, 0.008779), (64, -0.012831), (512, -0.002109)])
  func completeness(_ steps: Int, _ expected: Double) throws {
    let (model, picture) = try load("tfk_tutorial")
    var options = ExplanationOptions()
    (options.method, options.steps) = ("ig", steps)
    let gap = try #require(try model.explain(picture, options).completenessGap)
    #expect(abs(gap - expected) <= 1e-4)
  }

  /// The network's last convolution, where no layer is named.
  @Test func lastConvolution() throws {
    let (model, picture) = try load("tfk_tutorial")
    #expect(try model.explain(picture).layer == "block3_conv1")
  }

  /// For the other class everything counts the other way.
  @Test func singleOutput() throws {
    let (model, picture) = try load("tfk_tutorial")
    var options = ExplanationOptions()
    (options.method, options.classIndex) = ("occlusion", 0)
    let no = try model.explain(picture, options)
    options.classIndex = 1
    let yes = try model.explain(picture, options)
    #expect(no.score == -yes.score)
    #expect(zip(no.map.values, yes.map.values).allSatisfy { abs($0 + $1) <= 1e-5 })
  }

  @Test func smoothGradIsRepeatable() throws {
    let (model, picture) = try load("k3_compiled")
    var options = ExplanationOptions()
    (options.method, options.samples) = ("smoothgrad", 4)
    let first = try model.explain(picture, options).map.values
    #expect(try model.explain(picture, options).map.values == first)
    options.seed = 1
    #expect(try model.explain(picture, options).map.values != first)
  }

  @Test(arguments: [("gradcat", nil, nil), ("gradcam", "pool", nil), ("gradcam", nil, 7)] as [(String, String?, Int?)])
  func refused(_ method: String, _ layer: String?, _ index: Int?) throws {
    let (model, picture) = try load("k3_compiled")
    var options = ExplanationOptions()
    (options.method, options.layer, options.classIndex) = (method, layer, index)
    let error = #expect(throws: H5ConvError.self) { try model.explain(picture, options) }
    #expect(error?.kind == .usage)
  }
}
