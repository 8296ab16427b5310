import H5ConvConfig

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
  /// What counts for a class, where that was asked for.
  package var explanations: [ExplanationPicture]
  /// Kernels of the layers, where these were asked for.
  package var kernels: [RenderedKernel]
  /// The animation through the layers, where that was asked for.
  package var animation: Animation?

  package init(
    model: String, image: String, preprocess: String, inputHeight: Int, inputWidth: Int, h5convVersion: String,
    layers: [RenderedLayer], explanations: [ExplanationPicture] = [], kernels: [RenderedKernel] = [],
    animation: Animation? = nil
  ) {
    self.model = model
    self.image = image
    self.preprocess = preprocess
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.h5convVersion = h5convVersion
    self.layers = layers
    self.explanations = explanations
    self.kernels = kernels
    self.animation = animation
  }

  /// The manifest as JSON text, ending in a line feed; figures that are not finite are null.
  package var json: String {
    var object: JSONObject = [
      "version": .int(Manifest.version),
      "h5conv_version": .string(h5convVersion),
      "model": .string(model),
      "image": .string(image),
      "preprocess": .string(preprocess),
      "input_size": ["height": .int(inputHeight), "width": .int(inputWidth)],
      "layers": .array(layers.map(\.json)),
    ]
    if !explanations.isEmpty { object["explanations"] = .array(explanations.map(\.json)) }
    if !kernels.isEmpty { object["kernels"] = .array(kernels.map(\.json)) }
    if let animation {
      object["animation"] = [
        "path": .string(Animation.fileName), "width": .int(animation.width), "height": .int(animation.height),
        "frames": .int(animation.frames), "milliseconds": .int(Animation.duration),
      ]
    }
    return JSONValue.object(object).text(pretty: true) + "\n"
  }
}

extension RenderedLayer {
  fileprivate var json: JSONValue {
    var object: JSONObject = [
      "index": .int(index),
      "name": .string(name),
      "class": .string(className),
      "at": .string(isBeforeActivation ? "pre" : "post"),
      "shape": .array(shape.map { .int($0) }),
      "min": .double(statistics.minimum),
      "max": .double(statistics.maximum),
      "mean": .double(statistics.mean),
      "std": .double(statistics.standardDeviation),
      "zero_fraction": .double(statistics.zeroFraction),
      "channels": .int(statistics.channelCount),
      "flat_channels": .int(statistics.flatChannels.count),
      "flat_channel_indices": .array(statistics.flatChannels.map { .int($0) }),
      "nan_count": .int(statistics.nanCount),
      "inf_count": .int(statistics.infinityCount),
      "scale": .string(scale.name),
      "range": range.map { .array([.double($0.lowerBound), .double($0.upperBound)]) } ?? .null,
      "files": .array(pictures.map(\.json)),
      "seconds": .double(seconds),
    ]
    if !figures.isEmpty { object["figures"] = .array(figures.map(\.json)) }
    if let shownChannels { object["channel_indices"] = .array(shownChannels.map { .int($0) }) }
    return .object(object)
  }
}

extension RenderedFigure {
  fileprivate var json: JSONValue {
    [
      "style": .string(style.rawValue), "format": .string(format.rawValue), "path": .string(fileName),
      "width": .double(width), "height": .double(height),
    ]
  }
}

extension RenderedPicture {
  fileprivate var json: JSONValue {
    [
      "style": .string(style.rawValue),
      "path": .string(fileName),
      "colormap": .string(colorMap.name),
      "width": .int(width),
      "height": .int(height),
      "origin": ["x": .int(tiles.x), "y": .int(tiles.y)],
      "tile": ["width": .int(tiles.width), "height": .int(tiles.height)],
      "gap": .int(tiles.gap),
      "columns": .int(tiles.columns),
      "rows": .int(tiles.rows),
      "cell": .int(tiles.cell),
    ]
  }
}
