import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// a · b (or a · bᵀ) over the last two axes; the axes before them are broadcast.
  func matrixProduct(
    _ a: Tensor, _ b: Tensor, transposingSecond isTransposed: Bool, _ threads: Threads
  ) throws -> Tensor {
    let inner = a.shape[a.shape.count - 1]
    let columns = output.shape[output.shape.count - 1]
    let (rows, count) = (a.shape[a.shape.count - 2], b.shape.count)
    let bStride = b.shape[count - 1]
    guard b.shape[count - (isTransposed ? 1 : 2)] == inner else {
      throw H5ConvError(.badData, "matrices of shapes \(a.shape) and \(b.shape) are multiplied")
    }
    // One matrix on the right: all rows on the left are one.
    if b.shape.dropLast(2).allSatisfy({ $0 == 1 }), count <= a.shape.count {
      let total = inner == 0 ? output.shape.dropLast().reduce(1, *) : a.count / inner
      return try products(
        a, b, [(0, 0, 0)], (total, inner, columns), bStride: bStride, isTransposed: isTransposed, threads)
    }
    let batch = Array(output.shape.dropLast(2))
    let stepsA = try Broadcast.steps(of: Array(a.shape.dropLast(2)), in: batch)
    let stepsB = try Broadcast.steps(of: Array(b.shape.dropLast(2)), in: batch)
    let places = (0..<batch.reduce(1, *)).map { number in
      var (rest, offsetA, offsetB) = (number, 0, 0)
      for axis in batch.indices.reversed() {
        offsetA += rest % batch[axis] * stepsA[axis]
        offsetB += rest % batch[axis] * stepsB[axis]
        rest /= batch[axis]
      }
      return (offsetA * rows * inner, offsetB * inner * columns, number * rows * columns)
    }
    return try products(
      a, b, places, (rows, inner, columns), bStride: bStride, isTransposed: isTransposed, threads)
  }

  /// One product for each of `places`: where its matrices begin.
  private func products(
    _ a: Tensor, _ b: Tensor, _ places: [(a: Int, b: Int, result: Int)], _ size: (rows: Int, inner: Int, columns: Int),
    bStride: Int, isTransposed: Bool, _ threads: Threads
  ) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      if size.inner == 0 { return target.update(repeating: 0) }
      guard let target = target.baseAddress, size.columns > 0 else { return }
      a.withBase { a in
        b.withBase { b in
          func compute(_ place: (a: Int, b: Int, result: Int), _ rows: Range<Int>) {
            multiply(
              rows: rows.count, columns: size.columns, inner: size.inner, a + place.a + rows.lowerBound * size.inner,
              aStride: size.inner, b + place.b, bStride: bStride, bIsTransposed: isTransposed,
              into: target + place.result + rows.lowerBound * size.columns, cStride: size.columns)
          }
          if places.count == 1 {
            threads.forEachRange(size.rows, least: 16) { compute(places[0], $0) }
          } else {
            threads.forEach(places.count) { compute(places[$0], 0..<size.rows) }
          }
        }
      }
    }
  }
}
