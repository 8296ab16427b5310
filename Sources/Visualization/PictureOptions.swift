import H5ConvDiagnostics

/// The two pictures of the tutorial.
package enum PictureStyle: String, Sendable, CaseIterable {
  /// All channels in one row.
  case strip
  /// Rows of 16 channels, or as many as asked for.
  case grid

  /// The tutorial's colour map for this picture.
  package var colorMap: ColorMap { self == .strip ? .plasma : .viridis }
}

/// A kind of file.
package enum PictureFormat: String, Sendable, CaseIterable {
  /// Palette indices, from which the activations can be read back.
  case png
  /// Figures for papers, with text, dark on white.
  case svg, pdf
  /// One animation that goes through the layers.
  case apng
}

/// How pictures are made.
package struct PictureOptions: Sendable {
  package var scale = Scale.zscore
  /// Channels in a row of a grid.
  package var columns = 16
  /// Pixels along each side of an activation.
  package var cell = 1
  /// Width of the lines between channels, in pixels; flat channels can be marked only when there are lines.
  package var gap = 1
  /// Resolution that the files state, in pixels per inch.
  package var dpi = 300
  /// A colour map for every picture; nil for the style's own, or `RdBu_r` under the scale `signed`.
  package var colorMap: ColorMap?
  /// Only so many channels of each layer, the strongest first; nil for all, in order.
  package var strongest: Int?
  /// What makes a channel strong.
  package var measure = ChannelMeasure.max
  /// The files that are made.
  package var formats: Set<PictureFormat> = [.png]
  /// The terminal that shows the strongest channels of each layer.
  package var screen: TerminalScreen?

  package init() {}

  func colorMap(for style: PictureStyle) -> ColorMap { colorMap ?? (scale == .signed ? .rdBuR : style.colorMap) }

  func check() throws {
    for (name, value, allowed) in [
      ("columns", columns, 1...65535), ("cell", cell, 1...256), ("gap", gap, 0...256), ("dpi", dpi, 1...100_000),
    ] where !allowed.contains(value) {
      throw H5ConvError(
        .usage, "\(name) cannot be \(value)", remedy: "give \(allowed.lowerBound) to \(allowed.upperBound)")
    }
  }
}
