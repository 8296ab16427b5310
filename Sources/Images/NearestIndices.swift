/// Which source pixel each target pixel of one axis takes, as Pillow's `Resampling.NEAREST` chooses it.
///
/// Pillow walks along the axis and adds the step up in double precision (`ImagingScaleAffine` in libImaging/Geometry.c).
/// The rounding errors of the sum are part of the result: the closed form ⌊(i + ½)·n/m⌋ differs for about one pair of
/// sizes in six.
///
/// - Parameters:
///   - count: Pixels of the source along the axis.
///   - span: The pixels of the source that are mapped onto the target.
///   - target: Pixels of the target.
/// - Returns: For every target pixel the index of its source pixel, or −1 outside the source (black).
func nearestIndices(count: Int, span: Range<Int>, target: Int) -> [Int] {
  let step = Double(Float(span.upperBound) - Float(span.lowerBound)) / Double(target)
  var position = Double(Float(span.lowerBound)) + step * 0.5
  return (0..<target).map { _ in
    defer { position += step }
    guard position >= 0 else { return -1 }
    let index = Int(position)
    return index < count ? index : -1
  }
}

extension Raster {
  /// The pixels of `region` resized to width × height by taking the nearest ones.
  func nearest(_ region: PixelRegion, width newWidth: Int, height newHeight: Int) -> Raster {
    let columns = nearestIndices(count: width, span: region.columns, target: newWidth)
    let rows = nearestIndices(count: height, span: region.rows, target: newHeight)
    let result = [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * channels) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        var position = 0
        for row in rows {
          for column in columns {
            let from = row < 0 || column < 0 ? -1 : (row * width + column) * channels
            for channel in 0..<channels { target[position + channel] = from < 0 ? 0 : source[from + channel] }
            position += channels
          }
        }
        filled = position
      }
    }
    return Raster(checkedWidth: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}
