/// Patches of an image that are covered one after the other (Zeiler and Fergus, 2014).
package struct Occlusion: Sendable {
  package let height: Int
  package let width: Int
  /// Rows and columns of each patch, from the top left; those at the right and lower borders are cut off.
  package let patches: [(rows: Range<Int>, columns: Range<Int>)]

  /// - Parameters:
  ///   - patch: length of a patch's sides, in pixels.
  ///   - stride: distance from one patch to the next.
  package init(height: Int, width: Int, patch: Int, stride: Int) {
    (self.height, self.width) = (height, width)
    let (patch, stride) = (max(1, patch), max(1, stride))
    func starts(_ length: Int) -> [Int] {
      // Every pixel is covered at least once.
      Array(Swift.stride(from: 0, to: max(1, length - patch + stride), by: stride)).filter { $0 < length }
    }
    patches = starts(height).flatMap { top in
      starts(width).map { left in (top..<min(height, top + patch), left..<min(width, left + patch)) }
    }
  }

  /// For each pixel the mean over the patches that cover it of what its patch took from the score.
  ///
  /// - Parameters:
  ///   - score: the score of the whole picture.
  ///   - covered: the score with each of ``patches`` covered.
  package func map(score: Float, covered: [Float]) -> HeatMap {
    var sums = Array(repeating: 0.0, count: height * width)
    var counts = Array(repeating: 0.0, count: height * width)
    for (patch, value) in zip(patches, covered) {
      for row in patch.rows {
        for column in patch.columns {
          sums[row * width + column] += Double(score - value)
          counts[row * width + column] += 1
        }
      }
    }
    let values = zip(sums, counts).map { $1 > 0 ? Float($0 / $1) : 0 }
    return HeatMap(height: height, width: width, values: values)
  }
}
