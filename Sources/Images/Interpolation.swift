import Glibc
import H5ConvDiagnostics

/// How pixels between pixels are made: Pillow's resampling filters, under the names that Keras uses.
///
/// When a picture is made smaller, all but `nearest` average over as many pixels as it takes (they antialias); this is
/// Pillow's behaviour, and unlike `tf.image.resize`.
package enum Interpolation: String, Sendable, CaseIterable {
  /// One pixel, the nearest; the default of `keras.utils.load_img`.
  case nearest
  /// The mean of the pixels covered.
  case box
  /// Weights that fall linearly over one pixel.
  case bilinear
  /// A sinc under a Hamming window, one pixel wide to each side.
  case hamming
  /// Cubic convolution with a = −0.5, two pixels wide to each side.
  case bicubic
  /// A sinc under a wider sinc, three pixels wide to each side.
  case lanczos

  /// The interpolation called `name`.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when there is none.
  package init(named name: String) throws {
    guard let found = Interpolation(rawValue: name) else {
      let names = Interpolation.allCases.map(\.rawValue).joined(separator: ", ")
      throw H5ConvError(.usage, "unknown interpolation “\(name)”", remedy: "use one of \(names)")
    }
    self = found
  }

  /// Half the width of the filter, in pixels of the larger picture; nil for `nearest`, which is no filter.
  var support: Double? {
    switch self {
    case .nearest: nil
    case .box: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The filter's weight at distance `x` from its centre, operation by operation as Pillow's libImaging/Resample.c.
  func weight(_ x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .nearest, .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear: return distance < 1 ? 1 - distance : 0
    case .hamming:
      if distance == 0 { return 1 }
      if distance >= 1 { return 0 }
      let angle = distance * Double.pi
      return sin(angle) / angle * (Double(0.54 as Float) + Double(0.46 as Float) * cos(angle))
    case .bicubic:
      let a = -0.5
      if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
      return 0
    case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  if x == 0 { return 1 }
  let angle = x * Double.pi
  return sin(angle) / angle
}
