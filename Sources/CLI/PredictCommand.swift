import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv predict MODEL INPUT…`.
struct PredictCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Run a network on pictures and print the best classes.",
    discussion: """
      Scores are what the network gives. When it ends in logits, say so with --softmax to get probabilities.
      Example: h5conv predict model.h5 cat.jpg --labels labels.txt --top 3
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @OptionGroup var source: ArchitectureArguments
  @Argument(help: ArgumentHelp("Pictures, folders or arrays.", valueName: "input")) var inputs: [String]
  @Option(help: ArgumentHelp("Names of the classes: one per line, or JSON.", valueName: "file")) var labels: String?
  @Option(help: ArgumentHelp("How many classes to print.", valueName: "n")) var top = 5
  @Flag(help: "The network ends in logits: make them probabilities (one logit: by a sigmoid).") var softmax = false
  @OptionGroup var image: ImageArguments
  @OptionGroup var sample: SampleArguments
  @OptionGroup var running: RunArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Write JSON to stdout.") var json = false

  func validate() throws {
    if top < 1 { throw ValidationError("--top must be at least 1") }
  }

  var job: Job {
    Job(
      file: model, inputs: [model] + source.files + inputs + (labels.map { [$0] } ?? []), runsModel: true)
  }

  func work() throws {
    let (model, imageOptions) = try running.open(model, source, inputs, image)
    let names = try labels.map { try readLabels($0) } ?? []
    let items = try model.inputItems(inputs, sample: sample.sample, seed: sample.seed)
    Worker.progresses()
    let results = try model.predict(
      items, imageOptions, labels: names, top: top, softmax: softmax, threads: running.threads
    ) { done in
      Worker.progresses()
      if !running.quiet, items.count > 1 { Terminal.progress("\(done) of \(items.count)") }
    }
    Terminal.endProgress()
    try running.report(model)
    if !running.quiet {
      for note in results.map(\.preprocess).uniqued { Terminal.note("preprocess: \(note)") }
      if results.contains(where: \.looksLikeLogits) {
        Terminal.note("note: the scores are not probabilities; if they are logits, --softmax makes them so")
      }
    }
    try Terminal.print(json ? results.json : results.text)
  }
}

extension [String] {
  /// Each element once, where it first stands.
  var uniqued: [String] {
    var seen = Set<String>()
    return filter { seen.insert($0).inserted }
  }
}
