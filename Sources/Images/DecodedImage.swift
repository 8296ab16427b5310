import H5ConvDiagnostics
import H5ConvFiles

/// A picture as its file holds it, before any conversion of its colours.
package struct DecodedImage: Sendable {
  /// Pixels that a picture may have unless the caller says otherwise: 100 million.
  package static let defaultMaxPixels = 100_000_000

  /// Pixels of a row.
  package let width: Int
  /// Rows.
  package let height: Int
  /// What the samples are.
  package let mode: PixelMode
  /// Samples in row-major order (height, width, samples of the mode), rows not padded.
  package let samples: [UInt8]
  /// For mode `palette`, 256 RGB triples; empty for other modes.
  ///
  /// Entries that the file does not give are black.
  package let palette: [UInt8]
  /// How the camera was held, by the EXIF tag.
  ///
  /// The samples are *not* turned by it: Keras does not do so either.
  package let exifOrientation: ExifOrientation

  /// Decodes the PNG or JPEG file at `path`; the kind is told by the content, not by the name.
  ///
  /// - Parameter maxPixels: Largest width × height, checked before anything of that size is allocated.
  /// - Throws: ``H5ConvError`` that names the file: `cannotRead` when it is missing, a folder, not a regular file or not
  ///   permitted; `badData` when it is damaged or no image; `limit` when it has too many pixels; `unsupported` for other
  ///   formats and for variants of PNG and JPEG that are not decoded.
  package static func load(path: String, maxPixels: Int = defaultMaxPixels) throws -> DecodedImage {
    try naming(path) { try decode(InputFile.bytes(path, limit: 1 << 29), maxPixels: maxPixels) }
  }

  /// Decodes the PNG or JPEG file whose content is `bytes`.
  ///
  /// - Throws: ``H5ConvError`` as ``load(path:maxPixels:)``, without a file name.
  package static func decode(_ bytes: [UInt8], maxPixels: Int = defaultMaxPixels) throws -> DecodedImage {
    try Decoder(kind: ImageKind(of: bytes)).decode(bytes, maxPixels: maxPixels)
  }
}
