import CTestSupport
import Foundation
import Glibc
import H5ConvConfig
import TestSupport
import Testing

/// A long run of `h5conv extract` into an empty folder, once it is under way.
private final class LongRun {
  static let model = Fixtures.path("../../samples/vgg16_edges_blocks1-3.h5")
  let folder: TemporaryFolder
  let process = Process()
  private let errors: URL

  /// - Parameters:
  ///   - existing: what stands at the output already.
  ///   - pictures: those that come last.
  ///   - isEnding: whether it is to come to its end; without, it is longer than any test, and than a disk has room for.
  init(
    _ options: [String] = [], existing: [UInt8]? = nil, pictures: [String] = [], isEnding: Bool = false
  ) throws {
    folder = try TemporaryFolder()
    let others = try TemporaryFolder()
    errors = URL(fileURLWithPath: NSTemporaryDirectory() + "h5conv-tests-errors-" + UUID().uuidString)
    _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
    if let existing { _ = try folder.write("out.npz", existing) }
    process.executableURL = URL(fileURLWithPath: Program.path)
    let picture = Fixtures.path("../../samples/chelsea.png")
    process.arguments =
      ["extract", LongRun.model] + Array(repeating: picture, count: isEnding ? 60 : 2000) + pictures
      + ["-o", folder.file("out.npz"), "--force", "--layers", "block1_conv1", "--quiet"] + options
    process.standardError = try FileHandle(forWritingTo: errors)
    process.currentDirectoryURL = URL(fileURLWithPath: others.path)
    try process.run()
    // Under way when the first unfinished result is there.
    for _ in 0..<6000 where process.isRunning && unfinished.isEmpty { usleep(10_000) }
    try #require(process.isRunning && !unfinished.isEmpty, "\(text)")
  }

  deinit { try? FileManager.default.removeItem(at: errors) }

  var text: String { String(decoding: contents(of: errors.path), as: UTF8.self) }

  private var unfinished: [String] {
    folder.names.filter { $0.hasPrefix(".") }
      .flatMap { (try? FileManager.default.contentsOfDirectory(atPath: folder.file($0))) ?? [] }
  }

  /// The process that does the work.
  func worker() throws -> pid_t {
    let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
    return try #require(
      processes.first { process in
        let fields = String(decoding: contents(of: "/proc/\(process)/stat"), as: UTF8.self).split(separator: " ")
        return fields.count > 3 && pid_t(fields[3]) == self.process.processIdentifier
      })
  }

  /// Waits for the end and expects that nothing is left but `names`.
  func expectNothing(but names: [String] = []) {
    process.waitUntilExit()
    #expect(folder.names == names)
  }
}

/// The processes are real, and so are the signals.
@Suite("The work is done by a process that is watched", .serialized)
struct SupervisionTests {
  @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func aSignalEndsBothAndLeavesNothing(_ signal: Int32) throws {
    // Who runs the tests may ignore it, as nohup does, and the program then does too.
    Glibc.signal(signal, SIG_DFL)
    let run = try LongRun()
    let worker = try run.worker()
    kill(run.process.processIdentifier, signal)
    run.expectNothing()
    #expect(run.process.terminationReason == .uncaughtSignal && run.process.terminationStatus == signal)
    #expect(kill(worker, 0) != 0)
  }

  @Test(arguments: [SIGSEGV, SIGABRT, SIGILL, SIGBUS]) func aCrashIsOneLine(_ signal: Int32) throws {
    let run = try LongRun(existing: [1, 2, 3])
    kill(try run.worker(), signal)
    run.expectNothing(but: ["out.npz"])
    #expect(contents(of: run.folder.file("out.npz")) == [1, 2, 3])
    #expect(run.process.terminationReason == .exit && run.process.terminationStatus == 70)
    #expect(
      run.text.hasPrefix("h5conv: \(LongRun.model): ") && run.text.split(separator: "\n").count == 1, "\(run.text)")
  }

  @Test func aKilledWorkerIsALimit() throws {
    let run = try LongRun()
    kill(try run.worker(), SIGKILL)
    run.expectNothing()
    #expect(run.process.terminationStatus == 75)
  }

  /// A worker that stands still is what an endless loop looks like from outside.
  @Test func aHangIsEnded() throws {
    let run = try LongRun(["--time-limit", "20"])
    let worker = try run.worker()
    kill(worker, SIGSTOP)
    run.expectNothing()
    #expect(run.process.terminationStatus == 75)
    #expect(run.text.contains("--time-limit"))
    #expect(kill(worker, 0) != 0)
  }

  @Test func theOutputFolderIsRemoved() throws {
    let run = try LongRun()
    // The worker may make a file between the removal of the last one and that of the folder.
    for _ in 0..<100 where FileManager.default.fileExists(atPath: run.folder.path) {
      try? FileManager.default.removeItem(atPath: run.folder.path)
    }
    run.process.waitUntilExit()
    #expect([73, 74].contains(run.process.terminationStatus), "\(run.text)")
    #expect(run.text.hasPrefix("h5conv: ") && run.text.split(separator: "\n").count == 1, "\(run.text)")
    #expect(!FileManager.default.fileExists(atPath: run.folder.path))
  }

  @Test(.enabled(if: getuid() != 0)) func theOutputFolderCannotBeWrittenToAnyMore() throws {
    let run = try LongRun(existing: [1, 2, 3], isEnding: true)
    chmod(run.folder.path, 0o555)
    run.process.waitUntilExit()
    #expect(run.process.terminationStatus == 73 && run.text.split(separator: "\n").count == 1, "\(run.text)")
    chmod(run.folder.path, 0o755)
    #expect(contents(of: run.folder.file("out.npz")) == [1, 2, 3])
  }

  /// A picture that is cut, replaced by another or gone while others are read.
  @Test(arguments: ["cut", "replaced", "gone"]) func anInputChanges(_ how: String) throws {
    let pictures = try TemporaryFolder()
    let picture = try pictures.write("last.png", contents(of: Fixtures.path("../../samples/chelsea.png")))
    let run = try LongRun(pictures: [picture], isEnding: true)
    switch how {
    case "cut": truncate(picture, 1000)
    case "replaced": _ = try pictures.write("last.png", Array("no picture".utf8))
    default: try pictures.remove("last.png")
    }
    run.expectNothing()
    #expect([65, 66].contains(run.process.terminationStatus), "\(run.text)")
    #expect(
      run.text.hasPrefix("h5conv: \(picture): ") && run.text.split(separator: "\n").count == 1, "\(run.text)")
  }

  @Test func theWorkerGoesWithItsSupervisor() throws {
    let run = try LongRun()
    let worker = try run.worker()
    kill(run.process.processIdentifier, SIGKILL)
    run.process.waitUntilExit()
    for _ in 0..<1000 where kill(worker, 0) == 0 { usleep(10_000) }
    #expect(kill(worker, 0) != 0)
  }

  @Test func aFullMemoryIsALimit() throws {
    let run = try Program.run([
      "predict", LongRun.model, Fixtures.path("../../samples/chelsea.png"), "--memory-limit", "130M",
    ])
    #expect(run.code == 75, "\(run)")
    #expect(run.errorLines.count == 1 && run.errors.contains("memory"), "\(run)")
  }

  @Test(arguments: ["0", "-1", "5", "1M", "x", "1X", "9999999999999G"]) func noMemoryLimit(_ text: String) throws {
    #expect(try Program.run(["inspect", tutorial, "--memory-limit", text]).code == 64)
  }
}

@Suite("Faults of the surroundings end in one line and harm nothing")
struct FaultTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs `h5conv ARGUMENTS` in a shell after `setUp`.
  private func run(_ setUp: String, _ arguments: String) throws -> Run {
    try Program.run("/bin/sh", ["-c", "\(setUp); exec '\(Program.path)' \(arguments)"], in: folder)
  }

  private func expectFault(_ run: Run, _ codes: Set<Int32>, names: [String] = []) {
    #expect(codes.contains(run.code) && run.errorLines.count == 1, "\(run)")
    #expect(folder.names == names)
  }

  /// A limit on the size of files stands for a full disk: writing stops midway.
  @Test func theDiskIsFull() throws {
    _ = try folder.write("out.h5", [1, 2, 3])
    expectFault(try run("ulimit -f 8", "convert '\(tutorial)' out.h5 --force"), [73, 74, 75], names: ["out.h5"])
    #expect(contents(of: folder.file("out.h5")) == [1, 2, 3])
  }

  /// Every kind of result, and several files.
  @Test(arguments: [
    "convert '\(tutorial)' out.keras", "convert '\(tutorial)' out.npz", "convert '\(tutorial)' out.safetensors",
    "slice '\(tutorial)' --outputs '*' -o out.h5", "extract '\(tutorial)' '\(picture("rgb8.png"))' -o out.npz --quiet",
    "extract '\(tutorial)' '\(picture("rgb8.png"))' -l '*' -o out.h5 --quiet",
    "viz '\(tutorial)' '\(picture("rgb8.png"))' -o out",
  ]) func theDiskIsFullFor(_ arguments: String) throws {
    expectFault(try run("ulimit -f 2", arguments), [73, 74, 75])
  }

  /// `/proc` takes no files from anybody, root or not.
  @Test(arguments: ["convert '\(tutorial)' /proc/out.h5", "viz '\(tutorial)' '\(picture("rgb8.png"))' -o /proc/out"])
  func theFileSystemCannotBeWrittenTo(_ arguments: String) throws { expectFault(try run(":", arguments), [73]) }

  @Test func fileDescriptorsAreExhausted() throws {
    for count in 4..<12 {
      let run = try run("ulimit -n \(count)", "convert '\(tutorial)' out\(count).h5")
      #expect(
        run.code == 0 || [66, 70, 73, 74, 75].contains(run.code) && run.errorLines.count == 1, "\(count): \(run)")
      #expect(!folder.names.contains { $0.hasPrefix(".") })
    }
  }

  @Test func theFolderIsGone() throws {
    expectFault(try run("mkdir gone && cd gone && rmdir ../gone", "viz '\(tutorial)' '\(picture("rgb.png"))'"), [73])
  }

  @Test(.enabled(if: getuid() != 0)) func theFolderCannotBeWrittenTo() throws {
    expectFault(
      try run("mkdir closed; chmod 555 closed", "convert '\(tutorial)' closed/out.h5"), [73], names: ["closed"])
  }

  @Test func thereIsNoTemporaryFolder() throws {
    let run = try run("export TMPDIR=/nowhere HOME=/nowhere", "convert '\(tutorial)' out.keras --quiet")
    #expect(run.code == 0 && folder.names == ["out.keras"], "\(run)")
  }

  /// Variables that would have HDF5 load code do not reach it.
  @Test func plugInsAreNotLoaded() throws {
    let run = try run(
      "export HDF5_PLUGIN_PATH='\(folder.path)' HDF5_DRIVER=nothing LD_BIND_NOW=1", "inspect '\(tutorial)'")
    #expect(run.code == 0 && run.errors.isEmpty, "\(run)")
  }

  @Test func descriptorsMayBeClosed() throws {
    #expect(try run("exec 0<&- 2>&-", "inspect '\(tutorial)'").code == 0)
    #expect(try run("exec 1>&-", "inspect '\(tutorial)'").code == 74)
  }

  /// Exit codes of as many runs at the same time.
  private func codes(of count: Int, _ arguments: [String]) throws -> [Int32] {
    let processes = (0..<count).map { _ in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Program.path)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
      process.standardError = FileHandle.nullDevice
      return process
    }
    for process in processes { try process.run() }
    return processes.map { process in
      process.waitUntilExit()
      return process.terminationStatus
    }
  }

  @Test func manyAtOnce() throws {
    #expect(try codes(of: 32, ["convert", tutorial, "same.h5", "--force", "--quiet"]).allSatisfy { $0 == 0 })
    #expect(folder.names == ["same.h5"])
    #expect(try Program.run(["diff", tutorial, folder.file("same.h5")]).code == 0)
  }

  /// The threads of a worker wait for what another of them makes first, and then go on: not all runs meet that, some of many do.
  @Test func threadsThatWantTheSame() throws {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3, 4, 3), }\n"
    let input = try folder.write(
      "x.npy",
      [0x93] + Array("NUMPY\u{1}\0".utf8) + [UInt8(header.utf8.count), 0] + Array(header.utf8)
        + Array(repeating: 1, count: 216))
    let run = [
      "extract", ModelFixture.path("k3_upsampled"), input, "-l", "*", "-o", "out.npz", "--force", "--quiet",
      "--preprocess", "none", "--time-limit", "30",
    ]
    for _ in 0..<8 { #expect(try codes(of: 16, run).allSatisfy { $0 == 0 }) }
  }

  @Test func oneOfManyWins() throws {
    #expect(
      try codes(of: 8, ["convert", tutorial, "same.h5", "--quiet"]).sorted() == [0] + Array(repeating: 73, count: 7))
    #expect(folder.names == ["same.h5"])
  }
}

@Suite("check --sandbox")
struct SandboxReportTests {
  @Test func tellsWhatTheKernelGives() throws {
    let run = try Program.run(["check", "--sandbox", "--json"])
    #expect(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "check").problems(json) == [])
    let codes = try #require(json["findings"]?.array).compactMap { $0["code"]?.string }
    #expect(codes.count == 4 && codes.contains("limits"))
    #expect(try Program.run(["check", "--sandbox"]).output.contains("seccomp"))
  }

  @Test func takesNoFile() throws {
    #expect(try Program.run(["check", "--sandbox", tutorial]).code == 64)
    #expect(try Program.run(["check"]).code == 64)
  }
}

/// In processes of their own, which nothing gives Landlock back to.
@Suite("A kernel without Landlock")
struct OldKernelTests {
  @Test func isTold() async {
    await #expect(processExitsWith: .success) {
      guard h5t_refuse_landlock() == 0 else { exit(2) }
      let run = try Program.run(["check", "--sandbox", "--json"])
      exit(
        run.code == 0 && run.output.contains("no_file_confinement") && run.output.contains("\"call_filter\"") ? 0 : 1)
    }
  }

  @Test func isWorkedOn() async {
    await #expect(processExitsWith: .success) {
      guard h5t_refuse_landlock() == 0 else { exit(2) }
      let folder = try TemporaryFolder()
      let run = try Program.run(["viz", tutorial, picture("rgb8.png"), "-o", "out", "--quiet"], in: folder)
      exit(run.code == 0 && run.errors.isEmpty && folder.names == ["out"] ? 0 : 1)
    }
  }
}
