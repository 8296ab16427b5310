import H5ConvDiagnostics

/// 256 colours for 256 indices, and which of them serve for paper and ink.
///
/// A picture's palette is the colour map and nothing else, so title, gaps and colour bar are drawn with colours of the map.
package struct ColorMap: Sendable, Equatable {
  /// The name, as matplotlib has it.
  package let name: String
  /// 256 × (red, green, blue).
  package let colors: [UInt8]
  /// Whether the map has two arms that meet in the middle, for data with a sign.
  package let isDiverging: Bool
  /// Index of the background: the darkest colour, or the neutral middle of a diverging map.
  let paper: UInt8
  /// Index of text.
  ///
  /// Lightness is monotone from paper to ink, so the indices between them are shades for smooth edges.
  let ink: UInt8

  private init(_ name: String, _ hex: StaticString, isDiverging: Bool = false, paper: UInt8 = 0, ink: UInt8 = 255) {
    self.name = name
    self.isDiverging = isDiverging
    self.paper = paper
    self.ink = ink
    colors = hex.withUTF8Buffer { digits in
      stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0].hexValue << 4 | digits[$0 + 1].hexValue }
    }
  }

  /// The index at `share` of the way from paper to ink, 0…1.
  func shade(_ share: Double) -> UInt8 {
    let index = Double(paper) + (Double(ink) - Double(paper)) * min(max(share, 0), 1)
    return UInt8(index.rounded())
  }

  /// Index of thin lines, that tell from the paper and are not as loud as ink.
  var line: UInt8 { shade(0.38) }

  /// Strength of the ink of secondary text, 0…1; the arms of diverging maps are too short to give any away.
  var softInk: Double { isDiverging ? 1 : 0.85 }

  /// Index of the lines between tiles under `scale`: one that most activations do not have.
  ///
  /// Where nothing fires, a z-score is near the middle, and dark lines part the tiles best; under other scales it is the
  /// paper's own colour, on which only a lighter line shows.
  func lines(under scale: Scale) -> UInt8 { scale == .zscore && !isDiverging ? paper : line }

  package static let viridis = ColorMap("viridis", viridisHex)
  package static let plasma = ColorMap("plasma", plasmaHex)
  package static let gray = ColorMap("gray", grayHex)
  package static let rdBuR = ColorMap("RdBu_r", rdBuRHex, isDiverging: true, paper: 128, ink: 0)

  /// Every colour map, sequential ones first.
  package static let all: [ColorMap] = [
    viridis, plasma,
    ColorMap("magma", magmaHex),
    ColorMap("inferno", infernoHex),
    ColorMap("cividis", cividisHex),
    // Dark at both ends; the lightest colour stands at 125.
    ColorMap("turbo", turboHex, ink: 125),
    gray,
    rdBuR,
    ColorMap("coolwarm", coolwarmHex, isDiverging: true, paper: 128, ink: 0),
    ColorMap("berlin", berlinHex, isDiverging: true, paper: 128, ink: 0),
  ]

  /// The colour map called `name`.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage`, listing the names.
  package static func named(_ name: String) throws -> ColorMap {
    guard let map = all.first(where: { $0.name == name }) else {
      throw H5ConvError(
        .usage, "there is no colour map '\(name)'",
        remedy: "use one of " + all.map(\.name).joined(separator: ", "))
    }
    return map
  }
}

extension UInt8 {
  /// The value of a hexadecimal digit in ASCII, lower case.
  fileprivate var hexValue: UInt8 {
    self <= UInt8(ascii: "9") ? self - UInt8(ascii: "0") : self - UInt8(ascii: "a") + 10
  }
}
