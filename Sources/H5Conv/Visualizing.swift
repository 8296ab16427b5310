import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvInference
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

/// How feature maps become pictures.
public struct FigureOptions: Sendable {
  /// `strip` (all channels side by side, plasma) and `grid` (rows of 16, viridis), or one of them.
  public var styles = ["strip", "grid"]
  /// `zscore` (the tutorial's), `channel`, `layer`, `signed`, `robust` or `raw:LO,HI`.
  public var scale = "zscore"
  /// A colour map for every picture; nil for each style's own.
  public var colorMap: String?
  /// Channels in a row of a grid.
  public var columns = 16
  /// Pixels along each side of an activation.
  public var cell = 1
  /// Width of the lines between channels, in pixels.
  public var gap = 1
  /// Resolution that the files state, in pixels per inch.
  public var dpi = 300

  /// Layers that are drawn at once; no network that is known has as many.
  fileprivate static let mostLayers = 4000

  /// The tutorial's two pictures.
  public init() {}

  fileprivate func resolved() throws -> (styles: [PictureStyle], options: PictureOptions) {
    var options = PictureOptions()
    options.scale = try Scale(parsing: scale)
    options.colorMap = try colorMap.map { try ColorMap.named($0) }
    (options.columns, options.cell, options.gap, options.dpi) = (columns, cell, gap, dpi)
    let styles = try styles.map { name in
      guard let style = PictureStyle(rawValue: name) else {
        throw H5ConvError(.usage, "there is no style '\(name)'", remedy: "use strip, grid, or both")
      }
      return style
    }
    return (styles, options)
  }

  /// Names of the colour maps.
  public static var colorMaps: [String] { ColorMap.all.map(\.name) }
}

/// A folder of pictures that was made.
public struct VisualizationResult: Sendable {
  /// Where it is.
  public let folder: String
  /// What was done to the picture.
  public let preprocess: String
  /// Statistics of the layers as a table for people.
  public let table: String
  /// The folder's `manifest.json`.
  public let manifest: String
  /// Number of pictures.
  public let pictureCount: Int
}

extension SubModel {
  /// Runs the chosen layers on each image of `item` and makes a folder of pictures, an `index.html` and a `manifest.json` for it.
  ///
  /// - Parameters:
  ///   - item: what to run on, from ``Model/inputItems(_:sample:seed:)``.
  ///   - image: how a picture becomes an input.
  ///   - figures: how feature maps become pictures.
  ///   - threads: number of threads; nil for one per processor.
  ///   - folder: where they go, given the number of the example in `item` and how many there are.
  ///   - replaces: whether files in an existing folder may be replaced.
  /// - Throws: `H5ConvError`: `usage` for options or layers that cannot be drawn, `cannotWrite`, and what running throws.
  public func visualize(
    _ item: InputItem, image: ImageOptions = ImageOptions(), figures: FigureOptions = FigureOptions(),
    threads: Int? = nil,
    replaces: Bool = false, folder: (_ example: Int, _ count: Int) -> String
  ) throws -> [VisualizationResult] {
    let (styles, options) = try figures.resolved()
    guard taps.count <= FigureOptions.mostLayers else {
      throw H5ConvError(
        .limit, "\(taps.count) layers are more than the \(FigureOptions.mostLayers) that are drawn at once",
        remedy: "choose some with --layers", file: model.path)
    }
    let (inputs, preprocess) = try model.load(item, image)
    let activations = try run(inputs, threads: threads)
    let count = inputs.first?.shape.first ?? 0
    let dataFormat = model.dataFormat
    return try (0..<count).map { example in
      let output = try OutputFolder(folder(example, count), replaces: replaces)
      let maps = try zip(activations, taps).map { activation, tap in
        try activation.featureMaps(of: example, format: model.dataFormat(of: tap) ?? dataFormat)
      }
      let layers = try render(maps, styles: styles, options: options, threads: Threads(threads).count)
      let size = model.isChannelsFirst ? inputs[0].shape.dropFirst(2) : inputs[0].shape.dropFirst()
      let manifest = Manifest(
        model: model.path, image: item.isBatch ? "\(item.path)[\(example)]" : item.path, preprocess: preprocess,
        inputHeight: size.first ?? 0, inputWidth: size.dropFirst().first ?? 1, h5convVersion: version, layers: layers)
      for picture in layers.flatMap(\.pictures) { try output.write(picture.fileName, picture.png) }
      try output.write("manifest.json", Array(manifest.json.utf8))
      try output.write("index.html", Array(ContactSheet(manifest).html.utf8))
      try output.commit()
      return VisualizationResult(
        folder: output.path, preprocess: preprocess, table: StatisticsTable.text(layers), manifest: manifest.json,
        pictureCount: layers.reduce(0) { $0 + $1.pictures.count })
    }
  }
}

extension Model {
  /// The data format that the layer states at which `tap` looks.
  fileprivate func dataFormat(of tap: Tap) -> DataFormat? {
    let stated = graph.layers[graph.calls[tap.tensor.call].layer].config["data_format"]?.string
    return stated.map { $0 == "channels_first" ? .channelsFirst : .channelsLast }
  }
}

extension Activation {
  /// One example's maps as (height, width, channels): a sequence has height 1, a vector is one map of height 1.
  fileprivate func featureMaps(of example: Int, format: DataFormat) throws -> FeatureMaps {
    let one = try tensor.example(example)
    let shape = one.shape
    let maps =
      switch shape.count {
      case 3: format == .channelsFirst ? try one.transposed([1, 2, 0]) : one
      case 2: try one.reshaped(to: [1, shape[0], shape[1]])
      case 1: try one.reshaped(to: [1, shape[0], 1])
      default:
        throw H5ConvError(
          .usage, "an output of shape \(PartialShape(tensor.shape)) cannot be drawn", at: "layer '\(name)'",
          remedy: "leave it out with --layers '!\(name)'")
      }
    return try FeatureMaps(index: index, name: name, className: className, shape: [1] + shape, tensor: maps)
  }
}

extension Tensor {
  /// The tensor of one example, without the batch axis.
  fileprivate func example(_ place: Int) throws -> Tensor {
    let shape = Array(shape.dropFirst())
    let count = shape.reduce(1, *)
    if self.shape.first == 1 { return try reshaped(to: shape) }
    return try Tensor(shape: shape) { target in
      withUnsafeElements { _ = target.update(fromContentsOf: $0[place * count..<(place + 1) * count]) }
    }
  }
}
