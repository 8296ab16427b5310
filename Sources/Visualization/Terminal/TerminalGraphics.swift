/// How a terminal shows pictures.
package enum TerminalGraphics: String, Sendable, CaseIterable {
  /// kitty's protocol: PNG files in base64.
  case kitty
  /// iTerm2's inline pictures: the same.
  case iterm2
  /// Sixels, with the colour map as their palette.
  case sixel
  /// Two pixels in each character, by `▀` in two colours.
  case halfblocks

  /// What the terminal that `environment` describes can do; nil for one that shows no pictures.
  ///
  /// Only variables are looked at: a question to the terminal could stay without an answer. What a multiplexer passes on is not known,
  /// so that it gets characters.
  package static func known(by environment: [String: String]) -> TerminalGraphics? {
    let term = environment["TERM"] ?? ""
    let program = environment["TERM_PROGRAM"] ?? ""
    guard !term.isEmpty, term != "dumb", environment["NO_COLOR", default: ""].isEmpty else { return nil }
    if term.hasPrefix("screen") || term.hasPrefix("tmux") || environment["TMUX"] != nil || environment["STY"] != nil {
      return .halfblocks
    }
    if environment["KITTY_WINDOW_ID"] != nil || term.hasPrefix("xterm-kitty") || term.hasPrefix("xterm-ghostty")
      || program == "ghostty"
    {
      return .kitty
    }
    if ["iTerm.app", "WezTerm", "mintty"].contains(program) { return .iterm2 }
    if ["foot", "mlterm", "yaft", "contour"].contains(where: term.hasPrefix) { return .sixel }
    let colors = environment["COLORTERM"] ?? ""
    return ["truecolor", "24bit"].contains(colors) || term.contains("256color") || term.hasSuffix("-direct")
      ? .halfblocks : nil
  }
}

/// A terminal that shows pictures, and how large it is.
package struct TerminalScreen: Sendable {
  package let graphics: TerminalGraphics
  /// Characters in a line.
  package let columns: Int
  /// Height and width of a character in pixels.
  package let cellHeight: Int
  package let cellWidth: Int
  /// Whether any colour can be had, not only those of the palette of 256.
  package let hasTrueColor: Bool

  /// - Parameters:
  ///   - columns: characters in a line; 0 where that is not known.
  ///   - rows: lines; 0 where that is not known.
  ///   - width: the window's width in pixels; 0 where that is not known.
  ///   - height: its height.
  package init(
    _ graphics: TerminalGraphics, columns: Int, rows: Int, width: Int, height: Int, environment: [String: String]
  ) {
    self.graphics = graphics
    self.columns = columns > 0 ? min(columns, 1000) : 80
    let isMeasured = columns > 0 && rows > 0 && width >= columns * 4 && height >= rows * 4
    cellWidth = isMeasured ? min(64, width / columns) : 8
    cellHeight = isMeasured ? min(128, height / rows) : 16
    hasTrueColor =
      ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
      || environment["TERM"]?.hasSuffix("-direct") == true
  }
}
