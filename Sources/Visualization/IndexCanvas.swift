/// A picture of palette indices that is being drawn; rows run from the top.
struct IndexCanvas {
  let width: Int
  let height: Int
  private(set) var pixels: [UInt8]

  /// A canvas full of `index`.
  init(width: Int, height: Int, filledWith index: UInt8) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: index, count: width * height)
  }

  subscript(x: Int, y: Int) -> UInt8 {
    get { pixels[y * width + x] }
    set { pixels[y * width + x] = newValue }
  }

  /// Fills the part of a rectangle that lies on the canvas.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, with index: UInt8) {
    let columns = max(x, 0)..<min(max(x + width, 0), self.width)
    guard !columns.isEmpty else { return }
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for i in row * self.width + columns.lowerBound..<row * self.width + columns.upperBound { pixels[i] = index }
    }
  }

  /// Draws `plane` of `mapWidth` indices a row at (`x`, `y`), each index as `cell` × `cell` pixels; it must fit.
  mutating func draw(_ plane: UnsafeBufferPointer<UInt8>, mapWidth: Int, cell: Int, x: Int, y: Int) {
    pixels.withUnsafeMutableBufferPointer { pixels in
      for (row, start) in stride(from: 0, to: plane.count, by: mapWidth).enumerated() {
        let source = plane[start..<start + mapWidth]
        let first = (y + row * cell) * width + x
        let line = pixels[first..<first + mapWidth * cell]
        if cell == 1 {
          _ = UnsafeMutableBufferPointer(rebasing: line).update(fromContentsOf: source)
        } else {
          for (i, index) in source.enumerated() {
            for j in 0..<cell { pixels[first + i * cell + j] = index }
          }
        }
        for copy in 1..<max(cell, 1) {
          let next = first + copy * width
          _ = UnsafeMutableBufferPointer(rebasing: pixels[next..<next + line.count]).update(fromContentsOf: line)
        }
      }
    }
  }
}
