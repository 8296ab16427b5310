/// Percentiles of the finite values among `values`; nil when none is finite.
///
/// By NumPy's default rule, `linear`: rank p/100 · (n − 1), between the two neighbouring values in order.
/// Values are not sorted but counted: by the upper 16 bits of a key that orders as the floats do, then, within the one
/// bucket wanted, by the lower 16.
struct Percentiles {
  private let values: [Float]
  private let buckets: [Int]
  private let finiteCount: Int

  init?(of values: [Float]) {
    var buckets = [Int](repeating: 0, count: 1 << 16)
    var finiteCount = 0
    for value in values where value.isFinite {
      buckets[Int(value.orderedKey >> 16)] += 1
      finiteCount += 1
    }
    guard finiteCount > 0 else { return nil }
    self.values = values
    self.buckets = buckets
    self.finiteCount = finiteCount
  }

  /// The percentile `percent`, 0…100.
  func callAsFunction(_ percent: Double) -> Double {
    let rank = percent / 100 * Double(finiteCount - 1)
    let below = Swift.min(Swift.max(Int(rank), 0), finiteCount - 1)
    let share = rank - Double(below)
    let low = Double(value(ofRank: below))
    guard share > 0 else { return low }
    let high = Double(value(ofRank: Swift.min(below + 1, finiteCount - 1)))
    // NumPy's _lerp, which counts from the nearer end.
    return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share)
  }

  private func value(ofRank rank: Int) -> Float {
    let (upper, rest) = Percentiles.find(rank, in: buckets)
    var fine = [Int](repeating: 0, count: 1 << 16)
    for value in values where value.isFinite && Int(value.orderedKey >> 16) == upper {
      fine[Int(value.orderedKey & 0xffff)] += 1
    }
    let (lower, _) = Percentiles.find(rest, in: fine)
    return Float(orderedKey: UInt32(upper) << 16 | UInt32(lower))
  }

  /// The bucket that holds the element of `rank`, and the element's rank within it.
  private static func find(_ rank: Int, in counts: [Int]) -> (bucket: Int, rank: Int) {
    var rest = rank
    for (bucket, count) in counts.enumerated() {
      if rest < count { return (bucket, rest) }
      rest -= count
    }
    return (counts.count - 1, 0)
  }
}

extension Float {
  /// An integer that orders as the floats do.
  fileprivate var orderedKey: UInt32 { bitPattern >> 31 == 0 ? bitPattern | 0x8000_0000 : ~bitPattern }

  fileprivate init(orderedKey key: UInt32) { self.init(bitPattern: key >> 31 == 1 ? key & 0x7fff_ffff : ~key) }
}
