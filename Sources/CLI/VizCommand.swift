import ArgumentParser
import H5Conv

struct VizCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "viz")
  func run() throws {}
}
