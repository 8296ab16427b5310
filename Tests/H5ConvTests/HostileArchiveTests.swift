import H5Conv
import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

/// What is wrong with an archive, and what the refusal says.
struct BadArchive: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bytes: [UInt8]
  let says: String

  init(_ name: String, says: String, _ members: [RawZip.Member]) {
    testDescription = name
    bytes = RawZip.bytes(members)
    self.says = says
  }
}

private let config = RawZip.Member(
  "config.json",
  #"{"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 2]}}]}}"#
)
private let metadata = RawZip.Member("metadata.json", #"{"keras_version": "3.15.1"}"#)
private let weights = RawZip.Member("model.weights.h5", contents(of: Fixtures.path("hdf5/keras3.weights.h5")))

@Suite("Archives that lie are refused")
struct HostileArchiveTests {
  private func open(_ bytes: [UInt8]) throws -> ModelFile {
    let folder = try TemporaryFolder()
    return try ModelFile(path: try folder.write("m.keras", bytes))
  }

  /// Without a lie the archive opens, and members that nobody asked for are left alone, whatever their names.
  @Test func honest() throws {
    let others = ["../../up", "/absolute", "a\\b", "CON"].map { RawZip.Member($0, "x") }
    let file = try open(RawZip.bytes([metadata, config, weights] + others))
    #expect(file.kerasVersion == "3.15.1")
    #expect(try file.weightGroups().count == 1)
  }

  @Test(arguments: [
    BadArchive("two of a name", says: "two members 'config.json'", [metadata, config, config, weights]),
    BadArchive("encrypted", says: "config.json", [metadata, config.with(\.flags, 1), weights]),
    BadArchive("checksum", says: "config.json", [metadata, config.with(\.checksum, 1), weights]),
    BadArchive("unknown method", says: "damaged", [metadata, config.with(\.method, 99), weights]),
    BadArchive("overlap", says: "damaged", [metadata, config.with(\.offset, 0), weights]),
    BadArchive("beyond the end", says: "damaged", [metadata, config, weights.with(\.offset, 1 << 30)]),
    BadArchive(
      "larger than the file", says: "damaged",
      [metadata, config, weights.with(\.size, 1 << 30).with(\.packedSize, 1 << 30)]),
    BadArchive("no deflated data", says: "model.weights.h5", [metadata, config, weights.with(\.method, 8)]),
    BadArchive(
      "bomb", says: "a zip bomb", [metadata, config, weights.with(\.method, 8).with(\.size, 4 << 30 - 2)]),
    BadArchive("config too large", says: "more than", [metadata, config.with(\.method, 8).with(\.size, 1 << 30)]),
    BadArchive("nothing", says: "config.json", [metadata]),
  ])
  func refused(_ archive: BadArchive) throws {
    let error = try #require(throws: H5ConvError.self) { try open(archive.bytes) }
    #expect(error.description.contains(archive.says), "\(error)")
  }
}

@Suite("Checksums of archives")
struct ArchiveChecksumTests {
  /// Weights are read where they lie in the archive, without their checksum; a check looks at it.
  @Test(arguments: [nil, 1] as [UInt32?]) func check(_ checksum: UInt32?) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m.keras", RawZip.bytes([metadata, config, weights.with(\.checksum, checksum)]))
    let findings = try ModelCheck(contentsOf: path).findings
    #expect(
      findings.contains { $0.code == "damaged_archive" && $0.message.contains("model.weights.h5") } == (checksum != nil)
    )
  }
}

@Suite("Weights linked to many places", .timeLimit(.minutes(1)))
struct LatticeTests {
  /// 40 groups with two links to the next each: 2⁴⁰ paths, but 40 objects.
  @Test func everyGroupOnce() throws {
    let file = try ModelFile(path: Fixtures.path("hdf5/lattice.weights.h5"))
    #expect(try file.weightGroups().map(\.weights.count) == [1])
  }
}

@Suite("Groups in groups in groups")
struct DeepTreeTests {
  /// The tree is shown down to a level that nobody's model has, and its root's members all the same.
  @Test func levels() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("deep.h5")
    func write() throws {
      let file = try File.create(path)
      try file.root.writeAttribute("layer_names", ["g"])
      var group = file.root
      for _ in 0..<200 { group = try group.makeGroup("g") }
      _ = try file.root.makeGroup("last")
    }
    try write()
    let lines = try HDF5Tree.text(ofFileAt: path).split(separator: "\n")
    #expect(lines.filter { $0.hasSuffix(" g/") }.count == 64)
    #expect(lines.last?.contains("last/") == true)
  }
}

@Suite("Very many weights of one name", .timeLimit(.minutes(1)))
struct SameNameTests {
  /// Files without an architecture have their layers in one group, here 20,000 with a weight of one name: each gets its own.
  @Test func everyWeightHasItsName() throws {
    let folder = try TemporaryFolder()
    let one = NPYHeader.bytes(shape: [1], type: "<f4") + [0, 0, 128, 63]
    let members = (0..<20_000).map { RawZip.Member("layers/l\($0)/k.npy", one) }
    let path = try folder.write("model.npz", RawZip.bytes(members))
    var options = ConversionOptions()
    options.format = .legacyWeights
    _ = try convertModel(at: path, to: folder.file("out.h5"), options)
    #expect(try ModelFile(path: folder.file("out.h5")).weightGroups().flatMap(\.weights).count == members.count)
  }
}
