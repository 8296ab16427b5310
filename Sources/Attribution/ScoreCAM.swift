import Glibc

/// Score-CAM (Wang et al., 2020): each channel's weight is what the picture, seen through that channel's map alone, scores more than an
/// empty picture.
package enum ScoreCAM {
  /// A channel's map, from 0 to 1; nil for a channel that is the same everywhere, which shows nothing.
  package static func mask(_ activations: Planes, channel: Int) -> HeatMap? {
    let values = (0..<activations.area).map { activations.values[$0 * activations.channels + channel] }
    guard let low = values.min(), let high = values.max(), high > low else { return nil }
    return HeatMap(
      height: activations.height, width: activations.width, values: values.map { ($0 - low) / (high - low) })
  }

  /// ReLU(Σ w A) with w the softmax of `gains` over `channels`, the channels that have a mask.
  package static func map(_ activations: Planes, channels: [Int], gains: [Float]) -> HeatMap {
    let largest = gains.max() ?? 0
    let exponentials = gains.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    var weights = Array(repeating: Float(0), count: activations.channels)
    for (channel, exponential) in zip(channels, exponentials) { weights[channel] = Float(exponential / sum) }
    return activations.summed { activations.values[$0 * activations.channels + $1] * weights[$1] }.rectified
  }
}
