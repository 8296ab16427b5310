import Foundation
import H5ConvConfig
import TestSupport
import Testing

/// What a run of the program did.
struct Run: CustomStringConvertible {
  let code: Int32
  let output: String
  let errors: String
  var description: String { "exit code \(code)\nstdout: \(output.prefix(2000))\nstderr: \(errors)" }

  /// The lines of stderr.
  var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

  /// stdout as JSON, read strictly too: Python's NaN and Infinity are no JSON.
  func json() throws -> JSONValue {
    _ = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return try JSONParser.parse(output)
  }
}

enum Program {
  /// The program, which is built beside the tests.
  static let path: String = {
    let tests =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("h5conv").path
  }()

  /// Runs `h5conv` with `arguments` in `folder`.
  static func run(_ arguments: [String], in folder: TemporaryFolder? = nil) throws -> Run {
    try run(path, arguments, in: folder)
  }

  /// Runs the program at `path`.
  static func run(_ path: String, _ arguments: [String], in folder: TemporaryFolder? = nil) throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder.path) }
    // Files, not pipes: nothing waits for a full pipe.
    let results = try TemporaryFolder()
    func file(_ name: String) throws -> FileHandle {
      try FileHandle(forWritingTo: URL(fileURLWithPath: results.write(name, [])))
    }
    (process.standardOutput, process.standardError) = (try file("out"), try file("err"))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit, "the program was killed by signal \(process.terminationStatus)")
    func text(_ name: String) -> String { String(decoding: contents(of: results.file(name)), as: UTF8.self) }
    return Run(code: process.terminationStatus, output: text("out"), errors: text("err"))
  }
}

/// The fixture that most tests run: the feature-map tutorial's network at 32 × 32.
let tutorial = ModelFixture.path("tfk_tutorial")

func picture(_ name: String) -> String { Fixtures.path("images/\(name)") }
