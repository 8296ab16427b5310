import ArgumentParser
import Glibc
import H5Conv

/// The program `h5conv`.
@main
struct H5ConvCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "h5conv",
    abstract: "Open Keras model files without Python: look inside, see what every convolution sees, run them.",
    discussion: """
      Exit codes: 0 good; 1 the answer is no (diff, check); 2 diff cannot tell; 64 wrong usage or unknown layer; 65 the file is damaged or not a model; 66 cannot be read; 69 a layer \
      or feature that is not supported; 70 internal error; 73 cannot write; 74 input/output error; 75 a limit was hit.
      """,
    version: "h5conv \(H5Conv.version)",
    subcommands: [
      InspectCommand.self, VizCommand.self, TopCommand.self, PredictCommand.self, ExtractCommand.self,
      SliceCommand.self,
      ConvertCommand.self, DiffCommand.self, CheckCommand.self,
    ])

  static func main() {
    signal(SIGPIPE, SIG_DFL)
    Glibc._exit(
      code {
        var command = try parseAsRoot()
        try command.run()
      })
  }

  /// The exit code that `body` ends with; an error is told in one line.
  static func code(_ body: () throws -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch let error as H5ConvError {
      Terminal.complain(error)
      return error.kind.rawValue
    } catch {
      let code = exitCode(for: error)
      // Only a number: who threw it has said why.
      if error is ExitCode { return code.rawValue }
      // Help and version are answers; anything else is one line like every other error.
      guard code != .success, code.rawValue == H5ConvError.Kind.usage.rawValue else { exit(withError: error) }
      Terminal.complain(H5ConvError(.usage, message(for: error), remedy: "see 'h5conv --help'"))
      return code.rawValue
    }
  }
}
