import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv slice MODEL --outputs a,b -o SUB.h5`.
struct SliceCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "slice", abstract: "Cut a multi-output sub-model out of a model, as a file that Keras loads.",
    discussion: """
      The outputs are layers by name, glob (block?_conv*), type:Conv2D, #3 or #2..5 (execution order), !pattern, outer/inner for a \
      layer in a nested model, which is dissolved then. Layers and weights that they do not need are gone.
      Example: h5conv slice vgg16.h5 --outputs 'block?_conv*' -o taps.h5
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @OptionGroup var source: ArchitectureArguments
  @Option(name: .customLong("outputs"), help: ArgumentHelp("Layers that become the outputs.", valueName: "pattern,…"))
  var outputs: [String] = []
  @Option(name: .shortAndLong, help: ArgumentHelp("The same, as other commands call it.", valueName: "pattern,…"))
  var layers: [String] = []
  @Option(help: ArgumentHelp("Begin at these layers: what goes into them becomes the input.", valueName: "layer,…"))
  var from: [String] = []
  @Option(help: ArgumentHelp("Put this before the names of the layers.", valueName: "text")) var prefix = ""
  @Option(name: .shortAndLong, help: ArgumentHelp("The file that is written.", valueName: "file")) var output: String
  @OptionGroup var storage: StorageArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Replace an existing output.") var force = false
  @Flag(help: "Print nothing but errors.") var quiet = false

  var job: Job { Job(file: model, inputs: [model] + source.files, output: .file(output)) }

  func work() throws {
    var conversion = try storage.options()
    conversion.replaces = force
    var options = SliceOptions()
    options.from = SliceCommand.split(from)
    options.prefix = prefix
    let patterns = SliceCommand.split(outputs + layers)
    let model = try Model(contentsOf: model, architecture: source.architecture)
    Worker.keep(model)
    // A tail without named outputs ends where the model does.
    let wanted = patterns.isEmpty && !from.isEmpty ? ["@outputs"] : patterns
    let result = try model.writeSlice(outputs: wanted, to: output, options, conversion)
    if !quiet { result.tell() }
  }

  private static func split(_ lists: [String]) -> [String] {
    lists.flatMap { $0.split(separator: ",").map(String.init) }
  }
}
