import Foundation
import Glibc
import H5ConvDiagnostics
import H5ConvFiles
import TestSupport
import Testing

@Suite("Output files appear whole or not at all")
struct OutputFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("out.bin")
  }

  private func refused(_ kind: H5ConvError.Kind = .cannotWrite, _ body: () throws -> Void) throws {
    let error = try #require(throws: H5ConvError.self) { try body() }
    #expect(error.kind == kind, "\(error)")
    #expect(error.file != nil)
  }

  @Test func written() throws {
    try OutputFile(path, replaces: false).write([1, 2, 3])
    #expect(contents(of: path) == [1, 2, 3])
    #expect(folder.names == ["out.bin"])
  }

  @Test func givenUp() throws {
    do {
      let file = try OutputFile(path, replaces: false)
      try Data([1]).write(to: URL(fileURLWithPath: file.temporaryPath))
      #expect(folder.names.count == 1)
    }
    #expect(folder.names == [])
  }

  @Test func existingIsKept() throws {
    _ = try folder.write("out.bin", [9])
    try refused { try OutputFile(path, replaces: false).write([1]) }
    #expect(contents(of: path) == [9])
    #expect(folder.names == ["out.bin"])
  }

  /// Something that appears while the output is being made is not overwritten either.
  @Test func appearedMeanwhile() throws {
    try {
      let file = try OutputFile(path, replaces: false)
      _ = try folder.write("out.bin", [9])
      try refused { try file.write([1]) }
    }()
    #expect(contents(of: path) == [9])
    #expect(folder.names == ["out.bin"])
  }

  @Test func replaced() throws {
    _ = try folder.write("out.bin", [9])
    try OutputFile(path, replaces: true).write([1])
    #expect(contents(of: path) == [1])
    #expect(folder.names == ["out.bin"])
  }

  @Test func twoAtOnce() throws {
    let first = try OutputFile(path, replaces: true)
    let second = try OutputFile(path, replaces: true)
    #expect(first.temporaryPath != second.temporaryPath)
    try first.write([1])
    try second.write([2])
    #expect(contents(of: path) == [2])
  }

  @Test func aLinkIsReplacedAndNotFollowed() throws {
    let target = try folder.write("target.bin", [9])
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    try refused { try OutputFile(path, replaces: false).write([1]) }
    try OutputFile(path, replaces: true).write([1])
    #expect(contents(of: target) == [9])
    #expect(contents(of: path) == [1])
  }

  /// Not even when asked to: a device of that name is gone for everybody.
  @Test func noDeviceAndNoPipeIsReplaced() throws {
    let path = folder.file("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    try refused { try OutputFile(path, replaces: true).write([1]) }
    try refused { _ = try OutputFile("/dev/null", replaces: true) }
    #expect(folder.names == ["pipe"])
  }

  @Test func noSuchFolder() throws { try refused { _ = try OutputFile(folder.file("absent/out.bin"), replaces: true) } }

  @Test func aFolderStandsThere() throws { try refused { _ = try OutputFile(folder.path, replaces: true) } }

  @Test func aFileStandsForTheFolder() throws {
    let file = try folder.write("file", [1])
    try refused { _ = try OutputFile(file + "/out.bin", replaces: true) }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere")) func readOnlyFolder() throws {
    chmod(folder.path, 0o500)
    defer { chmod(folder.path, 0o700) }
    try refused { try OutputFile(path, replaces: false).write([1]) }
  }

  @Test func longNames() throws {
    let name = String(repeating: "n", count: 250)
    try OutputFile(folder.file(name), replaces: false).write([1])
    #expect(folder.names == [name])
    try refused { try OutputFile(folder.file(name + name), replaces: false).write([1]) }
  }

  @Test(arguments: [("a", ".", "a"), ("/a", "/", "a"), ("a/b", "a", "b"), ("/a/b.c", "/a", "b.c"), ("a/", "a", "")])
  func parts(_ path: String, _ directory: String, _ name: String) {
    #expect(OutputFile.split(path) == (directory, name))
  }
}

@Suite("Output folders appear whole or not at all")
struct OutputFolderTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("results")
  }

  private func refused(_ body: () throws -> Void) throws {
    let error = try #require(throws: H5ConvError.self) { try body() }
    #expect(error.kind == .cannotWrite, "\(error)")
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

  @Test(arguments: ["", "/"]) func written(_ slash: String) throws {
    let results = try OutputFolder(path + slash, replaces: false)
    try results.write("a.png", [1])
    #expect(!FileManager.default.fileExists(atPath: path))
    try results.write("b.png", [2])
    try results.commit()
    #expect(try names() == ["a.png", "b.png"])
    #expect(folder.names == ["results"])
  }

  @Test func givenUp() throws {
    do {
      let results = try OutputFolder(path, replaces: false)
      try results.write("a.png", [1])
    }
    #expect(folder.names == [])
  }

  @Test func intoAnEmptyFolder() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let results = try OutputFolder(path, replaces: false)
    try results.write("a.png", [1])
    try results.commit()
    #expect(try names() == ["a.png"])
  }

  @Test func intoAFullFolder() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    _ = try folder.write("results/mine.txt", [7])
    _ = try folder.write("results/a.png", [8])
    try refused { _ = try OutputFolder(path, replaces: false) }
    let results = try OutputFolder(path, replaces: true)
    try results.write("a.png", [1])
    try results.commit()
    #expect(try names() == ["a.png", "mine.txt"])
    #expect(contents(of: path + "/mine.txt") == [7])
    #expect(contents(of: path + "/a.png") == [1])
  }

  @Test func aFileStandsThere() throws {
    _ = try folder.write("results", [1])
    try refused { _ = try OutputFolder(path, replaces: true) }
    #expect(contents(of: path) == [1])
  }

  @Test func noSuchFolder() throws {
    try refused { _ = try OutputFolder(folder.file("absent/results"), replaces: true) }
  }

  @Test func sameNameTwice() throws {
    let results = try OutputFolder(path, replaces: false)
    try results.write("a.png", [1])
    try refused { try results.write("a.png", [2]) }
  }

  @Test func errorsNameTheFolderThatWasAskedFor() throws {
    let results = try OutputFolder(path, replaces: false)
    try results.write("a.png", [1])
    let error = try #require(throws: H5ConvError.self) { try results.write("a.png", [2]) }
    #expect(error.file == path + "/a.png")
  }

  /// Two runs at once into one folder: one wins, the other says so, and nothing is mixed.
  @Test func twoAtOnce() throws {
    let first = try OutputFolder(path, replaces: false)
    try first.write("a.png", [1])
    do {
      let second = try OutputFolder(path, replaces: false)
      try second.write("b.png", [2])
      try first.commit()
      try refused { try second.commit() }
    }
    #expect(try names() == ["a.png"])
    #expect(folder.names == ["results"])
  }
}

@Suite("Input files")
struct InputFileTests {
  @Test func read() throws {
    let folder = try TemporaryFolder()
    #expect(try InputFile.bytes(try folder.write("a", [1, 2])) == [1, 2])
    #expect(try InputFile.bytes(try folder.write("b", [])) == [])
    #expect(InputFile.isFolder(folder.path))
    #expect(!InputFile.isFolder(folder.file("a")))
  }

  @Test func limit() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", [1, 2, 3])
    #expect(try InputFile.bytes(path, limit: 3).count == 3)
    let error = try #require(throws: H5ConvError.self) { try InputFile.bytes(path, limit: 2) }
    #expect(error.kind == .limit)
  }

  @Test(arguments: ["/nowhere/file", "/", "/dev/null"]) func unreadable(_ path: String) throws {
    let error = try #require(throws: H5ConvError.self) { try InputFile.bytes(path) }
    #expect(error.kind == .cannotRead)
    #expect(error.file == path)
  }

  @Test func pipeIsNotWaitedFor() throws {
    let folder = try TemporaryFolder()
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(throws: H5ConvError.self) { try InputFile.bytes(folder.file("pipe")) }
  }

  @Test func namesAreSortedAndHiddenOnesLeftOut() throws {
    let folder = try TemporaryFolder()
    for name in ["b", "a10", "a9", ".hidden", "ä"] { _ = try folder.write(name, [1]) }
    #expect(try InputFile.names(inFolder: folder.path) == ["a10", "a9", "b", "ä"])
    #expect(throws: H5ConvError.self) { try InputFile.names(inFolder: "/nowhere") }
  }
}
