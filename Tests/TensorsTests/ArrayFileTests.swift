import H5ConvDiagnostics
import H5ConvTensors
import TestSupport
import Testing

func array(_ name: String) -> String { Fixtures.path("arrays/\(name)") }

@Suite("Arrays that NumPy wrote")
struct ArrayFileTests {
  /// Element i of the fixtures' arrays: `Tests/Fixtures/hdf5/README.md`.
  private func expected(_ kind: String, count: Int = 12) -> [Float] {
    (0..<count).map { i in
      switch kind {
      case "i": Float(i - 5)
      case "u": Float(i)
      case "b": i % 3 == 0 ? 1 : 0
      default: Float(i - 5) / 4
      }
    }
  }

  @Test(arguments: [
    ("le_f2", "f"), ("be_f2", "f"), ("le_f4", "f"), ("be_f4", "f"), ("le_f8", "f"), ("be_f8", "f"), ("i1", "i"),
    ("u1", "u"),
    ("le_i2", "i"), ("be_i2", "i"), ("le_i4", "i"), ("be_i4", "i"), ("le_i8", "i"), ("be_i8", "i"), ("le_u2", "u"),
    ("be_u2", "u"),
    ("le_u4", "u"), ("be_u4", "u"), ("le_u8", "u"), ("be_u8", "u"), ("bool", "b"), ("version1", "f"), ("version2", "f"),
    ("version3", "f"),
  ])
  func types(_ name: String, _ kind: String) throws {
    let orders = name.hasPrefix("version") ? [""] : ["", "_fortran"]
    for order in orders {
      let tensor = try ArrayFile.npy(array(name + order + ".npy"))
      #expect(tensor.shape == [3, 4])
      #expect(tensor.values == expected(kind), "\(order)")
    }
  }

  @Test(
    arguments: [
      ("scalar", [], [0.25]), ("vector", [5], [-1.25, -1, -0.75, -0.5, -0.25]), ("empty", [0, 3], []),
    ] as [(String, [Int], [Float])])
  func shapes(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    let tensor = try ArrayFile.npy(array(name + ".npy"))
    #expect(tensor.shape == shape)
    #expect(tensor.values == values)
  }

  @Test func cubeInFortranOrder() throws {
    let tensor = try ArrayFile.npy(array("cube_fortran.npy"))
    #expect(tensor.shape == [2, 3, 4])
    #expect(tensor.values == expected("f", count: 24))
  }

  @Test func specialNumbersOfHalfPrecision() throws {
    let values = try ArrayFile.npy(array("special.npy")).values
    #expect(values[0].isNaN)
    #expect(values[1...] == [.infinity, -.infinity, 0x1p-24, -0.0, 65504])
    #expect(values[4].sign == .minus)
  }

  @Test(arguments: ["complex", "text", "record", "object"]) func otherTypes(_ name: String) throws {
    let error = try #require(throws: H5ConvError.self) { try ArrayFile.npy(array(name + ".npy")) }
    #expect(error.kind == .unsupported)
    #expect(error.file == array(name + ".npy"))
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func archives(_ name: String) throws {
    let members = try ArrayFile.npz(array(name))
    #expect(members.map(\.name) == ["b", "a/inner:1"])
    #expect(members[0].tensor.values == expected("f"))
    #expect(members[1].tensor.shape == [5])
    #expect(members[1].tensor.values == expected("i", count: 5))
  }

  /// What the header does not ask for is not unpacked.
  @Test(
    arguments: [(8, nil), (4, "has 4 bytes"), (3 << 20, "has 3145728 bytes"), (0, "has 0 bytes")] as [(Int, String?)])
  func membersAreAsLongAsTheirHeader(_ count: Int, _ says: String?) throws {
    let folder = try TemporaryFolder()
    let member = RawZip.Member("x.npy", NPYHeader.bytes(shape: [2], type: "<f4") + Array(repeating: 0, count: count))
    let path = try folder.write("x.npz", RawZip.bytes([member]))
    guard let says else {
      #expect(try ArrayFile.npz(path).map(\.tensor.shape) == [[2]])
      return
    }
    let error = try #require(throws: H5ConvError.self) { try ArrayFile.npz(path) }
    #expect(error.kind == .badData && error.what.contains(says), "\(error)")
  }

  @Test func twoMembersOfOneName() throws {
    let error = try #require(throws: H5ConvError.self) { try ArrayFile.npz(array("twice.npz")) }
    #expect(error.kind == .badData && error.what.contains("the same name"), "\(error)")
  }

  @Test(arguments: [
    ("a.npy", true), ("a.npz", true), ("a.png", false), ("npy", false), ("folder/a.npz", true), ("a.npy.png", false),
  ])
  func whatIsAnArray(_ path: String, _ isArray: Bool) { #expect(ArrayFile.isArray(path) == isArray) }
}

@Suite("Damaged arrays end in errors")
struct DamagedArrayTests {
  /// A `.npy` with this header and so many bytes of data.
  private func file(_ header: String, bytes: Int = 48, version: UInt8 = 1) -> [UInt8] {
    let text = Array(header.utf8)
    let length: [UInt8] = [UInt8(text.count & 0xff), UInt8(text.count >> 8)] + (version > 1 ? [0, 0] : [])
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + Array(repeating: 0, count: bytes)
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 47, H5ConvError.Kind.badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2), }", 48, .limit),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }", 48, .limit),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693951,), }", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -4), }", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3.0, 4), }", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': 3}", 48, .badData),
    ("{'descr': '<f4', 'fortran_order': False}", 48, .badData),
    ("{'descr': '<f4', 'shape': (3, 4)}", 48, .badData), ("{'fortran_order': False, 'shape': (3, 4)}", 48, .badData),
    ("{'descr': '<f3', 'fortran_order': False, 'shape': (3, 4), }", 48, .unsupported),
    ("{'descr': '<f99999999999999999999', 'fortran_order': False, 'shape': (3, 4), }", 48, .unsupported),
    ("{'descr': '', 'fortran_order': False, 'shape': (3, 4), }", 48, .unsupported),
    ("{'descr': '<f4, 'fortran_order': ", 48, .unsupported), ("", 0, .badData), ("{}", 48, .badData),
  ])
  func headers(_ header: String, _ bytes: Int, _ kind: H5ConvError.Kind) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npy", file(header, bytes: bytes))
    let error = try #require(throws: H5ConvError.self) { try ArrayFile.npy(path) }
    #expect(error.kind == kind, "\(error)")
    #expect(error.file == path)
  }

  @Test(arguments: [[], [0x93], Array("no array".utf8), Array(repeating: 0x93, count: 64)] as [[UInt8]])
  func noArray(_ bytes: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npy", bytes)
    let error = try #require(throws: H5ConvError.self) { try ArrayFile.npy(path) }
    #expect(error.kind == .badData)
  }

  @Test(arguments: [0, 4, 99] as [UInt8]) func unknownVersions(_ version: UInt8) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "a.npy", file("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", version: version))
    #expect(throws: H5ConvError.self) { try ArrayFile.npy(path) }
  }

  /// The length of a header of version 2 is four bytes.
  @Test func headerLongerThanTheFile() throws {
    let folder = try TemporaryFolder()
    let bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [2, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]
    #expect(throws: H5ConvError.self) { try ArrayFile.npy(try folder.write("a.npy", bytes)) }
  }

  @Test(arguments: ["le_f4.npy", "cube_fortran.npy"]) func everyTruncation(_ name: String) throws {
    let whole = contents(of: array(name))
    let folder = try TemporaryFolder()
    for count in whole.indices {
      #expect(throws: H5ConvError.self, "\(count) bytes") {
        try ArrayFile.npy(try folder.write("a.npy", whole[..<count]))
      }
    }
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func everyTruncationOfArchives(_ name: String) throws {
    let whole = contents(of: array(name))
    let folder = try TemporaryFolder()
    for count in whole.indices {
      #expect(throws: H5ConvError.self, "\(count) bytes") {
        try ArrayFile.npz(try folder.write("a.npz", whole[..<count]))
      }
    }
  }

  @Test(arguments: ["le_f2.npy", "stored.npz", "deflated.npz"]) func everyByteChanged(_ name: String) throws {
    let whole = contents(of: array(name))
    let folder = try TemporaryFolder()
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= 0x41
      let path = try folder.write(name, damaged)
      do {
        if name.hasSuffix("npy") { _ = try ArrayFile.npy(path) } else { _ = try ArrayFile.npz(path) }
      } catch is H5ConvError {}
    }
  }

  @Test func notThere() throws {
    for path in ["/nowhere/a.npz", Fixtures.root] {
      let error = try #require(throws: H5ConvError.self) { try ArrayFile.npz(path) }
      #expect(error.kind == .cannotRead)
    }
  }
}

@Suite("Arrays that are written")
struct ArrayWriterTests {
  @Test(arguments: [[], [0], [5], [2, 3], [1, 1, 1, 4], [3, 0, 2]]) func npy(_ shape: [Int]) throws {
    let folder = try TemporaryFolder()
    let count = shape.reduce(1, *)
    let tensor = try Tensor(shape: shape, values: (0..<count).map { Float($0) * 0.5 })
    let writer = try NPYWriter(folder.file("a.npy"), shape: shape)
    try writer.append(tensor)
    let read = try ArrayFile.npy(folder.file("a.npy"))
    #expect(read.shape == shape)
    #expect(read.values == tensor.values)
    // NumPy aligns the data to 64 bytes.
    #expect((contents(of: folder.file("a.npy")).count - 4 * count) % 64 == 0)
  }

  /// A header over 64 KB needs the format's version 2.
  @Test func thousandsOfAxes() throws {
    let folder = try TemporaryFolder()
    let shape = Array(repeating: 1, count: 30_000)
    let writer = try NPYWriter(folder.file("a.npy"), shape: shape)
    try writer.append(try Tensor(shape: [1], values: [7]))
    let read = try ArrayFile.npy(folder.file("a.npy"))
    #expect(read.shape == shape)
    #expect(read.values == [7])
  }

  /// The bytes that `numpy.save` writes.
  @Test func sameBytesAsNumPy() throws {
    let folder = try TemporaryFolder()
    let writer = try NPYWriter(folder.file("a.npy"), shape: [3, 4])
    for row in 0..<3 {
      try writer.append(try Tensor(shape: [1, 4], values: (0..<4).map { Float(row * 4 + $0 - 5) / 4 }))
    }
    #expect(contents(of: folder.file("a.npy")) == contents(of: array("le_f4.npy")))
  }

  @Test func npz() throws {
    let folder = try TemporaryFolder()
    let members = [("conv1", "le_f4.npy"), ("outer/inner@1:2", "vector.npy"), ("größer", "empty.npy")]
    for name in ["a.npz", "b.npz"] {
      try NPZWriter.write(folder.file(name), members: members.map { (name: $0.0, file: array($0.1)) })
    }
    let read = try ArrayFile.npz(folder.file("a.npz"))
    #expect(read.map(\.name) == members.map(\.0))
    #expect(read.map(\.tensor.shape) == [[3, 4], [5], [0, 3]])
    #expect(contents(of: folder.file("a.npz")) == contents(of: folder.file("b.npz")))
  }

  @Test func existingFilesAreKept() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npz", [1])
    #expect(throws: H5ConvError.self) { try NPYWriter(path, shape: [1]) }
    #expect(throws: H5ConvError.self) { try NPZWriter.write(path, members: [(name: "a", file: array("vector.npy"))]) }
    #expect(contents(of: path) == [1])
  }
}

@Suite("Tensors")
struct TensorTests {
  @Test(arguments: [([2, 3], 5), ([-1], 0), ([2, -3], -6), ([Int.max, 2], 0), ([Int.max], 0)]) func impossible(
    _ shape: [Int], _ count: Int
  ) {
    #expect(throws: H5ConvError.self) { try Tensor(shape: shape, values: Array(repeating: 0, count: max(0, count))) }
  }

  @Test func reshaping() throws {
    let tensor = try Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])
    #expect(try tensor.reshaped(to: [3, 1, 2]).values == tensor.values)
    #expect(throws: H5ConvError.self) { try tensor.reshaped(to: [4]) }
    #expect(throws: H5ConvError.self) { try tensor.reshaped(to: [-2, -3]) }
  }

  @Test(
    arguments: [([nil, 160, 3], "(None, 160, 3)"), ([nil], "(None,)"), ([], "()"), ([7], "(7,)")] as [([Int?], String)])
  func shapesAsPythonPrintsThem(_ sizes: [Int?], _ text: String) { #expect(PartialShape(sizes).description == text) }

  @Test func products() {
    #expect(PartialShape([2, 3, nil]).product(of: 0..<2) == 6)
    #expect(PartialShape([2, 3, nil]).product(of: 0..<3) == nil)
    #expect(PartialShape([Int.max, 2]).product(of: 0..<2) == nil)
    #expect(PartialShape([2, 3]).known == [2, 3])
    #expect(PartialShape([2, nil]).known == nil)
  }
}
