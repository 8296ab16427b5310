/// What the samples of a pixel are; the raw values are Pillow's names of the modes.
package enum PixelMode: String, Sendable {
  /// Black and white; one byte, 0 or 255.
  case bilevel = "1"
  /// Grey; one byte.
  case grey = "L"
  /// Grey and alpha; two bytes.
  case greyAlpha = "LA"
  /// Index into a palette of 256 RGB triples; one byte.
  case palette = "P"
  /// Red, green, blue; three bytes.
  case rgb = "RGB"
  /// Red, green, blue, alpha; four bytes.
  case rgba = "RGBA"
  /// Cyan, magenta, yellow, black, 255 = full ink; four bytes.
  case cmyk = "CMYK"
  /// Grey of 16 bits; two bytes, the low one first.
  case grey16 = "I;16"

  /// Bytes of a pixel.
  package var bytes: Int {
    switch self {
    case .bilevel, .grey, .palette: 1
    case .greyAlpha, .grey16: 2
    case .rgb: 3
    case .rgba, .cmyk: 4
    }
  }
}

/// The colours that a model wants: Keras's `color_mode`.
package enum ColorMode: String, Sendable, CaseIterable {
  /// Three channels, red, green, blue: `color_mode="rgb"`.
  case rgb
  /// One channel: `color_mode="grayscale"`.
  case grey

  /// Channels of a raster in this mode.
  package var channels: Int { self == .rgb ? 3 : 1 }
}
