import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv check FILE`.
struct CheckCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find everything that could go wrong with a model file.",
    discussion: """
      Damage, unsafe code, layers that cannot be run, weights that are missing, NaN or dead, and what other versions of Keras refuse \
      or change. Exit codes: 0 no errors (there may be warnings); 1 there are errors, or the file is no model.
      Example: h5conv check model.h5
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "file")) var file: String?
  @OptionGroup var source: ArchitectureArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Tell what this machine's kernel gives to contain damaged files, instead of checking one.") var sandbox =
    false
  @Flag(help: "Say nothing; the exit code tells.") var quiet = false
  @Flag(help: "Write JSON to stdout.") var json = false

  func validate() throws {
    if sandbox == (file != nil) { throw ValidationError("Missing expected argument '<file>', or --sandbox") }
  }

  var job: Job {
    let files = (file.map { [$0] } ?? []) + source.files
    return Job(file: file ?? "sandbox", inputs: files)
  }

  func work() throws {
    let check =
      if let file {
        try ModelCheck(contentsOf: file, architecture: source.architecture)
      } else {
        ModelCheck(
          "sandbox",
          findings: Worker.confinement?.findings ?? [
            Finding(.warning, "no_sandbox", at: "sandbox", "--no-sandbox turned it off")
          ])
      }
    if json || !quiet { try Terminal.print(json ? check.json : check.text) }
    if !check.isGood { throw ExitCode(1) }
  }
}
