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
}
