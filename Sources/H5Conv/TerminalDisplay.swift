import H5ConvDiagnostics
import H5ConvVisualization

/// A terminal that shows pictures.
public struct TerminalDisplay: Sendable {
  /// `kitty`, `iterm2`, `sixel` or `halfblocks`.
  public var graphics: String
  /// Characters in a line; 0 where that is not known.
  public var columns = 0
  /// Lines; 0 where that is not known.
  public var rows = 0
  /// Width of the window in pixels; 0 where that is not known.
  public var width = 0
  /// Height of the window in pixels; 0 where that is not known.
  public var height = 0
  private let environment: [String: String]

  /// The variables that are looked at.
  public static let variables = [
    "TERM", "COLORTERM", "NO_COLOR", "TERM_PROGRAM", "KITTY_WINDOW_ID", "TMUX", "STY",
  ]

  /// - Parameters:
  ///   - graphics: how it shows pictures; `auto` for what `environment` tells.
  ///   - environment: the variables of the process: `TERM`, `COLORTERM` and others that terminals set.
  /// - Returns: nil for `none`, and for `auto` where the terminal shows no pictures or `NO_COLOR` is set.
  /// - Throws: `H5ConvError` of kind `usage` for an unknown name.
  public init?(_ graphics: String, environment: [String: String]) throws {
    self.environment = environment
    switch graphics {
    case "none": return nil
    case "auto":
      guard let known = TerminalGraphics.known(by: environment) else { return nil }
      self.graphics = known.rawValue
    default:
      guard TerminalGraphics(rawValue: graphics) != nil else {
        throw H5ConvError(
          .usage, "there is no terminal '\(graphics)'", at: "--terminal",
          remedy: "use auto, \(TerminalGraphics.allCases.map(\.rawValue).joined(separator: ", ")) or none")
      }
      self.graphics = graphics
    }
  }

  var screen: TerminalScreen? {
    TerminalGraphics(rawValue: graphics).map {
      TerminalScreen($0, columns: columns, rows: rows, width: width, height: height, environment: environment)
    }
  }
}
