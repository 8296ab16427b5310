extension Raster {
  /// The raster turned and mirrored as `orientation` asks, so that it stands upright.
  ///
  /// The same as Pillow's `ImageOps.exif_transpose`; Keras does not do it.
  package func oriented(_ orientation: ExifOrientation) -> Raster {
    if orientation == .upright { return self }
    let (newWidth, newHeight) = orientation.swapsAxes ? (height, width) : (width, height)
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        var position = 0
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let (fromX, fromY) = origin(x, y, orientation)
            let from = (fromY * width + fromX) * channels
            for channel in 0..<channels { target[position + channel] = source[from + channel] }
            position += channels
          }
        }
      }
      filled = pixels.count
    }
    return Raster(checkedWidth: newWidth, height: newHeight, channels: channels, pixels: turned)
  }

  /// Where the upright picture's pixel (x, y) comes from.
  private func origin(_ x: Int, _ y: Int, _ orientation: ExifOrientation) -> (x: Int, y: Int) {
    switch orientation {
    case .upright: (x, y)
    case .mirrored: (width - 1 - x, y)
    case .upsideDown: (width - 1 - x, height - 1 - y)
    case .flipped: (x, height - 1 - y)
    case .transposed: (y, x)
    case .turnedLeft: (y, height - 1 - x)
    case .transversed: (width - 1 - y, height - 1 - x)
    case .turnedRight: (width - 1 - y, x)
    }
  }
}
