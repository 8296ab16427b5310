import H5Conv
import H5ConvGraph
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

/// A model that was converted, and what to run it on.
struct Conversion {
  let fixture: ContainerFixture
  let source: Model
  private let folder: TemporaryFolder
  private let golden: (inputs: [String: Tensor], outputs: [String: Tensor])

  init(_ fixture: ContainerFixture) throws {
    self.fixture = fixture
    source = try Model(contentsOf: fixture.path, architecture: fixture.architecture)
    folder = try TemporaryFolder()
    golden = try #require(try fixture.goldenArrays())
  }

  /// Writes `model` as `format` and gives the file's path.
  func write(_ model: Model, _ format: ModelFormat, _ name: String = "written") throws -> String {
    var options = ConversionOptions()
    options.format = format
    options.replaces = true
    return try model.write(to: folder.file(name), options).path
  }

  /// Opens what ``write(_:_:_:)`` wrote; files without an architecture get that of the source in today's form.
  func open(_ path: String) throws -> Model {
    let file = try ModelFile(path: path)
    if file.architecture != nil { return try Model(contentsOf: path) }
    return try Model(contentsOf: path, architecture: try write(source, .keras, "architecture"))
  }

  /// Whether `model` computes what Keras computed, within the fixture's tolerance.
  func expectGoldenOutputs(_ model: Model, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let inputs = try source.inputs.map { try #require(golden.inputs[$0.name], "input \($0.name)") }
    #expect(model.inputs.map(\.name) == source.inputs.map(\.name), what, sourceLocation: sourceLocation)
    let names = try source.slice(outputs: ["@outputs"]).outputNames
    let results = try model.slice(outputs: ["@outputs"]).run(inputs)
    try #require(results.count == names.count, what, sourceLocation: sourceLocation)
    for (name, result) in zip(names, results) {
      let expected = try #require(golden.outputs[name], "\(name)")
      #expect(
        distance(result.tensor, expected) <= max(fixture.tolerance, 1e-5), "\(what): \(name)",
        sourceLocation: sourceLocation)
    }
  }

  /// Whether `model` has the source's weights, to the bit: all but those of gates, where a factor of 1.2 makes up for
  /// another hard_sigmoid, and those of CuDNN's layers, which have another form.
  func expectSameWeights(_ model: Model, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let translated = ModelTranslator.translate(source.architecture)
    let changed = Dictionary(
      uniqueKeysWithValues: translated.weightChanges.map { (translated.sourcePath($0).joined(separator: "/"), $1) })
    let names = translated.outputNames
    func key(_ weight: LayerWeight) -> String {
      names[weight.layer].map { $0 + weight.key.dropFirst(weight.layer.count) } ?? weight.key
    }
    let found = Dictionary(uniqueKeysWithValues: model.layerWeights.map { ($0.key, $0) })
    #expect(Set(source.layerWeights.map(key)) == Set(found.keys), what, sourceLocation: sourceLocation)
    for weight in source.layerWeights {
      guard let other = found[key(weight)] else { continue }
      let changes = changed[weight.layer] ?? []
      if changes.contains(where: { if case .fromCuDNN = $0.kind { true } else { false } }) { continue }
      let (a, b) = (try weight.read(), try other.read())
      #expect(weight.isTrainable == other.isTrainable, "\(what): \(weight.key)", sourceLocation: sourceLocation)
      let isSame =
        a.shape == b.shape
        && zip(a.values, b.values).allSatisfy {
          $0.bitPattern == $1.bitPattern || !changes.isEmpty && $0 * 1.2 == $1
        }
      #expect(isSame, "\(what): \(weight.key)", sourceLocation: sourceLocation)
    }
  }
}

/// The largest |a − b| in units of max(1, |b|max); infinite for other shapes.
func distance(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  let difference = zip(a.values, b.values).map { Double(abs($0 - $1)) }.max() ?? 0
  return difference / max(1, b.values.map { Double(abs($0)) }.max() ?? 0)
}

extension ContainerFixture {
  /// Those that h5conv computes itself, so that what is made of them can be held against Keras' numbers.
  static let convertible = computed.filter { fixture in
    // PReLU of Keras 1 does not save over which axes it shares its weights.
    // The factors of LoRA stay in legacy files only, and int4 of Keras 3.12 has a form that 3.15 does not read.
    guard fixture.file != "k122_zoo.h5", !fixture.file.contains("_lora"), !fixture.file.hasPrefix("k312_quantised"),
      let model = try? Model(contentsOf: fixture.path, architecture: fixture.architecture)
    else { return false }
    return Set(model.finalOutputNames).isSubset(of: model.computableOutputNames)
  }
}

@Suite("Every container to every other")
struct ConversionTests {
  @Test func mostFixturesAreConverted() { #expect(ContainerFixture.convertible.count >= 60) }

  /// What is written computes what Keras computed with the source, and has its weights.
  @Test(arguments: ContainerFixture.convertible, ModelFormat.allCases)
  func sameModel(_ fixture: ContainerFixture, _ format: ModelFormat) throws {
    let conversion = try Conversion(fixture)
    let converted = try conversion.open(try conversion.write(conversion.source, format))
    #expect(converted.format == format.rawValue)
    try conversion.expectGoldenOutputs(converted, "converted")
    try conversion.expectSameWeights(converted, "converted")
  }

  /// And so does what is made of it in the first container.
  @Test(arguments: ContainerFixture.convertible, ModelFormat.allCases)
  func thereAndBack(_ fixture: ContainerFixture, _ format: ModelFormat) throws {
    let conversion = try Conversion(fixture)
    let converted = try conversion.open(try conversion.write(conversion.source, format))
    let first = try #require(ModelFormat(rawValue: fixture.format))
    let back = try conversion.open(try conversion.write(converted, first, "back"))
    try conversion.expectGoldenOutputs(back, "back")
    try conversion.expectSameWeights(back, "back")
  }

  /// The same model gives the same bytes, and what is in today's form already stays as it is.
  @Test(arguments: ContainerFixture.convertible, ModelFormat.allCases)
  func sameBytes(_ fixture: ContainerFixture, _ format: ModelFormat) throws {
    let conversion = try Conversion(fixture)
    let once = try conversion.write(conversion.source, format, "once")
    let twice = try conversion.write(conversion.source, format, "twice")
    #expect(contents(of: once) == contents(of: twice))
    let again = try conversion.write(try conversion.open(once), format, "again")
    #expect(contents(of: again) == contents(of: once))
  }

  /// `tf.reshape(x, [tf.shape(x)[0], …])` is Keras' Reshape, and the sizes that nothing else needs are gone.
  @Test func reshapingBySizes() throws {
    let source = try Model(contentsOf: ModelFixture.path("tfk_batch_sizes"))
    #expect(source.layers.contains { $0.className == "SlicingOpLambda" })
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.format = .keras
    let result = try source.write(to: folder.file("written"), options)
    #expect(result.warnings.isEmpty)
    let written = try Model(contentsOf: result.path)
    #expect(written.layers.count(where: { $0.className == "Reshape" }) == 5)
    #expect(!written.layers.contains { $0.className.hasSuffix("OpLambda") })
  }

  /// What takes a size that cannot be told beforehand stays as it is, and is named.
  @Test func sizesThatKerasHasNoTensorsFor() throws {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.format = .keras
    let result = try Model(contentsOf: ModelFixture.path("tfk_sizes")).write(to: folder.file("written"), options)
    #expect(result.warnings.contains { $0.hasPrefix("tf.image.resize: takes a size") })
    #expect(result.warnings.contains { $0.hasPrefix("tf.cast: computes a size") })
  }

  /// Every layer of what is written computes what it did, but for those whose activation became layers of their own.
  @Test(arguments: ModelFixture.names, [ModelFormat.legacyH5, .keras])
  func everyLayer(_ name: String, _ format: ModelFormat) throws {
    let fixture = try ModelFixture(name)
    let source = try Model(contentsOf: fixture.path)
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.format = format
    let result = try source.write(to: folder.file("written"), options)
    let converted = try Model(contentsOf: result.path)
    let split = result.changes.filter {
      $0.contains("is a Rescaling") || $0.contains("is a Transpose before") || $0.contains("is left out")
    }
    .compactMap { $0.split(separator: ":").first }
    let names = source.computableOutputNames.filter { name in
      // Further outputs of a layer are `name:1`.
      !split.contains { name == $0 || name.hasPrefix($0 + ":") }
    }
    guard !names.isEmpty else { return }
    let renamed = renamedKeys(source)
    let sources = Dictionary(names.map { (renamed($0), $0) }, uniquingKeysWith: { first, _ in first })
    let inputs = try converted.inputs.map { try #require(fixture.inputs[$0.name], "input \($0.name)") }
    #expect(Set(sources.keys).isSubset(of: converted.computableOutputNames))
    for activation in try converted.slice(outputs: names.map(renamed)).run(inputs) {
      let golden = try #require(fixture.golden[sources[activation.name] ?? activation.name])
      #expect(distance(activation.tensor, golden) <= 1e-5, "\(activation.name)")
    }
  }

  /// What a result of `model` is called once it is translated: names with a '/' get others.
  private func renamedKeys(_ model: Model) -> (String) -> String {
    let translated = ModelTranslator.translate(model.architecture)
    var paths: [[String]: [String]] = [:]
    func visit(_ model: Architecture, _ path: [String]) {
      for layer in model.layers {
        paths[translated.sourcePath(path + [layer.name])] = path + [layer.name]
        if let nested = layer.nested { visit(nested, path + [layer.name]) }
      }
    }
    visit(translated.architecture, [])
    let graph = model.graph
    let calls =
      graph.calls.map { ($0.key, graph.layers[$0.layer].path, $0.callNumbers) }
      + graph.modelCalls.map { ($0.key, $0.path, $0.callNumbers) }
    let keys = calls.map { key, path, numbers in
      (key, zip(paths[path] ?? path, numbers).map { $1 == 0 ? $0 : "\($0)@\($1)" }.joined(separator: "/"))
    }
    let names = Dictionary(keys, uniquingKeysWith: { first, _ in first })
    return { key in
      if let name = names[key] { return name }
      guard let colon = key.lastIndex(of: ":"), let name = names[String(key[..<colon])] else { return key }
      return name + key[colon...]
    }
  }
}
