import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv inspect FILE`.
struct InspectCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what is in a model file: layers, shapes, parameters, origin, warnings.",
    discussion: """
      The numbers before the layers are their places in execution order, by which --layers '#3' and file names count.
      Example: h5conv inspect model.h5 --columns all --graph model.svg
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "file")) var file: String
  @OptionGroup var source: ArchitectureArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Add a table of every weight: shape, type, min, max, mean, std, zeros, NaN and Inf.") var weights = false
  @Flag(help: "Show the HDF5 tree instead: groups, datasets, attributes, of any HDF5 file.") var tree = false
  @Option(
    help: ArgumentHelp(
      "Further columns: macs, receptive-field, stride, memory, several between commas, or all.", valueName: "names"))
  var columns: String?
  @Option(
    help: ArgumentHelp(
      "Write the architecture as a picture (.svg), for Graphviz (.dot) or for Mermaid (.mmd).", valueName: "file"))
  var graph: String?
  @Flag(help: "Replace an existing file of --graph.") var force = false
  @Flag(help: "Write JSON to stdout.") var json = false

  func validate() throws {
    if tree, weights || json || columns != nil || graph != nil { throw ValidationError("--tree goes alone") }
  }

  var job: Job {
    get throws {
      _ = try graph.map { try GraphFormat(ofFileAt: $0) }
      return Job(file: file, inputs: [file] + source.files, output: graph.map { .file($0) } ?? .none)
    }
  }

  func work() throws {
    if tree { return try Terminal.print(try HDF5Tree.text(ofFileAt: file)) }
    let inspection = try Inspection(contentsOf: file, architecture: source.architecture)
    Worker.keep(inspection)
    let columns = try columns.map { try [LayerColumn](parsing: $0) } ?? []
    if let graph { try inspection.writeGraph(to: graph, replaces: force) }
    try Terminal.print(
      json
        ? try inspection.json(weights: weights, columns: columns)
        : try inspection.text(weights: weights, columns: columns))
  }
}
