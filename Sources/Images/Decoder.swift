internal import CImageCodecs
import H5ConvDiagnostics

/// The C decoders of one kind of file, with their status codes turned into errors.
struct Decoder {
  let kind: ImageKind

  private var name: String { kind == .png ? "PNG" : "JPEG" }

  /// Reads the header, checks it against `maxPixels`, allocates, and reads the pixels.
  func decode(_ bytes: [UInt8], maxPixels: Int) throws -> DecodedImage {
    let header = try readHeader(bytes, maxPixels: max(maxPixels, 0))
    guard let mode = PixelMode(header.mode) else { throw H5ConvError(.internalFault, "unknown mode of pixels") }
    let (width, height) = (Int(header.width), Int(header.height))
    let (rowBytes, rowOverflow) = width.multipliedReportingOverflow(by: mode.bytes)
    let (count, overflow) = rowBytes.multipliedReportingOverflow(by: height)
    guard !rowOverflow, !overflow, count > 0 else { throw tooManyPixels(header, maxPixels) }

    var palette = [UInt8](repeating: 0, count: mode == .palette ? Int(H5CONV_PALETTE_BYTES) : 0)
    let samples = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      try readPixels(bytes, header, buffer, &palette)
      filled = count
    }
    return DecodedImage(
      width: width, height: height, mode: mode, samples: samples, palette: palette,
      exifOrientation: ExifOrientation(in: bytes, kind: kind))
  }

  private func readHeader(_ bytes: [UInt8], maxPixels: Int) throws -> h5conv_image_header {
    var header = h5conv_image_header()
    let limit = UInt64(maxPixels)
    let (status, message) = withMessage { text in
      bytes.withUnsafeBufferPointer { data in
        switch kind {
        case .png: h5conv_png_header(data.baseAddress, data.count, limit, &header, text)
        case .jpeg: h5conv_jpeg_header(data.baseAddress, data.count, limit, &header, text)
        }
      }
    }
    if status == H5CONV_CODEC_LIMIT { throw tooManyPixels(header, maxPixels) }
    try check(status, message)
    return header
  }

  private func readPixels(
    _ bytes: [UInt8], _ header: h5conv_image_header, _ target: UnsafeMutableBufferPointer<UInt8>,
    _ palette: inout [UInt8]
  ) throws {
    var header = header
    let (status, message) = withMessage { text in
      bytes.withUnsafeBufferPointer { data in
        palette.withUnsafeMutableBufferPointer { palette in
          switch kind {
          case .png:
            h5conv_png_pixels(
              data.baseAddress, data.count, &header, target.baseAddress, target.count, palette.baseAddress, text)
          case .jpeg:
            h5conv_jpeg_pixels(data.baseAddress, data.count, &header, target.baseAddress, target.count, text)
          }
        }
      }
    }
    try check(status, message)
  }

  /// Calls `body` with room for a message of the C side, and returns what it wrote there.
  private func withMessage(
    _ body: (UnsafeMutablePointer<CChar>?) -> h5conv_codec_status
  ) -> (h5conv_codec_status, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(H5CONV_CODEC_MESSAGE_SIZE)) { text in
      text.initialize(repeating: 0)
      let status = body(text.baseAddress)
      let characters = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      return (status, String(decoding: characters, as: UTF8.self))
    }
  }

  private func check(_ status: h5conv_codec_status, _ message: String) throws {
    switch status {
    case H5CONV_CODEC_OK: return
    case H5CONV_CODEC_CORRUPT: throw H5ConvError(.badData, "damaged \(name) image: \(message)")
    case H5CONV_CODEC_UNSUPPORTED:
      throw H5ConvError(
        .unsupported, "this variant of \(name) is not supported: \(message)",
        remedy: "convert it to PNG or to an ordinary JPEG")
    case H5CONV_CODEC_LIMIT: throw H5ConvError(.limit, "the \(name) image has \(message)")
    case H5CONV_CODEC_MEMORY: throw H5ConvError(.limit, "not enough memory to decode the \(name) image")
    default: throw H5ConvError(.internalFault, "the \(name) decoder was called wrongly")
    }
  }

  private func tooManyPixels(_ header: h5conv_image_header, _ maxPixels: Int) -> H5ConvError {
    H5ConvError(
      .limit, "the image has \(header.width) × \(header.height) pixels, more than the limit of \(maxPixels)",
      remedy: "make it smaller first")
  }
}

extension PixelMode {
  fileprivate init?(_ mode: h5conv_pixel_mode) {
    switch mode {
    case H5CONV_MODE_1: self = .bilevel
    case H5CONV_MODE_L: self = .grey
    case H5CONV_MODE_LA: self = .greyAlpha
    case H5CONV_MODE_P: self = .palette
    case H5CONV_MODE_RGB: self = .rgb
    case H5CONV_MODE_RGBA: self = .rgba
    case H5CONV_MODE_CMYK: self = .cmyk
    case H5CONV_MODE_I16: self = .grey16
    default: return nil
    }
  }
}
