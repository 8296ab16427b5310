/// What one channel's activations are like; ±∞ and NaN are counted and otherwise left out.
struct ChannelStatistics {
  /// Finite activations.
  var finiteCount = 0
  /// Least finite activation; +∞ when there is none.
  var minimum = Float.infinity
  /// Greatest finite activation; −∞ when there is none.
  var maximum = -Float.infinity
  var mean = 0.0
  /// Sum of the squared distances from the mean.
  var squares = 0.0
  var zeroCount = 0
  var nanCount = 0
  var infinityCount = 0

  /// Whether all finite activations are equal, or none is finite: a picture of the channel shows nothing.
  var isFlat: Bool { !(minimum < maximum) }

  init() {}

  init(_ values: UnsafeBufferPointer<Float>) {
    if !measure(values) {
      let finite = values.filter(\.isFinite)
      self = ChannelStatistics()
      _ = finite.withUnsafeBufferPointer { measure($0) }
      nanCount = values.count { $0.isNaN }
      infinityCount = values.count - finite.count - nanCount
    }
  }

  /// Measures values that are thought to be finite; false, and nothing to be relied on, when one is not.
  private mutating func measure(_ values: UnsafeBufferPointer<Float>) -> Bool {
    guard let start = values.baseAddress, !values.isEmpty else { return true }
    var low = SIMD8<Float>(repeating: .infinity)
    var high = -low
    var poison = SIMD8<Float>.zero
    var zeros = SIMD8<Int32>.zero
    var sum = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    let whole = values.count - values.count % 8
    for i in stride(from: 0, to: whole, by: 8) {
      let x = load8(start + i)
      low.replace(with: x, where: x .< low)
      high.replace(with: x, where: x .> high)
      poison += x * 0
      zeros.replace(with: zeros &+ 1, where: x .== 0)
      sum.0 += SIMD4<Double>(x.lowHalf)
      sum.1 += SIMD4<Double>(x.highHalf)
    }
    var total = (sum.0 + sum.1).sum()
    (minimum, maximum, zeroCount) = (low.min(), high.max(), Int(zeros.wrappedSum()))
    var finite = poison.sum() == 0
    for x in values[whole...] {
      minimum = Swift.min(minimum, x)
      maximum = Swift.max(maximum, x)
      finite = finite && x.isFinite
      zeroCount += x == 0 ? 1 : 0
      total += Double(x)
    }
    guard finite else { return false }
    finiteCount = values.count
    mean = total / Double(values.count)
    squares = ChannelStatistics.squares(values, around: mean)
    return true
  }

  private static func squares(_ values: UnsafeBufferPointer<Float>, around mean: Double) -> Double {
    guard let start = values.baseAddress else { return 0 }
    var sum = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    let whole = values.count - values.count % 8
    for i in stride(from: 0, to: whole, by: 8) {
      let x = load8(start + i)
      let distance = (SIMD4<Double>(x.lowHalf) - mean, SIMD4<Double>(x.highHalf) - mean)
      sum.0 += distance.0 * distance.0
      sum.1 += distance.1 * distance.1
    }
    return values[whole...].reduce((sum.0 + sum.1).sum()) { $0 + (Double($1) - mean) * (Double($1) - mean) }
  }
}
