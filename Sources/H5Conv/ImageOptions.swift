import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
package import H5ConvImages
import H5ConvLayers
public import H5ConvTensors

/// How a picture becomes a network's input.
public struct ImageOptions: Sendable {
  /// `auto`, `none` (0…255), `rescale` (x/255), `tf` (x/127.5 − 1), `caffe`, `torch`, or `mean:R,G,B,std:R,G,B`.
  public var preprocess = "auto"
  /// `stretch`, `crop` or `pad`.
  public var resize = "stretch"
  /// `nearest` (Keras' default), `bilinear`, `bicubic` or `lanczos`, with Pillow's numerics.
  public var interpolation = "nearest"
  /// Width and height for a network that takes any; nil for the picture's own.
  public var size: (width: Int, height: Int)?
  /// A picture that is decoded already.
  package var decoded: DecodedPicture?

  /// The defaults of `keras.utils.load_img`, and `auto`.
  public init() {}
}

/// A picture as the network sees it.
public struct PreparedImage: Sendable {
  /// (1, height, width, channels), or (1, channels, height, width) for a channels_first network.
  public let tensor: Tensor
  /// What was applied and why, in words.
  public let preprocess: String
  /// Width and height after resizing, in pixels.
  public let width: Int
  /// Height after resizing, in pixels.
  public let height: Int
  package let raster: Raster
  /// The picture before it was fitted; nil when that was not asked for, or nothing was done.
  package let overview: PictureOverview?
}

extension Model {
  /// Reads the PNG or JPEG at `path` and makes it the network's input.
  ///
  /// - Throws: `H5ConvError`: `usage` for options that do not fit the model, `cannotRead` or `badData` for the picture.
  public func prepare(image path: String, _ options: ImageOptions = ImageOptions()) throws -> PreparedImage {
    try prepare(image: path, options, withOverview: false)
  }

  func prepare(image path: String, _ options: ImageOptions, withOverview: Bool) throws -> PreparedImage {
    let choice = try naming(self.path) { try choosePreprocessing(options.preprocess) }
    let target = try naming(self.path) { try ImageTarget(self) }
    let mode = try ResizeMode(named: options.resize)
    let interpolation = try Interpolation(named: options.interpolation)
    let decoded = try options.decoded?.take(path) ?? naming(path) { try DecodedImage.load(path: path) }
    let raster = try naming(path) { try decoded.raster(as: target.channels == 1 ? .grey : .rgb) }
    let width = target.width ?? options.size?.width ?? raster.width
    let height = target.height ?? options.size?.height ?? raster.height
    if let size = options.size, width != size.width || height != size.height {
      throw H5ConvError(
        .usage, "the model takes pictures of \(width)×\(height) only, not \(size.width)×\(size.height)",
        remedy: "leave --size out", file: self.path)
    }
    return try naming(path) {
      let resized = try raster.resized(width: width, height: height, mode: mode, interpolation: interpolation)
      let tensor = try choice.preprocessing.apply(resized, channelsFirst: target.isChannelsFirst)
      let note =
        "\(choice.preprocessing) (\(choice.reason)); \(interpolation.rawValue) resize, \(mode.rawValue), to \(width)×\(height)"
      return PreparedImage(
        tensor: tensor, preprocess: note, width: width, height: height, raster: resized,
        overview: withOverview ? try PictureOverview(decoded, resized: resized, mode: mode) : nil)
    }
  }
}

/// What kind of picture a network takes.
private struct ImageTarget {
  let width: Int?
  let height: Int?
  let channels: Int
  let isChannelsFirst: Bool

  init(_ model: Model) throws {
    guard model.inputs.count == 1, let input = model.inputs.first else {
      throw H5ConvError(
        .usage,
        "the model has \(model.inputs.count) inputs (\(model.inputs.map(\.name).joined(separator: ", "))), not one picture",
        remedy: "give a .npz with one array per input, named after the input layers")
    }
    guard input.shape.count == 4 else {
      throw H5ConvError(
        .usage, "the model's input \(PartialShape(input.shape)) is not a picture", at: "input '\(input.name)'",
        remedy: "give the input as a .npy array, batch first")
    }
    isChannelsFirst = model.isChannelsFirst
    let sizes = isChannelsFirst ? [input.shape[2], input.shape[3], input.shape[1]] : Array(input.shape[1...])
    let channels = sizes[2] ?? 3
    guard channels == 1 || channels == 3 else {
      throw H5ConvError(
        .usage, "the model takes \(channels) channels; a picture has 1 or 3", at: "input '\(input.name)'",
        remedy: "give the input as a .npy array, batch first")
    }
    (height, width) = (sizes[0], sizes[1])
    self.channels = channels
  }
}

extension Model {
  /// The data format of the first layer that states one.
  var dataFormat: DataFormat { graph.isChannelsFirst ? .channelsFirst : .channelsLast }

  /// Whether the network's pictures have their channels in front of height and width.
  var isChannelsFirst: Bool { dataFormat == .channelsFirst }
}
