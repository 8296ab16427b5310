/// Fractional bits of the weights: 8 bits for the result, two for filters that go below 0 and above 1 (Pillow's
/// PRECISION_BITS).
let resampleFractionBits = 32 - 8 - 2

/// For every target pixel of one axis, which source pixels it is made of and with what weights.
///
/// Follows `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow's libImaging/Resample.c step by step, in double, so
/// that the fixed-point weights come out the same.
struct ResampleTable {
  /// First source pixel of every target pixel.
  private(set) var starts: [Int]
  /// Number of source pixels of every target pixel.
  private(set) var counts: [Int]
  /// Weights in fixed point, `stride` for every target pixel, of which the first `counts[i]` are used.
  private(set) var weights: [Int32]
  /// Room for the weights of a target pixel.
  let stride: Int

  /// The source pixels that are used by any target pixel.
  var used: Range<Int> {
    guard let first = starts.first, let lastStart = starts.last, let lastCount = counts.last else { return 0..<0 }
    return first..<(lastStart + lastCount)
  }

  /// A table that maps the pixels `span`, of `count` along the axis, onto `target` pixels.
  ///
  /// Pixels outside `span`, but inside the picture, are used too where the filter reaches them, as in Pillow.
  init(count: Int, span: Range<Int>, target: Int, filter: Interpolation) {
    let origin = Double(Float(span.lowerBound))
    let scale = Double(Float(span.upperBound) - Float(span.lowerBound)) / Double(target)
    let filterScale = max(scale, 1)
    let support = (filter.support ?? 0.5) * filterScale
    let inverse = 1 / filterScale
    stride = min(Int(support.rounded(.up)) * 2 + 1, count)
    starts = []
    counts = []
    weights = [Int32](repeating: 0, count: target * stride)
    starts.reserveCapacity(target)
    counts.reserveCapacity(target)
    var row = [Double](repeating: 0, count: stride)

    for index in 0..<target {
      let center = origin + (Double(index) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), count)
      let taps = max(end - start, 0)
      var sum = 0.0
      for tap in 0..<taps {
        row[tap] = filter.weight((Double(tap + start) - center + 0.5) * inverse)
        sum += row[tap]
      }
      for tap in 0..<taps {
        let weight = sum != 0 ? row[tap] / sum : row[tap]
        let scaled = weight * Double(1 << resampleFractionBits)
        weights[index * stride + tap] = Int32(clamping: Int(weight < 0 ? scaled - 0.5 : scaled + 0.5))
      }
      starts.append(start)
      counts.append(taps)
    }
  }

  /// The same table with `offset` subtracted from every source pixel.
  func shifted(by offset: Int) -> ResampleTable {
    var copy = self
    copy.starts = starts.map { $0 - offset }
    return copy
  }
}

/// A sum of weighted samples as an 8-bit sample.
@inline(__always)
func resampled(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: min(max(sum >> resampleFractionBits, 0), 255)) }

/// One half, in fixed point: where a sum begins, so that it ends rounded.
let resampleHalf = Int32(1) << (resampleFractionBits - 1)
