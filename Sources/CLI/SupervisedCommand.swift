import ArgumentParser
import COpenBLAS
import Glibc
import H5Conv
import H5ConvSupervisor

/// A command whose work is done by a confined process, since every byte it reads may be a stranger's.
protocol SupervisedCommand: ParsableCommand {
  /// The options of the supervision.
  var supervision: SupervisionArguments { get }

  /// What the command reads and writes.
  var job: Job { get throws }

  /// Does the work, in the worker.
  func work() throws
}

extension SupervisedCommand {
  func run() throws {
    let job = try job
    Terminal.measure()
    if supervision.noSandbox {
      Terminal.note("note: --no-sandbox: the work is not confined; do not use it on files that you do not trust")
    }
    let code = try Supervisor.run(
      job, try supervision.limits(), isConfined: !supervision.noSandbox,
      prepare: { if job.runsModel { loadOpenBLAS() } }
    ) { H5ConvCommand.code { try work() } }
    throw ExitCode(code)
  }
}

/// Loads the library for products of matrices, with no threads of its own.
private func loadOpenBLAS() {
  setenv("OPENBLAS_NUM_THREADS", "1", 1)
  _ = h5c_load_openblas()
}

/// Options of every command that reads files of strangers.
struct SupervisionArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Memory (address space) that the work may take: 512M, 4G. By default 2 GB, 4 to run a model, and six times the inputs.",
      valueName: "size"))
  var memoryLimit: String?

  @Option(
    help: ArgumentHelp(
      "Seconds that the work may take. By default 30 and one for each 4 MB of inputs, in which a run must begin; then 5 minutes for each picture.",
      valueName: "seconds"))
  var timeLimit: Int?

  @Flag(help: "Do not confine the work, to find faults of h5conv itself. Only for files that you trust.")
  var noSandbox = false

  func validate() throws {
    if let timeLimit, !(1...(1 << 30)).contains(timeLimit) {
      throw ValidationError("--time-limit must be at least 1 second")
    }
    _ = try memory()
  }

  func limits() throws -> Limits { Limits(memory: try memory(), seconds: timeLimit) }

  private func memory() throws -> Int? {
    try memoryLimit.map { try byteCount($0, option: "--memory-limit", atLeast: 16 << 20) }
  }
}

/// The bytes that `text` states: `512M`, `4G`.
///
/// - Throws: `ValidationError` that names the option.
func byteCount(_ text: String, option: String, atLeast least: Int) throws -> Int {
  let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
  var digits = text.uppercased()
  if digits.hasSuffix("B") { digits.removeLast() }
  let unit = digits.last.flatMap { units[$0] }
  if unit != nil { digits.removeLast() }
  guard let number = Int(digits), number > 0,
    case let (bytes, isTooMuch) = number.multipliedReportingOverflow(by: unit ?? 1),
    !isTooMuch, bytes >= least
  else {
    let smallest = least >= 1 << 20 ? "\(least >> 20)M" : "\(least / 1000)K"
    throw ValidationError("\(option) \(text) is no size of at least \(smallest), such as 512M or 4G")
  }
  return bytes
}
