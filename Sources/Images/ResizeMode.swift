import H5ConvDiagnostics

/// What becomes of the aspect ratio when a picture is resized.
package enum ResizeMode: String, Sendable, CaseIterable {
  /// The whole picture, stretched: the default of `keras.utils.load_img`.
  case stretch
  /// The largest centred part that has the target's aspect: `load_img(…, keep_aspect_ratio=True)`.
  case crop
  /// The whole picture at its own aspect, centred, with black around it.
  case pad

  /// The mode called `name`.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when there is none.
  package init(named name: String) throws {
    guard let found = ResizeMode(rawValue: name) else {
      let names = ResizeMode.allCases.map(\.rawValue).joined(separator: ", ")
      throw H5ConvError(.usage, "unknown way to resize “\(name)”", remedy: "use one of \(names)")
    }
    self = found
  }
}

/// Largest width or height that a picture is resized to.
private let maxTargetSide = 65_535

extension Raster {
  /// The picture at another size, with the numbers that Pillow (`Image.resize`) gives.
  ///
  /// - Parameters:
  ///   - newWidth: Pixels of a row, 1…65535. Keras's `target_size` is (height, width).
  ///   - newHeight: Rows, 1…65535.
  ///   - mode: What becomes of the aspect ratio.
  ///   - interpolation: Pillow's filter.
  /// - Throws: ``H5ConvError`` of kind `usage` when a size is not positive, `limit` when the result, or what lies between
  ///   the passes, would have more than 100 million pixels.
  package func resized(
    width newWidth: Int, height newHeight: Int, mode: ResizeMode = .stretch, interpolation: Interpolation = .nearest
  ) throws -> Raster {
    guard newWidth > 0, newHeight > 0 else {
      throw H5ConvError(.usage, "an image cannot have the size \(newWidth) × \(newHeight)")
    }
    guard newWidth <= maxTargetSide, newHeight <= maxTargetSide,
      newWidth * newHeight <= DecodedImage.defaultMaxPixels
    else { throw H5ConvError(.limit, "a size of \(newWidth) × \(newHeight) pixels is too large") }
    if (newWidth, newHeight) == (width, height) { return self }

    switch mode {
    case .stretch: return try resampled(whole, newWidth, newHeight, interpolation)
    case .crop:
      return try resampled(region(keptFor: newWidth, newHeight, mode), newWidth, newHeight, interpolation)
    case .pad:
      let inner = fitted(into: newWidth, newHeight)
      return try resampled(whole, inner.width, inner.height, interpolation).centred(in: newWidth, newHeight)
    }
  }

  /// The part of the picture that is left when it is resized to this size.
  package func region(keptFor newWidth: Int, _ newHeight: Int, _ mode: ResizeMode) -> PixelRegion {
    guard mode == .crop, newWidth > 0, newHeight > 0 else { return whole }
    return centre(aspectOf: newWidth, newHeight)
  }

  private var whole: PixelRegion { PixelRegion(columns: 0..<width, rows: 0..<height) }

  /// `Image.resize(size, resample, box=region)`.
  private func resampled(
    _ region: PixelRegion, _ newWidth: Int, _ newHeight: Int, _ interpolation: Interpolation
  ) throws -> Raster {
    if (region.columns.count, region.rows.count) == (newWidth, newHeight) { return cropped(region) }
    if interpolation == .nearest { return nearest(region, width: newWidth, height: newHeight) }
    let between = Raster.verticalFirst(width, height, newWidth, newHeight) ? width * newHeight : newWidth * height
    guard between <= DecodedImage.defaultMaxPixels else {
      throw H5ConvError(.limit, "resizing \(width) × \(height) to \(newWidth) × \(newHeight) takes too much memory")
    }
    return filtered(region, width: newWidth, height: newHeight, interpolation)
  }

  /// The part of the picture that `keras.utils.load_img` keeps for a target of this size: whole numbers, rounded down.
  private func centre(aspectOf targetWidth: Int, _ targetHeight: Int) -> PixelRegion {
    let cropHeight = min(height, width * targetHeight / targetWidth)
    let cropWidth = min(width, height * targetWidth / targetHeight)
    let top = (height - cropHeight) / 2
    let left = (width - cropWidth) / 2
    return PixelRegion(columns: left..<(left + cropWidth), rows: top..<(top + cropHeight))
  }

  /// The largest size with the picture's aspect inside width × height, at least one pixel; rounded as Pillow's
  /// `ImageOps.contain`.
  private func fitted(into targetWidth: Int, _ targetHeight: Int) -> (width: Int, height: Int) {
    let aspect = Double(width) / Double(height)
    let targetAspect = Double(targetWidth) / Double(targetHeight)
    if aspect > targetAspect {
      let fitting = (Double(height) / Double(width) * Double(targetWidth)).rounded(.toNearestOrEven)
      return (targetWidth, min(max(Int(fitting), 1), targetHeight))
    }
    if aspect < targetAspect {
      let fitting = (Double(width) / Double(height) * Double(targetHeight)).rounded(.toNearestOrEven)
      return (min(max(Int(fitting), 1), targetWidth), targetHeight)
    }
    return (targetWidth, targetHeight)
  }

  private func cropped(_ region: PixelRegion) -> Raster {
    var part: [UInt8] = []
    part.reserveCapacity(region.rows.count * region.columns.count * channels)
    for row in region.rows {
      let line = row * width
      part += pixels[(line + region.columns.lowerBound) * channels..<(line + region.columns.upperBound) * channels]
    }
    return Raster(checkedWidth: region.columns.count, height: region.rows.count, channels: channels, pixels: part)
  }

  /// The picture in the middle of a black one; of an odd rest, the larger half comes after.
  private func centred(in outerWidth: Int, _ outerHeight: Int) -> Raster {
    var result = [UInt8](repeating: 0, count: outerWidth * outerHeight * channels)
    let (left, top) = ((outerWidth - width) / 2, (outerHeight - height) / 2)
    let rowBytes = width * channels
    for row in 0..<height {
      let to = ((top + row) * outerWidth + left) * channels
      result.replaceSubrange(to..<(to + rowBytes), with: pixels[row * rowBytes..<(row + 1) * rowBytes])
    }
    return Raster(checkedWidth: outerWidth, height: outerHeight, channels: channels, pixels: result)
  }
}
