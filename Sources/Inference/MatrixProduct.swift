import COpenBLAS

/// C = A·B for row-major matrices, on the calling thread.
///
/// - Parameters:
///   - a: rows × inner, rows `aStride` apart.
///   - b: inner × columns, rows `bStride` apart (columns × inner when `bIsTransposed`).
///   - c: rows × columns, rows `cStride` apart; overwritten.
///   - adds: whether the product is added to what stands in C instead.
func multiply(
  rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, aStride: Int, _ b: UnsafePointer<Float>, bStride: Int,
  bIsTransposed: Bool = false, into c: UnsafeMutablePointer<Float>, cStride: Int,
  adding adds: Bool = false
) {
  guard rows > 0, columns > 0 else { return }
  // BLAS may leave C as it is when there is nothing to sum.
  guard inner > 0 else {
    if !adds { for row in 0..<rows { (c + row * cStride).update(repeating: 0, count: columns) } }
    return
  }
  // Sizes were checked against Int32 when the plan was compiled: no tensor has more elements.
  func size(_ value: Int) -> Int32 { Int32(truncatingIfNeeded: max(1, value)) }
  var product = h5c_product(
    rows: size(rows), columns: size(columns), inner: size(inner), a: a, a_stride: size(aStride), b: b,
    b_stride: size(bStride), b_is_transposed: bIsTransposed ? 1 : 0, c: c, c_stride: size(cStride), adds: adds ? 1 : 0)
  h5c_multiply(&product)
}
