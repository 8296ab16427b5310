import H5Conv
import H5ConvConfig
import H5ConvTesting
import TestSupport
import Testing

/// A small model: x (4, 4, 1) → conv → bn → flat → dense, with one thing changed.
private struct Variant {
  var filters = 2
  var activation = "linear"
  var kernelShift: Float = 0
  var normalizationShift: Float = 0
  var denseShift: Float = 0
  var denseName = "dense"
  var reversesLayers = false
  var hasExtraLayer = false

  func write(to path: String) throws -> Model {
    var layers = [
      ModelText.input("x", [nil, 4, 4, 1]),
      ModelText.layer(
        "Conv2D", "conv", ["filters": .int(filters), "kernel_size": 2, "activation": .string(activation)],
        inbound: [[("x", 0, 0)]]),
      ModelText.layer("BatchNormalization", "bn", ["axis": 3], inbound: [[("conv", 0, 0)]]),
      ModelText.layer("Flatten", "flat", inbound: [[("bn", 0, 0)]]),
      ModelText.layer("Dense", denseName, ["units": 2], inbound: [[("flat", 0, 0)]]),
    ]
    if hasExtraLayer { layers.append(ModelText.layer("ReLU", "extra", inbound: [[("flat", 0, 0)]])) }
    if reversesLayers { layers.reverse() }
    func numbers(_ count: Int, _ shift: Float = 0) -> [Float] { (0..<count).map { Float($0 % 7) / 8 + shift } }
    let conv: ModelText.Weights = [
      "conv/kernel:0": ([2, 2, 1, filters], numbers(4 * filters, kernelShift)),
      "conv/bias:0": ([filters], numbers(filters)),
    ]
    let bn: ModelText.Weights = [
      "bn/gamma:0": ([filters], numbers(filters, 1)), "bn/beta:0": ([filters], numbers(filters, normalizationShift)),
      "bn/moving_mean:0": ([filters], numbers(filters)), "bn/moving_variance:0": ([filters], numbers(filters, 1)),
    ]
    let dense: ModelText.Weights = [
      "kernel:0": ([9 * filters, 2], numbers(18 * filters)), "bias:0": ([2], numbers(2, denseShift)),
    ]
    try ModelText.write(
      ModelText.functional(layers, inputs: [("x", 0, 0)], outputs: [(denseName, 0, 0)]),
      weights: ["x": [:], "conv": conv, "bn": bn, "flat": [:], denseName: dense], to: path)
    return try Model(contentsOf: path)
  }
}

@Suite("Comparing conversions")
struct ComparisonTests {
  private let folder: TemporaryFolder
  private let model: Model
  private let image: Tensor

  init() throws {
    folder = try TemporaryFolder()
    model = try Variant().write(to: folder.file("model.h5"))
    image = try Tensor(shape: [1, 4, 4, 1], values: (0..<16).map { Float($0) / 16 - 0.5 })
  }

  private func other(_ change: (inout Variant) -> Void) throws -> Model {
    var variant = Variant()
    change(&variant)
    return try variant.write(to: folder.file("other\(folder.names.count).h5"))
  }

  private func golden() throws -> [String: Tensor] {
    let activations = try model.slice(outputs: ["*"]).run([image])
    return Dictionary(uniqueKeysWithValues: activations.map { ($0.name, $0.tensor) })
  }

  // MARK: - Architecture

  @Test func sameArchitecture() throws {
    let report = compareArchitecture(model, try other { _ in })
    #expect(report.isMatch)
    #expect(report.comparedCount == 5)
    #expect(report.firstDeparture == nil)
    #expect(report.description == "architecture: 5 compared, all match")
    try expectSameArchitecture(model, model)
  }

  /// Keras 3 and tf.keras save the same network alike.
  @Test(arguments: ["nested", "nested_twice", "shared", "sequential", "dense", "pool_negative"])
  func twoVersionsOfKeras(_ name: String) throws {
    let (a, b) = (
      try Model(contentsOf: ModelFixture.path("k3_\(name)")), try Model(contentsOf: ModelFixture.path("tfk_\(name)"))
    )
    let report = compareArchitecture(a, b)
    let names = Set(a.layers.map(\.name)).intersection(b.layers.map(\.name))
    #expect(report.departures.allSatisfy { !names.contains($0.place) || $0.what.contains("go in") }, "\(report)")
  }

  @Test func otherShape() throws {
    let changed = try other { $0.filters = 3 }
    let report = compareArchitecture(model, changed)
    #expect(report.firstDeparture?.place == "conv")
    #expect(report.firstDeparture?.what == "the output shape: (None, 3, 3, 2) and (None, 3, 3, 3)")
    #expect(report.departures.contains { $0.place == "dense" && $0.what.contains("parameters: 38 and 56") })
    #expect(report.departures.contains { $0.place == "model" && $0.what.contains("trainable parameters") })
    #expect(report.description.contains("first conv: the output shape"))
    #expect(throws: ConversionMismatch.self) { try expectSameArchitecture(model, changed) }
  }

  @Test func otherNames() throws {
    let report = compareArchitecture(model, try other { $0.denseName = "logits" })
    #expect(
      report.departures.map(\.description) == [
        "dense: only the first model has it", "logits: only the second model has it",
      ])
  }

  @Test func oneLayerMore() throws {
    let report = compareArchitecture(model, try other { $0.hasExtraLayer = true })
    #expect(report.departures.map(\.place) == ["extra"])
  }

  @Test func otherOrder() throws {
    let report = compareArchitecture(model, try other { $0.reversesLayers = true })
    #expect(report.departures.map(\.description) == ["model: the layers stand in another order"])
  }

  @Test func insideNestedModels() throws {
    let report = compareArchitecture(
      try Model(contentsOf: ModelFixture.path("tfk_nested")),
      try Model(contentsOf: ModelFixture.path("tfk_nested_deep")))
    #expect(!report.isMatch)
  }

  // MARK: - Weights

  @Test func sameWeights() throws {
    let same = try other { _ in }
    let report = try compareWeights(model, same)
    #expect(report.isMatch)
    #expect(report.comparedCount == 8)
    #expect(report.worst?.difference == 0)
    try expectSameWeights(model, same)
  }

  /// Names in the file differ between versions of Keras; names of layers and weights do not.
  @Test func weightsInAnotherForm() throws {
    let plain = try Model(contentsOf: ModelFixture.path("tfk_nested_sequential"))
    for name in ["tfk_file_big_endian", "tfk_file_chunked", "tfk_file_float64"] {
      try expectSameWeights(plain, try Model(contentsOf: ModelFixture.path(name)))
    }
    let half = try Model(contentsOf: ModelFixture.path("tfk_file_float16"))
    #expect(try !compareWeights(plain, half).isMatch)
    try expectSameWeights(plain, half, tolerance: 1e-3)
  }

  @Test func otherWeights() throws {
    let shifted = try other { $0.kernelShift = 0.25 }
    let report = try compareWeights(model, shifted)
    #expect(report.departures.map(\.place) == ["conv/kernel"])
    #expect(report.firstDeparture?.difference == 0.25)
    try expectSameWeights(model, shifted, tolerance: 0.25)
    #expect(throws: ConversionMismatch.self) { try expectSameWeights(model, shifted, tolerance: 0.24) }
  }

  @Test func otherSetOfWeights() throws {
    let report = try compareWeights(model, try other { $0.denseName = "logits" })
    #expect(
      report.departures.map(\.description) == [
        "dense/kernel: only the first model has it", "dense/bias: only the first model has it",
        "logits/kernel: the model does not have it", "logits/bias: the model does not have it",
      ])
  }

  @Test func goldenWeights() throws {
    let bias = try Tensor(shape: [2], values: [0, 0.125])
    try expectSameWeights(model, ["conv/bias": bias, "dense/bias": bias])
    let flat = try Tensor(shape: [2, 1], values: [0, 0.125])
    #expect(
      try compareWeights(model, ["conv/bias": flat]).firstDeparture?.what
        == "the shape is [2] where [2, 1] was expected")
    #expect(try compareWeights(model, ["conv/absent": bias]).firstDeparture?.place == "conv/absent")
  }

  // MARK: - Activations

  @Test func sameActivations() throws {
    let golden = try golden()
    let report = try compareActivations(model, golden, on: [image])
    #expect(report.isMatch)
    #expect(report.comparedCount == 4)
    try expectSameActivations(model, golden, on: [image])
  }

  /// The first layer that departs is named, not the one that departs most.
  @Test func firstLayerThatDeparts() throws {
    let changed = try other { $0.activation = "relu" }
    let report = try compareActivations(changed, try golden(), on: [image])
    #expect(report.firstDeparture?.place == "conv")
    let difference = try #require(report.firstDeparture?.difference)
    #expect(difference > 1e-4)
    #expect(report.description.contains("first conv: the largest difference is \(difference)"))
    #expect(report.description.contains("then bn, flat, dense"))
    let error = try #require(throws: ConversionMismatch.self) {
      try expectSameActivations(changed, try golden(), on: [image])
    }
    #expect(error.description == report.description)
  }

  @Test func departureBehindGoodLayers() throws {
    var golden = try golden()
    let dense = try #require(golden["dense"])
    golden["dense"] = try Tensor(shape: dense.shape, values: dense.values.map { $0 + 0.5 })
    let report = try compareActivations(model, golden, on: [image])
    #expect(report.departures.map(\.place) == ["dense"])
    #expect(report.worst?.place == "dense")
  }

  @Test func unknownLayerAndOtherShape() throws {
    var golden = try golden()
    golden["absent"] = image
    golden["bn"] = image
    let report = try compareActivations(model, golden, on: [image])
    #expect(report.departures.map(\.place) == ["bn", "absent"])
    #expect(report.departures[1].what == "the model has no such layer")
  }

  @Test func nothingToCompare() throws {
    let report = try compareActivations(model, [:], on: [image])
    #expect(report.isMatch && report.comparedCount == 0)
  }

  // MARK: - Activations of two models

  @Test func sameActivationsOfTwoModels() throws {
    let same = try other { _ in }
    let report = try compareActivations(same, model, on: [image])
    #expect(report.isMatch)
    #expect(report.comparedCount == 4)
    #expect(report.description == "activations: 4 compared, all match, the largest difference is 0.0 at conv")
    try expectSameActivations(same, model, on: [image], tolerance: 0)
  }

  /// One bias is a little larger: the layer that has it is named, and by how much it departs; then what follows from it.
  @Test func firstLayerOfTwoModelsThatDeparts() throws {
    let changed = try other { $0.normalizationShift = 0.25 }
    let report = try compareActivations(changed, model, on: [image])
    #expect(report.departures.map(\.place) == ["bn", "flat", "dense"])
    let scale = try #require(golden()["bn"]).values.map { Double(abs($0)) }.max() ?? 0
    let difference = try #require(report.firstDeparture?.difference)
    #expect(abs(difference - 0.25 / max(1, scale)) < 1e-6)
    #expect(
      report.description
        == "activations: 3 of 4 depart, first bn: the largest difference is \(difference), more than 0.0001; then flat, dense"
    )
    #expect(try compareActivations(changed, model, on: [image], tolerance: 100).isMatch)
    let error = try #require(throws: ConversionMismatch.self) {
      try expectSameActivations(changed, model, on: [image])
    }
    #expect(error.description == report.description)
  }

  /// Layers that only one of them has are no departure; the outputs are compared whatever they are called.
  @Test func otherOutput() throws {
    let renamed = try other { $0.denseName = "logits" }
    let report = try compareActivations(renamed, model, on: [image])
    #expect(report.isMatch && report.comparedCount == 4)
    let changed = try other {
      $0.denseName = "logits"
      $0.denseShift = 0.5
    }
    let departures = try compareActivations(changed, model, on: [image]).departures
    #expect(departures.map(\.place) == ["logits (dense)"])
    let more = try other { $0.hasExtraLayer = true }
    #expect(try compareActivations(more, model, on: [image]).isMatch)
  }

  /// Inputs go to the layers of their names, in whatever order a model has them.
  @Test func inputsByName() throws {
    func difference(_ inputs: [String]) throws -> Model {
      let layers =
        ["a", "b"].map { ModelText.input($0, [nil, 2]) }
        + [ModelText.layer("Subtract", "difference", ["trainable": true], inbound: [[("a", 0, 0), ("b", 0, 0)]])]
      let path = folder.file(inputs.joined())
      try ModelText.write(
        ModelText.functional(layers, inputs: inputs.map { ($0, 0, 0) }, outputs: [("difference", 0, 0)]), to: path)
      return try Model(contentsOf: path)
    }
    let values = [try Tensor(shape: [1, 2], values: [5, 7]), try Tensor(shape: [1, 2], values: [1, 2])]
    try expectSameActivations(try difference(["b", "a"]), try difference(["a", "b"]), on: values, tolerance: 0)
  }

  @Test func otherNumberOfOutputs() throws {
    let model = try Model(contentsOf: ModelFixture.path("tfk_two_outputs"))
    let path = try model.writeSlice(outputs: ["head_low"], to: folder.file("part.keras")).path
    let image = try #require(try ModelFixture("tfk_two_outputs").inputs["x"])
    let report = try compareActivations(try Model(contentsOf: path), model, on: [image])
    #expect(report.departures.map(\.description) == ["model: 1 outputs where 2 were expected"])
  }

  /// What cannot be run is passed over; when nothing is left there is nothing to say.
  @Test func unsupportedLayers() throws {
    let fixture = try ModelFixture("k3_own_code")
    let own = try Model(contentsOf: fixture.path)
    let report = try compareActivations(own, own, on: [try #require(fixture.inputs["x"])])
    #expect(report.isMatch && report.comparedCount == own.computableOutputNames.count && report.comparedCount == 2)
    let error = try #require(throws: H5ConvError.self) {
      try compareActivations(own, try Model(contentsOf: ModelFixture.path("k3_dense")), on: [image])
    }
    #expect(error.kind == .unsupported || error.kind == .usage, "\(error)")
  }

  // MARK: - Numbers

  @Test(
    arguments: [
      ([1, 2], [1, 2], 0), ([1, 2.5], [1, 2], 0.25), ([0.5, 0], [0.25, 0], 0.25),
      ([.infinity, 3], [.infinity, 2], 0.5), ([.nan], [.nan], 0),
      ([110], [100], 0.1), ([.infinity], [1], .infinity), ([-.infinity], [.infinity], .infinity), ([], [], 0),
    ] as [([Float], [Float], Double)])
  func differences(_ a: [Float], _ b: [Float], _ expected: Double) throws {
    let difference = scaledDifference(try Tensor(shape: [a.count], values: a), try Tensor(shape: [b.count], values: b))
    #expect(difference == expected || abs(difference - expected) < 1e-12)
  }

  @Test(arguments: [([Float.nan], [Float(1)]), ([1], [.nan]), ([1, .nan], [5, 0])]) func notANumberDeparts(
    _ a: [Float], _ b: [Float]
  ) throws {
    let (a, b) = (try Tensor(shape: [a.count], values: a), try Tensor(shape: [b.count], values: b))
    #expect(scaledDifference(a, b).isNaN)
    let file = folder.file("weights.h5")
    try ModelText.write(
      ModelText.sequential([
        ModelText.input("x", [nil, 1]), ModelText.layer("Dense", "d", ["units": .int(a.count), "use_bias": false]),
      ]),
      weights: ["d": ["kernel": ([1, a.count], a.values)]], to: file)
    let report = try compareWeights(
      try Model(contentsOf: file), ["d/kernel": try b.reshaped(to: [1, b.count])], tolerance: 100)
    #expect(!report.isMatch)
    #expect(report.worst?.difference.isNaN == true)
  }
}

@Suite("Weights by their layers")
struct LayerWeightTests {
  @Test func namesAndShapes() throws {
    let model = try Model(contentsOf: ModelFixture.path("tfk_nested_sequential"))
    #expect(
      model.layerWeights.map(\.key) == [
        "features/conv/kernel", "features/conv/bias", "features/bn/gamma", "features/bn/beta",
        "features/bn/moving_mean",
        "features/bn/moving_variance", "dense/kernel", "dense/bias",
      ])
    #expect(model.layerWeights.reduce(0) { $0 + $1.shape.reduce(1, *) } == model.parameterCount)
    #expect(model.layerWeights.map(\.isTrainable) == [true, true, true, true, false, false, true, true])
    for weight in model.layerWeights { #expect(try weight.read().shape == weight.shape) }
  }

  @Test(arguments: ModelFixture.names) func allElementsAreCounted(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    let count = model.layerWeights.reduce(0) { $0 + $1.shape.reduce(1, *) }
    switch name {
    // A layer that two graphs share is stored, and listed, in both.
    case "k3_shared_across": #expect(count > model.parameterCount)
    // Kernels (8, 6) and (6, 7), of which Keras counts the bytes that two numbers share: (3, 8) and (4, 6).
    case "k3_gptq", "k3_awq": #expect(count == model.parameterCount + (48 - 24) + (42 - 24))
    default: #expect(count == model.parameterCount)
    }
  }

  @Test func weightsOfUnsupportedLayers() throws {
    let model = try Model(contentsOf: ModelFixture.path("k3_own_code"))
    let swirl = model.layerWeights.filter { $0.layer == "swirl" }
    #expect(swirl.count == 1)
    #expect(try swirl.first?.read().count == 3)
    #expect(swirl.first?.isTrainable == nil)
  }

  @Test(arguments: [
    "model_wrong_shape", "model_missing_weight", "model_listed_only", "model_no_groups", "model_text_weight",
  ])
  func unreadable(_ name: String) throws {
    let model = try Model(contentsOf: Fixtures.path("hdf5/\(name).h5"))
    let kernel = try #require(
      model.layerWeights.first { $0.name == (name == "model_missing_weight" ? "bias" : "kernel") })
    let error = try #require(throws: H5ConvError.self) { try kernel.read() }
    #expect(error.kind == .badData)
    #expect(error.file == model.path)
  }
}
