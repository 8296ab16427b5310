/// The sum of `map(x)` over `values` in float32, in the order in which NumPy adds.
///
/// NumPy (`numpy/_core/src/umath/loops_utils.h.src`, `pairwise_sum`) halves the values, at multiples of 8, down to blocks of
/// at most 128, and adds each block in 8 interleaved accumulators. Float addition is not associative, so pictures that
/// shall equal NumPy's to the byte have to add in the same order.
@inline(__always)
func pairwiseSum(_ values: UnsafeBufferPointer<Float>, of map: (SIMD8<Float>) -> SIMD8<Float>) -> Float {
  guard let start = values.baseAddress else { return 0 }
  return pairwiseSum(start, values.count, map)
}

private func pairwiseSum(_ start: UnsafePointer<Float>, _ count: Int, _ map: (SIMD8<Float>) -> SIMD8<Float>) -> Float {
  if count > 128 {
    let half = count / 2 - count / 2 % 8
    return pairwiseSum(start, half, map) + pairwiseSum(start + half, count - half, map)
  }
  var result: Float = 0
  let whole = count - count % 8
  if whole > 0 {
    var sums = map(load8(start))
    for i in stride(from: 8, to: whole, by: 8) { sums += map(load8(start + i)) }
    result = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
  }
  for i in whole..<count { result += map(SIMD8(repeating: start[i]))[0] }
  return result
}

/// Eight floats from `pointer`, which need not be aligned.
@inline(__always)
func load8(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
}
