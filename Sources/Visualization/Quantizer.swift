/// A layer's activations as indices into a colour map.
package struct QuantizedMaps: Sendable {
  package let height: Int
  package let width: Int
  package let channels: Int
  /// Indices in the order (channels, height, width).
  package let indices: [UInt8]
  /// Channels of which the scale shows nothing, in order: all activations equal or, for `zscore`, a deviation of 0 in
  /// float32.
  package let flatChannels: [Int]
  /// The activations at the lower end of index 0 and the upper end of index 255; nil when each channel has its own.
  package let range: ClosedRange<Double>?

  /// Quantises `maps` by `scale`.
  ///
  /// Activations that are not finite take no part in means and ranges; they become the lowest index (NaN, −∞) or the
  /// highest (+∞).
  package init(_ maps: FeatureMaps, scale: Scale) {
    self.init(MeasuredMaps(maps), scale: scale)
  }

  /// The maps of some channels, in their order.
  func selecting(_ chosen: [Int]) -> QuantizedMaps {
    let area = height * width
    let flat = Set(flatChannels)
    return QuantizedMaps(
      height: height, width: width, channels: chosen.count,
      indices: chosen.flatMap { indices[$0 * area..<($0 + 1) * area] },
      flatChannels: chosen.indices.filter { flat.contains(chosen[$0]) }, range: range)
  }

  init(
    height: Int, width: Int, channels: Int, indices: [UInt8], flatChannels: [Int], range: ClosedRange<Double>?
  ) {
    (self.height, self.width, self.channels, self.indices) = (height, width, channels, indices)
    (self.flatChannels, self.range) = (flatChannels, range)
  }

  init(_ measured: MeasuredMaps, scale: Scale) {
    let (maps, statistics) = (measured.planar, measured.layer)
    let range = scale.range(for: maps, statistics)
    var flat = Set(statistics.flatChannels)
    indices = [UInt8](unsafeUninitializedCapacity: maps.values.count) { target, count in
      var scratch = [Float](repeating: 0, count: maps.area)
      maps.forEachChannel { channel, values in
        let plane = UnsafeMutableBufferPointer(rebasing: target[channel * maps.area..<(channel + 1) * maps.area])
        let isFlat = flat.contains(channel)
        switch scale {
        case .zscore:
          if isFlat || !standardize(values, &scratch, finite: statistics.isFinite, into: plane) {
            plane.initialize(repeating: 0)
            flat.insert(channel)
          }
        case .channel:
          if isFlat {
            plane.initialize(repeating: 0)
          } else {
            let one = measured.channels[channel]
            quantize(values, LinearStep(Double(one.minimum), Double(one.maximum)), into: plane)
          }
        case .signed: quantize(values, LinearStep(around: range?.upperBound ?? 0), into: plane)
        case .layer, .robust, .raw:
          quantize(values, LinearStep(range?.lowerBound ?? 0, range?.upperBound ?? 0), into: plane)
        }
      }
      count = maps.values.count
    }
    height = maps.height
    width = maps.width
    channels = maps.channels
    flatChannels = flat.sorted()
    self.range = range
  }
}

extension Scale {
  /// The range that all channels share under this scale, or nil when each has its own.
  fileprivate func range(for maps: PlanarMaps, _ statistics: LayerStatistics) -> ClosedRange<Double>? {
    let known = statistics.minimum <= statistics.maximum
    let (low, high) = known ? (statistics.minimum, statistics.maximum) : (0, 0)
    switch self {
    case .zscore, .channel: return nil
    case .layer: return min(low, 0 <= low ? 0 : low)...high
    case .signed:
      let magnitude = max(abs(low), abs(high))
      return -magnitude...magnitude
    case .robust:
      guard let percentile = Percentiles(of: maps.values) else { return 0...0 }
      let (from, to) = (percentile(Scale.robustPercentiles.low), percentile(Scale.robustPercentiles.high))
      // Nearly all of a sparse layer can be one value; then only the whole range shows the rest.
      return from < to ? from...to : low...high
    case .raw(let low, let high): return low...high
    }
  }
}

/// x = offset + (a − origin) / span, in float64.
private struct LinearStep {
  let origin: Double
  let span: Double
  let offset: Double

  /// From `low` to `high`; all of it 0 when they are equal.
  init(_ low: Double, _ high: Double) {
    origin = low
    span = low < high ? high - low : .infinity
    offset = 0
  }

  /// From −`magnitude` to +`magnitude`; all of it the middle when that is 0.
  init(around magnitude: Double) {
    origin = 0
    span = magnitude > 0 ? 2 * magnitude : .infinity
    offset = 0.5
  }
}

/// Index min(255, int(256 x)) of each value, clamped at both ends: matplotlib's rule (`Normalize`, `Colormap.__call__`).
private func quantize(
  _ values: UnsafeBufferPointer<Float>, _ step: LinearStep, into plane: UnsafeMutableBufferPointer<UInt8>
) {
  let (origin, span, offset) = (step.origin, step.span, step.offset)
  for i in 0..<values.count {
    plane[i] = truncatedByte((offset + (Double(values[i]) - origin) / span) * 256)
  }
}

/// The tutorial's bytes of one channel, rounding by rounding as NumPy computes them in place; false when the standard
/// deviation is 0.
private func standardize(
  _ values: UnsafeBufferPointer<Float>, _ scratch: inout [Float], finite: Bool,
  into plane: UnsafeMutableBufferPointer<UInt8>
) -> Bool {
  let mean: Float
  let deviation: Float
  if finite {
    mean = meanInFloat32(values)
    deviation = scratch.withUnsafeMutableBufferPointer { centred in
      for i in 0..<values.count { centred[i] = values[i] - mean }
      return deviationInFloat32(UnsafeBufferPointer(centred))
    }
  } else {
    let known = values.filter(\.isFinite)
    mean = known.withUnsafeBufferPointer(meanInFloat32)
    deviation = known.map { $0 - mean }.withUnsafeBufferPointer(deviationInFloat32)
  }
  guard deviation != 0 else { return false }
  for i in 0..<values.count {
    var x = values[i] - mean
    x /= deviation
    x *= 64
    x += 128
    plane[i] = truncatedByte(x)
  }
  return true
}

/// `numpy.mean` of a float32 array.
private func meanInFloat32(_ values: UnsafeBufferPointer<Float>) -> Float {
  Float(Double(pairwiseSum(values) { $0 }) / Double(values.count))
}

/// `numpy.std` of a float32 array: the root of the mean squared distance from the mean, all in float32.
private func deviationInFloat32(_ values: UnsafeBufferPointer<Float>) -> Float {
  let mean = meanInFloat32(values)
  let squares = pairwiseSum(values) { ($0 - mean) * ($0 - mean) }
  return Float(Double(squares) / Double(values.count)).squareRoot()
}

/// `x` clipped to 0…255 and truncated; 0 for NaN.
///
/// Written without a conversion to an integer, which Swift checks value by value: 2²³ is added, so that the integer part
/// stands in the low bits, rounded to nearest; where that was upwards, 1 is taken off.
@inline(__always)
func truncatedByte(_ x: Float) -> UInt8 {
  let clipped = x > 0 ? (x < 255 ? x : 255) : 0
  let shifted = clipped + 0x1p23
  let excess: UInt32 = shifted - 0x1p23 > clipped ? 1 : 0
  return UInt8(truncatingIfNeeded: shifted.bitPattern &- excess)
}

/// The same in float64, where 2⁵² takes the place of 2²³.
@inline(__always)
func truncatedByte(_ x: Double) -> UInt8 {
  let clipped = x > 0 ? (x < 255 ? x : 255) : 0
  let shifted = clipped + 0x1p52
  let excess: UInt64 = shifted - 0x1p52 > clipped ? 1 : 0
  return UInt8(truncatingIfNeeded: shifted.bitPattern &- excess)
}
