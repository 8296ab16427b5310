import H5ConvTensors

/// How strong each channel of a layer is on one picture; activations that are not finite are left out.
package struct ChannelPeaks: Sendable {
  /// Greatest and least activation of each channel; −∞ and ∞ where none is finite.
  package let maxima: [Float]
  package let minima: [Float]
  /// Mean of each channel's finite activations; NaN where there are none.
  package let means: [Double]
  private let maps: FeatureMaps

  package init(_ maps: FeatureMaps) {
    self.maps = maps
    let channels = maps.tensor.shape[2]
    var maxima = [Float](repeating: -.infinity, count: channels)
    var minima = [Float](repeating: .infinity, count: channels)
    var sums = [Double](repeating: 0, count: channels)
    var poison = [Float](repeating: 0, count: channels)
    maps.tensor.withUnsafeElements { values in
      for start in stride(from: 0, to: values.count, by: channels) {
        for channel in 0..<channels {
          let value = values[start + channel]
          // Comparisons with NaN are false.
          if value > maxima[channel], value < .infinity { maxima[channel] = value }
          if value < minima[channel], value > -.infinity { minima[channel] = value }
          sums[channel] += Double(value)
          poison[channel] += value * 0
        }
      }
    }
    let area = Double(maps.tensor.count / max(1, channels))
    means = (0..<channels).map { channel in
      if poison[channel] == 0 { return sums[channel] / area }
      let finite = ChannelPeaks.values(of: channel, in: maps).filter(\.isFinite)
      return finite.isEmpty ? .nan : finite.reduce(0.0) { $0 + Double($1) } / Double(finite.count)
    }
    (self.maxima, self.minima) = (maxima, minima)
  }

  /// Where `channel` has its greatest activation: the first such place, row by row.
  package func place(of channel: Int) -> (row: Int, column: Int) {
    let values = ChannelPeaks.values(of: channel, in: maps)
    let place = values.firstIndex(of: maxima[channel]) ?? 0
    return (place / maps.tensor.shape[1], place % maps.tensor.shape[1])
  }

  private static func values(of channel: Int, in maps: FeatureMaps) -> [Float] {
    let channels = maps.tensor.shape[2]
    return maps.tensor.withUnsafeElements { values in
      stride(from: channel, to: values.count, by: channels).map { values[$0] }
    }
  }
}

/// What makes a channel strong on a picture.
package enum ChannelMeasure: String, Sendable, CaseIterable {
  /// Its greatest activation.
  case max
  /// The mean of its activations.
  case mean
}

extension ChannelPeaks {
  /// The `count` channels that are strongest by `measure`, strongest first; of equal ones the first.
  package func strongest(_ count: Int, by measure: ChannelMeasure) -> [Int] {
    let strengths = maxima.indices.map { measure == .max ? Double(maxima[$0]) : means[$0] }
    return strengths.indices.sorted { a, b in
      let (x, y) = (strengths[a], strengths[b])
      return x == y || x.isNaN && y.isNaN ? a < b : x > y || y.isNaN
    }.prefix(count).map(\.self)
  }
}
