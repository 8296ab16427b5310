import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

private func dense(_ name: String, _ inbound: [(String, Int, Int)]..., units: Int = 2) -> JSONValue {
  ModelText.layer("Dense", name, ["units": .int(units)], inbound: inbound)
}

/// A functional model from `x`, of shape (None, 2), to `out`.
private func model(
  _ layers: JSONValue..., inputs: [(String, Int, Int)] = [("x", 0, 0)], outputs: [(String, Int, Int)] = [("out", 0, 0)]
) -> JSONValue {
  ModelText.functional([ModelText.input("x", [nil, 2])] + layers, inputs: inputs, outputs: outputs)
}

/// A config and what the refusal says.
struct BadModel: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let config: JSONValue
  let says: [String]

  init(_ name: String, _ config: JSONValue, says: String...) {
    testDescription = name
    self.config = config
    self.says = says
  }
}

@Suite("Graphs that cannot be are refused")
struct BadGraphTests {
  @Test(arguments: [
    BadModel(
      "cycle", model(dense("a", [("b", 0, 0)]), dense("b", [("a", 0, 0)]), dense("out", [("b", 0, 0)])), says: "cycle",
      "'a'"),
    BadModel("own input", model(dense("out", [("out", 0, 0)])), says: "cycle", "'out'"),
    BadModel(
      "cycle beside the way", model(dense("out", [("x", 0, 0)]), dense("a", [("a", 0, 0)])), says: "cycle", "'a'"),
    BadModel("unknown layer", model(dense("out", [("absent", 0, 0)])), says: "'absent'", "'out'"),
    BadModel("unknown call", model(dense("out", [("x", 1, 0)])), says: "call 1 of 'x'"),
    BadModel("unknown output", model(dense("out", [("x", 0, 1)])), says: "output 1", "'x'"),
    BadModel("negative call", model(dense("out", [("x", -1, 0)])), says: "not in a form"),
    BadModel("huge call", model(dense("out", [("x", 1 << 40, 0)])), says: "not in a form"),
    BadModel(
      "two of a name", model(dense("out", [("x", 0, 0)]), dense("out", [("x", 0, 0)])),
      says: "two layers are called 'out'"),
    BadModel("unknown input", model(dense("out", [("x", 0, 0)]), inputs: [("absent", 0, 0)]), says: "'absent'"),
    BadModel("unknown output layer", model(dense("out", [("x", 0, 0)]), outputs: [("absent", 0, 0)]), says: "'absent'"),
    BadModel("output of no call", model(dense("out", [("x", 0, 0)]), outputs: [("out", 3, 0)]), says: "'out'"),
    BadModel("second output of one", model(dense("out", [("x", 0, 0)]), outputs: [("out", 0, 1)]), says: "'out'"),
    BadModel("no inputs", model(dense("out", [("x", 0, 0)]), inputs: []), says: "no input layer"),
    BadModel(
      "nested with another number of inputs",
      model(
        ModelText.nested(model(dense("out", [("x", 0, 0)])), "out", inbound: [[("x", 0, 0), ("x", 0, 0)]]),
        outputs: [("out", 1, 0)]), says: "2 inputs where 1"),
    BadModel("no class", ["config": [:]], says: "class_name"),
    BadModel("no config", ["class_name": "Sequential"], says: "class_name and config"),
    BadModel("a list", [], says: "class_name"),
    BadModel(
      "layer without class", ["class_name": "Sequential", "config": ["layers": [["config": [:]]]]],
      says: "without class_name"),
    BadModel(
      "edges that are text",
      [
        "class_name": "Functional",
        "config": ["layers": [["class_name": "ReLU", "name": "r", "inbound_nodes": "x"]], "output_layers": []],
      ],
      says: "edges"),
    BadModel(
      "Keras 3 edges without history",
      [
        "class_name": "Functional",
        "config": [
          "layers": [
            [
              "class_name": "ReLU", "name": "r",
              "inbound_nodes": [["args": [["class_name": "__keras_tensor__", "config": [:]]], "kwargs": [:]]],
            ]
          ], "output_layers": [],
        ],
      ], says: "edges"),
  ])
  func refused(_ bad: BadModel) throws {
    let error = try #require(throws: H5ConvError.self) { try graph(bad.config) }
    #expect(error.kind == .badData)
    for text in bad.says { #expect(error.description.contains(text), "\(error)") }
  }

  @Test(arguments: ["Sequential", "Functional", "MyModel"]) func subclassedModels(_ className: String) throws {
    let config: JSONValue = ["class_name": .string(className), "config": ["name": "m", "trainable": true]]
    let error = try #require(throws: H5ConvError.self) { try graph(config) }
    #expect(error.kind == .unsupported)
    #expect(error.description.contains(className))
  }

  /// A model in a model in a model … does not overflow the stack, whatever the JSON reader lets through.
  @Test func nestedDeeply() throws {
    var inner = model(dense("out", [("x", 0, 0)]))
    for _ in 0..<80 {
      inner = model(ModelText.nested(inner, "out", inbound: [[("x", 0, 0)]]), outputs: [("out", 1, 0)])
    }
    let deep = inner
    let error = try #require(throws: H5ConvError.self) { try graph(deep) }
    #expect(error.kind == .limit)
  }

  /// Each level calls the one below 16 times: 16 to the power of 8 calls when unfolded.
  @Test func exponentialNesting() throws {
    var inner = model(dense("out", [("x", 0, 0)]))
    for _ in 0..<8 {
      let calls = (0..<16).map { [("out", $0, 0)] }
      inner = model(
        ModelText.nested(inner, "out", inbound: [[("x", 0, 0)]] + calls.dropFirst()), outputs: [("out", 16, 0)])
    }
    let bomb = inner
    let error = try #require(throws: H5ConvError.self) { try graph(bomb) }
    #expect(error.kind == .limit)
  }

  @Test func longChain() throws {
    let layers = (0..<20_000).map {
      ModelText.layer("ReLU", "r\($0)", inbound: [[($0 == 0 ? "x" : "r\($0 - 1)", 0, 0)]])
    }
    let graph = try graph(
      ModelText.functional(
        [ModelText.input("x", [nil, 2])] + layers.reversed(), inputs: [("x", 0, 0)], outputs: [("r19999", 0, 0)]))
    #expect(graph.calls.count == 20_001)
    #expect(graph.ancestors(of: graph.outputs).count == 20_001)
  }
}

@Suite("Names of results, shapes and ancestors")
struct StructureTests {
  private func keys(_ config: JSONValue) throws -> [String] { try graph(config).taps.map(\.key) }

  @Test func sharedLayer() throws {
    let config = model(
      dense("shared", [("x", 0, 0)], [("shared", 0, 0)], [("x", 0, 0)]),
      ModelText.layer("Add", "out", inbound: [[("shared", 1, 0), ("shared", 2, 0)]]))
    #expect(try keys(config) == ["x", "shared", "shared@1", "shared@2", "out"])
    #expect(try graph(config).layers.count == 3)
  }

  @Test func nestedModelCalledTwice() throws {
    let inner = model(dense("out", [("x", 0, 0)]))
    let config = model(
      ModelText.nested(inner, "outer", inbound: [[("x", 0, 0)], [("outer", 1, 0)]]), dense("out", [("outer", 2, 0)]))
    #expect(try keys(config) == ["x", "outer/out", "outer", "outer@1/out", "outer@1", "out"])
    #expect(try graph(config).layers.map(\.name) == ["x", "outer/out", "out"])
  }

  @Test func modelInModelInModel() throws {
    let inner = model(dense("out", [("x", 0, 0)]))
    let middle = model(
      ModelText.nested(inner, "in", inbound: [[("x", 0, 0)], [("in", 1, 0)]]), outputs: [("in", 2, 0)])
    let config = model(
      ModelText.nested(middle, "mid", inbound: [[("x", 0, 0)], [("mid", 1, 0)]]), outputs: [("mid", 2, 0)])
    #expect(
      try keys(config) == [
        "x", "mid/in/out", "mid/in", "mid/in@1/out", "mid/in@1", "mid", "mid@1/in/out", "mid@1/in", "mid@1/in@1/out",
        "mid@1/in@1", "mid@1",
      ])
  }

  /// The layers may be listed in any order.
  @Test func executionOrder() throws {
    let config = model(dense("out", [("b", 0, 0)]), dense("b", [("a", 0, 0)]), dense("a", [("x", 0, 0)]))
    #expect(try keys(config) == ["x", "a", "b", "out"])
  }

  @Test func ancestorsLeaveOutWhatIsNotNeeded() throws {
    let graph = try graph(
      model(
        dense("a", [("x", 0, 0)]), dense("b", [("a", 0, 0)]), dense("beside", [("a", 0, 0)]),
        dense("out", [("b", 0, 0)])))
    func names(_ pattern: String) throws -> [String] {
      graph.ancestors(of: try graph.select([pattern]).map(\.tensor)).map { graph.calls[$0].key }
    }
    #expect(try names("b") == ["x", "a", "b"])
    #expect(try names("beside") == ["x", "a", "beside"])
    #expect(try names("out") == ["x", "a", "b", "out"])
  }

  @Test func sequentialHidesItsInput() throws {
    let config = ModelText.sequential([ModelText.input("x", [nil, 2]), dense("a"), dense("b")])
    #expect(try keys(config) == ["a", "b"])
    #expect(try graph(config).inputs.count == 1)
  }

  /// Keras before 2.2 wrote no input layer; the first layer's config has the shape.
  @Test(arguments: ["batch_input_shape", "batch_shape"]) func impliedInput(_ field: String) throws {
    let layer = ModelText.layer("Dense", "a", ["units": 2], inbound: nil)
    var entry = try #require(layer.object)
    var config = try #require(entry["config"]?.object)
    config[field] = [nil, 5]
    entry["config"] = .object(config)
    let graph = try graph(["class_name": "Sequential", "config": [.object(entry)]])
    #expect(graph.shape(of: graph.outputs[0]) == [nil, 2])
    #expect(graph.layers[graph.calls[graph.outputs[0].call].layer].weights[0].shape == [5, 2])
  }

  /// An unsupported layer stays in the graph, with what is above and beside it.
  @Test func unsupportedLayer() throws {
    let graph = try graph(
      model(
        dense("a", [("x", 0, 0)]), ModelText.layer("Mystery", "m", inbound: [[("a", 0, 0)]]),
        dense("out", [("m", 0, 0)])))
    #expect(graph.taps.map(\.key) == ["x", "a", "m", "out"])
    #expect(graph.shape(of: TensorID(call: 1, output: 0)) == [nil, 2])
    #expect(graph.shape(of: TensorID(call: 2, output: 0)) == nil)
    #expect(graph.shape(of: TensorID(call: 3, output: 0)) == nil)
    guard case .failure(let error) = graph.calls[3].outputShapes else {
      Issue.record("a shape behind an unsupported layer")
      return
    }
    #expect(error.kind == .unsupported)
    #expect(error.description.contains("'m'") && error.description.contains("Mystery"), "\(error)")
  }

  /// What a call pins to training mode is random.
  @Test(arguments: [("Dropout", true), ("BatchNormalization", true), ("Dense", false)])
  func calledInTrainingMode(_ className: String, _ isRefused: Bool) throws {
    var entry = try #require(ModelText.layer(className, "out", ["units": 2, "axis": [1]], inbound: []).object)
    entry["inbound_nodes"] = [[["x", 0, 0, ["training": true]]]]
    let graph = try graph(model(.object(entry)))
    guard case .failure(let error) = graph.calls[1].outputShapes else {
      #expect(!isRefused)
      return
    }
    #expect(isRefused)
    #expect(error.kind == .unsupported)
    #expect(error.description.contains("training=True"))
  }

  /// Keras 3 runs a model with `training=False` whatever its calls say, and writes `training: true` at every augmentation.
  @Test func trainingModeOfKeras3() throws {
    let entry = ModelText.layer("Dropout", "out", ["rate": 0.5], inbound: [])
    var object = try #require(entry.object)
    object["inbound_nodes"] = [[["x", 0, 0, ["training": true]]]]
    guard case .success = try graph(model(.object(object)), version: "3.15.1").calls[1].outputShapes else {
      Issue.record("a Dropout of Keras 3 is refused")
      return
    }
  }
}

@Suite("Sizes beyond all measure end in errors or shapes, never in a trap")
struct AbsurdSizeTests {
  @Test(
    arguments: [
      ("UpSampling2D", #"{"size": [1048576, 1048576]}"#), ("ZeroPadding2D", #"{"padding": [1048576, 1048576]}"#),
      ("Conv2DTranspose", #"{"filters": 1048576, "kernel_size": [1048576, 1048576], "strides": [1048576, 1048576]}"#),
      ("Conv2DTranspose", #"{"filters": 2, "kernel_size": 3, "strides": [1048576, 1048576], "padding": "same"}"#),
      ("SeparableConv2D", #"{"filters": 2, "kernel_size": 3, "depth_multiplier": 4096}"#),
      ("DepthwiseConv2D", #"{"kernel_size": 3, "depth_multiplier": 1048576}"#), ("Concatenate", #"{"axis": 1}"#),
      ("Concatenate", #"{}"#),
      (
        "Conv2D",
        #"{"filters": 2, "kernel_size": [1048576, 1048576], "dilation_rate": [1048576, 1048576], "padding": "same"}"#
      ),
      ("AveragePooling2D", #"{"pool_size": 1, "strides": [1048576, 1048576], "padding": "same"}"#), ("Flatten", #"{}"#),
      ("Reshape", #"{"target_shape": [1099511627776, 1099511627776]}"#),
      ("Reshape", #"{"target_shape": [1099511627776, 1099511627776, -1]}"#), ("Dense", #"{"units": 1073741824}"#),
    ] as [(String, String)])
  func chains(_ className: String, _ config: String) throws {
    let fields = try #require(try JSONParser.parse(config).object)
    let layers = (0..<8).map { number -> JSONValue in
      let source = number == 0 ? "x" : "l\(number - 1)"
      let inputs = Array(repeating: (source, 0, 0), count: className == "Concatenate" ? 64 : 1)
      var entry = ModelText.layer(className, "l\(number)", inbound: [inputs]).object ?? JSONObject()
      var config = fields
      config["name"] = .string("l\(number)")
      entry["config"] = .object(config)
      return .object(entry)
    }
    for size in [1 << 20, 1 << 30, 1 << 40] {
      let graph = try graph(
        ModelText.functional(
          [ModelText.input("x", [nil, size, size, size])] + layers, inputs: [("x", 0, 0)], outputs: [("l7", 0, 0)]))
      let failures = graph.calls.compactMap { call -> H5ConvError? in
        if case .failure(let error) = call.outputShapes { error } else { nil }
      }
      #expect(failures.allSatisfy { [.limit, .badData].contains($0.kind) }, "\(failures)")
    }
  }

  @Test func largerThanAllInputs() throws {
    #expect(throws: H5ConvError.self) {
      let graph = try graph(model(ModelText.layer("Flatten", "out", inbound: [[("x", 0, 0)]])))
      _ = try graph.calls[1].outputShapes.get()
      _ = try self.graphOf([nil, 1 << 41]).calls[0].outputShapes.get()
    }
  }

  private func graphOf(_ shape: [Int?]) throws -> Graph {
    try graph(ModelText.sequential([ModelText.input("x", shape), ModelText.layer("Flatten", "f")]))
  }

  /// Three weights of 2^62 elements each: their sum is no Int.
  @Test func parametersThatOverflow() throws {
    let layers = (0..<3).map { dense("d\($0)", [("x", 0, 0)], units: 1 << 30) }
    let config = ModelText.functional(
      [ModelText.input("x", [nil, 1 << 32])] + layers, inputs: [("x", 0, 0)], outputs: [("d0", 0, 0)])
    let architecture = try ArchitectureReader.read(config, kerasVersion: "2.15.0")
    let graph = try Graph(architecture)
    let summary = Summary(architecture, graph, WeightTable(graph, architecture, nil))
    #expect(summary.rows.map(\.parameters) == [0] + Array(repeating: 1 << 62 + 1 << 30, count: 3))
    #expect(summary.totalParameters == .max)
  }
}
