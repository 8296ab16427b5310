import CSandbox
import Glibc
import H5ConvDiagnostics
import H5ConvFiles

/// Runs the work of a command in a process of its own, which may touch nothing but the job's files, and contains its failures.
///
/// The supervisor reads none of the inputs. It starts the worker before any thread exists, so that nothing is executed anew; gives
/// finished results their names; and turns a crash, a time-out or a full memory into one error.
package struct Supervisor {
  private let job: Job
  private let staging: String?
  private let limits: JobLimits
  private var deadline: Int
  private var noise: [UInt8] = []
  private var pagesAtCrash = 0

  /// Does `work` in a worker.
  ///
  /// - Parameters:
  ///   - isConfined: whether the worker is limited and confined; without, what libraries write to stderr is shown.
  ///   - prepare: called in the worker before it is confined, to load libraries that the work needs.
  ///   - work: the work; its result is the exit code.
  /// - Returns: the exit code.
  /// - Throws: ``H5ConvError`` when the worker did not end by itself: `internalFault` after a crash, `limit` after a time-out and where
  ///   memory did not suffice.
  package static func run(
    _ job: Job, _ limits: Limits, isConfined: Bool, prepare: () -> Void = {}, _ work: () -> Int32
  ) throws -> Int32 {
    let staging = try Supervisor.makeStaging(for: job)
    let jobLimits = JobLimits(limits, for: job)
    var worker = h5c_worker()
    let code = h5c_start_worker(&worker, isConfined ? 0 : 1)
    guard code == 0 else {
      if let staging { h5c_remove_folder(staging) }
      throw H5ConvError(.inputOutput, "no process can be started for the work: \(text(ofError: code))", file: job.file)
    }
    if worker.process == 0 {
      prepare()
      let code = Worker.begin(worker, job, staging: staging, isConfined ? jobLimits : nil)
      _exit(code == 0 ? Supervisor.onOwnThread(work) : Supervisor.cannotBegin)
    }
    var supervisor = Supervisor(
      job: job, staging: staging, limits: jobLimits, deadline: now() + jobLimits.opening * 1000)
    defer { if let staging { h5c_remove_folder(staging) } }
    return try supervisor.attend(&worker)
  }

  /// What `work` gives on a thread that begins in this process, and is confined as the one that makes it.
  private static func onOwnThread(_ work: () -> Int32) -> Int32 {
    withoutActuallyEscaping(work) { work in
      var work = work
      return withUnsafeMutablePointer(to: &work) { pointer in
        h5c_on_own_thread({ $0?.assumingMemoryBound(to: (() -> Int32).self).pointee() ?? 70 }, pointer)
      }
    }
  }

  /// What a worker ends with whose limits could not be set.
  private static let cannotBegin: Int32 = 254

  private init(job: Job, staging: String?, limits: JobLimits, deadline: Int) {
    self.job = job
    self.staging = staging
    self.limits = limits
    self.deadline = deadline
  }

  /// A new folder for unfinished results, beside where they will be; nil where there are none, or no place for them: the worker says so.
  private static func makeStaging(for job: Job) throws -> String? {
    guard let folder = job.output.folder, InputFile.isFolder(folder) else { return nil }
    for _ in 0..<16 {
      let path = "\(folder)/.h5conv-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
      if mkdir(path, 0o700) == 0 { return path }
      guard errno == EEXIST else { break }
    }
    throw OutputFile.failure(.cannotWrite, job.output.path ?? folder)
  }

  /// Serves the worker until it ends.
  private mutating func attend(_ worker: inout h5c_worker) throws -> Int32 {
    var buffer = [CChar](repeating: 0, count: 1 << 14)
    while true {
      let left = deadline - now()
      guard left > 0 else {
        h5c_kill_worker(&worker)
        throw tookTooLong
      }
      let event = h5c_next_event(&worker, &buffer, buffer.count, Int32(clamping: left))
      switch event.kind {
      case H5C_REQUEST: answer(buffer.prefix(Int(event.value)).map { UInt8(bitPattern: $0) }, worker.control)
      case H5C_NOISE: hear(buffer.prefix(Int(event.value)))
      case H5C_SIGNAL where event.value == SIGCONT: deadline = max(deadline, now() + limits.opening * 1000)
      case H5C_SIGNAL:
        h5c_kill_worker(&worker)
        if let staging { h5c_remove_folder(staging) }
        h5c_die_of_signal(event.value)
      case H5C_ENDED: return try outcome(ofStatus: event.value)
      default: break
      }
    }
  }

  private mutating func answer(_ bytes: [UInt8], _ control: Int32) {
    var code: Int32
    switch Request(bytes) {
    case .progress:
      if let step = limits.step { deadline = now() + step * 1000 }
      return
    case .crash(let pages):
      pagesAtCrash = pages
      return
    case .rename(let from, let to, let replaces):
      let isOurs = staging.map { from.hasPrefix($0 + "/") && Job.Output.staysInside(from.dropFirst($0.count)) } ?? false
      code = isOurs && job.output.allows(to) ? StagingInPlace().rename(from, to: to, replaces: replaces) : EACCES
    case .makeFolder(let path): code = job.output.allows(path) ? StagingInPlace().makeFolder(path) : EACCES
    case nil: code = EINVAL
    }
    _ = withUnsafeBytes(of: &code) { write(control, $0.baseAddress, $0.count) }
  }

  /// Keeps the last of what libraries wrote.
  private mutating func hear(_ bytes: ArraySlice<CChar>) {
    noise += bytes.map { UInt8(bitPattern: $0) }
    if noise.count > 1 << 14 { noise.removeFirst(noise.count - 1 << 13) }
  }

  private func outcome(ofStatus status: Int32) throws -> Int32 {
    let signal = status & 0x7f
    guard signal != 0 else {
      let code = status >> 8 & 0xff
      guard code != Supervisor.cannotBegin else {
        throw H5ConvError(.internalFault, "the limits of the work cannot be set", file: job.file)
      }
      return code
    }
    switch signal {
    case SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT:
      if let staging { h5c_remove_folder(staging) }
      h5c_die_of_signal(signal)
      return 128 + signal
    case SIGXCPU: throw tookTooLong
    case SIGKILL:
      throw H5ConvError(
        .limit, "the system ended the work, most likely for want of memory",
        remedy: "free some, or use a larger machine",
        file: job.file)
    case _ where ranOutOfMemory:
      throw H5ConvError(
        .limit, "the work needs more than the \(limits.memory >> 20) MB of memory that it may take",
        remedy: "raise the limit with --memory-limit if you trust the file", file: job.file)
    default:
      let name = h5c_signal_name(signal).map { String(cString: $0) } ?? String(signal)
      throw H5ConvError(
        .internalFault, "the work crashed, in a damaged file or by a fault of h5conv; nothing was harmed",
        at: lastWords ?? "signal \(name)", remedy: "get the file again, or report it", file: job.file)
    }
  }

  /// Whether a crash is for want of memory: near the limit, or by the last words of the runtimes of Swift and C.
  private var ranOutOfMemory: Bool {
    if pagesAtCrash.multipliedReportingOverflow(by: Int(getpagesize())).partialValue > limits.memory / 4 * 3 {
      return true
    }
    let text = String(decoding: noise, as: UTF8.self).lowercased()
    return [
      "failed to allocate", "could not allocate", "cannot allocate", "out of memory", "bad_alloc", "memory exhausted",
    ]
    .contains { text.contains($0) }
  }

  /// The line in which Swift says why it ended the process.
  private var lastWords: String? {
    String(decoding: noise, as: UTF8.self).split(separator: "\n").last { $0.contains("Fatal error") }
      .map { String($0.prefix(200)) }
  }

  private var tookTooLong: H5ConvError {
    H5ConvError(
      .limit, "the work was ended after \(limits.step ?? limits.opening) seconds without a result",
      remedy: "give it longer with --time-limit if you trust the file", file: job.file)
  }

  private static func text(ofError code: Int32) -> String { String(cString: strerror(code)) }
}

/// Milliseconds of a clock that never jumps.
private func now() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
}
