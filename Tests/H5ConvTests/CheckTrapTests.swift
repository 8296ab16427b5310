import H5Conv
import H5ConvConfig
import TestSupport
import Testing

/// A config in which a check must find something, and what.
struct TrapCase: CustomTestStringConvertible, Sendable {
  let code: String
  let layer: JSONValue
  let version: String
  var testDescription: String { code }

  init(_ code: String, _ layer: JSONValue, version: String = "2.15.0") {
    (self.code, self.layer, self.version) = (code, layer, version)
  }
}

@Suite("What a check finds in configs")
struct CheckTrapTests {
  private static let inner: JSONValue = ["class_name": "LSTM", "config": ["units": 2, "name": "lstm"]]
  private static let code = "4wEAAAAAAAAAAAAAAAIAAABTAAAAcwgAAAB8AGoAgwBTACkB2gR0YW5o" + "AAAAAAAAAAAA"

  @Test(arguments: [
    TrapCase(
      "initializer_dtype",
      ModelText.layer(
        "Dense", "l", ["units": 2, "kernel_initializer": ["class_name": "Zeros", "config": ["dtype": "float32"]]])),
    TrapCase("refused_argument", ModelText.layer("DepthwiseConv2D", "l", ["groups": 1, "kernel_size": 3])),
    TrapCase("refused_argument", ModelText.layer("GRU", "l", ["time_major": false, "reset_after": true])),
    TrapCase("refused_argument", ModelText.layer("MultiHeadAttention", "l", ["query_shape": [nil, 2, 2]])),
    TrapCase("wrapped_layer_without_module", ModelText.layer("Bidirectional", "l", ["layer": inner])),
    TrapCase("refused_argument", ModelText.layer("SpatialDropout2D", "l", ["rate": 0.5, "trainable": true])),
    TrapCase("removed_class", ModelText.layer("ThresholdedReLU", "l")),
    TrapCase(
      "removed_class",
      ModelText.layer("Activation", "l", ["activation": ["class_name": "ThresholdedReLU", "config": ["theta": 1]]])),
    TrapCase(
      "custom_function",
      ModelText.layer(
        "Activation", "l",
        ["activation": ["module": "builtins", "class_name": "function", "config": "log_softmax_v2"]])),
    TrapCase("custom_function", ModelText.layer("Activation", "l", ["activation": "mine>wave"])),
    TrapCase("operation_of_tensorflow", ModelText.layer("TFOpLambda", "l", ["function": "math.add"])),
    TrapCase(
      "old_dtype_policy",
      ModelText.layer("ReLU", "l", ["dtype": ["class_name": "Policy", "config": ["name": "mixed_float16"]]])),
    TrapCase("hard_sigmoid_changed", ModelText.layer("LSTM", "l", ["recurrent_activation": "hard_sigmoid"])),
    TrapCase("gru_without_reset_after", ModelText.layer("GRU", "l", ["units": 2])),
    TrapCase("weights_of_axes", ModelText.layer("LayerNormalization", "l", ["axis": [1, 2]])),
    TrapCase("axis_lists", ModelText.layer("Softmax", "l", ["axis": [1, 2]])),
    TrapCase("operations_in_h5", ModelText.layer("Relu", "l"), version: "3.15.1"),
    TrapCase("attention_in_h5", ModelText.layer("Attention", "l", ["score_mode": "dot"])),
    TrapCase("channels_first", ModelText.layer("Conv2D", "l", ["data_format": "channels_first"])),
    TrapCase("cudnn_class", ModelText.layer("CuDNNLSTM", "l", ["units": 2])),
    TrapCase("keras_3_only", ModelText.layer("ReLU", "l"), version: "3.15.1"),
    TrapCase("custom_object", ModelText.layer("MyLayer", "l", ["trainable": true])),
    TrapCase("unsupported_layer", ModelText.layer("TextVectorization", "l", ["trainable": true])),
    TrapCase("unsupported_argument", ModelText.layer("Dense", "l", ["units": 2, "activation": "my_activation"])),
    TrapCase("invalid_layer", ModelText.layer("Dense", "l", ["units": -2])),
    TrapCase("invalid_layer", ModelText.layer("Reshape", "l", ["target_shape": [5, 5, 5]])),
    TrapCase("named_function", ModelText.layer("Lambda", "l", ["function": "my_function"])),
    TrapCase("python_code", ModelText.layer("Lambda", "l", ["function": [.string(code), nil, nil]])),
    TrapCase(
      "python_code",
      ModelText.layer(
        "TimeDistributed", "outer",
        [
          "layer": ModelText.layer(
            "Lambda", "l", ["function": ["class_name": "__lambda__", "config": ["code": .string(code)]]])
        ])),
    TrapCase(
      "python_code",
      ModelText.layer("Lambda", "l", ["function": ["c\u{1}\u{0}\u{0}\u{0}t\u{4}\u{0}\u{0}\u{0}tanh", nil, nil]])),
  ])
  func layers(_ trap: TrapCase) throws {
    let folder = try TemporaryFolder()
    func check(_ layers: [JSONValue]) throws -> ModelCheck {
      let path = folder.file("\(folder.names.count).h5")
      try ModelText.write(
        ModelText.sequential([ModelText.input("x", [nil, 4, 4, 3])] + layers), version: trap.version, to: path)
      return try ModelCheck(contentsOf: path)
    }
    let found = try check([trap.layer])
    let finding = try #require(found.findings.first { $0.code == trap.code }, "\(found.text)")
    #expect(finding.place == "l" || finding.place == "file" || finding.place == "l/lstm")
    if trap.code == "python_code" { #expect(finding.message.contains("tanh")) }
    // Nothing of the kind in a model without it.
    let plain = try check([ModelText.layer("ReLU", "l", ["trainable": true])])
    #expect(!plain.findings.contains { $0.code == trap.code } || trap.code == "keras_3_only")
  }

  /// What the file says the module of is read strictly: nested models of tf_keras, and everything in archives.
  @Test func entriesWithModules() throws {
    let folder = try TemporaryFolder()
    func codes(_ className: String, _ config: KeyValuePairs<String, JSONValue>, module: JSONValue?) throws -> [String] {
      var layer = try #require(ModelText.layer(className, "l", config).object)
      if let module { layer["module"] = module }
      let path = folder.file("\(folder.names.count).h5")
      try ModelText.write(ModelText.sequential([ModelText.input("x", [nil, 4, 4, 3]), .object(layer)]), to: path)
      return try ModelCheck(contentsOf: path).findings.map(\.code)
    }
    for (module, isRefused) in [("keras.layers", true), (nil, false)] as [(JSONValue?, Bool)] {
      #expect(try codes("BatchNormalization", ["axis": [3]], module: module).contains("axis_as_list") == isRefused)
      #expect(
        try codes("ReLU", ["batch_input_shape": [nil, 4, 4, 3]], module: module).contains("refused_argument")
          == isRefused)
    }
    #expect(try !codes("Softmax", ["axis": [1, 2]], module: "keras.layers").contains("axis_lists"))
  }

  /// A Sequential that was saved before it knew its input; Keras loads it.
  @Test func notBuilt() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try ModelText.write(ModelText.sequential([ModelText.layer("Flatten", "f")]), to: path)
    let check = try ModelCheck(contentsOf: path)
    let finding = try #require(check.findings.first { $0.code == "unsupported_argument" }, "\(check.text)")
    #expect(finding.message.contains("does not state the shape of its input") && check.isGood)
  }

  @Test func slashes() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try ModelText.write(
      ModelText.sequential([ModelText.input("x", [nil, 4]), ModelText.layer("ReLU", "conv1/relu")]), to: path)
    let check = try ModelCheck(contentsOf: path)
    #expect(check.findings.contains { $0.code == "slash_in_name" && $0.place == "conv1/relu" })
    #expect(check.refusedBy == ["Keras 3.15"])
  }

  /// A functional model in an archive of tf_keras, and what is made of it.
  @Test func archivesOfKeras2() throws {
    let source = Fixtures.path("containers/tfk221_image.keras")
    let check = try ModelCheck(contentsOf: source)
    #expect(check.findings.contains { $0.code == "keras_2_archive" } && check.refusedBy == ["Keras 3.15"])
    let folder = try TemporaryFolder()
    let converted = try Model(contentsOf: source).write(to: folder.file("a.keras"))
    #expect(try !ModelCheck(contentsOf: converted.path).refusedBy.contains("Keras 3.15"))
  }

  /// An archive keeps the factors of LoRA in the weights, which is no damage.
  @Test func lowRankFactors() throws {
    let check = try ModelCheck(contentsOf: Fixtures.path("containers/k315_lora.keras"))
    #expect(!check.findings.contains { $0.code == "missing_weight" } && check.isGood)
  }

  @Test func sequentials() throws {
    let folder = try TemporaryFolder()
    func codes(_ config: JSONValue, _ name: String) throws -> [String] {
      let path = folder.file(name)
      try ModelText.write(config, version: "2.1.0", to: path)
      return try ModelCheck(contentsOf: path).findings.map(\.code)
    }
    let first = ModelText.layer("Dense", "d", ["units": 2, "batch_input_shape": [nil, 3]])
    let list = try codes(["class_name": "Sequential", "config": .array([first])], "list.h5")
    #expect(list.contains("sequential_as_list"))
    let object = try codes(ModelText.sequential([first]), "object.h5")
    #expect(object.contains("input_axis_added") && !object.contains("sequential_as_list"))
    let pooling = ModelText.layer("MaxPooling2D", "p", ["batch_input_shape": [nil, 4, 4, 3]])
    #expect(try codes(ModelText.sequential([pooling]), "pooling.h5").contains("sequential_without_input"))
  }

  @Test func absurdSizes() throws {
    let folder = try TemporaryFolder()
    let size = ((1 << 20) - 1) as Int
    let layers = ["a", "b"].map { ModelText.layer("UpSampling2D", $0, ["size": .int(size)]) }
    try ModelText.write(
      ModelText.sequential([ModelText.input("x", [nil, 4, 4, 3])] + layers), to: folder.file("a.h5"))
    let check = try ModelCheck(contentsOf: folder.file("a.h5"))
    #expect(check.findings.first { $0.code == "absurd_size" }?.place == "b", "\(check.text)")
  }

  @Test func codeOnly() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("subclass.h5")
    try ModelText.write(
      ["class_name": "MyModel", "config": ["name": "mine"]], weights: ["d": ["d/kernel:0": ([1], [.nan])]], to: path)
    let codes = try ModelCheck(contentsOf: path).findings.map(\.code)
    #expect(codes.contains("architecture_is_code"))
    // Its weights are looked at all the same.
    #expect(codes.contains("nan_weights"))
  }
}
