import ArgumentParser
import H5Conv

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "inspect")
  func run() throws {}
}
