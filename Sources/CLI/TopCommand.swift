import ArgumentParser
import H5Conv
import H5ConvSupervisor

/// The command `h5conv top MODEL IMAGE…`.
struct TopCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Find the pictures of a folder that activate each channel most.",
    discussion: """
      Makes a folder with two sheets for each layer: the patches that each channel's strongest places see, and the whole pictures with \
      these framed; top.json tells which they are. Memory does not grow with the number of pictures.
      Example: h5conv top model.h5 photos/ -l block3_conv1 -k 9
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @OptionGroup var source: ArchitectureArguments
  @Argument(help: ArgumentHelp("Folders of pictures, or pictures.", valueName: "image")) var inputs: [String]
  @OptionGroup var layers: LayerArguments
  @Option(name: [.short, .long], help: ArgumentHelp("The folder of results; top-MODEL by default.", valueName: "path"))
  var output: String?
  @Option(
    name: [.customShort("k"), .long], help: ArgumentHelp("Pictures for each channel.", valueName: "n")) var count = 9
  @OptionGroup var channels: ChannelArguments
  @Option(
    help: ArgumentHelp(
      "patches (what the strongest place sees), pictures (the whole, with that framed), or both.", valueName: "style"))
  var style = "both"
  @Option(help: ArgumentHelp("Side of a picture in the sheets, in pixels.", valueName: "n")) var tile = 48
  @Option(help: ArgumentHelp("Channels in a row of a sheet.", valueName: "n")) var columns = 8
  @OptionGroup var image: ImageArguments
  @OptionGroup var sample: SampleArguments
  @OptionGroup var running: RunArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Write into an existing folder, replacing files of the same names.") var force = false
  @Flag(help: "Write top.json to stdout too, instead of the table.") var json = false

  var job: Job {
    Job(
      file: model, inputs: [model] + source.files + inputs,
      output: output.map { .folder($0) } ?? .folders(beginning: "top-"), runsModel: true)
  }

  func work() throws {
    let path = model
    let (model, imageOptions) = try running.open(path, source, inputs, image)
    let items = try model.inputItems(inputs, sample: sample.sample, seed: sample.seed)
    let slice = try layers.slice(of: model)
    var options = TopOptions()
    (options.count, options.by, options.channels) = (count, channels.by, channels.topChannels)
    var sheets = TopSheetOptions()
    sheets.styles = style == "both" ? ["patches", "pictures"] : style.split(separator: ",").map(String.init)
    (sheets.tile, sheets.columns) = (tile, columns)
    Worker.progresses()
    let top = try slice.findTop(items, options, image: imageOptions, threads: running.threads) { done in
      Worker.progresses()
      if !running.quiet, items.count > 1 { Terminal.progress("\(done) of \(items.count)") }
    }
    Terminal.endProgress()
    if !running.quiet { for preprocess in top.preprocess { Terminal.note("preprocess: \(preprocess)") } }
    let result = try top.writeSheets(
      to: output ?? "top-\(path.stem)", sheets, replaces: force, progress: Worker.progresses)
    try running.report(model)
    try Terminal.print(json ? result.json : result.table)
    if !running.quiet { Terminal.note("\(result.folder): \(result.sheetCount) sheets and top.json") }
  }

  func validate() throws {
    if let output, [".png", ".html", ".json"].contains(where: output.hasSuffix) {
      throw ValidationError("top writes a folder; \(output) looks like a file")
    }
  }
}
