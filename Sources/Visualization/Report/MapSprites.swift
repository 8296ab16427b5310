import H5ConvConfig
import H5ConvImages

/// The bytes of maps as PNG files in base64, which every browser decodes by itself.
///
/// A picture is only the wrapping: the bytes of all channels follow each other through rows of 4096 pixels, so that short rows do not
/// break the runs of equal bytes that the compression lives on. No picture is larger than 4096 × 4096, which phones decode too.
enum MapSprites {
  static let side = 4096

  /// The base64 text of each picture.
  static func make(_ bytes: [UInt8]) throws -> [[UInt8]] {
    try stride(from: 0, to: bytes.count, by: side * side).map { start in
      let part = bytes[start..<min(start + side * side, bytes.count)]
      let width = min(side, part.count)
      let height = (part.count + width - 1) / width
      let padding = [UInt8](repeating: 0, count: width * height - part.count)
      return base64(try PNGPicture(kind: .grey, width: width, height: height, pixels: part + padding).encoded())
    }
  }
}
