import CImageCodecs
import H5ConvDiagnostics

#if canImport(Glibc)
  import Glibc
#endif

/// A picture to be written as PNG, with the text and the resolution that the file shall carry.
///
/// Rows run from the top, pixels from the left, without padding.
package struct PNGPicture: Sendable {
  /// What one pixel holds.
  package enum Kind: Sendable {
    /// An index into 256 colours, given as 256 × (red, green, blue).
    case palette([UInt8])
    /// A grey value, 0 black to 255 white.
    case grey
    /// Red, green, blue, 0 to 255 each.
    case rgb
  }

  /// A keyword of 1 to 79 ASCII characters and its text.
  package struct Text: Sendable, Equatable {
    package let key: String
    package let text: String

    package init(_ key: String, _ text: String) {
      self.key = key
      self.text = text
    }
  }

  package let kind: Kind
  package let width: Int
  package let height: Int
  package let pixels: [UInt8]
  /// Resolution in pixels per inch; nil leaves it out.
  package var dpi: Int?
  /// Written as tEXt chunks (iTXt where the text is not ASCII), in order.
  package var texts: [Text]

  package init(kind: Kind, width: Int, height: Int, pixels: [UInt8], dpi: Int? = nil, texts: [Text] = []) {
    self.kind = kind
    self.width = width
    self.height = height
    self.pixels = pixels
    self.dpi = dpi
    self.texts = texts
  }

  /// The bytes of the PNG file: 8 bits per sample, not interlaced, palette and grey not filtered; the same for the same picture.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when sizes do not agree, `limit` when PNG cannot hold them, and
  ///   `internalFault` with libpng's reason.
  package func encoded() throws -> [UInt8] {
    try check()
    let keys = texts.map(\.key.utf8CString)
    let values = texts.map { $0.text.filter { $0 != "\0" }.utf8CString }
    return try withPointers(to: keys[...], []) { keys in
      try withPointers(to: values[...], []) { values in
        try encode(zip(keys, values).map { h5conv_png_text(key: $0, text: $1) })
      }
    }
  }

  private func check() throws {
    var samples = 1
    if case .rgb = kind { samples = 3 }
    if case .palette(let colors) = kind, colors.count != 768 {
      throw H5ConvError(.usage, "a palette of \(colors.count) bytes is not 256 colours")
    }
    guard width > 0, height > 0, width <= 0x7fff_ffff, height <= 0x7fff_ffff else {
      throw H5ConvError(.limit, "PNG cannot hold a picture of \(width)×\(height) pixels")
    }
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count <= Int.max / 3, count * samples == pixels.count else {
      throw H5ConvError(.usage, "\(pixels.count) bytes do not fill a picture of \(width)×\(height) pixels")
    }
    if let dpi, !(1...1_000_000).contains(dpi) {
      throw H5ConvError(.usage, "\(dpi) is not a resolution in dots per inch", remedy: "give 1 to 1000000")
    }
  }

  private func encode(_ chunks: [h5conv_png_text]) throws -> [UInt8] {
    var image = h5conv_png_image()
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.pixels_per_metre = dpi.map { UInt32((Double($0) / 0.0254).rounded()) } ?? 0
    image.text_count = Int32(chunks.count)
    var palette: [UInt8] = []
    switch kind {
    case .palette(let colors):
      palette = colors
      image.kind = h5conv_png_palette
    case .grey: image.kind = h5conv_png_grey
    case .rgb: image.kind = h5conv_png_rgb
    }
    var output: UnsafeMutablePointer<UInt8>?
    var size = 0
    var message = [CChar](repeating: 0, count: 200)
    let status = pixels.withUnsafeBufferPointer { pixels in
      palette.withUnsafeBufferPointer { palette in
        chunks.withUnsafeBufferPointer { chunks in
          image.pixels = pixels.baseAddress
          image.palette = palette.baseAddress
          image.texts = chunks.baseAddress
          return h5conv_png_encode(&image, &output, &size, &message, message.count)
        }
      }
    }
    guard status == 0, let output else {
      let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw H5ConvError(.internalFault, "libpng could not write a picture: \(reason)")
    }
    defer { free(output) }
    return Array(UnsafeBufferPointer(start: output, count: size))
  }
}

/// Calls `body` with pointers to each of `strings` (NUL-terminated), valid for the time of the call.
private func withPointers<Result>(
  to strings: ArraySlice<ContiguousArray<CChar>>, _ pointers: [UnsafePointer<CChar>?],
  _ body: ([UnsafePointer<CChar>?]) throws -> Result
) rethrows -> Result {
  guard let first = strings.first else { return try body(pointers) }
  return try first.withUnsafeBufferPointer {
    try withPointers(to: strings.dropFirst(), pointers + [$0.baseAddress], body)
  }
}
