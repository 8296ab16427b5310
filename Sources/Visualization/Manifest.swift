/// What a folder of pictures holds, for programs: `manifest.json`, described by `schemas/viz-manifest.schema.json`.
package struct Manifest: Sendable {
  /// The version of the manifest's form; it changes when a reader would have to.
  package static let version = 1

  /// The model's file, as the user named it.
  package var model: String
  /// The image's file, as the user named it.
  package var image: String
  /// How the image's pixels became the model's input, in words.
  package var preprocess: String
  /// The input's height and width in pixels.
  package var inputHeight: Int
  package var inputWidth: Int
  /// The version of h5conv that made the folder.
  package var h5convVersion: String
  package var layers: [RenderedLayer]

  package init(
    model: String, image: String, preprocess: String, inputHeight: Int, inputWidth: Int, h5convVersion: String,
    layers: [RenderedLayer]
  ) {
    self.model = model
    self.image = image
    self.preprocess = preprocess
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.h5convVersion = h5convVersion
    self.layers = layers
  }

  /// The manifest as JSON text, ending in a line feed; figures that are not finite are null.
  package var json: String {
    JSONText.object([
      ("version", .integer(Manifest.version)),
      ("h5conv_version", .string(h5convVersion)),
      ("model", .string(model)),
      ("image", .string(image)),
      ("preprocess", .string(preprocess)),
      ("input_size", .object([("height", .integer(inputHeight)), ("width", .integer(inputWidth))])),
      ("layers", .array(layers.map(\.json))),
    ]).written() + "\n"
  }
}

extension RenderedLayer {
  fileprivate var json: JSONText {
    .object([
      ("index", .integer(index)),
      ("name", .string(name)),
      ("class", .string(className)),
      ("shape", .array(shape.map { .integer($0) })),
      ("min", .number(statistics.minimum)),
      ("max", .number(statistics.maximum)),
      ("mean", .number(statistics.mean)),
      ("std", .number(statistics.standardDeviation)),
      ("zero_fraction", .number(statistics.zeroFraction)),
      ("channels", .integer(statistics.channelCount)),
      ("flat_channels", .integer(statistics.flatChannels.count)),
      ("flat_channel_indices", .array(statistics.flatChannels.map { .integer($0) })),
      ("nan_count", .integer(statistics.nanCount)),
      ("inf_count", .integer(statistics.infinityCount)),
      ("scale", .string(scale.name)),
      ("range", range.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
      ("files", .array(pictures.map(\.json))),
      ("seconds", .number(seconds)),
    ])
  }
}

extension RenderedPicture {
  fileprivate var json: JSONText {
    .object([
      ("style", .string(style.rawValue)),
      ("path", .string(fileName)),
      ("colormap", .string(colorMap.name)),
      ("width", .integer(width)),
      ("height", .integer(height)),
      ("origin", .object([("x", .integer(tiles.x)), ("y", .integer(tiles.y))])),
      ("tile", .object([("width", .integer(tiles.width)), ("height", .integer(tiles.height))])),
      ("gap", .integer(tiles.gap)),
      ("columns", .integer(tiles.columns)),
      ("rows", .integer(tiles.rows)),
      ("cell", .integer(tiles.cell)),
    ])
  }
}
