import H5ConvDiagnostics

extension DecodedImage {
  /// The picture in 8-bit RGB or grey, by Pillow's formulas (`Image.convert`, libImaging/Convert.c).
  ///
  /// - Alpha and palette transparency are dropped.
  /// - RGB → grey is (19595 R + 38470 G + 7471 B + 32768) >> 16, that is ITU-R 601-2 luma; palettes and CMYK go through RGB.
  /// - CMYK → RGB is K′ − ⌊C·K′/255⌉ with K′ = 255 − K.
  /// - 16-bit colours keep their high byte. 16-bit *greys* become RGB by clipping at 255, so that nearly everything is
  ///   white: this is what Keras hands to a model, too.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported` for a 16-bit grey picture wanted in grey: Keras passes its values
  ///   0…65535 on, which 8 bits do not hold.
  package func raster(as wanted: ColorMode) throws -> Raster {
    if wanted == .grey, mode == .grey16 {
      throw H5ConvError(
        .unsupported, "a 16-bit grey image, whose values 0…65535 do not fit the 8 bits of a grey input",
        remedy: "convert it to 8 bits, or give its values as a .npy file")
    }
    let sameSamples = wanted == .rgb ? mode == .rgb : (mode == .grey || mode == .bilevel)
    let pixels = sameSamples ? samples : wanted == .rgb ? converted(to: 3, rgb) : converted(to: 1, grey)
    return Raster(checkedWidth: width, height: height, channels: wanted.channels, pixels: pixels)
  }

  private typealias Color = (UInt8, UInt8, UInt8)
  private typealias Samples = UnsafePointer<UInt8>

  /// Converts pixel by pixel: `convert` is given the samples of a pixel, the palette, and the place for the result.
  private func converted(
    to channels: Int, _ convert: (Samples, Samples, UnsafeMutablePointer<UInt8>) -> Void
  ) -> [UInt8] {
    let (count, step) = (width * height, mode.bytes)
    return [UInt8](unsafeUninitializedCapacity: count * channels) { target, filled in
      samples.withUnsafeBufferPointer { source in
        palette.withUnsafeBufferPointer { palette in
          guard let target = target.baseAddress, let source = source.baseAddress else { return }
          let colors = palette.baseAddress ?? source
          for pixel in 0..<count { convert(source + pixel * step, colors, target + pixel * channels) }
          filled = count * channels
        }
      }
    }
  }

  private func rgb(_ pixel: Samples, _ palette: Samples, _ target: UnsafeMutablePointer<UInt8>) {
    (target[0], target[1], target[2]) = color(pixel, palette)
  }

  private func grey(_ pixel: Samples, _ palette: Samples, _ target: UnsafeMutablePointer<UInt8>) {
    let (red, green, blue) = color(pixel, palette)
    target[0] = luma(red, green, blue)
  }

  @inline(__always)
  private func color(_ pixel: Samples, _ palette: Samples) -> Color {
    switch mode {
    case .bilevel, .grey, .greyAlpha: return (pixel[0], pixel[0], pixel[0])
    case .rgb, .rgba: return (pixel[0], pixel[1], pixel[2])
    case .palette:
      let entry = palette + 3 * Int(pixel[0])
      return (entry[0], entry[1], entry[2])
    case .cmyk:
      let light = 255 - pixel[3]
      return (inked(light, pixel[0]), inked(light, pixel[1]), inked(light, pixel[2]))
    case .grey16:
      let value = pixel[1] == 0 ? pixel[0] : 255
      return (value, value, value)
    }
  }
}

/// Grey of a colour: ITU-R 601-2 luma in 16-bit fixed point.
///
/// Greys are kept: the weights add up to 65536.
@inline(__always)
private func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
  UInt8(truncatingIfNeeded: (UInt32(red) * 19595 + UInt32(green) * 38470 + UInt32(blue) * 7471 + 0x8000) >> 16)
}

/// What `ink` leaves of `light`: light − light·ink/255, the product rounded as Pillow's MULDIV255.
@inline(__always)
private func inked(_ light: UInt8, _ ink: UInt8) -> UInt8 {
  let product = UInt32(light) * UInt32(ink) + 128
  return light - UInt8(truncatingIfNeeded: ((product >> 8) + product) >> 8)
}
