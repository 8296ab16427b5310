public import H5Conv

extension ReportBuilder {
  /// Compares a tensor with its golden one: largest |a − b| ≤ tolerance · max(1, largest |golden|).
  mutating func compare(_ tensor: Tensor, with golden: Tensor, at place: String, tolerance: Double) {
    count += 1
    guard tensor.shape == golden.shape else {
      depart(place, "the shape is \(tensor.shape) where \(golden.shape) was expected")
      return
    }
    let difference = scaledDifference(tensor, golden)
    saw(difference, at: place)
    // Written so that NaN departs.
    if !(difference <= tolerance) {
      depart(place, "the largest difference is \(difference), more than \(tolerance)", by: difference)
    }
  }
}

/// The largest |a − b|, divided by max(1, largest |golden|); NaN where only one is NaN, 0 for equal infinities.
///
/// Divided, so that one tolerance serves layers of all magnitudes.
public func scaledDifference(_ tensor: Tensor, _ golden: Tensor) -> Double {
  var largest = 0.0
  var scale = 1.0
  for (a, b) in zip(tensor.values, golden.values) {
    if b.isFinite { scale = max(scale, Double(abs(b))) }
    if a == b || a.isNaN && b.isNaN { continue }
    let difference = abs(Double(a) - Double(b))
    if difference.isNaN { return .nan }
    largest = max(largest, difference)
  }
  return largest / scale
}
