import ArgumentParser
import H5Conv
import H5ConvFiles
import H5ConvSupervisor

/// The command `h5conv viz MODEL IMAGE…`.
struct VizCommand: SupervisedCommand {
  static let configuration = CommandConfiguration(
    commandName: "viz", abstract: "Show what every convolution sees in a picture.",
    discussion: """
      Makes a folder with report.html, one offline page in which every channel can be looked at, two PNG per layer with one activation \
      as whole pixels, an index.html of these and a manifest.json for programs. With -o FILE.html it makes the page only, of several \
      pictures a page that compares them; with --compare, of several models.
      Example: h5conv viz model.h5 cat.jpg -l 'block?_conv*' -o cat.html
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @OptionGroup var source: ArchitectureArguments
  @Argument(help: ArgumentHelp("Pictures, folders or arrays.", valueName: "image")) var inputs: [String]
  @OptionGroup var layers: LayerArguments
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The folder of results; viz-MODEL-IMAGE by default. Of several images: a folder of such. FILE.html: the page only.",
      valueName: "path"))
  var output: String?
  @Option(help: ArgumentHelp("strip (all channels side by side), grid (rows), or both.", valueName: "style"))
  var style = "both"
  @Option(
    help: ArgumentHelp(
      "png, svg and pdf (figures for papers), apng (one animation through the layers); several with commas.",
      valueName: "format"))
  var format = "png"
  @Option(
    help: ArgumentHelp("zscore (the tutorial's), channel, layer, signed, robust or raw:LO,HI.", valueName: "scale"))
  var scale = "zscore"
  @Option(
    name: [.short, .customLong("colormap")],
    help: ArgumentHelp(
      "A colour map for every picture: \(FigureOptions.colorMaps.joined(separator: ", ")).", valueName: "name"))
  var colorMap: String?
  @OptionGroup var channels: ChannelArguments
  @Option(help: ArgumentHelp("Channels in a row of a grid.", valueName: "n")) var columns = 16
  @Option(help: ArgumentHelp("Pixels along each side of an activation.", valueName: "n")) var cell = 1
  @Option(help: ArgumentHelp("Width of the lines between channels, in pixels.", valueName: "n")) var gap = 1
  @Option(help: ArgumentHelp("Resolution that the files state.", valueName: "n")) var dpi = 300
  @Option(
    help: ArgumentHelp(
      "Size that a page may have (25M); large maps become thumbnails until it fits, and the page says so.",
      valueName: "size"))
  var maxHTML = "25M"
  @Option(help: ArgumentHelp("Names of the classes for the page: one per line, or JSON.", valueName: "file"))
  var labels: String?
  @Option(help: ArgumentHelp("How many classes the page names; 0 for none.", valueName: "n")) var top: Int?
  @Flag(help: "The network ends in logits: the page shows probabilities.") var softmax = false
  @Option(
    help: ArgumentHelp(
      "Draw which places count for a class: \(ExplanationOptions.methods.joined(separator: ", ")), with commas, or all; a CAM of other layers "
        + "than the last convolution as gradcam:LAYER. In the page, and as pictures in the folder.",
      valueName: "method"))
  var explain: String?
  @Flag(
    help: "Draw the layers' kernels too: over red, green and blue as colours, deeper as a matrix of input and output.")
  var kernels = false
  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("The class to explain: its number, its name in --labels, or top.", valueName: "class"))
  var target: String?
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "A further model: in the page its layers stand beside this one's, on a shared scale and as the difference.",
      valueName: "model"))
  var compare: [String] = []
  @Option(
    help: ArgumentHelp(
      "Show the strongest channels of each layer in the terminal too: kitty, iterm2, sixel, halfblocks, auto, none. By default auto without "
        + "-o. Never where stdout is no terminal, with --quiet or --json; NO_COLOR turns auto off.",
      valueName: "kind"))
  var terminal: String?
  @OptionGroup var image: ImageArguments
  @OptionGroup var sample: SampleArguments
  @OptionGroup var running: RunArguments
  @OptionGroup var supervision: SupervisionArguments
  @Flag(help: "Write into an existing folder, replacing files of the same names.") var force = false
  @Flag(help: "Write the manifest to stdout instead of the table.") var json = false

  var job: Job {
    Job(
      file: model, inputs: [model] + source.files + compare + inputs + (labels.map { [$0] } ?? []),
      output: output.map { isPage ? .file($0) : .folder($0) } ?? .folders(beginning: ResultFolders.defaultPrefix),
      runsModel: true)
  }

  func work() throws {
    let path = model
    let report = try report
    let opened = try opened(path, report)
    let model = opened.model
    var visualizer = opened.visualizer
    let items = try model.inputItems(inputs, sample: sample.sample, seed: sample.seed)
    visualizer.keepsWeights = items.count > 1
    visualizer.compared = try compare.map { try self.opened($0, report).visualizer }
    for other in visualizer.compared.indices { visualizer.compared[other].keepsWeights = items.count > 1 }
    visualizer.drawsKernels = kernels
    if isPage, let output { return try writePage(visualizer, items, to: output) }
    var manifests: [String] = []
    let (figures, folders) = (try figures, ResultFolders(model: path, output: output, items: items))
    for (place, item) in items.enumerated() {
      Worker.progresses()
      if !running.quiet, items.count > 1 { Terminal.progress("\(place + 1) of \(items.count): \(item.path)") }
      let results = try visualizer.makeFolders(item, figures: figures, replaces: force, progress: Worker.progresses) {
        example, count in
        try folders.folder(item: place, example: example, of: count)
      }
      Terminal.endProgress()
      for result in results {
        if !running.quiet { Terminal.note("preprocess: \(result.preprocess)") }
        for picture in result.terminalPictures { try Terminal.print(picture) }
        if json { manifests.append(result.manifest) } else { try Terminal.print(result.table) }
        if !running.quiet {
          for note in result.notes { Terminal.note("note: \(note)") }
          Terminal.note(
            "\(result.folder): \(result.pictureCount) pictures; open report.html to look into every channel")
        }
      }
    }
    try running.report(model)
    // One manifest as it is; of several images a list of them.
    if json { try Terminal.print(manifests.count == 1 ? manifests[0] : "[\(manifests.joined(separator: ","))]") }
  }

  /// Opens a model, and prepares to show its layers.
  private func opened(_ path: String, _ report: ReportOptions) throws -> (model: Model, visualizer: Visualizer) {
    let (model, imageOptions) = try running.open(path, source, inputs, image)
    let slice = try layers.slice(of: model)
    var visualizer = Visualizer(slice, image: imageOptions, report: report, threads: running.threads)
    if let explain {
      visualizer.explanations = try ExplanationOptions.list(
        explain, class: target ?? "top", labels: report.labels, for: model)
    }
    return (model, visualizer)
  }

  /// Whether only the page is wanted.
  private var isPage: Bool { output?.lowercased().hasSuffix(".html") ?? false }

  private func writePage(_ visualizer: Visualizer, _ items: [InputItem], to output: String) throws {
    let page = try visualizer.makeReport(items) { done in
      Worker.progresses()
      if !running.quiet, items.count > 1 { Terminal.progress("\(done) of \(items.count)") }
    }
    Terminal.endProgress()
    try page.write(to: output, replaces: force)
    guard !running.quiet else { return }
    for preprocess in page.preprocess { Terminal.note("preprocess: \(preprocess)") }
    for note in page.notes { Terminal.note("note: \(note)") }
    Terminal.note("\(output): written; open it in a browser")
  }

  func validate() throws {
    if let output, [".png", ".npz", ".h5"].contains(where: output.hasSuffix) {
      throw ValidationError("viz writes a folder or a page (.html); \(output) looks like another file")
    }
    if isPage, json { throw ValidationError("--json is about a folder of pictures; the page holds its own data") }
    if isPage, kernels {
      throw ValidationError("--kernels makes pictures in a folder; \(output ?? "") is a page: give a folder with -o")
    }
    if isPage, terminal != nil {
      throw ValidationError("--terminal is about a folder of pictures; \(output ?? "") is a page")
    }
    if target != nil, explain == nil { throw ValidationError("--class is about --explain: give a method too") }
    if let top, top < 0 { throw ValidationError("--top must not be negative") }
    _ = try byteCount(maxHTML, option: "--max-html", atLeast: 100_000)
  }

  private var report: ReportOptions {
    get throws {
      var report = ReportOptions()
      report.maxBytes = try byteCount(maxHTML, option: "--max-html", atLeast: 100_000)
      report.labels = try labels.map { try readLabels($0) } ?? []
      report.top = top ?? 5
      report.softmax = softmax
      report.scores = top == 0 ? false : labels != nil || top != nil || softmax ? true : nil
      report.command = CommandText.typed
      return report
    }
  }

  private var figures: FigureOptions {
    get throws {
      var figures = FigureOptions()
      figures.styles = style == "both" ? ["strip", "grid"] : style.split(separator: ",").map(String.init)
      figures.formats = format.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      figures.scale = scale
      figures.colorMap = colorMap
      (figures.columns, figures.cell, figures.gap, figures.dpi) = (columns, cell, gap, dpi)
      (figures.channels, figures.by) = (channels.topChannels, channels.by)
      // Names that are wrong are so everywhere.
      let display = try Terminal.display(terminal ?? (output == nil ? "auto" : "none"))
      figures.terminal = running.quiet || json ? nil : display
      return figures
    }
  }
}

/// Where the results of each image go.
private struct ResultFolders {
  /// What the names of folders begin with that the user gave no name.
  static let defaultPrefix = "viz-"

  private let names: [String]
  private let output: String?
  private let isSingle: Bool

  init(model: String, output: String?, items: [InputItem]) {
    self.output = output
    isSingle = items.count == 1
    var used: [String: Int] = [:]
    names = items.map { item in
      let stem = item.path.stem
      let count = used[stem, default: 0]
      used[stem] = count + 1
      let name = count == 0 ? stem : "\(stem)-\(count + 1)"
      return output == nil ? "\(ResultFolders.defaultPrefix)\(model.stem)-\(name)" : name
    }
  }

  /// The folder for one example of an item; the folder around it is made.
  func folder(item: Int, example: Int, of count: Int) throws -> String {
    let suffix = count > 1 ? "-\(example)" : ""
    guard let output else { return names[item] + suffix }
    if isSingle, count == 1 { return output }
    try makeOutputFolder(output)
    return "\(output)/\(names[item])\(suffix)"
  }
}

extension String {
  /// The last component of a path without its ending, with characters that are unsafe in a file name replaced.
  var stem: String {
    let name = split(separator: "/").last.map(String.init) ?? self
    let base = name.lastIndex(of: ".").flatMap { $0 == name.startIndex ? nil : String(name[..<$0]) } ?? name
    return String(base.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
  }
}
