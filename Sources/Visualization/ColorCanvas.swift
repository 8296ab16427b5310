import H5ConvImages

/// A picture of red, green and blue that is being drawn; rows run from the top.
struct ColorCanvas {
  let width: Int
  let height: Int
  private(set) var pixels: [UInt8]

  /// What `canvas` shows in the colours of `map`.
  init(_ canvas: IndexCanvas, map: ColorMap) {
    (width, height) = (canvas.width, canvas.height)
    pixels = [UInt8](unsafeUninitializedCapacity: canvas.pixels.count * 3) { target, count in
      for (place, index) in canvas.pixels.enumerated() {
        for channel in 0..<3 { target[place * 3 + channel] = map.colors[Int(index) * 3 + channel] }
      }
      count = canvas.pixels.count * 3
    }
  }

  /// Draws `picture`, all of which lies on the canvas, with its upper left corner at (`x`, `y`).
  mutating func draw(_ picture: Raster, x: Int, y: Int) {
    for row in 0..<picture.height {
      var target = ((y + row) * width + x) * 3
      var source = row * picture.width * picture.channels
      for _ in 0..<picture.width {
        for channel in 0..<3 {
          pixels[target + channel] = picture.pixels[source + (picture.channels == 3 ? channel : 0)]
        }
        target += 3
        source += picture.channels
      }
    }
  }

  /// Fills what of the rectangle lies in `clip`, which lies on the canvas, with a grey value.
  mutating func fill(_ rectangle: PixelRectangle, inside clip: PixelRectangle, with grey: UInt8) {
    let columns = max(rectangle.x, clip.x)..<max(rectangle.x, clip.x, min(rectangle.right, clip.right))
    for row in max(rectangle.y, clip.y)..<max(rectangle.y, clip.y, min(rectangle.bottom, clip.bottom)) {
      for place in (row * width + columns.lowerBound) * 3..<(row * width + columns.upperBound) * 3 {
        pixels[place] = grey
      }
    }
  }

  /// Draws the edge of a rectangle, one pixel wide, where it lies in `clip`.
  mutating func frame(_ rectangle: PixelRectangle, inside clip: PixelRectangle, with grey: UInt8) {
    let (x, y, width, height) = (rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    for edge in [
      PixelRectangle(x: x, y: y, width: width, height: 1),
      PixelRectangle(x: x, y: rectangle.bottom - 1, width: width, height: 1),
      PixelRectangle(x: x, y: y, width: 1, height: height),
      PixelRectangle(x: rectangle.right - 1, y: y, width: 1, height: height),
    ] { fill(edge, inside: clip, with: grey) }
  }
}

/// A rectangle of whole pixels.
package struct PixelRectangle: Sendable, Equatable {
  /// Left and upper edge.
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int
  /// Behind the last column and row.
  var right: Int { x + width }
  var bottom: Int { y + height }

  package init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The rectangle with `distance` more pixels at every side.
  func grown(by distance: Int) -> PixelRectangle {
    PixelRectangle(x: x - distance, y: y - distance, width: width + 2 * distance, height: height + 2 * distance)
  }
}

extension Raster {
  /// The picture enlarged by the greatest whole factor, or reduced, so that it fits into a square of `side` pixels.
  func fitted(in side: Int) throws -> Raster {
    let longer = max(width, height)
    if longer <= side {
      let factor = side / longer
      return try resized(width: width * factor, height: height * factor)
    }
    func reduced(_ length: Int) -> Int {
      max(1, Int((Double(length) * Double(side) / Double(longer)).rounded()))
    }
    return try resized(width: reduced(width), height: reduced(height), interpolation: .bilinear)
  }
}
