import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvInference
import H5ConvVisualization

/// Shows what the layers of a sub-model see: as folders of pictures, or as one page.
///
/// The weights are read once for all pictures.
public struct Visualizer: Sendable {
  let subModel: SubModel
  let image: ImageOptions
  let report: ReportOptions
  let threads: Int?
  let scores: NetworkScores
  /// The sub-model with the scores as further outputs.
  let running: SubModel
  /// How it is found out which places count for a class, to be shown with the feature maps.
  public var explanations: [ExplanationOptions] = []
  /// Further models, whose layers stand beside this one's in the page: the same pictures on a shared scale, and the difference.
  ///
  /// What they are to draw in folders is not looked at.
  public var compared: [Visualizer] = []
  /// Whether the weights that were read stay in memory for the next picture.
  public var keepsWeights = true
  /// Whether the kernels of the layers are drawn too, in folders of pictures.
  public var drawsKernels = false

  /// - Parameters:
  ///   - subModel: the layers to show.
  ///   - image: how a picture becomes an input.
  ///   - report: what the page tells.
  ///   - threads: number of threads; nil for one per processor.
  public init(
    _ subModel: SubModel, image: ImageOptions = ImageOptions(), report: ReportOptions = ReportOptions(),
    threads: Int? = nil
  ) {
    self.subModel = subModel
    self.image = image
    self.report = report
    self.threads = threads
    scores = NetworkScores(subModel, isWanted: report.scores)
    running = scores.taps.isEmpty ? subModel : SubModel(subModel.model, subModel.taps + scores.taps)
  }

  /// Runs the layers on each image of `item` and makes a folder for it: pictures, `report.html`, `index.html` and `manifest.json`.
  ///
  /// - Parameters:
  ///   - item: what to run on, from ``Model/inputItems(_:sample:seed:)``.
  ///   - figures: how feature maps become pictures.
  ///   - replaces: whether files in an existing folder may be replaced.
  ///   - progress: is told before each explanation, some of which take a while.
  ///   - folder: where they go, given the number of the example in `item` and how many there are; asked when they are computed.
  /// - Throws: `H5ConvError`: `usage` for options or layers that cannot be drawn, `cannotWrite`, `limit` for a page that is too large,
  ///   and what running throws.
  public func makeFolders(
    _ item: InputItem, figures: FigureOptions = FigureOptions(), replaces: Bool = false, progress: () -> Void = {},
    folder: (_ example: Int, _ count: Int) throws -> String
  ) throws -> [VisualizationResult] {
    let (styles, options) = try figures.resolved()
    let run = try VisualizerRun(item, of: self)
    let others = try compared.map { try VisualizerRun(item, of: $0) }
    let kernels = drawsKernels ? try kernelPictures(dpi: figures.dpi) : []
    return try (0..<run.count).map { example in
      let output = try OutputFolder(try folder(example, run.count), replaces: replaces)
      let drawn = try renderWithBytes(
        try run.maps(of: example), styles: styles, options: options, wantsBytes: true, threads: Threads(threads).count)
      let layers = drawn.map(\.layer)
      var builder: ReportBuilder?
      let explanations = try add(
        run, others, example, bytes: drawn.compactMap(\.bytes), to: &builder, progress: progress)
      let explained =
        try run.picture.map { try draw(explanations, over: $0, dpi: figures.dpi, options.colorMap) } ?? []
      let animation =
        options.formats.contains(.apng) ? try Animation(layers, picture: run.picture, options: options) : nil
      let manifest = Manifest(
        model: subModel.model.path, image: run.name(of: example), preprocess: run.preprocess,
        inputHeight: run.height, inputWidth: run.width, h5convVersion: version, layers: layers,
        explanations: explained, kernels: kernels, animation: animation)
      let page = try builder.map { try pageIfSmall($0.report) } ?? (html: [], notes: [])
      for picture in layers.flatMap(\.pictures) { try output.write(picture.fileName, picture.png) }
      for figure in layers.flatMap(\.figures) { try output.write(figure.fileName, figure.bytes) }
      if let animation { try output.write(Animation.fileName, animation.bytes) }
      for kernel in kernels { try output.write(kernel.fileName, kernel.png) }
      for picture in explained { try output.write(picture.fileName, picture.png) }
      try output.write("manifest.json", Array(manifest.json.utf8))
      try output.write("index.html", Array(ContactSheet(manifest, hasReport: !page.html.isEmpty).html.utf8))
      if !page.html.isEmpty { try output.write("report.html", page.html) }
      try output.commit()
      return VisualizationResult(
        folder: output.path, preprocess: run.preprocess, table: StatisticsTable.text(layers), manifest: manifest.json,
        pictureCount: layers.reduce(explained.count + kernels.count + (animation == nil ? 0 : 1)) {
          $0 + $1.pictures.count + $1.figures.count
        },
        notes: page.notes + (builder?.notes ?? [])
          + explanationNotes(explanations, ofArray: run.picture == nil),
        terminalPictures: layers.compactMap(\.terminalText))
    }
  }

  /// Adds one example to a page, as this model and those it is compared with see it; gives this one's explanations.
  ///
  /// - Parameter bytes: this model's maps in 8 bits, where they were made already.
  private func add(
    _ run: VisualizerRun, _ others: [VisualizerRun], _ example: Int, bytes: [ByteMaps]? = nil,
    to builder: inout ReportBuilder?, progress: () -> Void
  ) throws -> [ExplanationMap] {
    let (visualizers, runs) = ([self] + compared, [run] + others)
    let maps = try runs.map { try $0.maps(of: example) }
    var current =
      try builder
      ?? ReportBuilder(
        runs.indices.map {
          ReportBuilder.Part(subModel: visualizers[$0].subModel, inputShapes: runs[$0].inputShapes, maps: maps[$0])
        }, report, threads: Threads(threads).count)
    var explained: [[ExplanationMap]] = []
    for (model, run) in runs.enumerated() {
      explained.append(try visualizers[model].explain(run, example: example, progress: progress))
      let own = model == 0 ? bytes : nil
      current.add(
        try run.forReport(example, explanations: explained[model], model: model),
        try own ?? concurrentMap(maps[model], threads: Threads(threads).count) { ByteMaps($0) })
    }
    builder = current
    return explained[0]
  }

  private func explanationNotes(_ maps: [ExplanationMap], ofArray isArray: Bool = false) -> [String] {
    let missing = isArray && !maps.isEmpty ? ["there are no explain_….png: an array is no picture to draw over"] : []
    return missing + maps.flatMap { map in map.notes.map { "\(map.name): \($0)" } }
  }

  /// The page; empty, with a note, when it would be too large: the pictures are worth having without it.
  private func pageIfSmall(_ data: Report) throws -> (html: [UInt8], notes: [String]) {
    do {
      let page = try data.page(maxBytes: report.maxBytes, threads: Threads(threads).count)
      return (page.html, page.notes)
    } catch let error as H5ConvError where error.kind == .limit {
      return ([], ["there is no report.html: \(error.what); \(error.remedy ?? "")"])
    }
  }

  /// Runs the layers on all of `items` and makes one page of them.
  ///
  /// - Parameter progress: is told how many items are done, also before each explanation.
  /// - Throws: `H5ConvError` as ``makeFolders(_:figures:replaces:folder:)``.
  public func makeReport(_ items: [InputItem], progress: (Int) -> Void = { _ in }) throws -> ReportPage {
    var builder: ReportBuilder?
    var (notes, told) = ([String](), [String]())
    for (place, item) in items.enumerated() {
      let run = try VisualizerRun(item, of: self)
      let others = try compared.map { try VisualizerRun(item, of: $0) }
      for example in 0..<run.count {
        let explanations = try add(run, others, example, to: &builder) { progress(place) }
        for note in explanationNotes(explanations) where !told.contains(note) { told.append(note) }
      }
      for run in [run] + others where !notes.contains(run.preprocess) { notes.append(run.preprocess) }
      progress(place + 1)
    }
    guard let builder else { throw H5ConvError(.usage, "there are no pictures to show") }
    let page = try builder.report.page(maxBytes: report.maxBytes, threads: Threads(threads).count)
    return ReportPage(html: page.html, notes: page.notes + builder.notes + told, preprocess: notes)
  }
}
