/// Where each channel lies in a picture: tiles of one size in rows of equal length, with gap lines between and around.
///
/// An activation is a square of `cell` × `cell` equal pixels, so whoever knows these numbers can read the quantised
/// activations back from the picture's palette indices.
package struct TileLayout: Sendable, Equatable {
  /// Left edge of the first tile, in pixels from the picture's left.
  package var x: Int
  /// Top edge of the first tile, in pixels from the picture's top.
  package var y: Int
  /// Width and height of a tile in pixels.
  package let width: Int
  package let height: Int
  /// Width of the lines between and around tiles, in pixels.
  package let gap: Int
  /// Tiles per row.
  package let columns: Int
  package let rows: Int
  /// Pixels along each side of an activation.
  package let cell: Int
  /// Number of tiles, one per channel; they fill the rows in order.
  package let count: Int

  /// The tiles of `count` channels of `mapHeight` × `mapWidth` activations.
  init(count: Int, mapHeight: Int, mapWidth: Int, columns: Int, cell: Int, gap: Int) {
    x = gap
    y = gap
    width = mapWidth * cell
    height = mapHeight * cell
    self.gap = gap
    self.cell = cell
    self.count = count
    self.columns = max(1, min(columns, count))
    rows = (count + self.columns - 1) / self.columns
  }

  /// Left and top edge of the tile of `channel`, in pixels.
  package func origin(of channel: Int) -> (x: Int, y: Int) {
    (x + channel % columns * (width + gap), y + channel / columns * (height + gap))
  }

  /// Width and height of all tiles with the lines around them, in pixels.
  var extent: (width: Int, height: Int) {
    (columns * (width + gap) + gap, rows * (height + gap) + gap)
  }
}
