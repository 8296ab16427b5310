import H5Conv
import H5ConvConfig
import H5ConvHDF5
import TestSupport
import Testing

extension ContainerFixture {
  /// Files that another one holds the same network as; half precision, and Keras 0.3 with another epsilon, compute something else.
  static let comparable = all.filter { fixture in
    !fixture.file.contains("float16") && !fixture.file.hasPrefix("k033") && references[fixture.network] != nil
  }
  static let references = [
    "image": "k315_image.keras", "sequence": "tfk221_sequence.h5", "sequential": "tfk221_sequential.h5",
    "sequential_first": "k231_sequential_first.h5", "classic": "k225_classic.h5", "recurrent": "k225_recurrent.h5",
  ]
}

@Suite("Differences between models")
struct DiffTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The same network is the same, whatever container and version of Keras it comes from.
  @Test(arguments: ContainerFixture.comparable) func containers(_ fixture: ContainerFixture) throws {
    let reference = Fixtures.path("containers/\(ContainerFixture.references[fixture.network] ?? "")")
    let diff = try ModelDiff(reference, fixture.path, tolerance: Tolerance(absolute: 1e-6, relative: 1e-6))
    #expect(diff.verdict == .same, "\(diff.text())")
    #expect(diff.weights != nil || fixture.file.hasSuffix(".json"))
    #expect(diff.architecture != nil || fixture.file.contains("weights") || fixture.file.contains("legacy"))
  }

  /// Every pair of fixtures that Keras 2 and 3 made of one definition; the differences that there are, are true ones.
  @Test(arguments: [
    "compiled", "dictionaries", "flexible", "frozen_parts", "multi", "nested", "nested_deep", "nested_sequential",
    "nested_twice", "norm_axis_lists", "pool_negative", "sequential", "shape_vectors", "shared", "training_false",
    "two_outputs",
  ])
  func generations(_ name: String) throws {
    let diff = try ModelDiff(ModelFixture.path("k3_\(name)"), ModelFixture.path("tfk_\(name)"))
    #expect(diff.architecture?.filter(\.isSignificant).isEmpty == true, "\(diff.text())")
  }

  @Test func hardSigmoidMeansSomethingElse() throws {
    let diff = try ModelDiff(ModelFixture.path("k3_activations"), ModelFixture.path("tfk_activations"))
    let change = try #require(diff.architecture?.first { $0.layer == "act_hard_sigmoid" })
    #expect(change.kind == .changed && change.field == "activation")
  }

  // MARK: - Made models

  private let kernel: [Float] = (0..<24).map { Float($0) / 8 }

  /// A convolution with a batch normalization and a dropout behind it, each changed as asked for.
  private func model(
    _ name: String, conv: KeyValuePairs<String, JSONValue> = [:], rate: JSONValue = 0.5, convName: String = "conv",
    branch: String? = nil, extra: Bool = false, kernel: [Float]? = nil, kernelShape: [Int] = [2, 2, 3, 2]
  ) throws -> String {
    let fields = JSONObject([
      "filters": 2, "kernel_size": [2, 2], "strides": [1, 1], "padding": "same", "activation": "relu",
      "kernel_initializer": "zeros",
    ])
    var config = fields
    for (key, value) in conv { config[key] = value }
    var entry = try #require(ModelText.layer("Conv2D", convName, inbound: [[("x", 0, 0)]]).object)
    config["name"] = .string(convName)
    entry["config"] = .object(config)
    let last = extra ? "more" : "add"
    let layers =
      [
        ModelText.input("x", [nil, 4, 4, 3]), .object(entry),
        ModelText.layer("Dropout", "drop", ["rate": rate], inbound: [[(convName, 0, 0)]]),
        ModelText.layer("ReLU", "relu", ["trainable": true], inbound: [[(convName, 0, 0)]]),
        ModelText.layer("Subtract", "add", inbound: [[("drop", 0, 0), (branch ?? "relu", 0, 0)]]),
      ] + (extra ? [ModelText.layer("ReLU", "more", inbound: [[("add", 0, 0)]])] : [])
    let path = folder.file(name)
    try ModelText.write(
      ModelText.functional(layers, inputs: [("x", 0, 0)], outputs: [(last, 0, 0)]),
      weights: [
        convName: [
          "\(convName)/kernel:0": (kernelShape, kernel ?? self.kernel), "\(convName)/bias:0": ([2], [1, 2]),
        ]
      ],
      to: path)
    return path
  }

  private func changes(_ diff: ModelDiff) -> [String] {
    (diff.architecture ?? []).map { "\($0.kind) \($0.layer) \($0.field ?? "") \($0.first ?? "–") \($0.second ?? "–")" }
  }

  @Test func otherWordsForTheSame() throws {
    let a = try model("a.h5")
    let b = try model(
      "b.h5",
      conv: [
        "strides": 1, "groups": 1, "dilation_rate": [1, 1], "use_bias": true, "data_format": "channels_last",
        "dtype": ["class_name": "DTypePolicy", "config": ["name": "float32"]], "module": "keras.layers",
        "build_config": ["input_shape": [nil, 4, 4, 3]],
        "kernel_initializer": ["class_name": "Zeros", "config": ["dtype": "float32"]],
        "activation": ["class_name": "function", "config": "relu", "module": "builtins"],
      ])
    let diff = try ModelDiff(a, b)
    #expect(diff.verdict == .same && changes(diff).isEmpty, "\(diff.text())")
    #expect(diff.layerCount == 5)
    #expect(diff.weights?.map(\.path) == ["conv/kernel", "conv/bias"])
  }

  @Test func architecture() throws {
    let a = try model("a.h5")
    func check(_ b: String, _ expected: [String]) throws {
      let diff = try ModelDiff(a, b)
      #expect(diff.verdict == .different)
      #expect(changes(diff) == expected, "\(diff.text())")
    }
    try check(try model("b.h5", conv: ["strides": [2, 2]]), ["changed conv strides [1, 1] [2, 2]"])
    try check(try model("c.h5", conv: ["activation": "elu"]), ["changed conv activation relu elu"])
    try check(
      try model("d.h5", branch: "conv"), ["connections add inputs drop, relu drop, conv"])
    try check(
      try model("e.h5", extra: true), ["added more  – ReLU", "connections  outputs add more"])
    try check(
      try model("f.h5", conv: ["dtype": "mixed_float16"]), ["changed conv dtype – mixed_float16"])
  }

  @Test func otherNames() throws {
    let diff = try ModelDiff(try model("a.h5"), try model("b.h5", convName: "conv_7"))
    #expect(changes(diff) == ["renamed conv name conv conv_7"])
    #expect(diff.verdict == .different)
    // Its weights are compared under the first model's name.
    #expect(diff.weights?.map(\.path) == ["conv/kernel", "conv/bias"])
    #expect(diff.weights?.allSatisfy(\.isEqual) == true)
  }

  @Test func onlyTraining() throws {
    let diff = try ModelDiff(
      try model("a.h5"), try model("b.h5", conv: ["kernel_initializer": "ones", "trainable": false], rate: 0.25))
    #expect(diff.verdict == .same)
    #expect(
      changes(diff) == [
        "training conv kernel_initializer zeros ones", "training conv trainable – false",
        "training drop rate 0.5 0.25",
      ])
  }

  @Test func weights() throws {
    let a = try model("a.h5")
    var other = kernel
    other[3] += 0.5
    other[23] -= 0.25
    let b = try model("b.h5", kernel: other)
    let diff = try ModelDiff(a, b)
    #expect(diff.verdict == .different)
    let weight = try #require(diff.weights?.first)
    #expect(weight.status == .different && weight.path == "conv/kernel")
    #expect(weight.elements?.maximum == 0.5 && weight.elements?.mean == 0.75 / 24 && weight.elements?.unequalCount == 2)
    #expect(try ModelDiff(a, b, tolerance: Tolerance(absolute: 0.5)).verdict == .same)
    #expect(try ModelDiff(a, b, tolerance: Tolerance(absolute: 0.49)).verdict == .different)
    // |a − b| ≤ rtol·|b|: 0.5 of 0.875, 0.25 of 2.625.
    #expect(try ModelDiff(a, b, tolerance: Tolerance(relative: 0.58)).verdict == .same)
    #expect(try ModelDiff(a, b, tolerance: Tolerance(relative: 0.57)).verdict == .different)
    let shape = try ModelDiff(a, try model("c.h5", conv: ["kernel_size": [1, 4]], kernelShape: [1, 4, 3, 2]))
    #expect(shape.weights?.first?.status == .shape)
  }

  @Test func notNumbers() throws {
    var strange = kernel
    (strange[0], strange[1], strange[2]) = (.nan, .infinity, -0)
    let a = try model("a.h5", kernel: strange)
    #expect(try ModelDiff(a, try model("b.h5", kernel: strange)).verdict == .same)
    let diff = try ModelDiff(a, try model("c.h5"), tolerance: Tolerance(absolute: 1e9))
    #expect(diff.verdict == .different)
    #expect(diff.weights?.first?.elements?.notFiniteCount == 2)
    // −0 is 0.
    (strange[0], strange[1], strange[2]) = (kernel[0], kernel[1], kernel[2])
    strange[0] = -0
    #expect(try ModelDiff(try model("d.h5", kernel: strange), try model("e.h5")).verdict == .same)
  }

  @Test func activations() throws {
    var other = kernel
    other[3] += 0.5
    var diff = try ModelDiff(try model("a.h5"), try model("b.h5", kernel: other))
    let picture = Fixtures.path("images/rgb8.png")
    try diff.compareActivations(on: [picture])
    #expect(diff.activations?.firstDeparture?.layer == "conv")
    #expect(diff.activations?.layers.map(\.layer) == ["conv", "drop", "relu", "add"])
    var same = try ModelDiff(try model("c.h5"), try model("d.h5", convName: "other"))
    try same.compareActivations(on: [picture])
    #expect(same.activations?.firstDeparture == nil)
    #expect(same.activations?.layers.count == 4)
  }

  // MARK: - What cannot be told

  @Test func partsOnly() throws {
    func path(_ name: String) -> String { Fixtures.path("containers/" + name) }
    let parts = try ModelDiff(path("k315_image.json"), path("k315_image.weights.h5"))
    guard case .unknown = parts.verdict else { throw ConversionIssue("\(parts.text())") }
    // Weights of two containers without an architecture have no names in common.
    let weights = try ModelDiff(path("tfk221_image.legacy.h5"), path("tfk221_image.weights.h5"))
    guard case .unknown = weights.verdict else { throw ConversionIssue("\(weights.text())") }
    let given = try ModelDiff(
      path("tfk221_image.legacy.h5"), path("tfk221_image.weights.h5"), architecture: path("tfk221_image.json"))
    #expect(given.verdict == .same)
  }

  @Test func unreadableWeights() throws {
    func path(_ name: String) -> String { Fixtures.path("hdf5/\(name).h5") }
    let diff = try ModelDiff(path("model"), path("model_declared_only"))
    guard case .unknown(let reason) = diff.verdict else { throw ConversionIssue("\(diff.text())") }
    #expect(reason.contains("kernel"))
    #expect(try ModelDiff(path("model"), path("model_missing_weight")).verdict == .different)
  }
}

/// A failure that shows what was found.
private struct ConversionIssue: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
