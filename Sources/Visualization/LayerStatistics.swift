/// What a layer's activations are like for one image.
///
/// NaN and ±∞ are counted and otherwise left out; a figure that no finite activation supports is NaN.
package struct LayerStatistics: Sendable, Equatable {
  /// Least and greatest finite activation.
  package let minimum: Double
  package let maximum: Double
  /// Mean of the finite activations.
  package let mean: Double
  /// Population standard deviation of the finite activations.
  package let standardDeviation: Double
  /// Share of all activations that are exactly zero, 0…1.
  package let zeroFraction: Double
  /// Channels that are the same everywhere, in order.
  ///
  /// The layer says nothing about this image there; whether the channel is dead for every image is another question.
  package internal(set) var flatChannels: [Int]
  package let channelCount: Int
  package let nanCount: Int
  package let infinityCount: Int

  /// Whether every activation is finite.
  package var isFinite: Bool { nanCount == 0 && infinityCount == 0 }

  /// Measures `maps`, in float64.
  package init(_ maps: FeatureMaps) { self = MeasuredMaps(maps).layer }

  /// - Parameters:
  ///   - channels: what each channel is like.
  ///   - count: number of activations of all.
  init(_ channels: [ChannelStatistics], count: Int) {
    var layer = ChannelStatistics()
    for one in channels { layer.merge(one) }
    let hasValues = layer.finiteCount > 0
    minimum = hasValues ? Double(layer.minimum) : .nan
    maximum = hasValues ? Double(layer.maximum) : .nan
    mean = hasValues ? layer.mean : .nan
    standardDeviation = hasValues ? (layer.squares / Double(layer.finiteCount)).squareRoot() : .nan
    zeroFraction = Double(layer.zeroCount) / Double(count)
    flatChannels = channels.indices.filter { channels[$0].isFlat }
    channelCount = channels.count
    nanCount = layer.nanCount
    infinityCount = layer.infinityCount
  }
}

extension ChannelStatistics {
  /// Adds the activations that `other` was measured on (Chan, Golub, LeVeque 1979, for the mean and the squares).
  mutating func merge(_ other: ChannelStatistics) {
    if other.finiteCount > 0 {
      let count = finiteCount + other.finiteCount
      let share = Double(other.finiteCount) / Double(count)
      let distance = other.mean - mean
      squares += other.squares + distance * distance * share * Double(finiteCount)
      mean += distance * share
      finiteCount = count
    }
    minimum = Swift.min(minimum, other.minimum)
    maximum = Swift.max(maximum, other.maximum)
    zeroCount += other.zeroCount
    nanCount += other.nanCount
    infinityCount += other.infinityCount
  }
}
