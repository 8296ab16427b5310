import ArgumentParser
import H5Conv
import H5ConvFiles

/// The command `h5conv check FILE`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find everything that could go wrong with a model file.",
    discussion: """
      Damage, unsafe code, layers that cannot be run, weights that are missing, NaN or dead, and what other versions of Keras refuse \
      or change. Exit codes: 0 no errors (there may be warnings); 1 there are errors, or the file is no model.
      Example: h5conv check model.h5
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "file")) var file: String
  @OptionGroup var source: ArchitectureArguments
  @Flag(help: "Say nothing; the exit code tells.") var quiet = false
  @Flag(help: "Write JSON to stdout.") var json = false

  func run() throws {
    nowWorking(on: file)
    let check = try ModelCheck(contentsOf: file, architecture: source.architecture)
    if json || !quiet { try Terminal.print(json ? check.json : check.text) }
    if !check.isGood { throw ExitCode(1) }
  }
}
