import ArgumentParser
import H5Conv

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "predict")
  func run() throws {}
}
