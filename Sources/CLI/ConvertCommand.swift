import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv convert IN OUT`.
struct ConvertCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Bring a model into another kind of file, or an old one into a form that Keras 3 reads.",
    discussion: """
      The kind is told by the name of OUT: .h5, .weights.h5, .keras, .npz (weights by path), .safetensors. What Keras 3 refuses in \
      files of Keras 1 and 2 is translated so that the model computes the same numbers; what was changed is printed. Weights keep \
      their bits unless --dtype is given.
      Example: h5conv convert old.h5 new.keras
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "in")) var input: String
  @Argument(help: ArgumentHelp("The file that is written.", valueName: "out")) var output: String
  @OptionGroup var source: ArchitectureArguments
  @OptionGroup var storage: StorageArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Replace an existing output.") var force = false
  @Flag(help: "Print nothing but errors.") var quiet = false

  var job: Job { Job(file: input, inputs: [input] + source.files, output: .file(output)) }

  func work() throws {
    var options = try storage.options()
    options.replaces = force
    let result = try convertModel(at: input, architecture: source.architecture, to: output, options)
    if !quiet { result.tell() }
  }
}

/// Options of every command that writes a model.
struct StorageArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The kind of file, whatever its name: \(ModelFormat.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "format"))
  var to: String?

  @Option(help: ArgumentHelp("Type of floating-point weights: float32, float16 or bfloat16.", valueName: "type"))
  var dtype: String?

  @Option(help: ArgumentHelp("Compress HDF5 datasets: gzip, or gzip:LEVEL from 1 to 9.", valueName: "method"))
  var compress: String?

  func options() throws -> ConversionOptions {
    var options = ConversionOptions()
    if let to {
      guard let format = ModelFormat(rawValue: to) else {
        throw H5ConvError(
          .usage, "--to \(to) is no kind of file",
          remedy: "give one of \(ModelFormat.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      options.format = format
    }
    options.dtype = dtype
    if let compress {
      let parts = compress.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.first == "gzip", parts.count <= 2, let level = parts.count == 2 ? Int(parts[1]) : 4 else {
        throw H5ConvError(.usage, "--compress \(compress) is not gzip or gzip:LEVEL")
      }
      options.gzip = level
    }
    return options
  }
}

extension ConversionResult {
  /// Says on stderr what was written, changed and left out.
  func tell() {
    for change in changes { Terminal.note("changed: \(change)") }
    for warning in warnings { Terminal.note("warning: \(warning)") }
    Terminal.note("\(path): written as \(format.rawValue)")
  }
}
