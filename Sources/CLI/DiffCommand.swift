import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv diff A B`.
struct DiffCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two models: architecture, weights, and what their layers compute.",
    discussion: """
      Containers and versions of Keras do not count: a .keras file and the .h5 made of it are the same. What both files hold is \
      compared. Differences that only training sees are told, but do not make the models different. \
      Exit codes: 0 the same; 1 different; 2 cannot tell.
      Example: h5conv diff before.h5 after.keras --rtol 1e-5
      """)

  @Argument(help: ArgumentHelp("A model file.", valueName: "a")) var first: String
  @Argument(help: ArgumentHelp("Another one.", valueName: "b")) var second: String
  @OptionGroup var source: ArchitectureArguments
  @Option(help: ArgumentHelp("Weights may differ by this much of the second's value.", valueName: "number"))
  var rtol = 0.0
  @Option(help: ArgumentHelp("Weights may differ by this much.", valueName: "number")) var atol = 0.0
  @Option(
    name: .long,
    help: ArgumentHelp("A picture or array: name the first layer that computes something else.", valueName: "file"))
  var input: [String] = []
  @OptionGroup var image: ImageArguments
  @OptionGroup var running: RunArguments
  @OptionGroup var supervision: SupervisionArguments
  @Option(help: ArgumentHelp("Rows of each table.", valueName: "n")) var rows = 20
  @Flag(help: "Write JSON to stdout.") var json = false

  func validate() throws {
    guard rtol >= 0, atol >= 0, rtol.isFinite, atol.isFinite else {
      throw ValidationError("--rtol and --atol must be numbers from 0")
    }
    if rows < 1 { throw ValidationError("--rows must be at least 1") }
  }

  var job: Job {
    Job(
      file: first, inputs: [first, second] + source.files + input, runsModel: !input.isEmpty)
  }

  func work() throws {
    var diff = try ModelDiff(
      first, second, architecture: source.architecture, tolerance: Tolerance(absolute: atol, relative: rtol))
    if !input.isEmpty {
      try diff.compareActivations(on: input, try image.options(), threads: running.threads, exact: running.exact)
      if !running.quiet {
        for note in diff.activations?.preprocess ?? [] { Terminal.note("preprocess: \(note)") }
      }
    }
    if json || !running.quiet { try Terminal.print(json ? diff.json : diff.text(limit: rows)) }
    switch diff.verdict {
    case .same: return
    case .different: throw ExitCode(1)
    case .unknown: throw ExitCode(2)
    }
  }
}
