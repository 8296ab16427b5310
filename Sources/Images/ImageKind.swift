import H5ConvDiagnostics

/// The kinds of picture that are decoded.
enum ImageKind: Sendable {
  case png
  case jpeg

  /// The kind of the file that begins with `bytes`, told by its signature; the name of a file says nothing about it.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported`, naming the format, for known formats that are not decoded; of kind
  ///   `badData` when the bytes are no picture.
  init(of bytes: [UInt8]) throws {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.isEmpty {
      throw H5ConvError(.badData, "the file is empty", remedy: "give a PNG or JPEG image")
    } else if let name = knownFormats.first(where: { $0.matches(bytes) })?.name {
      throw H5ConvError(.unsupported, "\(name) images are not supported", remedy: "convert it to PNG or JPEG")
    } else {
      throw H5ConvError(.badData, "not an image", remedy: "give a PNG or JPEG image")
    }
  }
}

/// A format that is refused by name: `signature` stands at `offset`.
private struct KnownFormat {
  let name: String
  let signature: [UInt8]
  let offset: Int

  init(_ name: String, _ signature: String, at offset: Int = 0) {
    self.name = name
    self.signature = Array(signature.utf8)
    self.offset = offset
  }

  init(_ name: String, bytes: [UInt8], at offset: Int = 0) {
    self.name = name
    self.signature = bytes
    self.offset = offset
  }

  func matches(_ bytes: [UInt8]) -> Bool { bytes.dropFirst(offset).starts(with: signature) }
}

private let knownFormats =
  [
    KnownFormat("GIF", "GIF8"),
    KnownFormat("WebP", "WEBP", at: 8),
    KnownFormat("TIFF", bytes: [0x49, 0x49, 0x2A, 0x00]),
    KnownFormat("TIFF", bytes: [0x4D, 0x4D, 0x00, 0x2A]),
    KnownFormat("TIFF", bytes: [0x49, 0x49, 0x2B, 0x00]),
    KnownFormat("TIFF", bytes: [0x4D, 0x4D, 0x00, 0x2B]),
    KnownFormat("JPEG 2000", bytes: [0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50, 0x20, 0x20]),
    KnownFormat("JPEG 2000", bytes: [0xFF, 0x4F, 0xFF, 0x51]),
    KnownFormat("JPEG XL", bytes: [0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20]),
    KnownFormat("JPEG XL", bytes: [0xFF, 0x0A]),
    KnownFormat("AVIF", "ftypavi", at: 4),
    KnownFormat("Photoshop", "8BPS"),
    KnownFormat("PDF", "%PDF"),
    KnownFormat("SVG", "<svg"),
    KnownFormat("ICO", bytes: [0x00, 0x00, 0x01, 0x00]),
    KnownFormat("QOI", "qoif"),
    KnownFormat("BMP", "BM"),
  ]
  + ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].map { KnownFormat("HEIC", "ftyp" + $0, at: 4) }
  + (1...6).map { KnownFormat("PNM", "P\($0)\n") }
