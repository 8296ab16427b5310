import H5ConvDiagnostics

/// A picture of 8-bit samples: grey (one channel) or RGB (three), immutable once made.
package struct Raster: Sendable, Equatable {
  /// Pixels of a row, at least 1.
  package let width: Int
  /// Rows, at least 1.
  package let height: Int
  /// 1 (grey) or 3 (red, green, blue).
  package let channels: Int
  /// Samples, 0…255, in row-major order (height, width, channels).
  package let pixels: [UInt8]

  /// A raster of the given size over `pixels` in the order (height, width, channels).
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when the sizes are not positive, the channels are not 1 or 3, or the count
  ///   of `pixels` is another.
  package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws {
    guard channels == 1 || channels == 3, width > 0, height > 0,
      Raster.sampleCount(width, height, channels) == pixels.count
    else {
      throw H5ConvError(.usage, "\(pixels.count) bytes do not make a picture of \(width) × \(height) × \(channels)")
    }
    self.init(checkedWidth: width, height: height, channels: channels, pixels: pixels)
  }

  init(checkedWidth width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// The picture at `path` in the wanted colours, as `keras.utils.load_img(path, color_mode=…)` gives it.
  ///
  /// As in Keras, alpha is dropped, not composited over a background; an EXIF orientation is not applied, unless
  /// `applyOrientation` says so; colour profiles and gamma are ignored.
  ///
  /// - Parameters:
  ///   - path: A PNG or JPEG file.
  ///   - mode: The wanted colours.
  ///   - maxPixels: Largest width × height, checked before anything of that size is allocated.
  ///   - applyOrientation: Whether to turn the picture upright by its EXIF tag, as viewers do.
  /// - Throws: ``H5ConvError`` as ``DecodedImage/load(path:maxPixels:)`` and ``DecodedImage/raster(as:)``.
  package static func load(
    path: String, as mode: ColorMode, maxPixels: Int = DecodedImage.defaultMaxPixels, applyOrientation: Bool = false
  ) throws -> Raster {
    try naming(path) {
      let image = try DecodedImage.load(path: path, maxPixels: maxPixels)
      let raster = try image.raster(as: mode)
      return applyOrientation ? raster.oriented(image.exifOrientation) : raster
    }
  }

  /// width × height × channels, or nil when that overflows.
  static func sampleCount(_ width: Int, _ height: Int, _ channels: Int) -> Int? {
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    let (samples, overflowToo) = pixels.multipliedReportingOverflow(by: channels)
    return overflow || overflowToo ? nil : samples
  }
}
