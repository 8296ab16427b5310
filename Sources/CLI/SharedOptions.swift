import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// Options of every command that turns pictures into inputs.
struct ImageArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How pixels become numbers: auto, none (0…255), rescale (x/255), tf (x/127.5−1), caffe, torch, mean:R,G,B,std:R,G,B.",
      valueName: "mode"))
  var preprocess = "auto"

  @Option(help: ArgumentHelp("How a picture is fitted: stretch, crop or pad.", valueName: "mode"))
  var resize = "stretch"

  @Option(
    help: ArgumentHelp("nearest (as Keras), bilinear, bicubic or lanczos, with Pillow's numerics.", valueName: "filter")
  )
  var interpolation = "nearest"

  @Option(help: ArgumentHelp("Picture size for a network that takes any: WIDTHxHEIGHT.", valueName: "WxH"))
  var size: String?

  func options() throws -> ImageOptions {
    var options = ImageOptions()
    options.preprocess = preprocess
    options.resize = resize
    options.interpolation = interpolation
    if let size {
      let parts = size.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let width = parts[0], let height = parts[1], (1...65535).contains(width),
        (1...65535).contains(height)
      else { throw H5ConvError(.usage, "--size \(size) is not WIDTHxHEIGHT") }
      options.size = (width, height)
    }
    return options
  }
}

/// Options of every command that picks from a folder.
struct SampleArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Pick this many of a folder's pictures at random.", valueName: "n"))
  var sample: Int?

  @Option(help: ArgumentHelp("Begins the random choice of --sample.", valueName: "number"))
  var seed: UInt64 = 0

  func validate() throws {
    if let sample, sample < 1 { throw ValidationError("--sample must be at least 1") }
  }
}

/// Options of every command that runs a model.
struct RunArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Number of threads; one per processor by default.", valueName: "n"))
  var threads: Int?

  @Flag(
    help: """
      Compute every layer as it stands: nothing that reorders arithmetic for speed. (Batch normalizations are not multiplied \
      into the kernels of the convolutions before them, and no convolution is computed by Winograd's algorithm.)
      """)
  var exact = false

  @Flag(help: "Print the time of each operation to stderr, with its speed and what part of this machine's that is.")
  var profile = false

  @Flag(help: "Say nothing but results and errors.")
  var quiet = false

  /// Opens the model at `path` as the options want it run, and decodes the picture of `inputs` where there is but one.
  func open(
    _ path: String, _ source: ArchitectureArguments, _ inputs: [String], _ image: ImageArguments
  ) throws -> (model: Model, image: ImageOptions) {
    var options = try image.options()
    var (model, decoded) = try Model.open(path, architecture: source.architecture, decoding: inputs, threads: threads)
    options.decoded = decoded
    model.isExact = exact
    if profile { model.profile = Profile() }
    Worker.keep(model)
    return (model, options)
  }

  /// Prints the profile that `model` has got.
  func report(_ model: Model) throws {
    guard let profile = model.profile else { return }
    for line in try profile.text().split(separator: "\n") { Terminal.note(String(line)) }
  }

  func validate() throws {
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be between 1 and 64") }
  }
}

/// Options of every command that chooses layers.
struct LayerArguments: ParsableArguments {
  @Option(
    name: .shortAndLong, parsing: .singleValue,
    help: ArgumentHelp(
      """
      Layers: a name, a glob (block?_conv*), type:Conv2D, #3 or #2..5 (execution order, from 0), !excluded, @outputs, * (all but \
      inputs); separated by commas or repeated. Default: the convolution layers.
      """, valueName: "pattern"))
  var layers: [String] = []

  @Option(
    help: ArgumentHelp(
      "pre or post: before or after the activation at a layer's end (of a Conv2D with activation=\"relu\": the sums, or what relu leaves).",
      valueName: "side"))
  var at = ActivationSide.post

  /// The part of `model` that computes the chosen layers.
  func slice(of model: Model) throws -> SubModel {
    try model.slice(outputs: patterns(for: model), at: at == .pre ? .pre : .post)
  }

  /// The patterns; a value that is itself the name of a layer is not split at its commas.
  private func patterns(for model: Model) -> [String] {
    let names = Set(model.outputNames)
    return layers.flatMap { names.contains($0) ? [$0] : $0.split(separator: ",").map(String.init) }
  }
}

/// Options of every command that shows some of a layer's channels.
struct ChannelArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Only so many channels of each layer, the strongest first.", valueName: "n"))
  var topChannels: Int?

  @Option(
    help: ArgumentHelp("What makes a channel strong: max (its greatest activation) or mean.", valueName: "measure"))
  var by = "max"

  func validate() throws {
    if let topChannels, topChannels < 1 { throw ValidationError("--top-channels must be at least 1") }
  }
}

/// The values of `--at`.
enum ActivationSide: String, ExpressibleByArgument, CaseIterable {
  case pre, post
}

/// The option of every command that opens a model.
struct ArchitectureArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("The architecture of a weights-only file: model.to_json()'s text, or an .h5.", valueName: "file")
  )
  var architecture: String?

  /// The files that it names.
  var files: [String] { architecture.map { [$0] } ?? [] }
}
