import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv inspect FILE`.
struct InspectCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what is in a model file: layers, shapes, parameters, origin, warnings.",
    discussion: """
      The numbers before the layers are their places in execution order, by which --layers '#3' and file names count.
      Example: h5conv inspect model.h5 --weights
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "file")) var file: String
  @OptionGroup var source: ArchitectureArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Add a table of every weight: shape, type, min, max, mean, std, zeros, NaN and Inf.") var weights = false
  @Flag(help: "Show the HDF5 tree instead: groups, datasets, attributes, of any HDF5 file.") var tree = false
  @Flag(help: "Write JSON to stdout.") var json = false

  func validate() throws {
    if tree, weights || json { throw ValidationError("--tree goes alone") }
  }

  var job: Job { Job(file: file, inputs: [file] + source.files) }

  func work() throws {
    if tree { return try Terminal.print(try HDF5Tree.text(ofFileAt: file)) }
    let inspection = try Inspection(contentsOf: file, architecture: source.architecture)
    try Terminal.print(json ? try inspection.json(weights: weights) : try inspection.text(weights: weights))
  }
}
