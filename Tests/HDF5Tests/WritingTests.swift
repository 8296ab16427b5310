import H5ConvDiagnostics
import H5ConvHDF5
import TestSupport
import Testing

@Suite("What is written is read back")
struct WritingTests {
  /// Writes a file, closes it, and opens it again.
  private func reopened(_ write: (Group) throws -> Void) throws -> (folder: TemporaryFolder, root: Group) {
    let folder = try TemporaryFolder()
    do {
      let file = try File.create(folder.file("file.h5"))
      try write(file.root)
      try file.flush()
    }
    return (folder, try File.open(folder.file("file.h5")).root)
  }

  @Test(
    arguments: [
      (StoredFloat.float16, "float16", 4), (.float32, "float32", nil), (.float64, "float64", 9),
      (.float32, "float32", 1),
      (.float16, "float16", nil), (.float64, "float64", nil),
    ] as [(StoredFloat, String, Int?)])
  func datasets(_ stored: StoredFloat, _ type: String, _ gzip: Int?) throws {
    let values: [Float] = [0, -0.25, 1, 1.5, -2048, .infinity]
    let (folder, root) = try reopened { root in
      try values.withUnsafeBufferPointer {
        try root.write("outer/inner/data:0", shape: [2, 3], elements: $0, as: stored, gzip: gzip)
      }
    }
    let dataset = try #require(try root.dataset("outer/inner/data:0"))
    #expect(dataset.shape == [2, 3])
    #expect(dataset.elementType.description == type)
    #expect(try dataset.storageDescription() == (gzip == nil ? "contiguous" : "chunked shuffle gzip"))
    #expect(try dataset.readFloats() == values)
    _ = folder
  }

  @Test(arguments: [([], 1), ([0], 0), ([0, 3], 0), ([1, 1, 1, 5], 5), ([3], 3)]) func shapes(
    _ shape: [Int], _ count: Int
  ) throws {
    let values = (0..<count).map(Float.init)
    for gzip in [nil, 4] {
      let (folder, root) = try reopened { root in
        try values.withUnsafeBufferPointer { try root.write("data", shape: shape, elements: $0, gzip: gzip) }
      }
      let dataset = try #require(try root.dataset("data"))
      #expect(dataset.shape == shape)
      #expect(try dataset.readFloats() == values)
      _ = folder
    }
  }

  @Test(arguments: [["one"], ["conv1", "größer", "x"], [], ["", ""], ["a", ""], ["日本語"]]) func lists(_ texts: [String])
    throws
  {
    let (folder, root) = try reopened { try $0.writeAttribute("names", texts) }
    #expect(try root.stringsAttribute("names") == texts)
    _ = folder
  }

  @Test(arguments: ["", "x", "Größe ✓", String(repeating: "long", count: 50_000)]) func texts(_ text: String) throws {
    let (folder, root) = try reopened { try $0.writeAttribute("text", text) }
    #expect(try root.stringAttribute("text") == text)
    _ = folder
  }

  /// Above 64,512 bytes Keras splits a list into `name0`, `name1`, … of nearly equal lengths.
  @Test(arguments: [(1008, 64, 1), (1009, 64, 2), (5000, 20, 2), (7000, 64, 7), (3, 64_000, 3), (1, 64_512, 1)])
  func splitLists(_ count: Int, _ width: Int, _ pieces: Int) throws {
    let texts = (0..<count).map { item -> String in
      let digits = String(item)
      return String(repeating: "x", count: width - digits.count) + digits
    }
    let (folder, root) = try reopened { try $0.writeAttribute("names", texts) }
    #expect(try root.splitStringsAttribute("names") == texts)
    if pieces == 1 {
      #expect(try root.attributeNames() == ["names"])
    } else {
      let sizes = try (0..<pieces).map { try #require(try root.stringsAttribute("names\($0)")).count }
      // numpy.array_split: the first ones longer by one.
      #expect(sizes == (0..<pieces).map { count / pieces + ($0 < count % pieces ? 1 : 0) })
      #expect(try root.attributeNames().count == pieces)
    }
    _ = folder
  }

  @Test func oneTextTooLong() throws {
    let folder = try TemporaryFolder()
    let file = try File.create(folder.file("file.h5"))
    let error = try #require(throws: H5ConvError.self) {
      try file.root.writeAttribute("names", [String(repeating: "x", count: 64_513)])
    }
    #expect(error.kind == .cannotWrite)
  }

  @Test func rowsAreAppended() throws {
    let (folder, root) = try reopened { root in
      let rows = try root.makeRows("a/b@1", rowShape: [2, 2])
      try [1, 2, 3, 4].withUnsafeBufferPointer { try rows.append($0, after: 0) }
      try [5, 6, 7, 8, 9, 10, 11, 12].withUnsafeBufferPointer { try rows.append($0, after: 1) }
    }
    let dataset = try #require(try root.dataset("a/b@1"))
    #expect(dataset.shape == [3, 2, 2])
    #expect(try dataset.readFloats() == (1...12).map(Float.init))
    _ = folder
  }

  @Test func partsOfRowsAreRefused() throws {
    let folder = try TemporaryFolder()
    let rows = try File.create(folder.file("file.h5")).root.makeRows("data", rowShape: [2])
    #expect(throws: H5ConvError.self) { try [1, 2, 3].withUnsafeBufferPointer { try rows.append($0, after: 0) } }
  }

  @Test func existingFileIsNotOverwritten() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("file.h5", Array("mine".utf8))
    let error = try #require(throws: H5ConvError.self) { try File.create(path) }
    #expect(error.kind == .cannotWrite)
    #expect(contents(of: path) == Array("mine".utf8))
  }

  @Test func sameBytesEachTime() throws {
    let folder = try TemporaryFolder()
    for name in ["a.h5", "b.h5"] {
      let root = try File.create(folder.file(name)).root
      try root.writeAttribute("names", ["x", "y"])
      try [1, 2].withUnsafeBufferPointer { try root.write("data", shape: [2], elements: $0, gzip: 6) }
    }
    #expect(contents(of: folder.file("a.h5")) == contents(of: folder.file("b.h5")))
  }

  @Test func severalTasksReadAtOnce() async throws {
    let root = try open("types").root
    try await withThrowingTaskGroup(of: [Float].self) { group in
      for task in 0..<64 {
        group.addTask { try #require(try root.dataset(["le_f4", "be_f8", "le_i2"][task % 3])).readFloats() }
      }
      for try await values in group { #expect([expected("f", count: 12), expected("i", count: 12)].contains(values)) }
    }
  }
}
