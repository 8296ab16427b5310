import H5ConvLayers
import H5ConvGraph
import Foundation
import H5Conv
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

@Suite("How models are written")
struct WritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func convert(
    _ source: String, _ name: String, _ format: ModelFormat? = nil,
    _ change: (inout ConversionOptions) -> Void = { _ in }
  ) throws -> (model: Model, result: ConversionResult) {
    var options = ConversionOptions()
    options.format = format
    change(&options)
    let result = try convertModel(at: source, to: folder.file(name), options)
    return (try Model(contentsOf: result.path, architecture: format?.holdsArchitecture == false ? source : nil), result)
  }

  private func container(_ name: String) -> String { Fixtures.path("containers/\(name)") }

  // MARK: - Kinds

  @Test(arguments: [
    ("m.h5", ModelFormat.legacyH5), ("m.HDF5", .legacyH5), ("m.weights.h5", .keras3Weights), ("m.keras", .keras),
    ("m.npz", .npz), ("m.safetensors", .safetensors), ("folder.keras/m.npz", .npz),
  ])
  func kindByName(_ name: String, _ format: ModelFormat) { #expect(ModelFormat(path: name) == format) }

  @Test(arguments: ["m", "m.onnx", "m.h5.txt", "keras"]) func unknownKind(_ name: String) throws {
    #expect(ModelFormat(path: name) == nil)
    let error = try #require(throws: H5ConvError.self) { try convert(ModelFixture.path("k3_dense"), name) }
    #expect(error.kind == .usage && error.description.contains("'\(folder.file(name))'"), "\(error)")
    #expect(folder.names == [])
  }

  /// An asked-for format counts, whatever the name.
  @Test func kindByOption() throws {
    #expect(try convert(ModelFixture.path("k3_dense"), "m.onnx", .keras).model.format == "keras")
    #expect(try convert(ModelFixture.path("k3_dense"), "m.h5", .npz).model.format == "npz")
  }

  // MARK: - Types

  /// Bits of float32 numbers, and of the nearest float16 and bfloat16 ones: NumPy 2.4.6 and ml_dtypes 0.6.0, with which Keras
  /// converts.
  static let narrowed: [(float32: UInt32, float16: UInt16, bfloat16: UInt16)] = [
    (0x0000_0000, 0x0000, 0x0000), (0x8000_0000, 0x8000, 0x8000), (0x3f80_0000, 0x3c00, 0x3f80),
    (0xbfc0_0000, 0xbe00, 0xbfc0), (0x3eaa_aaab, 0x3555, 0x3eab), (0x4049_0fdb, 0x4248, 0x4049),
    // The largest float16 and what rounds to it, or to infinity.
    (0x477f_e000, 0x7bff, 0x4780), (0x477f_efff, 0x7bff, 0x4780), (0x477f_f000, 0x7c00, 0x4780),
    // Below the smallest: half of it goes to zero, a little more does not; subnormal and normal ones.
    (0x322b_cc77, 0x0000, 0x322c), (0x3300_0000, 0x0000, 0x3300), (0x3300_0001, 0x0001, 0x3300),
    (0x3380_0000, 0x0001, 0x3380), (0x387f_c000, 0x03ff, 0x3880), (0x3880_0000, 0x0400, 0x3880),
    // Ties, to even.
    (0x3f80_1000, 0x3c00, 0x3f80), (0x3f80_3000, 0x3c02, 0x3f80), (0x3f80_8000, 0x3c04, 0x3f80),
    (0x3f81_8000, 0x3c0c, 0x3f82),
    // Large, tiny, infinite, not a number.
    (0x7f7f_c99e, 0x7c00, 0x7f80), (0x7f7f_8000, 0x7c00, 0x7f80), (0x0001_16c2, 0x0000, 0x0001),
    (0x7f80_0000, 0x7c00, 0x7f80), (0xff80_0000, 0xfc00, 0xff80), (0x7fc0_0000, 0x7e00, 0x7fc0),
  ]

  /// A Dense layer with the numbers of the table as its kernel.
  private func model() throws -> String {
    let values = WritingTests.narrowed.map { Float(bitPattern: $0.float32) }
    let path = folder.file("source.h5")
    try ModelText.write(
      ModelText.sequential([
        ModelText.input("x", [nil, 1]),
        ModelText.layer("Dense", "dense", ["units": .int(values.count), "use_bias": false]),
      ]), weights: ["dense": ["dense/kernel:0": ([1, values.count], values)]], to: path)
    return path
  }

  @Test(arguments: ModelFormat.allCases, ["float16", "bfloat16", "float32"])
  func types(_ format: ModelFormat, _ dtype: String) throws {
    let (model, result) = try convert(try model(), "written", format) { $0.dtype = dtype }
    let kernel = try model.weights.stored(
      layer: try #require(model.graph.layers.firstIndex { !$0.weights.isEmpty }), "kernel")
    let bits = try kernel.tensor().values.map(\.bitPattern)
    switch dtype {
    case "float16":
      #expect(kernel.type == .float(bytes: 2, bigEndian: false))
      let written = try kernel.bytes()
      #expect(written == WritingTests.narrowed.flatMap { [UInt8($0.float16 & 0xff), UInt8($0.float16 >> 8)] })
    case "bfloat16":
      #expect(bits == WritingTests.narrowed.map { UInt32($0.bfloat16) << 16 })
      // Keras reads bfloat16 from no legacy file, and NumPy has none.
      let holdsIt = [.keras, .keras3Weights, .safetensors].contains(format)
      #expect(kernel.type == (holdsIt ? .opaque(bytes: 2) : .float(bytes: 4, bigEndian: false)))
      #expect(result.changes.isEmpty == holdsIt)
    default:
      #expect(kernel.type == .float(bytes: 4, bigEndian: false))
      #expect(bits == WritingTests.narrowed.map(\.float32))
    }
  }

  /// Types stay when no other is asked for; what Keras quantized becomes floating point when one is.
  @Test func typesStay() throws {
    func types(_ model: Model) throws -> Set<String> { Set(try model.weightList.map(\.dtype)) }
    let half = ModelFixture.path("tfk_file_float16")
    #expect(try types(convert(half, "half.keras").model) == ["float16"])
    #expect(try types(convert(half, "whole.keras") { $0.dtype = "float32" }.model) == ["float32"])
    let quantised = container("k315_quantised_int8.h5")
    let before = try types(try Model(contentsOf: quantised))
    #expect(before == ["int8", "float32"])
    #expect(try types(convert(quantised, "int8.h5").model) == before)
    #expect(try types(convert(quantised, "half8.h5") { $0.dtype = "float16" }.model) == ["float16"])
  }

  @Test func unknownType() throws {
    let error = try #require(throws: H5ConvError.self) { try convert(model(), "m.keras") { $0.dtype = "float8" } }
    #expect(error.kind == .usage && error.description.contains("float8"))
    #expect(folder.names == ["source.h5"])
  }

  // MARK: - Compression

  @Test(arguments: [ModelFormat.legacyH5, .legacyWeights, .keras3Weights, .keras], [1, 9])
  func gzip(_ format: ModelFormat, _ level: Int) throws {
    let path = folder.file("source.h5")
    let kernel = (0..<40_000).map { Float($0 / 100) }
    try ModelText.write(
      ModelText.sequential([
        ModelText.input("x", [nil, 200]), ModelText.layer("Dense", "dense", ["units": 200, "use_bias": false]),
      ]), weights: ["dense": ["dense/kernel:0": ([200, 200], kernel)]], to: path)
    let (plain, _) = try convert(path, "plain", format)
    let (packed, _) = try convert(path, "packed", format) { $0.gzip = level }
    #expect(contents(of: packed.path).count * 4 < contents(of: plain.path).count)
    #expect(try packed.layerWeights[0].read().values == kernel)
    let dataset = try packed.weights.stored(
      layer: try #require(packed.graph.layers.firstIndex { !$0.weights.isEmpty }), "kernel")
    #expect(try dataset.fileRange() == nil, "compressed elements have no place of their own")
  }

  @Test(arguments: [0, 10]) func noSuchLevel(_ level: Int) throws {
    let error = try #require(throws: H5ConvError.self) { try convert(model(), "m.keras") { $0.gzip = level } }
    #expect(error.kind == .usage)
  }

  // MARK: - Long lists of names

  /// HDF5's default format has no room for attributes over 64 KB: Keras splits lists of names, and so do we.
  @Test(arguments: [false, true]) func attributesOver64KB(_ isNested: Bool) throws {
    let names = (0..<700).map { "layer_\($0)_\(String(repeating: "long_", count: 20))name" }
    var layers = [ModelText.input("x", [nil, 1])]
    for (place, name) in names.enumerated() {
      layers.append(
        ModelText.layer(
          "Dense", name, ["units": 1, "use_bias": false], inbound: [[(place == 0 ? "x" : names[place - 1], 0, 0)]]))
    }
    func weight(_ place: Int) -> (shape: [Int], elements: [Float]) { ([1, 1], [1 + Float(place) / 4096]) }
    let whole = ModelText.functional(layers, inputs: [("x", 0, 0)], outputs: [(names[699], 0, 0)], name: "inner")
    let path = folder.file("source.h5")
    if isNested {
      let outer = ModelText.functional(
        [ModelText.input("y", [nil, 1]), ModelText.nested(whole, "inner", inbound: [[("y", 0, 0)]])],
        inputs: [("y", 0, 0)], outputs: [("inner", 0, 0)])
      try write(outer, ["inner": names.enumerated().map { ("\($1)/kernel:0", weight($0)) }], to: path)
    } else {
      try write(
        whole, Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, [("\($1)/kernel:0", weight($0))]) }),
        to: path)
    }
    let source = try Model(contentsOf: path)
    #expect(source.parameterCount == 700)
    for format in [ModelFormat.legacyH5, .legacyWeights] {
      let (model, result) = try convert(path, "written-\(format)", format)
      #expect(model.layerWeights.map(\.key) == source.layerWeights.map(\.key))
      #expect(try model.layerWeights.map { try $0.read().values } == (0..<700).map { [1 + Float($0) / 4096] })
      let root = try File.open(result.path).root
      let group = format == .legacyH5 ? try #require(try root.group("model_weights")) : root
      let owner = isNested ? try #require(try group.group("inner")) : group
      let list = isNested ? "weight_names" : "layer_names"
      #expect(try !owner.hasAttribute(list))
      #expect(try owner.hasAttribute("\(list)0") && owner.hasAttribute("\(list)1"))
    }
  }

  /// As `ModelText.write`, with weights that are listed in a loop.
  private func write(
    _ config: JSONValue, _ weights: [String: [(name: String, weight: (shape: [Int], elements: [Float]))]],
    to path: String
  ) throws {
    let file = try File.create(path)
    try file.root.writeAttribute("keras_version", "2.15.0")
    try file.root.writeAttribute("model_config", config.text())
    let group = try file.root.makeGroup("model_weights")
    try group.writeAttribute("keras_version", "2.15.0")
    try group.writeAttribute("layer_names", weights.keys.sorted())
    for (layer, members) in weights {
      let owner = try group.makeGroup(layer)
      try owner.writeAttribute("weight_names", members.map(\.name))
      for (name, weight) in members {
        try weight.elements.withUnsafeBufferPointer { try owner.write(name, shape: weight.shape, elements: $0) }
      }
    }
    try file.flush()
  }

  // MARK: - Keras 3's layout

  /// SpectralNormalization lists the kernel of the layer in it before its own vector, as Keras 3.15 does.
  @Test func variablesOfTheLayerInside() throws {
    let (_, result) = try convert(ModelFixture.path("k3_norm_layers"), "written", .keras3Weights)
    let group = try #require(try File.open(result.path).root.group("layers/spectral_normalization"))
    func values(_ name: String) throws -> [Float] { try #require(try group.dataset(name)).readFloats() }
    #expect(try values("vars/0") == values("layer/vars/0") && values("vars/0").count == 12)
    #expect(try values("vars/1").count == 3 && values("layer/vars/1").count == 3)
  }

  // MARK: - Training

  /// A file's optimizer goes on where the container is the same.
  @Test(arguments: ContainerFixture.computed.filter(\.hasOptimizerState), ModelFormat.allCases)
  func optimizerState(_ fixture: ContainerFixture, _ format: ModelFormat) throws {
    let source = try Model(contentsOf: fixture.path, architecture: fixture.architecture)
    let state = try source.file.optimizerState()
    #expect(!state.isEmpty)
    var options = ConversionOptions()
    options.format = format
    let result = try source.write(to: folder.file("written"), options)
    let written = try ModelFile(path: result.path).optimizerState()
    let dropped = result.warnings.filter { $0.contains("optimizer's state") }
    guard fixture.format == format.rawValue else {
      #expect(written.isEmpty)
      // Who asks for weights alone does not train on.
      #expect(dropped.count == ([.legacyWeights, .npz, .safetensors].contains(format) ? 0 : 1))
      return
    }
    #expect(dropped == [])
    #expect(written.map(\.path.lastPart) == state.map(\.path.lastPart))
    for (a, b) in zip(state, written) {
      #expect(a.shape == b.shape && a.type.littleEndian == b.type)
      #expect(try a.bytes() == b.bytes())
    }
  }

  /// What the model was compiled with is in the archive and in the legacy file, from either.
  @Test(arguments: ["k315_image.h5", "tfk221_image.h5", "k315_image.keras"], [ModelFormat.legacyH5, .keras])
  func trainingConfig(_ name: String, _ format: ModelFormat) throws {
    let written = try ModelFile(path: convert(container(name), "written", format).result.path)
    let training = try #require(written.trainingConfig)
    let optimizer = try #require(training[format == .keras ? "optimizer" : "optimizer_config"])
    // The archive does not tell its optimizer, and Keras takes its default.
    let isTold = name != "k315_image.keras"
    #expect(optimizer["class_name"] == (isTold ? "Adam" : "RMSprop"))
    let rate = optimizer["config"]?["learning_rate"]?.number.map { Float($0) }
    #expect(rate == (isTold ? 0.01 : nil))
    #expect(training["loss"] == "mse" || training["loss"]?["class_name"] == "MeanSquaredError")
    #expect(
      training["metrics"]?.text().contains("mean_absolute_error") == true
        || training["metrics"]?.text().contains("mae") == true)
  }

  /// The optimizers that tf_keras reads from legacy files take nothing of moving averages of weights.
  @Test(arguments: ["k3_compiled", "tfk_compiled"])
  func portableOptimizer(_ name: String) throws {
    let written = try ModelFile(path: convert(ModelFixture.path(name), "written", .legacyH5).result.path)
    #expect(written.kerasVersion?.hasPrefix("2.") == true)
    let config = try #require(written.trainingConfig?["optimizer_config"]?["config"]?.object)
    #expect(config["learning_rate"] != nil)
    #expect(config.members.allSatisfy { !$0.key.contains("ema") }, "\(config)")
  }

  // MARK: - Names

  /// Keras 3 takes no '/' in names; what is changed is told, and is different from all that is there.
  @Test(arguments: ["tfk_slashes", "tfk_slashes_nested"], [ModelFormat.legacyH5, .keras, .npz])
  func slashes(_ name: String, _ format: ModelFormat) throws {
    let result = try convert(ModelFixture.path(name), "written", format).result
    let first = name == "tfk_slashes" ? "conv1/conv is conv1_conv now" : "inner/model is inner_model now"
    #expect(result.changes.contains { $0.contains(first) }, "\(result.changes)")
    guard format.holdsArchitecture else { return }
    func expectPlain(_ model: Architecture) {
      #expect(!model.name.contains("/") && Set(model.layers.map(\.name)).count == model.layers.count)
      for layer in model.layers {
        #expect(!layer.name.contains("/") && layer.config["layer"]?["config"]?["name"]?.string?.contains("/") != true)
        if let nested = layer.nested { expectPlain(nested) }
      }
    }
    expectPlain(try Model(contentsOf: result.path).architecture)
  }

  // MARK: - What Keras has not

  /// What is not translated is named with its layer, and the rest is written.
  @Test(arguments: [
    (ModelFixture.path("tfk_local_1d"), "local_k3_s1: Keras 3 does not have the class LocallyConnected1D"),
    (ModelFixture.path("tfk_resizing"), "resize_gaussian_up: Keras 3 has no interpolation 'gaussian'"),
    (ModelFixture.path("tfk_shape"), "up_mitchellcubic_2x3: Keras 3 has no interpolation 'mitchellcubic'"),
    (
      Fixtures.path("containers/k115_ops.h5"),
      "tf_op_layer_resize_ResizeBilinear: the operation ResizeBilinear has no counterpart in Keras 3"
    ),
  ])
  func namedWarning(_ path: String, _ warning: String) throws {
    let result = try convert(path, "written", .keras).result
    #expect(result.warnings.contains { $0.hasPrefix(warning) }, "\(result.warnings)")
  }

  /// A class that Keras does not have is kept, with its weights, and said.
  @Test(arguments: ["k3_own_code", "tfk_own_code"], [ModelFormat.legacyH5, .keras])
  func customClass(_ name: String, _ format: ModelFormat) throws {
    let source = try Model(contentsOf: ModelFixture.path(name))
    let (model, result) = try convert(source.path, "written", format)
    #expect(result.warnings.contains { $0.hasPrefix("swirl: ") && $0.contains("Swirl") }, "\(result.warnings)")
    #expect(result.warnings.contains { $0.hasPrefix("lambda: ") && $0.contains("Lambda") }, "\(result.warnings)")
    #expect(model.layers.map(\.className) == source.layers.map(\.className))
    func spec(_ model: Model) -> LayerSpec? { model.architecture.layers.first { $0.name == "swirl" } }
    #expect(spec(model)?.config["turns"] == spec(source)?.config["turns"])
    #expect(spec(model)?.registeredName == spec(source)?.registeredName)
    let kept = model.layerWeights.filter { $0.layer == "swirl" }
    #expect(
      try kept.map { try $0.read().values }
        == source.layerWeights.filter { $0.layer == "swirl" }.map { try $0.read().values })
    #expect(kept.count == 1)
  }

  // MARK: - Weights without an architecture

  /// Weights of which nobody knows the architecture go where none is needed, and are found there with it.
  @Test(arguments: [
    "tfk221_image.legacy.h5", "tfk221_sequence.legacy.h5", "k122_sequential.legacy.h5", "k225_sequential.legacy.h5",
  ])
  func weightsAlone(_ name: String) throws {
    let fixture = try #require(ContainerFixture.named(name))
    let conversion = try Conversion(fixture)
    for format in [ModelFormat.legacyWeights] {
      var options = ConversionOptions()
      options.format = format
      let result = try convertModel(at: fixture.path, to: folder.file("written-\(format)"), options)
      let model = try Model(contentsOf: result.path, architecture: fixture.architecture)
      try conversion.expectGoldenOutputs(model, "\(format)")
      try conversion.expectSameWeights(model, "\(format)")
    }
  }

  @Test(
    arguments: ["tfk221_image.legacy.h5", "tfk221_image.weights.h5"], [ModelFormat.legacyH5, .keras, .keras3Weights])
  func architectureNeeded(_ name: String, _ format: ModelFormat) throws {
    var options = ConversionOptions()
    options.format = format
    let error = try #require(throws: H5ConvError.self) {
      try convertModel(at: container(name), to: folder.file("written"), options)
    }
    #expect(error.kind == .badData && error.description.contains("architecture"), "\(error)")
    #expect(folder.names == [])
  }
}

extension String {
  /// The last component of a path.
  fileprivate var lastPart: Substring { split(separator: "/").last ?? "" }
}

@Suite("Results that appear only when they are complete")
struct AtomicWritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func convert(_ source: String, _ format: ModelFormat, to target: String, replaces: Bool = false) throws {
    var options = ConversionOptions()
    options.format = format
    options.replaces = replaces
    _ = try convertModel(at: source, to: target, options)
  }

  @Test(arguments: ModelFormat.allCases) func existing(_ format: ModelFormat) throws {
    let target = try folder.write("mine", [1, 2, 3])
    let error = try #require(throws: H5ConvError.self) {
      try convert(ModelFixture.path("k3_dense"), format, to: target)
    }
    #expect(error.kind == .cannotWrite && error.file == target)
    #expect(contents(of: target) == [1, 2, 3])
    #expect(folder.names == ["mine"])
    try convert(ModelFixture.path("k3_dense"), format, to: target, replaces: true)
    #expect(try ModelFile(path: target).weights != nil)
    #expect(folder.names == ["mine"])
  }

  /// A file may be replaced by what is made of it.
  @Test(arguments: ModelFormat.allCases.filter(\.holdsArchitecture)) func inPlace(_ format: ModelFormat) throws {
    let path = try folder.write("model", contents(of: ModelFixture.path("k3_dense")))
    let before = try Model(contentsOf: path).layerWeights.map { try $0.read().values }
    try convert(path, format, to: path, replaces: true)
    #expect(try Model(contentsOf: path).layerWeights.map { try $0.read().values } == before)
    #expect(try Model(contentsOf: path).format == format.rawValue)
  }

  /// Weights that are missing, not stored, linked to other files, of another shape, or cut off.
  @Test(
    arguments: ["model_missing_weight", "model_declared_only", "model_external_weight", "model_huge_weight"],
    ModelFormat.allCases)
  func damagedSource(_ name: String, _ format: ModelFormat) throws {
    let target = folder.file("written")
    let error = try #require(throws: H5ConvError.self) {
      try convert(Fixtures.path("hdf5/\(name).h5"), format, to: target)
    }
    #expect(error.kind == .badData, "\(error)")
    #expect(folder.names == [])
  }

  /// A compressed weight of which a byte is wrong: it is found only while the target is written.
  @Test(arguments: ModelFormat.allCases) func damagedElements(_ format: ModelFormat) throws {
    let path = folder.file("source.h5")
    try ModelText.write(
      ModelText.sequential([
        ModelText.input("x", [nil, 100]), ModelText.layer("Dense", "first", ["units": 100, "use_bias": false]),
        ModelText.layer("Dense", "second", ["units": 100, "use_bias": false]),
      ]),
      weights: [
        "first": ["first/kernel:0": ([100, 100], (0..<10_000).map { Float($0) })],
        "second": ["second/kernel:0": ([100, 100], (0..<10_000).map { Float($0) / 3 })],
      ], to: path)
    var options = ConversionOptions()
    options.gzip = 9
    let packed = try convertModel(at: path, to: folder.file("packed.h5"), options).path
    var bytes = contents(of: packed)
    // The stream of the last weight: zlib's header, then its blocks.
    let header = try #require(bytes.indices.dropLast().last { bytes[$0] == 0x78 && bytes[$0 + 1] == 0xda })
    for place in header + 2..<header + 40 { bytes[place] ^= 0xff }
    _ = try folder.write("packed.h5", bytes)
    let before = folder.names
    let error = try #require(throws: H5ConvError.self) { try convert(packed, format, to: folder.file("written")) }
    #expect([.badData, .inputOutput].contains(error.kind), "\(error)")
    #expect(folder.names == before)
  }

  /// Folders that do not exist, and one in which nobody can make a file.
  @Test(arguments: ["/proc/written", "/absent/written"], ModelFormat.allCases)
  func unwritable(_ target: String, _ format: ModelFormat) throws {
    let error = try #require(throws: H5ConvError.self) {
      try convert(ModelFixture.path("k3_dense"), format, to: target)
    }
    #expect(error.kind == .cannotWrite, "\(error)")
    #expect(error.file == target, "\(error)")
  }
}
