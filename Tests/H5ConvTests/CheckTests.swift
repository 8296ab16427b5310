import H5Conv
import H5ConvConfig
import H5ConvHDF5
import TestSupport
import Testing

private func hdf5(_ name: String) -> String { Fixtures.path("hdf5/\(name).h5") }

/// A finding that must be there.
struct ExpectedFinding: CustomTestStringConvertible, Sendable {
  let file: String
  let severity: Finding.Severity
  let code: String
  let place: String
  let says: String
  var testDescription: String { "\(code): \(file.split(separator: "/").last ?? "")" }

  init(_ file: String, _ severity: Finding.Severity, _ code: String, _ place: String = "", says: String = "") {
    (self.file, self.severity, self.code, self.place, self.says) = (file, severity, code, place, says)
  }
}

@Suite("What a check finds in files")
struct CheckTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ExpectedFinding(hdf5("not_a_model"), .error, "not_a_model"),
    ExpectedFinding(hdf5("model_bad_json"), .error, "damaged_config", "byte"),
    ExpectedFinding(hdf5("model_empty_json"), .error, "damaged_config"),
    ExpectedFinding(hdf5("model_external_weight"), .error, "external_link", "kernel"),
    ExpectedFinding(hdf5("model_soft_weight"), .warning, "soft_link"),
    ExpectedFinding(hdf5("links"), .error, "external_link"), ExpectedFinding(hdf5("links"), .warning, "soft_link"),
    ExpectedFinding(hdf5("storage"), .error, "external_storage", "external"),
    ExpectedFinding(hdf5("storage"), .error, "external_storage", "virtual"),
    ExpectedFinding(hdf5("storage"), .error, "unknown_filter", "zstd"),
    ExpectedFinding(hdf5("storage"), .error, "unreadable_weight", "huge"),
    ExpectedFinding(hdf5("model_declared_only"), .error, "unreadable_weight", "kernel", says: "0 bytes"),
    ExpectedFinding(hdf5("model_text_weight"), .error, "wrong_shape", "dense/kernel"),
    ExpectedFinding(hdf5("model_listed_only"), .error, "listed_weight_missing"),
    ExpectedFinding(hdf5("model_missing_weight"), .error, "missing_weight", "dense"),
    ExpectedFinding(hdf5("model_wrong_shape"), .error, "wrong_shape", "dense/kernel", says: "(2, 3)"),
    ExpectedFinding(hdf5("model_no_groups"), .error, "missing_weight", "dense"),
    ExpectedFinding(hdf5("model_huge_units"), .error, "invalid_layer", "dense"),
    ExpectedFinding(hdf5("model_weights_only"), .info, "no_architecture"),
    ExpectedFinding(ModelFixture.path("tfk_compiled"), .info, "optimizer_state"),
    ExpectedFinding(ModelFixture.path("tfk_nested"), .info, "not_compiled"),
    ExpectedFinding(ModelFixture.path("k3_own_code"), .error, "python_code", "lambda"),
    ExpectedFinding(ModelFixture.path("k3_own_code"), .warning, "custom_object", "swirl", says: "Swirl"),
    ExpectedFinding(ModelFixture.path("k3_float16"), .info, "float16_weights"),
    ExpectedFinding(ModelFixture.path("k3_mixed_float16"), .info, "mixed_precision"),
    ExpectedFinding(ModelFixture.path("k3_quantized_attention"), .warning, "unstated_quantization"),
    ExpectedFinding(ModelFixture.path("k3_gptq"), .warning, "calibrated_in_h5"),
    ExpectedFinding(ModelFixture.path("k3_conv_first"), .info, "channels_first"),
    ExpectedFinding(ModelFixture.path("k3_shared_across"), .info, "duplicate_storage"),
    ExpectedFinding(ModelFixture.path("tfk_nested"), .warning, "nested_model_calls"),
    ExpectedFinding(Fixtures.path("containers/k122_classic.h5"), .warning, "keras_1"),
    ExpectedFinding(Fixtures.path("containers/k122_classic.h5"), .info, "unknown_backend"),
    ExpectedFinding(Fixtures.path("containers/k209th_sequential.h5"), .warning, "theano_kernels"),
    ExpectedFinding(Fixtures.path("containers/k209_recurrent.h5"), .warning, "gru_without_reset_after", "gru"),
    ExpectedFinding(Fixtures.path("containers/k225_conv_lstm.h5"), .warning, "hard_sigmoid_changed", "conv_lstm"),
    ExpectedFinding(Fixtures.path("containers/k225_cudnn.h5"), .info, "cudnn_class"),
    ExpectedFinding(Fixtures.path("containers/k213_image.weights.h5"), .warning, "layout_of_keras_2_13"),
    ExpectedFinding(Fixtures.path("containers/k315_image.json"), .info, "no_weights"),
  ])
  func fixtures(_ expected: ExpectedFinding) throws {
    let check = try ModelCheck(contentsOf: expected.file)
    let found = check.findings.contains {
      $0.code == expected.code && $0.severity == expected.severity && $0.place.contains(expected.place)
        && $0.message.contains(expected.says)
    }
    #expect(found, "\(check.text)")
    #expect(check.isGood == !check.findings.contains { $0.severity == .error })
  }

  /// Files that cannot be opened at all are findings too.
  @Test func noModels() throws {
    let whole = contents(of: ModelFixture.path("tfk_tutorial"))
    let files: [(code: String, bytes: [UInt8], says: String)] = [
      ("empty_file", [], "empty"), ("truncated", Array(whole[..<(whole.count / 2)]), "of \(whole.count) bytes"),
      ("git_lfs_pointer", Array("version https://git-lfs.github.com/spec/v1\nsize 5\n".utf8), "LFS"),
      ("web_page", Array("<!DOCTYPE html><html>".utf8), "web page"),
      ("not_a_model", Array("nothing of the kind".utf8), "not a Keras model"),
      ("not_a_model", Array("{\"weights\": 1}".utf8), "neither"),
      ("damaged_archive", Array("PK\u{3}\u{4}".utf8) + Array(repeating: 0, count: 100), "archive"),
      ("damaged_config", Array("{\"class_name\": ".utf8), "JSON"),
    ]
    for file in files {
      let check = try ModelCheck(contentsOf: folder.write("file", file.bytes))
      #expect(check.findings.map(\.code) == [file.code], "\(check.text)")
      #expect(check.findings.first?.message.contains(file.says) == true, "\(check.text)")
      #expect(!check.isGood && check.format == nil)
    }
    #expect(throws: H5ConvError.self) { try ModelCheck(contentsOf: folder.file("absent")) }
  }

  /// Every file that Keras saved is free of errors, but for code in it.
  @Test(arguments: ModelFixture.names) func savedByKeras(_ name: String) throws {
    let check = try ModelCheck(contentsOf: ModelFixture.path(name))
    #expect(check.findings.filter { $0.severity == .error && $0.code != "python_code" } == [], "\(check.text)")
  }

  /// What is said of today's Keras is what Keras 3.15.1 and tf_keras 2.21 did with the file.
  @Test func refusals() throws {
    let index = try JSONParser.parse(contents(of: Fixtures.path("containers/index.json")))
    var count = 0
    for line in try #require(index["files"]?.array) {
      guard let file = line["file"]?.string, ["legacy-h5", "keras"].contains(line["format"]?.string),
        let keras3 = line["today"]?["keras 3.15.1"]?.string, let keras2 = line["today"]?["tf_keras 2.21.0"]?.string
      else { continue }
      count += 1
      let check = try ModelCheck(contentsOf: Fixtures.path("containers/" + file))
      func loads(_ result: String) -> Bool { result == "same" || result.hasPrefix("differs") }
      #expect(check.refusedBy.contains("Keras 3.15") == !loads(keras3), "\(file): \(keras3)\n\(check.text)")
      // That a computer without a GPU cannot run it does not mean that it cannot be loaded.
      if keras2.contains("calling layer") || line["writer"]?.string?.hasSuffix("_folder") == true { continue }
      if file.hasSuffix("unzipped") { continue }
      #expect(check.refusedBy.contains("tf_keras 2.21") == !loads(keras2), "\(file): \(keras2)\n\(check.text)")
    }
    #expect(count > 40)
  }

  /// An archive with two members of one name: readers take one or the other.
  @Test func twoMembersOfOneName() throws {
    let check = try ModelCheck(contentsOf: Fixtures.path("arrays/twice.npz"))
    #expect(check.findings.map(\.code) == ["damaged_archive"], "\(check.text)")
    #expect(check.findings.first?.message.contains("two members 'b.npy'") == true, "\(check.text)")
  }

  // MARK: - Made files

  /// Writes a legacy file by hand.
  private func file(_ write: (Group) throws -> Void) throws -> String {
    let path = folder.file("made.h5")
    let file = try File.create(path)
    try file.root.writeAttribute("keras_version", "2.15.0")
    try write(file.root)
    try file.flush()
    return path
  }

  /// A weight that is listed and not there does not keep the others from being listed.
  @Test func listedWithout() throws {
    let path = try file { root in
      try root.writeAttribute("layer_names", ["a", "b"])
      for name in ["a", "b"] {
        let group = try root.makeGroup(name)
        try group.writeAttribute("weight_names", ["kernel", "bias"])
        try write(group, "kernel", [2, 2], [1, 2, 3, 4])
        if name == "b" { try write(group, "bias", [2], [1, 2]) }
      }
    }
    let inspection = try Inspection(contentsOf: path)
    let text = try inspection.text(weights: true)
    #expect(text.contains("a/kernel") && text.contains("b/kernel") && text.contains("b/bias"), "\(text)")
    #expect(text.contains("the weight 'bias' is listed but not in the file (layer 'a')"), "\(text)")
    let json = try JSONParser.parse(try inspection.json(weights: true))
    #expect(json["total_params"] == 10 && json["weights"]?.array?.count == 3)
    let found = try ModelCheck(contentsOf: path).findings
    #expect(found.contains { $0.code == "listed_weight_missing" && $0.place == "a/bias" })
    // What is written or compared must be complete.
    for body in [
      { _ = try convertModel(at: path, to: folder.file("m.npz")) }, { _ = try ModelDiff(path, path) },
    ] {
      let error = try #require(throws: H5ConvError.self) { try body() }
      #expect(error.reason == .listedWeightMissing, "\(error)")
    }
    #expect(!folder.names.contains("m.npz"))
  }

  private func codes(_ path: String) throws -> [String] { try ModelCheck(contentsOf: path).findings.map(\.code) }

  private func write(_ group: Group, _ name: String, _ shape: [Int], _ elements: [Float]) throws {
    try elements.withUnsafeBufferPointer { try group.write(name, shape: shape, elements: $0) }
  }

  @Test func lists() throws {
    let ambiguous = try file { root in
      try root.writeAttribute("layer_names", ["a", "gone"])
      try root.writeAttribute("layer_names0", ["a"])
      let group = try root.makeGroup("a")
      try group.writeAttribute("weight_names", ["kernel"])
      try write(group, "kernel", [2, 2], [1, 2, 3, 4])
      try root.makeGroup("forgotten").writeAttribute("weight_names", ["kernel"])
    }
    let check = try ModelCheck(contentsOf: ambiguous)
    #expect(check.findings.contains { $0.code == "ambiguous_names" })
    #expect(check.findings.contains { $0.code == "missing_group" && $0.place == "gone" })
    #expect(check.findings.contains { $0.code == "unlisted_group" && $0.place == "forgotten" })
  }

  @Test func backslashes() throws {
    let path = try file { root in
      let group = try root.makeGroup("layers\\dense").makeGroup("vars")
      try write(group, "0", [2], [1, 2])
      _ = try root.makeGroup("vars")
    }
    #expect(try codes(path).contains("backslash_paths"))
  }

  @Test func unusedSpace() throws {
    let whole = contents(of: ModelFixture.path("tfk_nested"))
    let path = try folder.write("big.h5", whole + Array(repeating: 0, count: 3 << 20))
    #expect(try codes(path).contains("unused_space"))
    #expect(try !codes(ModelFixture.path("tfk_nested")).contains("unused_space"))
  }

  /// A convolution and a batch normalization with the weights that are given.
  private func model(
    kernel: [Float], gamma: [Float] = [1, 1], variance: [Float] = [1, 1], extra: Bool = false, other: Bool = false
  ) throws -> String {
    let path = folder.file("weights.h5")
    if folder.names.contains("weights.h5") { try folder.remove("weights.h5") }
    let config = ModelText.sequential([
      ModelText.input("x", [nil, 4, 4, 1]),
      ModelText.layer("Conv2D", "conv", ["filters": 2, "kernel_size": [2, 2], "use_bias": false, "trainable": true]),
      ModelText.layer("BatchNormalization", "norm", ["trainable": true]),
    ])
    let conv: ModelText.Weights =
      extra
      ? ["conv/kernel:0": ([2, 2, 1, 2], kernel), "conv/other:0": ([1], [1])]
      : ["conv/kernel:0": ([2, 2, 1, 2], kernel)]
    let norm: ModelText.Weights = [
      "norm/gamma:0": ([2], gamma), "norm/beta:0": ([2], [0, 0]), "norm/moving_mean:0": ([2], [0, 0]),
      "norm/moving_variance:0": ([2], variance),
    ]
    try ModelText.write(
      config,
      weights: other
        ? ["conv": conv, "norm": norm, "third": ["third/kernel:0": ([1], [1])]] : ["conv": conv, "norm": norm],
      to: path)
    return path
  }

  private let kernel: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]

  @Test func values() throws {
    func found(_ path: String, _ code: String) throws -> Finding? {
      try ModelCheck(contentsOf: path).findings.first { $0.code == code }
    }
    let good = try ModelCheck(contentsOf: try model(kernel: kernel))
    #expect(good.isGood && good.findings.map(\.code) == ["not_compiled"], "\(good.text)")
    var changed = kernel
    (changed[0], changed[3], changed[5]) = (.nan, .infinity, .nan)
    let nan = try model(kernel: changed)
    #expect(try found(nan, "nan_weights")?.message.hasPrefix("2 of 8") == true)
    #expect(try found(nan, "infinite_weights")?.message.hasPrefix("1 of 8") == true)
    #expect(try found(nan, "nan_weights")?.place == "conv/kernel")
    #expect(try found(try model(kernel: Array(repeating: 0, count: 8)), "zero_kernel")?.severity == .warning)
    // The filter is the last axis: here the second is 0.
    let dead = try found(try model(kernel: [1, 0, 2, 0, 3, 0, 4, 0]), "dead_filters")
    #expect(dead?.message == "1 of 2 filters are all zeros: 1")
    let constant = try found(try model(kernel: [1, 5, 2, 5, 3, 5, 4, 5]), "constant_filters")
    #expect(constant?.message.hasSuffix(": 1") == true)
    #expect(try found(try model(kernel: kernel, variance: [1, -0.5]), "negative_variance")?.severity == .error)
    #expect(
      try found(try model(kernel: kernel, gamma: [1e-9, 1]), "dead_normalization")?.place.contains("1 of 2") == true)
    #expect(try found(try model(kernel: kernel.map { $0 * 1e6 }), "huge_weights") != nil)
    #expect(try found(try model(kernel: kernel, extra: true), "unused_weight")?.place == "conv/conv/other:0")
    #expect(try found(try model(kernel: kernel, other: true), "unused_group")?.place == "third")
  }
}
