import H5Conv
import H5ConvHDF5
import H5ConvTensors
import TestSupport
import Testing

/// Writes a `.npy` and gives its path.
func npy(_ folder: TemporaryFolder, _ name: String, _ tensor: Tensor) throws -> String {
  let writer = try NPYWriter(folder.file(name), shape: tensor.shape)
  try writer.append(tensor)
  return folder.file(name)
}

@Suite("What a network can be given")
struct InputTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func pictures(_ count: Int) throws -> String {
    for number in 0..<count { _ = try folder.write("p\(number).png", contents(of: picture("rgb8.png"))) }
    return folder.path
  }

  @Test func arrays() throws {
    let fixture = try ModelFixture("k3_sequential")
    let model = try Model(contentsOf: fixture.path)
    let input = try #require(fixture.inputs["x"])
    let items = try model.inputItems([try npy(folder, "x.npy", input)])
    #expect(items.map(\.count) == [2])
    let loaded = try model.load(items[0])
    #expect(loaded.inputs.map(\.values) == [input.values])
    #expect(loaded.preprocess.contains("arrays"))
  }

  /// One example without its batch axis.
  @Test func oneExample() throws {
    let fixture = try ModelFixture("k3_sequential")
    let model = try Model(contentsOf: fixture.path)
    let input = try #require(fixture.inputs["x"])
    let row = Array(input.shape.dropFirst())
    let example = try Tensor(shape: row, values: Array(input.values.prefix(row.reduce(1, *))))
    let items = try model.inputItems([try npy(folder, "x.npy", example)])
    #expect(items.map(\.count) == [1])
    #expect(try model.load(items[0]).inputs[0].shape == [1] + row)
  }

  /// The arrays of a `.npz` are matched to the inputs by name, whatever their order.
  @Test(arguments: ["k3_multi", "tfk_two_inputs", "tfk_dictionaries"]) func archives(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let members = try fixture.inputs.sorted { $0.key > $1.key }.map { key, tensor in
      (name: key, file: try npy(folder, "\(key).npy", tensor))
    }
    try NPZWriter.write(folder.file("in.npz"), members: members)
    let items = try model.inputItems([folder.file("in.npz")])
    let activations = try model.slice(outputs: ["@outputs"]).run(try model.load(items[0]).inputs)
    for activation in activations {
      let golden = try #require(fixture.golden[activation.name])
      #expect(zip(activation.tensor.values, golden.values).allSatisfy { abs($0 - $1) < 1e-4 }, "\(activation.name)")
    }
  }

  @Test func archiveWithOtherNames() throws {
    let model = try Model(contentsOf: ModelFixture.path("k3_multi"))
    let array = try npy(folder, "a.npy", try Tensor(shape: [1], values: [1]))
    try NPZWriter.write(folder.file("in.npz"), members: [(name: "numbers", file: array), (name: "photo", file: array)])
    let error = try #require(throws: H5ConvError.self) { try model.inputItems([folder.file("in.npz")]) }
    #expect(error.kind == .usage)
    #expect(error.description.contains("'picture'") && error.description.contains("photo"), "\(error)")
  }

  @Test func oneArrayForTwoInputs() throws {
    let model = try Model(contentsOf: ModelFixture.path("k3_multi"))
    let array = try npy(folder, "a.npy", try Tensor(shape: [1], values: [1]))
    let error = try #require(throws: H5ConvError.self) { try model.inputItems([array]) }
    #expect(error.kind == .usage)
  }

  @Test func folderOfPictures() throws {
    let model = try model(try TemporaryFolder(), ["conv"])
    for name in ["b.PNG", "a10.jpeg", "a9.jpg", "c.png", ".hidden.png", "notes.txt"] {
      _ = try folder.write(name, [1])
    }
    let names = try model.inputItems([folder.path]).map { $0.path.dropFirst(folder.path.count + 1) }
    #expect(names == ["a10.jpeg", "a9.jpg", "b.PNG", "c.png"])
  }

  @Test func sampleOfAFolder() throws {
    let model = try model(try TemporaryFolder(), ["conv"])
    let path = try pictures(30)
    func names(_ count: Int, _ seed: UInt64) throws -> [String] {
      try model.inputItems([path], sample: count, seed: seed).map(\.path)
    }
    let five = try names(5, 7)
    #expect(five.count == 5 && Set(five).count == 5)
    #expect(try names(5, 7) == five)
    #expect(try (0..<5).contains { try names(5, 100 + $0) != five })
    // In the folder's order.
    #expect(five == five.sorted())
    #expect(try names(99, 7).count == 30)
  }

  /// Pictures are decoded, and their outputs computed, several at a time; they are used in their order.
  @Test(arguments: [1, 2, 5]) func manyPictures(_ threads: Int) throws {
    let model = try Model(contentsOf: try ModelFixture("k3_sequential").path)
    let names = (0..<6).flatMap { _ in ["rgb8.png", "exif1.jpg", "rgb8.png", "exif6.jpg", "rgb8.png"] }
    let items = try model.inputItems(names.map(picture))
    var order: [String] = []
    let (network, other) = (try model.slice(outputs: ["@outputs"]), try model.slice(outputs: ["@outputs"]))
    try network.forEachRun(items, ImageOptions(), threads: threads) { place, item, loaded, activations in
      #expect(item.path == items[place].path)
      let inputs = try model.load(items[place]).inputs
      #expect(loaded.inputs.map(\.values) == inputs.map(\.values))
      #expect(try activations.map(\.tensor.values) == other.run(inputs).map(\.tensor.values))
      order.append(item.path)
    }
    #expect(order == items.map(\.path))
  }

  /// Those before a picture that cannot be decoded have been used.
  @Test func damagedAmongMany() throws {
    let model = try Model(contentsOf: try ModelFixture("k3_sequential").path)
    let path = try pictures(4)
    let damaged = try folder.write("p2.png", [1, 2, 3])
    var used = 0
    let network = try model.slice(outputs: ["@outputs"])
    let error = try #require(throws: H5ConvError.self) {
      try network.forEachRun(try model.inputItems([path]), ImageOptions(), threads: 3) { _, _, _, _ in used += 1 }
    }
    #expect(used == 2)
    #expect(error.description.contains(damaged), "\(error)")
  }

  @Test func pictureDecodedWithTheModel() throws {
    let path = try ModelFixture("k3_sequential").path
    let plain = try Model(contentsOf: path)
    let (model, decoded) = try Model.open(path, architecture: nil, decoding: [picture("rgb8.png")], threads: 2)
    var options = ImageOptions()
    #expect(decoded != nil)
    options.decoded = decoded
    // The first time from what was decoded, then from the file.
    for _ in 0..<2 {
      let values = try model.prepare(image: picture("rgb8.png"), options).tensor.values
      let expected = try plain.prepare(image: picture("rgb8.png")).tensor.values
      #expect(values == expected)
    }
    for other in [[folder.path], [try folder.write("damaged.png", [1, 2, 3])], [folder.file("missing.png")], []] {
      let opened = try Model.open(path, architecture: nil, decoding: other, threads: 2)
      #expect(opened.decoded == nil)
    }
    #expect(throws: H5ConvError.self) {
      try Model.open(folder.file("missing.h5"), architecture: nil, decoding: [picture("rgb8.png")], threads: 2)
    }
  }

  @Test func folderWithoutPictures() throws {
    let model = try model(try TemporaryFolder(), ["conv"])
    let error = try #require(throws: H5ConvError.self) { try model.inputItems([folder.path]) }
    #expect(error.kind == .cannotRead)
  }

  @Test(
    arguments: [
      ([[1, 8, 9, 2]], "(1, 8, 9, 2)"), ([[1, 9, 8, 3]], "(1, 9, 8, 3)"), ([[8, 9, 3]], "(8, 9, 3)"), ([[]], "()"),
      ([[1, 8, 9, 3], [1, 8, 9, 3]], "2 inputs"), ([], "0 inputs"),
    ] as [([[Int]], String)])
  func inputsThatDoNotFit(_ shapes: [[Int]], _ says: String) throws {
    let model = try Model(contentsOf: ModelFixture.path("k3_sequential"))
    let slice = try model.slice(outputs: ["conv"])
    let inputs = try shapes.map { try Tensor(shape: $0, values: Array(repeating: 0, count: $0.reduce(1, *))) }
    let error = try #require(throws: H5ConvError.self) { try slice.run(inputs) }
    #expect(error.kind == .usage)
    #expect(error.description.contains(says), "\(error)")
    #expect(error.file == model.path)
  }

  @Test func batchesThatDoNotFit() throws {
    let model = try Model(contentsOf: ModelFixture.path("tfk_two_inputs"))
    let inputs = try model.inputs.enumerated().map { place, input in
      let shape = [place + 1] + input.shape.dropFirst().map { $0 ?? 4 }
      return try Tensor(shape: shape, values: Array(repeating: 0, count: shape.reduce(1, *)))
    }
    let slice = try model.slice(outputs: ["*"])
    let error = try #require(throws: H5ConvError.self) { try slice.run(inputs) }
    #expect(error.description.contains("batch"), "\(error)")
  }

  /// No images, no numbers, and no trap.
  @Test(arguments: [
    "k3_sequential", "k3_conv_same", "k3_norm", "k3_pool", "k3_separable", "k3_transpose_same", "k3_activations",
    "k3_shape",
  ])
  func emptyBatch(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let inputs = try model.inputs.map { input in
      let golden = try #require(fixture.inputs[input.name])
      return try Tensor(shape: [0] + golden.shape.dropFirst(), values: [])
    }
    for activation in try model.slice(outputs: ["*"]).run(inputs) {
      #expect(activation.tensor.shape[0] == 0 && activation.tensor.count == 0, "\(activation.name)")
    }
  }
}

@Suite("Activations written to files")
struct ExtractionTests {
  private let folder: TemporaryFolder
  private let fixture: ModelFixture
  private let model: Model

  init() throws {
    folder = try TemporaryFolder()
    fixture = try ModelFixture("k3_nested_sequential")
    model = try Model(contentsOf: fixture.path)
  }

  /// Extracts from the fixture's two examples three times.
  private func extract(_ outputs: [String], _ name: String, replaces: Bool = false) throws {
    let inputs = try TemporaryFolder()
    let input = try npy(inputs, "in.npy", try #require(fixture.inputs["x"]))
    let items = try model.inputItems([input, input, input])
    var counts: [Int] = []
    try model.slice(outputs: outputs).extract(items, to: folder.file(name), replaces: replaces) { done, _ in
      counts.append(done)
    }
    #expect(counts == [1, 2, 3])
    withExtendedLifetime(inputs) {}
  }

  private func check(_ key: String, _ tensor: Tensor) throws {
    let golden = try #require(fixture.golden[key])
    #expect(tensor.shape == [6] + golden.shape.dropFirst())
    let expected = golden.values + golden.values + golden.values
    #expect(zip(tensor.values, expected).allSatisfy { abs($0 - $1) < 1e-4 }, "\(key)")
  }

  @Test func npz() throws {
    try extract(["*"], "a.npz")
    let arrays = try ArrayFile.npz(folder.file("a.npz"))
    #expect(Set(arrays.map(\.name)) == Set(fixture.golden.keys))
    for (name, tensor) in arrays { try check(name, tensor) }
    #expect(folder.names == ["a.npz"])
  }

  @Test func oneArray() throws {
    try extract(["dense"], "a.npy")
    try check("dense", try ArrayFile.npy(folder.file("a.npy")))
    #expect(folder.names == ["a.npy"])
  }

  @Test(arguments: ["a.h5", "a.hdf5"]) func hdf5(_ name: String) throws {
    try extract(["flatten", "features/relu"], name)
    let root = try File.open(folder.file(name)).root
    for key in ["flatten", "features/relu"] {
      let dataset = try #require(try root.dataset(key))
      try check(key, try Tensor(shape: dataset.shape, values: try dataset.readFloats()))
    }
    #expect(folder.names == [name])
  }

  /// In HDF5 `features` cannot be an array and the group around `features/relu` at once.
  @Test func aModelAndItsLayersInHDF5() throws {
    do {
      try extract(["*"], "a.h5")
      let root = try File.open(folder.file("a.h5")).root
      #expect(try root.memberNames().count >= 3)
    } catch let error as H5ConvError {
      #expect(error.kind == .usage, "\(error)")
      #expect(error.description.contains("features"), "\(error)")
      #expect(folder.names == [])
    }
  }

  @Test(arguments: [
    ("a.txt", ["dense"], H5ConvError.Kind.usage), ("a", ["dense"], .usage), ("a.npy", ["*"], .usage),
    ("absent/a.npz", ["*"], .cannotWrite),
  ])
  func refused(_ name: String, _ outputs: [String], _ kind: H5ConvError.Kind) throws {
    let error = try #require(throws: H5ConvError.self) { try extract(outputs, name) }
    #expect(error.kind == kind)
    #expect(folder.names == [])
  }

  @Test func existing() throws {
    _ = try folder.write("a.npz", [1])
    let error = try #require(throws: H5ConvError.self) { try extract(["dense"], "a.npz") }
    #expect(error.kind == .cannotWrite)
    #expect(contents(of: folder.file("a.npz")) == [1])
    try extract(["dense"], "a.npz", replaces: true)
    #expect(try ArrayFile.npz(folder.file("a.npz")).map(\.name) == ["dense"])
  }

  /// Sizes that the graph computes are as many for one example as for two: they cannot be stacked, but written for one input.
  @Test(arguments: ["a.npz", "a.h5"]) func resultsWithoutABatch(_ name: String) throws {
    let fixture = try ModelFixture("tfk_sizes")
    let model = try Model(contentsOf: fixture.path)
    let input = try npy(folder, "in.npy", try #require(fixture.inputs["x"]))
    let slice = try model.slice(outputs: ["tf.reshape", "tf.compat.v1.shape"])
    try slice.extract(try model.inputItems([input]), to: folder.file(name))
    if name == "a.npz" {
      for (key, tensor) in try ArrayFile.npz(folder.file(name)) { #expect(tensor.shape == fixture.golden[key]?.shape) }
    } else {
      #expect(try File.open(folder.file(name)).root.dataset("tf.compat.v1.shape")?.shape == [4])
    }
    let two = try model.inputItems([input, input])
    let error = try #require(throws: H5ConvError.self) { try slice.extract(two, to: folder.file("two.npz")) }
    #expect(error.kind == .usage && error.what.contains("tf.compat.v1.shape"), "\(error)")
  }

  /// Pictures of two sizes give activations that cannot be stacked; nothing is left of the attempt.
  @Test(arguments: ["a.npz", "a.npy", "a.h5"]) func otherSizes(_ name: String) throws {
    let flexible = try Model(contentsOf: ModelFixture.path("tfk_flexible"))
    let input = try #require(flexible.inputs.first)
    func array(_ file: String, _ size: Int) throws -> String {
      let shape = [1] + input.shape.dropFirst().map { $0 ?? size }
      return try npy(folder, file, try Tensor(shape: shape, values: Array(repeating: 1, count: shape.reduce(1, *))))
    }
    let items = try flexible.inputItems([try array("in1.npy", 12), try array("in2.npy", 16)])
    let slice = try flexible.slice(outputs: ["#1"])
    let error = try #require(throws: H5ConvError.self) { try slice.extract(items, to: folder.file(name)) }
    #expect(error.kind == .usage)
    #expect(error.file == folder.file("in2.npy"))
    #expect(folder.names == ["in1.npy", "in2.npy"])
  }
}
