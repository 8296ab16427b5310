extension Raster {
  /// The rectangle of `newWidth` × `newHeight` pixels from (`x`, `y`); what of it lies beyond the picture has the grey value `outside`.
  ///
  /// - Parameters:
  ///   - x: left edge, negative left of the picture.
  ///   - y: upper edge, negative above the picture.
  ///   - newWidth: at least 1.
  ///   - newHeight: at least 1.
  /// - Throws: `H5ConvError` of kind `usage` for a size that is not positive.
  package func cut(x: Int, y: Int, width newWidth: Int, height newHeight: Int, outside: UInt8) throws -> Raster {
    var result = [UInt8](repeating: outside, count: max(0, newWidth) * max(0, newHeight) * channels)
    let columns = max(0, x)..<max(0, x, min(width, x + newWidth))
    for row in max(0, y)..<max(0, y, min(height, y + newHeight)) where !columns.isEmpty {
      let to = ((row - y) * newWidth + columns.lowerBound - x) * channels
      let from = (row * width + columns.lowerBound) * channels
      let count = columns.count * channels
      result.replaceSubrange(to..<to + count, with: pixels[from..<from + count])
    }
    return try Raster(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}
