import Glibc

/// How gradients with respect to the network's input become a map of its pixels.
package enum InputAttribution {
  /// max over the channels of |g| (Simonyan et al., 2013).
  package static func saliency(_ gradient: Planes) -> HeatMap {
    let channels = gradient.channels
    let values = (0..<gradient.area).map { cell in
      (0..<channels).reduce(Float(0)) { max($0, abs(gradient.values[cell * channels + $1])) }
    }
    return HeatMap(height: gradient.height, width: gradient.width, values: values)
  }

  /// Where Integrated Gradients (Sundararajan et al., 2017) take the gradient: the midpoints of `steps` parts of the way from 0 to 1.
  package static func path(steps: Int) -> [Float] { (0..<steps).map { (Float($0) + 0.5) / Float(steps) } }

  /// Σ over the channels of (x − baseline) times the mean gradient along the path; its sum approaches f(x) − f(baseline).
  package static func integrated(_ input: Planes, baseline: [Float], meanGradient: [Float]) -> HeatMap {
    let channels = input.channels
    return input.summed { cell, channel in
      let place = cell * channels + channel
      return (input.values[place] - baseline[place]) * meanGradient[place]
    }
  }
}

/// Numbers of a normal distribution from a seed: SplitMix64 and the polar form of Box and Muller.
package struct NormalNumbers: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  private mutating func uniform() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

  /// The next number, of mean 0 and variance 1.
  package mutating func next() -> Double {
    while true {
      let (u, v) = (2 * uniform() - 1, 2 * uniform() - 1)
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
    }
  }
}
