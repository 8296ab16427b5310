import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv extract MODEL INPUT… -o OUT`.
struct ExtractCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract", abstract: "Write raw activations of the chosen layers to .npz, .h5 or .npy.",
    discussion: """
      INPUT is a PNG or JPEG, a folder of them, a .npy (batch first) or a .npz (one array per input, named after the input layers). \
      Results of several inputs are stacked along the batch; memory does not grow with their number.
      Example: h5conv extract model.h5 photos/ -l 'block?_conv*' -o activations.npz
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @OptionGroup var source: ArchitectureArguments
  @Argument(help: ArgumentHelp("Pictures, folders or arrays.", valueName: "input")) var inputs: [String]
  @OptionGroup var layers: LayerArguments
  @Option(name: .shortAndLong, help: ArgumentHelp("The result: .npz, .h5 or .npy.", valueName: "file")) var output:
    String
  @OptionGroup var image: ImageArguments
  @OptionGroup var sample: SampleArguments
  @OptionGroup var running: RunArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Replace an existing output.") var force = false
  @Flag(help: "Write what was made to stdout as JSON.") var json = false

  var job: Job {
    Job(file: model, inputs: [model] + source.files + inputs, output: .file(output), runsModel: true)
  }

  func work() throws {
    let (model, imageOptions) = try running.open(model, source, inputs, image)
    let items = try model.inputItems(inputs, sample: sample.sample, seed: sample.seed)
    let slice = try layers.slice(of: model)
    var told: String?
    Worker.progresses()
    let result = try slice.extract(items, to: output, imageOptions, threads: running.threads, replaces: force) {
      done, preprocess in
      Worker.progresses()
      if running.quiet { return }
      if told != preprocess {
        Terminal.endProgress()
        Terminal.note("preprocess: \(preprocess)")
        told = preprocess
      }
      if items.count > 1 { Terminal.progress("\(done) of \(items.count)") }
    }
    Terminal.endProgress()
    try running.report(model)
    if json { return try Terminal.print(result.json) }
    if !running.quiet { Terminal.note("\(output): \(result.arrays.count) arrays for \(result.inputCount) inputs") }
  }
}
