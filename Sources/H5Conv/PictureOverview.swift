package import H5ConvImages
import H5ConvVisualization

/// A picture as the file has it, made small, and which part of it the network got.
package struct PictureOverview: Sendable {
  /// Longest side of the small picture: enough to see what was cut off.
  private static let longest = 256

  /// Sides of the file's picture, in pixels.
  package let width: Int
  package let height: Int
  /// The part that is left, in the same pixels.
  package let region: PixelRegion
  /// Whether black was added around it.
  package let isPadded: Bool
  /// The small picture, in colours.
  package let small: Raster

  /// - Parameters:
  ///   - image: the decoded file.
  ///   - resized: what the network sees.
  ///   - mode: how it was fitted.
  /// - Returns: nil when the network sees the file's picture as it is.
  init?(_ image: DecodedImage, resized: Raster, mode: ResizeMode) throws {
    let raster = try image.raster(as: .rgb)
    guard resized.channels != raster.channels || (resized.width, resized.height) != (raster.width, raster.height) else {
      return nil
    }
    (width, height) = (raster.width, raster.height)
    region = raster.region(keptFor: resized.width, resized.height, mode)
    isPadded = mode == .pad && width * resized.height != height * resized.width
    let longer = max(width, height)
    guard longer > PictureOverview.longest else {
      small = raster
      return
    }
    small = try raster.resized(
      width: max(1, width * PictureOverview.longest / longer),
      height: max(1, height * PictureOverview.longest / longer),
      interpolation: .bilinear)
  }

  var forReport: Report.Original {
    Report.Original(
      width: width, height: height, columns: region.columns, rows: region.rows, isPadded: isPadded, picture: small)
  }
}
