import H5Conv
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvTensors
import TestSupport
import Testing

/// A part of a fixture that is written as a model of its own.
private struct Cut: CustomTestStringConvertible, Sendable {
  let fixture: String
  let outputs: [String]
  /// Names of the layers of the written model, inputs among them.
  let layers: Set<String>
  var testDescription: String { "\(fixture): \(outputs.joined(separator: ", "))" }

  init(_ fixture: String, _ outputs: [String], layers: Set<String>) {
    (self.fixture, self.outputs, self.layers) = (fixture, outputs, layers)
  }
}

/// A part that begins inside a fixture.
private struct Tail: CustomTestStringConvertible, Sendable {
  let fixture: String
  let from: [String]
  let outputs: [String]
  /// What goes in at the cut, in the fixture's names.
  let fedWith: [String]
  var testDescription: String { "\(fixture) from \(from.joined(separator: ", "))" }

  init(_ fixture: String, from: [String], outputs: [String] = ["@outputs"], fedWith: [String]) {
    (self.fixture, self.from, self.outputs, self.fedWith) = (fixture, from, outputs, fedWith)
  }
}

@Suite("Parts of models, written as models")
struct SlicingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func slice(
    _ model: Model, _ outputs: [String], as format: ModelFormat = .keras,
    _ change: (inout SliceOptions) -> Void = { _ in }
  ) throws -> Model {
    var options = SliceOptions()
    change(&options)
    var conversion = ConversionOptions()
    conversion.format = format
    conversion.replaces = true
    return try Model(
      contentsOf: try model.writeSlice(outputs: outputs, to: folder.file("slice"), options, conversion).path)
  }

  /// Whether the outputs of `part` are those that `patterns` name in `model`, as Keras computed them.
  ///
  /// A tensor that is named twice, as a nested model's output is, is one output.
  private func expectGolden(_ part: Model, _ patterns: [String], of model: Model, _ fixture: ModelFixture) throws {
    var seen = Set<TensorID>()
    let expected = try model.graph.select(patterns).filter { seen.insert($0.tensor).inserted }.map(\.key)
    let inputs = try part.inputs.map { try #require(fixture.inputs[$0.name], "input \($0.name)") }
    let results = try part.slice(outputs: ["@outputs"]).run(inputs)
    try #require(results.count == expected.count)
    for (key, result) in zip(expected, results) {
      let golden = try #require(fixture.golden[key], "\(key)")
      #expect(distance(result.tensor, golden) <= 1e-5, "\(key) as \(result.name)")
    }
  }

  /// Everything that a model computes at once: every layer in it, every output of nested models, which are dissolved.
  @Test(arguments: ModelFixture.names, [ModelFormat.legacyH5, .keras])
  func everyOutput(_ name: String, _ format: ModelFormat) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let outputs = model.computableOutputNames
    guard !outputs.isEmpty else { return }
    try expectGolden(try slice(model, outputs, as: format), outputs, of: model, fixture)
  }

  /// Only what the outputs need is left, and they compute what they did.
  @Test(arguments: [
    Cut("tfk_sequential", ["conv"], layers: ["x", "conv"]),
    Cut("tfk_sequential", ["conv", "conv2"], layers: ["x", "conv", "bn", "pool", "conv2"]),
    Cut("k3_multi", ["pool"], layers: ["picture", "conv", "pool"]),
    Cut("k3_multi", ["second", "pool"], layers: ["picture", "numbers", "conv", "pool", "joined", "hidden", "second"]),
    // A nested model of which nothing is asked for stays whole; one of which an inner layer is, is dissolved.
    Cut("tfk_two_outputs", ["head_low"], layers: ["x", "backbone", "head_low"]),
    Cut("tfk_two_outputs", ["backbone/low"], layers: ["x", "low"]),
    Cut("tfk_two_outputs", ["backbone:1", "backbone/low"], layers: ["x", "low"]),
    Cut("tfk_two_outputs", ["backbone", "backbone/low"], layers: ["x", "low", "high", "down"]),
    Cut(
      "k3_nested_deep", ["middle/deep/deep_bn1", "dense"],
      layers: [
        "x", "stem", "deep_conv1", "deep_bn1", "deep_relu", "middle_conv", "middle_bn", "pool", "dense",
      ]),
    Cut("k3_nested_deep", ["middle/middle_conv"], layers: ["x", "stem", "deep", "middle_conv"]),
    Cut("k3_nested_deep", ["middle", "middle/deep"], layers: ["x", "stem", "deep", "middle_conv", "middle_bn"]),
    Cut("tfk_nested_sequential", ["features/bn"], layers: ["x", "conv", "bn"]),
    // Calls of shared layers and models.
    Cut("k3_shared", ["shared_conv@1"], layers: ["b", "before_b", "shared_conv"]),
    Cut(
      "k3_shared", ["shared_conv@2", "shared_conv"], layers: ["a", "b", "before_b", "shared_conv", "shared_act", "sum"]),
    Cut("tfk_nested_twice", ["tower@1"], layers: ["b", "before_b", "tower"]),
    Cut(
      "tfk_nested_twice", ["tower@2/tower_relu", "tower@1/tower_bn1", "tower/tower_conv1", "tower@2"],
      layers: [
        "a", "b", "before_b", "tower_conv1", "tower_bn1", "tower_relu", "difference",
      ]),
    // A name that the outer model has too gets that of the model around it.
    Cut("k3_shared_across", ["inner/both", "sum"], layers: ["x", "both", "inner_both", "relu", "sum"]),
    // Other outputs of a layer; what needs the user's Python is gone.
    Cut("k3_own_code", ["side"], layers: ["x", "before", "side"]),
  ])
  fileprivate func parts(_ cut: Cut) throws {
    let fixture = try ModelFixture(cut.fixture)
    let model = try Model(contentsOf: fixture.path)
    for format in [ModelFormat.legacyH5, .keras] {
      let part = try slice(model, cut.outputs, as: format)
      #expect(Set(part.layers.map(\.name)) == cut.layers)
      try expectGolden(part, cut.outputs, of: model, fixture)
    }
  }

  /// A tail that is fed with what went into its first layer computes what the whole model computes.
  @Test(arguments: [
    Tail("tfk_sequential", from: ["conv2"], fedWith: ["pool"]),
    Tail("k3_multi", from: ["joined"], outputs: ["second"], fedWith: ["numbers", "pool"]),
    Tail("k3_multi", from: ["hidden"], outputs: ["second", "hidden"], fedWith: ["joined"]),
    Tail("k3_nested_deep", from: ["middle"], fedWith: ["stem"]),
    Tail(
      "k3_nested_deep", from: ["middle/middle_conv"], outputs: ["middle/middle_bn", "@outputs"],
      fedWith: [
        "middle/deep"
      ]),
    Tail("tfk_nested_twice", from: ["tower/tower_bn1"], outputs: ["tower"], fedWith: ["tower/tower_conv1"]),
    // One call of several.
    Tail("tfk_nested_twice", from: ["tower@1"], outputs: ["tower@1"], fedWith: ["before_b"]),
    Tail("tfk_nested_twice", from: ["tower", "tower@1"], outputs: ["difference"], fedWith: ["a", "before_b"]),
    Tail("k3_shared", from: ["shared_conv", "shared_conv@1"], outputs: ["sum"], fedWith: ["a", "before_b"]),
    // Cut at several places.
    Tail("tfk_two_outputs", from: ["head_low", "head_high"], fedWith: ["backbone:1", "backbone"]),
  ])
  fileprivate func tails(_ tail: Tail) throws {
    let fixture = try ModelFixture(tail.fixture)
    let model = try Model(contentsOf: fixture.path)
    let part = try slice(model, tail.outputs) { $0.from = tail.from }
    let fed = try tail.fedWith.map { try #require(fixture.golden[$0] ?? fixture.inputs[$0], "\($0)") }
    #expect(part.inputs.map { $0.shape.dropFirst() } == fed.map { $0.shape.dropFirst().map(Optional.some)[...] })
    let results = try part.slice(outputs: ["@outputs"]).run(fed)
    for (tap, result) in zip(try model.graph.select(tail.outputs), results) {
      #expect(distance(result.tensor, try #require(fixture.golden[tap.key])) <= 1e-5, "\(tap.key)")
    }
    #expect(results.count == (try model.graph.select(tail.outputs)).count)
  }

  @Test(arguments: ["k3_multi", "tfk_nested_twice", "k3_nested_deep", "tfk_nested_sequential"])
  func prefix(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let plain = try slice(model, ["@outputs"])
    let part = try slice(model, ["@outputs"]) { $0.prefix = "mine_" }
    #expect(part.layers.map(\.name) == plain.layers.map { "mine_\($0.name)" })
    let inputs = try plain.inputs.map { try #require(fixture.inputs[$0.name]) }
    let results = try part.slice(outputs: ["@outputs"]).run(inputs)
    for (a, b) in zip(results, try plain.slice(outputs: ["@outputs"]).run(inputs)) {
      #expect(a.name == "mine_\(b.name)" && a.tensor.values == b.tensor.values)
    }
  }

  /// Names of models that do not exist, and cuts that something needed passes by.
  @Test(arguments: [
    ("k3_multi", ["absent"], [], "absent"), ("k3_multi", ["second"], ["absent"], "absent"),
    ("k3_multi", ["second", "pool"], ["hidden"], "picture"), ("k3_multi", ["@outputs"], ["conv"], "numbers"),
    ("tfk_nested_twice", ["difference"], ["tower"], "does not pass through tower"),
    ("tfk_nested_twice", ["head"], ["tower/tower_bn1"], "does not pass through"),
    ("k3_nested_deep", ["middle/middle_conv"], ["middle"], "begin at a layer inside it"),
  ])
  func refused(_ name: String, _ outputs: [String], _ from: [String], _ says: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    let error = try #require(throws: H5ConvError.self) { try slice(model, outputs) { $0.from = from } }
    #expect(error.kind == .usage)
    #expect(error.description.contains(says), "\(error)")
    #expect(error.file == model.path)
    #expect(folder.names == [])
  }
}
