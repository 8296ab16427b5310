import CTestSupport
import Foundation
import Glibc
import TestSupport
import Testing

/// What the program shows in a terminal.
@Suite("Pictures in a terminal")
struct TerminalTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Runs `h5conv viz` on a picture with a terminal of 80 × 24 characters as stdout; what it wrote there.
  private func run(_ options: [String] = [], _ environment: [String: String]) throws -> String {
    var terminal: Int32 = -1
    let reader = h5t_open_terminal(80, 24, 640, 384, &terminal)
    try #require(reader >= 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = ["viz", tutorial, picture("rgb8.png"), "-l", "block1_conv1", "--force"] + options
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    process.standardOutput = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
    process.standardError = FileHandle.nullDevice
    try process.run()
    close(terminal)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    // Ends with an error when the last writer is gone.
    while case let count = read(reader, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    close(reader)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [
    (["TERM": "xterm-kitty"], "\u{1b}_Ga=T,f=100,q=2"),
    (["TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"], "\u{1b}]1337;File=inline=1;"),
    (["TERM": "foot"], "\u{1b}P0;1;0q"), (["TERM": "xterm-256color", "COLORTERM": "truecolor"], "\u{1b}[38;2;"),
    (["TERM": "xterm-256color"], "\u{1b}[38;5;"), (["TERM": "screen", "KITTY_WINDOW_ID": "1"], "\u{1b}[38;5;"),
  ])
  func pictures(_ environment: [String: String], begin: String) throws {
    let text = try run([], environment)
    #expect(text.contains(begin))
    // What it is, and the table, are there too; nothing is left of the colours.
    #expect(text.hasPrefix("block1_conv1  (1, 16, 16, 32)  "))
    #expect(text.contains("not finite"))
    #expect(!text.contains("▀") || text.contains("\u{1b}[0m\n"))
    #expect(folder.names == ["viz-tfk_tutorial-rgb8"])
  }

  @Test(
    arguments: [
      ([], ["TERM": "dumb", "COLORTERM": "truecolor"]), ([], [:]), ([], ["TERM": "xterm"]),
      ([], ["TERM": "xterm-kitty", "NO_COLOR": "1"]), (["--terminal", "none"], ["TERM": "xterm-kitty"]),
      (["--quiet"], ["TERM": "xterm-kitty"]), (["--json"], ["TERM": "xterm-kitty"]),
      (["-o", "out"], ["TERM": "xterm-kitty"]), (["--quiet", "--terminal", "kitty"], ["TERM": "xterm-kitty"]),
    ] as [([String], [String: String])])
  func noPictures(_ options: [String], _ environment: [String: String]) throws {
    let text = try run(options, environment)
    #expect(!text.contains("\u{1b}") && !text.isEmpty)
  }

  /// What is asked for is done where nothing is known, and with NO_COLOR.
  @Test(arguments: ["kitty", "iterm2", "sixel", "halfblocks"]) func askedFor(_ kind: String) throws {
    #expect(try run(["--terminal", kind, "-o", "out"], ["TERM": "xterm", "NO_COLOR": "1"]).contains("\u{1b}"))
  }

  /// A pipe or a file gets no pictures, whatever is asked for.
  @Test func neverIntoAFile() throws {
    let arguments = ["viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1", "--force"]
    let run = try Program.run(arguments + ["--terminal", "kitty"], in: folder)
    #expect(run.code == 0 && !run.output.contains("\u{1b}"))
    #expect(try Program.run(arguments, in: folder).output == run.output)
    let wrong = try Program.run(arguments + ["--terminal", "teletype"], in: folder)
    #expect(wrong.code == 64 && wrong.errors.contains("halfblocks"), "\(wrong)")
  }
}
