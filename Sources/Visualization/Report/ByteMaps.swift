/// A layer's activations in 8 bits, each channel from its own least to its own greatest finite activation.
///
/// The activation that byte q of a channel stands for is min + q · (max − min) / levels, and it is off by half a step at most, that is
/// (max − min) / (2 · levels). Where a channel has activations that are not finite, ``levels(of:)`` is 252, and the bytes above are
/// −∞, +∞ and NaN; elsewhere it is 255.
package struct ByteMaps: Sendable {
  /// Bytes that stand for activations that are not finite.
  package static let (negativeInfinity, infinity, notANumber) = (253 as UInt8, 254 as UInt8, 255 as UInt8)
  /// Number of bars of ``histogram``.
  package static let histogramBars = 64

  package let height: Int
  package let width: Int
  package let channels: Int
  /// Height and width of the layer's maps; larger than ``height`` and ``width`` when these are thumbnails.
  package let fullHeight: Int
  package let fullWidth: Int
  /// Each byte stands for the strongest of so many by so many activations.
  package let reduction: Int
  /// In the order (channels, height, width).
  package let bytes: [UInt8]
  /// Of all activations, thumbnails or not.
  let statistics: [ChannelStatistics]
  package let layer: LayerStatistics
  /// How many finite activations lie in each of 64 equal parts of the layer's range.
  package let histogram: [Int]

  /// Quantises all of `maps`.
  package init(_ maps: FeatureMaps) { self.init(MeasuredMaps(maps)) }

  init(_ maps: MeasuredMaps) {
    let (planar, statistics) = (maps.planar, maps.channels)
    (height, width, channels) = (planar.height, planar.width, planar.channels)
    (fullHeight, fullWidth, reduction) = (planar.height, planar.width, 1)
    (layer, self.statistics) = (maps.layer, statistics)
    histogram = ByteMaps.histogram(planar, layer)
    bytes = [UInt8](unsafeUninitializedCapacity: planar.values.count) { target, count in
      planar.forEachChannel { channel, values in
        let plane = UnsafeMutableBufferPointer(rebasing: target[channel * planar.area..<(channel + 1) * planar.area])
        ByteMaps.quantize(values, statistics[channel], into: plane)
      }
      count = planar.values.count
    }
  }

  /// The maps as thumbnails that are at most `longest` pixels high and wide: of each `reduction` × `reduction` activations the one
  /// farthest from 0, or one that is not finite.
  func thumbnails(longest: Int) -> ByteMaps {
    let side = (max(fullHeight, fullWidth) + longest - 1) / max(1, longest)
    guard side > 1, reduction == 1 else { return self }
    return ByteMaps(self, strongestOf: side)
  }

  private init(_ full: ByteMaps, strongestOf side: Int) {
    (fullHeight, fullWidth, channels, reduction) = (full.height, full.width, full.channels, side)
    (statistics, layer, histogram) = (full.statistics, full.layer, full.histogram)
    let (rows, columns) = ((full.height + side - 1) / side, (full.width + side - 1) / side)
    (height, width) = (rows, columns)
    var result = [UInt8](repeating: 0, count: rows * columns * channels)
    for channel in 0..<channels {
      let rank = ByteMaps.strength(full.statistics[channel])
      // Nothing is weaker than what has not been seen.
      var best = [Int](repeating: -1, count: rows * columns)
      for row in 0..<full.height {
        let source = (channel * full.height + row) * full.width
        for column in 0..<full.width {
          let byte = full.bytes[source + column]
          let place = row / side * columns + column / side
          guard rank[Int(byte)] > best[place] else { continue }
          best[place] = rank[Int(byte)]
          result[channel * rows * columns + place] = byte
        }
      }
    }
    bytes = result
  }

  /// For each byte of a channel how far from 0 its activation is, in steps of the channel; what is not finite is farthest.
  private static func strength(_ one: ChannelStatistics) -> [Int] {
    let levels = levels(one)
    let span = Double(one.maximum) - Double(one.minimum)
    // Where 0 lies, in 512ths of the range, so that places to both sides compare rightly.
    let zero = span > 0 ? -Double(one.minimum) / span * 512 * 255 : 0
    return (0...255).map { byte in
      guard byte <= levels else { return .max }
      let distance = abs(Double(byte) * 512 * 255 / Double(levels) - zero)
      return distance < 1e15 ? Int(distance) : 1 << 50
    }
  }

  /// The steps between the least and the greatest activation of a channel.
  package func levels(of channel: Int) -> Int { ByteMaps.levels(statistics[channel]) }

  private static func levels(_ one: ChannelStatistics) -> Int { one.nanCount + one.infinityCount > 0 ? 252 : 255 }

  private static func quantize(
    _ values: UnsafeBufferPointer<Float>, _ one: ChannelStatistics, into plane: UnsafeMutableBufferPointer<UInt8>
  ) {
    guard one.nanCount + one.infinityCount > 0 || !one.isFlat else { return plane.initialize(repeating: 0) }
    let origin = Double(one.minimum)
    let scale = one.isFlat ? 0 : Double(levels(one)) / (Double(one.maximum) - origin)
    for i in 0..<values.count { plane[i] = truncatedByte((Double(values[i]) - origin) * scale + 0.5) }
    guard one.nanCount + one.infinityCount > 0 else { return }
    for i in 0..<values.count where !values[i].isFinite {
      plane[i] = values[i].isNaN ? notANumber : values[i] > 0 ? infinity : negativeInfinity
    }
  }

  private static func histogram(_ maps: PlanarMaps, _ layer: LayerStatistics) -> [Int] {
    var bars = [Int](repeating: 0, count: histogramBars)
    guard layer.minimum < layer.maximum else { return bars }
    let scale = Float(Double(histogramBars) / (layer.maximum - layer.minimum))
    let origin = Float(layer.minimum)
    // Neighbours are counted apart: most activations of a network with ReLU are the same, and one count would wait for the other.
    let apart = 4
    let isFinite = layer.isFinite
    let counts = [Int](unsafeUninitializedCapacity: 256 * apart) { counts, count in
      counts.initialize(repeating: 0)
      count = counts.count
      guard let counts = counts.baseAddress else { return }
      maps.values.withUnsafeBufferPointer { values in
        for (place, value) in values.enumerated() where isFinite || value.isFinite {
          counts[Int(truncatedByte((value - origin) * scale)) * apart + place % apart] &+= 1
        }
      }
    }
    for (place, count) in counts.enumerated() { bars[min(place / apart, histogramBars - 1)] += count }
    return bars
  }
}
