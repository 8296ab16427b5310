import H5ConvDiagnostics
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
  /// Only so many channels of each layer, the strongest first; nil for all, in order.
  public var channels: Int?
  /// What makes a channel strong: `max` (its greatest activation) or `mean`.
  public var by = "max"
  /// The files: `png` (palette indices, from which activations can be read back), `svg` and `pdf` (figures with text, dark on white), `apng`
  /// (one animation that goes through the layers).
  public var formats = ["png"]
  /// The terminal for which the strongest channels are drawn too.
  public var terminal: TerminalDisplay?

  /// The tutorial's two pictures.
  public init() {}

  func resolved() throws -> (styles: [PictureStyle], options: PictureOptions) {
    var options = PictureOptions()
    options.scale = try Scale(parsing: scale)
    options.colorMap = try colorMap.map { try ColorMap.named($0) }
    (options.columns, options.cell, options.gap, options.dpi) = (columns, cell, gap, dpi)
    options.screen = terminal?.screen
    options.formats = Set(
      try formats.map { name in
        guard let format = PictureFormat(rawValue: name) else {
          throw H5ConvError(.usage, "there is no format '\(name)'", remedy: "use png, svg, pdf or apng, or several")
        }
        return format
      })
    (options.strongest, options.measure) = (channels, try .named(by))
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
  /// What had to be left out of the folder's `report.html`, in words.
  public let notes: [String]
  /// The strongest channels of each layer, in the language of ``FigureOptions/terminal``; empty without one.
  public let terminalPictures: [String]
}
