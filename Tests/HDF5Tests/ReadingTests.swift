import H5ConvDiagnostics
import H5ConvHDF5
import TestSupport
import Testing

func open(_ name: String) throws -> File { try File.open(Fixtures.path("hdf5/\(name).h5")) }

/// Element i of the fixtures' arrays: `Tests/Fixtures/hdf5/README.md`.
func expected(_ kind: String, count: Int) -> [Float] {
  (0..<count).map { i in
    switch kind {
    case "i": Float(i - 5)
    case "u": Float(i)
    default: Float(i - 5) / 4
    }
  }
}

@Suite("Datasets of all types are read as float32")
struct DatasetTypeTests {
  @Test(arguments: [
    ("le_f2", "float16", "f"), ("be_f2", "float16", "f"), ("le_f4", "float32", "f"), ("be_f4", "float32", "f"),
    ("le_f8", "float64", "f"), ("be_f8", "float64", "f"), ("bfloat16", "bfloat16", "f"), ("i1", "int8", "i"),
    ("u1", "uint8", "u"), ("le_i2", "int16", "i"), ("be_i2", "int16", "i"), ("le_i4", "int32", "i"),
    ("be_i4", "int32", "i"),
    ("le_i8", "int64", "i"), ("be_i8", "int64", "i"), ("le_u2", "uint16", "u"), ("be_u2", "uint16", "u"),
    ("le_u4", "uint32", "u"), ("be_u4", "uint32", "u"), ("le_u8", "uint64", "u"), ("be_u8", "uint64", "u"),
  ])
  func numbers(_ name: String, _ type: String, _ kind: String) throws {
    let dataset = try #require(try open("types").root.dataset(name))
    #expect(dataset.shape == [3, 4])
    #expect(dataset.elementType.description == type)
    #expect(try dataset.readFloats() == expected(kind, count: 12))
  }

  @Test(arguments: [("scalar", [], [0.25]), ("empty", [0, 3], []), ("null", [0], [])] as [(String, [Int], [Float])])
  func extents(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    let dataset = try #require(try open("types").root.dataset(name))
    #expect(dataset.shape == shape)
    #expect(try dataset.readFloats() == values)
  }

  @Test(arguments: [
    ("text", H5ConvError.Kind.badData, "string"), ("complex", .badData, "compound"), ("record", .badData, "compound"),
    ("bool", .unsupported, "booleans"),
  ])
  func noNumbers(_ name: String, _ kind: H5ConvError.Kind, _ says: String) throws {
    let dataset = try #require(try open("types").root.dataset(name))
    let error = try #require(throws: H5ConvError.self) { try dataset.readFloats() }
    #expect(error.kind == kind)
    #expect(error.description.contains(says) && error.description.contains("/\(name)"), "\(error)")
  }

  @Test func namedTypeIsNoDataset() throws {
    let root = try open("types").root
    #expect(throws: H5ConvError.self) { try root.dataset("named_type") }
  }
}

@Suite("Storage that can be read is read, other is refused by name")
struct StorageTests {
  @Test(arguments: [
    ("contiguous", "contiguous"), ("compact", "compact"), ("chunked", "chunked"), ("gzip", "chunked gzip"),
    ("gzip_shuffle", "chunked shuffle gzip"), ("fletcher32", "chunked fletcher32"),
  ])
  func read(_ name: String, _ description: String) throws {
    let dataset = try #require(try open("storage").root.dataset(name))
    #expect(try dataset.storageDescription() == description)
    #expect(try dataset.readFloats() == expected("f", count: 48))
  }

  @Test(arguments: [
    ("huge_chunked", H5ConvError.Kind.badData, "only 0 bytes"), ("huge_gzip", .badData, "only 0 bytes"),
    ("huge_contiguous", .badData, "only 0 bytes"), ("overflow", .limit, "extent"),
    ("external", .badData, "other files"),
    ("virtual", .badData, "other files"), ("lzf", .unsupported, "lzf"), ("zstd", .unsupported, "32015"),
  ])
  func refused(_ name: String, _ kind: H5ConvError.Kind, _ says: String) throws {
    let dataset = try #require(try open("storage").root.dataset(name))
    let error = try #require(throws: H5ConvError.self) { try dataset.readFloats() }
    #expect(error.kind == kind)
    #expect(error.description.contains(says) && error.description.contains("/\(name)"), "\(error)")
  }

  @Test(arguments: ["user_block", "latest"]) func forms(_ name: String) throws {
    #expect(try open(name).root.dataset("data")?.readFloats() == expected("f", count: 12))
  }
}

@Suite("Only hard links are followed")
struct LinkTests {
  @Test(arguments: [
    ("soft_group", "soft link"), ("external_group", "external link"), ("dangling", "soft link"),
    ("soft_group/data", "soft link"),
    ("named_type", "neither"), ("group/data", "is a dataset where a group was expected"),
  ])
  func groups(_ path: String, _ says: String) throws {
    let root = try open("links").root
    let error = try #require(throws: H5ConvError.self) { try root.group(path) }
    #expect(error.kind == .badData)
    #expect(error.description.contains(says), "\(error)")
  }

  @Test(arguments: [
    ("soft_data", "soft link"), ("external", "external link"), ("soft_group/data", "soft link"),
    ("external_group/le_f4", "external link"), ("group", "is a group where a dataset was expected"),
  ])
  func datasets(_ path: String, _ says: String) throws {
    let root = try open("links").root
    let error = try #require(throws: H5ConvError.self) { try root.dataset(path) }
    #expect(error.kind == .badData)
    #expect(error.description.contains(says), "\(error)")
  }

  @Test func members() throws {
    let root = try open("links").root
    #expect(try root.member("group") == .group)
    #expect(try root.member("hard") == .group)
    #expect(try root.member("named_type") == .other)
    #expect(try root.member("soft_data") == .link(.soft))
    #expect(try root.member("external") == .link(.external))
    #expect(try root.member("absent") == nil)
    #expect(
      try root.memberNames()
        == ["dangling", "external", "external_group", "group", "hard", "named_type", "soft_data", "soft_group"])
  }

  @Test(arguments: ["hard/data", "group/self/self/self/data", "group/root/hard/root/group/data"])
  func hardLinksAndCycles(_ path: String) throws {
    #expect(try open("links").root.dataset(path)?.readFloats() == expected("f", count: 12))
  }

  @Test func sameObjectByAddress() throws {
    let root = try open("links").root
    let group = try #require(try root.group("group"))
    #expect(try root.group("hard")?.address == group.address)
    #expect(try root.group("group/self")?.address == group.address)
  }

  @Test(arguments: [
    "", "/", "//", ".", "..", "group/..", "group/.", "group//data", "/group", "absent", "group/absent", "a\0b",
  ])
  func namesThatAreNotThere(_ path: String) throws {
    let root = try open("links").root
    #expect(try root.group(path) == nil)
    #expect(try root.dataset(path) == nil)
  }
}

@Suite("Text of attributes")
struct AttributeTests {
  @Test(arguments: [
    ("scalar_utf8", ["Größe ✓"]), ("scalar_ascii", ["tensorflow"]), ("variable_list", ["conv1", "größer", ""]),
    ("fixed_list", ["conv1", "bn", "dense_1"]), ("full_width", ["abc", "def"]), ("terminated", ["ab", "d"]),
    ("empty_list", []), ("null", []),
  ])
  func texts(_ name: String, _ texts: [String]) throws {
    let root = try open("attributes").root
    #expect(try root.hasAttribute(name))
    #expect(try root.stringsAttribute(name) == texts)
    #expect(try root.stringAttribute(name) == texts.first)
  }

  @Test func paddedWithSpaces() throws {
    let texts = try #require(try open("attributes").root.stringsAttribute("spaces"))
    #expect(texts.map { $0.trimmingSuffix(" ") } == ["abc", "d"])
  }

  @Test func splitList() throws {
    let root = try open("attributes").root
    #expect(try root.splitStringsAttribute("split") == ["a", "b", "c"])
    #expect(try root.splitStringsAttribute("fixed_list") == ["conv1", "bn", "dense_1"])
    #expect(try root.splitStringsAttribute("absent") == nil)
    #expect(try root.stringsAttribute("absent") == nil)
    #expect(try root.hasAttribute("absent") == false)
  }

  @Test(arguments: ["number", "numbers"]) func numbersAreNoText(_ name: String) throws {
    let root = try open("attributes").root
    let error = try #require(throws: H5ConvError.self) { try root.stringsAttribute(name) }
    #expect(error.kind == .badData)
    #expect(error.description.contains("'\(name)'"), "\(error)")
  }

  @Test func names() throws {
    let names = try open("attributes").root.attributeNames()
    #expect(names.count == 14)
    #expect(names == names.sorted())
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
