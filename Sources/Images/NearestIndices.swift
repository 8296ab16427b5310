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
    let offsets = columns.map { $0 * channels }
    let result = [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * channels) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        guard var to = target.baseAddress, let from = source.baseAddress else { return }
        for row in rows {
          for offset in offsets {
            if row < 0 || offset < 0 {
              to.initialize(repeating: 0, count: channels)
            } else if channels == 3 {
              let pixel = from + (row * width * 3 + offset)
              (to[0], to[1], to[2]) = (pixel[0], pixel[1], pixel[2])
            } else {
              to[0] = from[row * width + offset]
            }
            to += channels
          }
        }
      }
      filled = newWidth * newHeight * channels
    }
    return Raster(checkedWidth: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}
