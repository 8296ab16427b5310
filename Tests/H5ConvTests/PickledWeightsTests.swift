import Foundation
import H5Conv
import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

@Suite("Weights that Python pickled")
struct PickledWeightsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func fixture(_ name: String) -> String { Fixtures.path("pickles/\(name).npz") }

  /// The weights of `layers/dense` in an archive.
  private func weights(_ path: String) throws -> [StoredTensor] {
    try ModelFile(path: path).weightGroups().first { $0.name == "layers/dense" }?.weights ?? []
  }

  /// Element i of the fixtures' arrays is (i − 5)/4, of integers i − 5; see `Tests/Fixtures/pickles/README.md`.
  private static let expected: [(type: String, shape: [Int], value: @Sendable (Int) -> Float)] = [
    ("float32", [3, 4], { Float($0 - 5) / 4 }), ("float32", [3, 4], { Float($0 - 5) / 4 }),
    ("float16", [3, 4], { Float($0 - 5) / 4 }), ("float64", [3, 4], { Float($0 - 5) / 4 }),
    ("int64", [3, 4], { Float($0 - 5) }), ("int16", [3, 4], { Float($0 - 5) }),
    ("uint8", [3, 4], { Float(max(0, $0 - 5)) }), ("bool", [3, 4], { $0 % 3 == 0 ? 1 : 0 }),
    ("bfloat16", [3, 4], { Float($0 - 5) / 4 }), ("float32", [3, 4], { Float($0 - 5) / 4 }),
    ("float32", [2, 3, 4], { Float($0 - 5) / 4 }), ("float32", [], { _ in 0.25 }), ("float32", [0, 3], { _ in 0 }),
  ]

  @Test(arguments: 2...5) func arraysOfEveryProtocol(_ number: Int) throws {
    let weights = try weights(fixture("protocol\(number)"))
    #expect(weights.count == PickledWeightsTests.expected.count)
    for (weight, expected) in zip(weights, PickledWeightsTests.expected) {
      #expect(weight.type.description == expected.type && weight.shape == expected.shape, "\(weight.path)")
      let tensor = try weight.tensor()
      #expect(tensor.values == tensor.values.indices.map { expected.value($0) }, "\(weight.path)")
    }
  }

  /// What Keras never writes is refused with its name, and never done.
  @Test(arguments: [
    ("hostile_system2", "posix.system"), ("hostile_system4", "posix.system"), ("hostile_value", "posix.system"),
    ("hostile_key", "posix.system"), ("hostile_partial", "posix.system"), ("hostile_eval", "builtins.eval"),
    ("hostile_getattr", "builtins.getattr"), ("hostile_obj", "os.system"), ("hostile_inst", "STRING"),
  ])
  func hostile(_ name: String, _ says: String) throws {
    let error = try #require(throws: H5ConvError.self) { try ModelFile(path: fixture(name)) }
    #expect(error.kind == .badData && error.reason == .pickledCode, "\(error)")
    #expect(error.what.contains(says) && error.place == "layers/dense.npy", "\(error)")
    #expect(!FileManager.default.fileExists(atPath: "h5conv-was-here"))
    let check = try ModelCheck(contentsOf: fixture(name))
    #expect(check.findings.map(\.code) == ["pickled_code"] && !check.isGood, "\(check.text)")
  }

  /// Protocol 2 has bytes as characters: one that takes three bytes leaves too few, in arrays of either byte order.
  @Test func fewerCharactersThanBytes() throws {
    let whole = contents(of: fixture("protocol2"))
    var refused: Set<String> = []
    for place in whole.indices.dropLast(3) where whole[place..<place + 3].allSatisfy({ $0 == 0 }) {
      var changed = whole
      changed.replaceSubrange(place..<place + 3, with: "€".utf8)
      guard let weights = try? weights(try folder.write("changed.npz", changed)) else { continue }
      for weight in weights {
        do { _ = try weight.tensor() } catch let error as H5ConvError {
          #expect(error.kind == .badData, "\(error)")
          refused.insert(weight.path)
        }
      }
    }
    #expect(refused.count > 4)
  }

  // MARK: - Pickles by hand

  /// An archive whose one object has `pickle`.
  private func archive(_ pickle: [UInt8]) throws -> String {
    let path = folder.file("made.npz")
    try? folder.remove("made.npz")
    var header = NPYHeader.bytes(shape: [], type: "<f4")
    let text = Array("{'descr': '|O', 'fortran_order': False, 'shape': (), }".utf8)
    header.replaceSubrange(10..<header.count, with: text + Array(repeating: 0x20, count: 118 - text.count - 1) + [0x0a])
    header[8] = 118
    try ZipWriter.write(path, [("__root__.npy", .bytes(header + pickle))])
    return path
  }

  private func error(_ pickle: [UInt8]) throws -> H5ConvError {
    let path = try archive(pickle)
    return try #require(throws: H5ConvError.self) { try ModelFile(path: path) }
  }

  @Test func damaged() throws {
    let cases: [(bytes: [UInt8], says: String)] = [
      ([], "cut short"), ([0x80, 1, 0x2e], "protocol 2 to 5"), ([0x80, 9, 0x2e], "protocol 2 to 5"),
      ([0x80, 4], "cut short"), ([0x80, 4, 0x2e], "empty stack"), ([0x80, 4, 0x30, 0x2e], "empty stack"),
      ([0x80, 4, 0x65, 0x2e], "no mark"), ([0x80, 4, 0x28, 0x30, 0x2e], "empty stack"),
      ([0x80, 4, 0x68, 7, 0x2e], "not there"), ([0x80, 4, 0x4e, 0x4e, 0x61, 0x2e], "no list"),
      ([0x80, 4, 0x7d, 0x28, 0x4e, 0x75, 0x2e], "no dictionary"), ([0x80, 4, 0x4e, 0x4e, 0x52, 0x2e], "no tuple"),
      ([0x80, 4, 0x42, 0xff, 0xff, 0xff, 0x7f, 0x2e], "cut short"),
      ([0x80, 4, 0x8e] + Array(repeating: 0xff, count: 8), "cut short"),
      ([0x80, 4, 0x8e] + Array(repeating: 0xff, count: 7) + [0x7f], "cut short"),
      ([0x80, 4, 0x63] + Array(repeating: 0x61, count: 600), "512"), ([0x80, 4, 0xfe], "unknown opcode"),
      ([0x80, 4, 0x4e, 0x4e, 0x93, 0x2e], "no text"), ([0x80, 4, 0x8a, 9], "9 bytes"),
    ]
    for (bytes, says) in cases {
      let error = try error(bytes)
      #expect(error.what.contains(says), "\(bytes.prefix(12)): \(error)")
    }
  }

  /// Opcodes by which other pickles load objects.
  @Test(arguments: [0x69, 0x6f, 0x50, 0x51, 0x82, 0x83, 0x84, 0x92, 0x97, 0x98, 0x53, 0x67] as [UInt8])
  func refusedOpcodes(_ opcode: UInt8) throws {
    let error = try error([0x80, 4, 0x28, opcode, 0x2e])
    #expect(error.reason == .pickledCode, "\(error)")
  }

  /// Nesting, sharing and loops that would be endless if anyone followed them.
  @Test func bombs() throws {
    // A tuple in a tuple, a hundred thousand times; a list that doubles sixty times; a list in itself.
    let deep: [UInt8] = [0x80, 4, 0x29] + Array(repeating: 0x85, count: 100_000) + [0x2e]
    let laughs: [UInt8] =
      [0x80, 4, 0x5d] + (0..<60).flatMap { [0x71, $0, 0x5d, 0x28, 0x68, $0, 0x68, $0, 0x65] as [UInt8] } + [0x2e]
    let loop: [UInt8] = [0x80, 4, 0x5d, 0x94, 0x68, 0, 0x61, 0x2e]
    for pickle in [deep, laughs, loop] {
      let error = try error(pickle)
      #expect(error.kind == .unsupported && error.what.contains("no dictionary"), "\(error)")
    }
  }

  /// More objects, references or operations than any weights take.
  @Test func limits() throws {
    let start: [UInt8] = [0x80, 4, 0x4e]
    let objects = start + [UInt8](repeating: 0x4e, count: 1 << 20)
    var references = start
    for number in 0...UInt32(1 << 20) {
      references.append(0x72)
      withUnsafeBytes(of: number.littleEndian) { references += $0 }
    }
    var operations = start
    for _ in 0...(1 << 22) { operations += [0x32, 0x30] }
    for pickle in [objects, references, operations] {
      let error = try error(pickle + [0x2e])
      #expect(error.kind == .limit, "\(error)")
    }
  }

  /// A good file cut anywhere, or with any byte changed, is read or refused.
  @Test func everyByte() throws {
    let bytes = contents(of: fixture("protocol4"))
    for count in stride(from: 0, to: bytes.count, by: 7) {
      let path = try folder.write("cut.npz", bytes[..<count])
      #expect(throws: H5ConvError.self) { try ModelFile(path: path) }
    }
    for place in stride(from: 0, to: bytes.count, by: 3) {
      var changed = bytes
      changed[place] ^= UInt8(truncatingIfNeeded: 1 << (place % 8))
      let path = try folder.write("changed.npz", changed)
      guard let file = try? ModelFile(path: path), let groups = try? file.weightGroups() else { continue }
      for weight in groups.flatMap(\.weights) { _ = try? weight.tensor() }
    }
  }

  /// An array that says that it is larger than its bytes takes no memory.
  @Test func lyingShape() throws {
    let bytes = contents(of: fixture("protocol4"))
    let path = fixture("protocol4")
    #expect(try ModelFile(path: path).weightGroups().count == 1)
    // The first array's shape: BININT1 3, BININT1 4, TUPLE2.
    let shape: [UInt8] = [0x4b, 3, 0x4b, 4, 0x86]
    let place = try #require(bytes.firstRange(of: shape)?.lowerBound)
    var changed = bytes
    changed[place + 1] = 200
    // The archive's checksum is not looked at: a stored member is read where it lies.
    let error = try #require(throws: H5ConvError.self) {
      try ModelFile(path: folder.write("lying.npz", changed))
    }
    #expect(error.reason == .damagedPickle && error.what.contains("bytes for an array of 3200"), "\(error)")
  }

  // MARK: - Models

  /// Files that no Keras reads back become such that it reads, with the optimizer's state.
  @Test(arguments: ["k315_image.npz.keras", "k315_image.npz.deflated.keras", "k350_sequence.npz.unzipped"])
  func converted(_ name: String) throws {
    let source = Fixtures.path("containers/" + name)
    let check = try ModelCheck(contentsOf: source)
    #expect(check.findings.contains { $0.code == "pickled_weights" })
    #expect(check.refusedBy == ["Keras 3.15", "tf_keras 2.21"])
    _ = try convertModel(at: source, to: folder.file("m.keras"))
    let (a, b) = (try ModelFile(path: source), try ModelFile(path: folder.file("m.keras")))
    let states = (try a.optimizerState(), try b.optimizerState())
    #expect(states.0.count == states.1.count)
    #expect(states.0.isEmpty == !name.hasPrefix("k315"))
    for (before, after) in zip(states.0, states.1) { #expect(try before.bytes() == after.bytes()) }
    let models = (try Model(contentsOf: source), try Model(contentsOf: folder.file("m.keras")))
    #expect(try ModelDiff(source, folder.file("m.keras")).verdict == .same)
    #expect(models.0.parameterCount == models.1.parameterCount)
  }

  /// `model.weights.npz` without its archive, with the architecture beside it.
  @Test func withoutArchive() throws {
    let source = Fixtures.path("containers/k350_sequence.npz.unzipped")
    let bytes = contents(of: source + "/model.weights.h5")
    let model = try Model(
      contentsOf: folder.write("model.weights.npz", bytes), architecture: Fixtures.path("containers/k315_sequence.json")
    )
    #expect(model.format == "npz")
    #expect(model.parameterCount == (try Model(contentsOf: source)).parameterCount)
    #expect(try model.weightList.count == (try Model(contentsOf: source)).weightList.count)
  }
}
