import H5ConvDiagnostics
import H5ConvHDF5
import TestSupport
import Testing

@Suite("Chunks must unpack to a chunk")
struct ChunkTests {
  @Test(arguments: ["good", "not_packed"]) func whole(_ name: String) throws {
    #expect(try open("chunks").root.dataset(name)?.readFloats() == expected("f", count: 48))
  }

  /// HDF5 itself reads behind the end of a chunk that is short, and shows what lay there in memory.
  @Test(arguments: [
    ("short", "64 bytes, not 192"), ("short_not_packed", "64 bytes, not 192"), ("short_shuffle", "64 bytes, not 192"),
    ("long", "193 bytes, not 192"), ("cut", "cannot be unpacked"), ("damaged", "cannot be unpacked"),
    ("twice", "packed twice"), ("huge_chunk", "64 bytes, not 3960000000"),
  ])
  func refused(_ name: String, _ says: String) throws {
    let dataset = try #require(try open("chunks").root.dataset(name))
    let error = try #require(throws: H5ConvError.self) { try dataset.readFloats() }
    #expect(error.kind == .badData)
    #expect(error.description.contains(says) && error.description.contains("/\(name)"), "\(error)")
    #expect(throws: H5ConvError.self) {
      try dataset.readBytes { count, fill in
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try fill($0) }
      }
    }
  }
}

@Suite("Extents are held against the file")
struct ExtentTests {
  /// A dataset of 3 × 4 elements that says it has 3 × 10⁹, and as many bytes.
  @Test func moreThanTheFile() throws {
    var bytes = contents(of: Fixtures.path("hdf5/not_a_model.h5"))
    func number(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    func replace(_ old: [UInt8], _ new: [UInt8]) throws {
      let place = try #require(
        bytes.indices.dropLast(old.count).last { Array(bytes[$0..<$0 + old.count]) == old })
      bytes.replaceSubrange(place..<place + old.count, with: new)
    }
    // The dimensions, and the maximum ones behind them; the layout's size.
    try replace(
      number(3) + number(4) + number(3) + number(4), number(3) + number(1 << 30) + number(3) + number(1 << 30))
    try replace(number(48), number(12 << 30))
    let folder = try TemporaryFolder()
    let dataset = try #require(try File.open(try folder.write("file.h5", bytes)).root.dataset("data"))
    #expect(dataset.shape == [3, 1 << 30])
    let error = try #require(throws: H5ConvError.self) { try dataset.readBytes { count, _ in count } }
    #expect(error.kind == .badData)
    #expect(error.description.contains("of a file of"), "\(error)")
  }
}

@Suite("Circles come to an end")
struct CircleTests {
  /// Asking HDF5 for all that it knows of a group walks its B-tree, and this one's nodes are their own neighbours.
  @Test(.timeLimit(.minutes(1))) func treeOfItself() throws {
    let root = try open("circle").root
    #expect(try root.member("group") == .group)
  }

  /// libhdf5 follows the free space of a heap of names from block to block, and takes memory for each.
  @Test(.timeLimit(.minutes(1))) func freeSpaceInACircle() throws {
    var bytes = contents(of: Fixtures.path("hdf5/not_a_model.h5"))
    func number(_ place: Int) -> Int { (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
    func put(_ value: Int, _ place: Int) {
      for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
    let heap = try #require(bytes.indices.dropLast(4).first { bytes[$0...].starts(with: Array("HEAP".utf8)) })
    let (size, segment) = (number(heap + 8), number(heap + 24))
    // Two blocks behind the names, each with the other as its next one; then one whose next one is the end.
    for (first, second) in [(size - 32, size - 16), (size - 16, 1)] {
      put(first, heap + 16)
      put(second, segment + first)
      put(16, segment + first + 8)
      if second > 1 {
        put(first, segment + second)
        put(16, segment + second + 8)
      }
      let folder = try TemporaryFolder()
      let root = try File.open(try folder.write("file.h5", bytes)).root
      if second > 1 {
        let error = try #require(throws: H5ConvError.self) { try root.member("data") }
        #expect(error.kind == .badData, "\(error)")
      } else {
        #expect(try root.member("data") == .dataset)
      }
    }
  }
}

@Suite("Names are counted")
struct NameCountTests {
  @Test func moreThanTheLimit() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("file.h5")
    do {
      let file = try File.create(path)
      let few = try file.root.makeGroup("few")
      let many = try file.root.makeGroup("many")
      for number in 0..<3 { _ = try few.makeGroup("\(number)") }
      for number in 0..<200_001 { _ = try many.makeGroup("\(number)") }
      try file.flush()
    }
    let root = try File.open(path).root
    #expect(try root.group("few")?.memberNames().count == 3)
    let many = try #require(try root.group("many"))
    let error = try #require(throws: H5ConvError.self) { try many.memberNames() }
    #expect(error.kind == .limit)
    #expect(error.description.contains("more than 200000 names") && error.description.contains("/many"), "\(error)")
    #expect(try many.member("77") == .group)
  }
}

/// libhdf5 runs for ever on an object of no size, and believes sizes that lead out of its memory.
@Suite("Texts of variable length")
struct GlobalHeapTests {
  private let bytes = contents(of: Fixtures.path("hdf5/attributes.h5"))
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What can be read, by name.
  private func texts(_ bytes: [UInt8]) throws -> [String: [String]] {
    let root = try File.open(try folder.write("file.h5", bytes)).root
    var texts: [String: [String]] = [:]
    for name in try root.attributeNames() { texts[name] = try? root.stringsAttribute(name) }
    return texts
  }

  /// Expects that a text is missing, and the others are what they were.
  private func expectLess(_ changed: [UInt8]) throws {
    let (whole, found) = (try texts(bytes), try texts(changed))
    #expect(found.count < whole.count && found.allSatisfy { whole[$0.key] == $0.value })
  }

  private var heap: Int {
    get throws { try #require(bytes.indices.dropLast(4).first { bytes[$0...].starts(with: Array("GCOL".utf8)) }) }
  }

  private func changed(_ place: Int, _ new: [UInt8]) -> [UInt8] {
    var changed = bytes
    changed.replaceSubrange(place..<place + new.count, with: new)
    return changed
  }

  /// Offsets in the collection: its signature and size, the first object's number and size.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      (0, [0x58]), (8, Array(repeating: 0, count: 8)), (8, Array(repeating: 0xff, count: 8)), (8, [17, 0]),
      (16, Array(repeating: 0, count: 16)), (16, [0xff, 0xff]), (24, Array(repeating: 0xff, count: 8)),
      (24, [0, 0, 0, 0, 0, 0, 0, 0x80]), (24, [0xe8] + Array(repeating: 0xff, count: 7)),
    ] as [(Int, [UInt8])]) func liesInTheCollection(_ offset: Int, _ new: [UInt8]) throws
  {
    try expectLess(changed(try heap + offset, new))
  }

  /// Every place of a text with another length, collection and number.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [(-4, [0xff, 0xff, 0xff, 0xff]), (-1, [1]), (0, [1]), (7, [0x80]), (8, [0xff, 0xff]), (11, [0xff])]
      as [(Int, [UInt8])]) func liesInThePlaces(_ offset: Int, _ new: [UInt8]) throws
  {
    let start = try heap
    let address = (0..<8).map { UInt8(truncatingIfNeeded: start >> (8 * $0)) }
    let places = bytes.indices.dropLast(12).filter {
      $0 >= 4 && (1..<64).contains(bytes[$0 - 4]) && bytes[$0 - 3..<$0].allSatisfy { $0 == 0 }
        && bytes[$0...].starts(with: address)
    }
    #expect(places.count == 4)
    for place in places { try expectLess(changed(place + offset, new)) }
  }
}
