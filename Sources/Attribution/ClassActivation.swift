/// How feature maps and the gradients of a class's score become one map of where the class was seen.
package enum ClassActivation: String, Sendable, CaseIterable {
  /// ReLU(Σ w A) with w the mean of a channel's gradient (Selvaraju et al., 2017).
  case gradCAM = "gradcam"
  /// ReLU(Σ g A), element by element (Draelos and Carin, 2020).
  case hiResCAM = "hirescam"
  /// ReLU(Σ ReLU(g) A), which stays sharp in early layers (Jiang et al., 2021).
  case layerCAM = "layercam"
  /// ReLU(Σ w A) with w = Σ α ReLU(g), α = g² / (2 g² + g³ Σ A), 0 where g is 0 (Chattopadhay et al., 2018); without the factor of
  /// the exponential score, which scales every weight alike.
  case gradCAMPlusPlus = "gradcam++"

  /// The map of `activations` for the score whose gradient with respect to them is `gradients`; both have one shape.
  package func map(_ activations: Planes, _ gradients: Planes) -> HeatMap {
    unrectified(activations, gradients).rectified
  }

  /// The map before what counts against the class is set to 0.
  package func unrectified(_ activations: Planes, _ gradients: Planes) -> HeatMap {
    let (a, g, channels) = (activations.values, gradients.values, activations.channels)
    switch self {
    case .hiResCAM: return activations.summed { a[$0 * channels + $1] * g[$0 * channels + $1] }
    case .layerCAM: return activations.summed { a[$0 * channels + $1] * max(0, g[$0 * channels + $1]) }
    case .gradCAM, .gradCAMPlusPlus:
      let weights = weights(activations, gradients)
      return activations.summed { a[$0 * channels + $1] * weights[$1] }
    }
  }

  /// The weight of each channel; empty where each element has its own.
  package func weights(_ activations: Planes, _ gradients: Planes) -> [Float] {
    let channels = activations.channels
    switch self {
    case .hiResCAM, .layerCAM: return []
    case .gradCAM: return (0..<channels).map { Float(gradients.mean(of: $0)) }
    case .gradCAMPlusPlus:
      return (0..<channels).map { channel in
        let sum = activations.mean(of: channel) * Double(activations.area)
        return Float(
          (0..<activations.area).reduce(0.0) { total, cell in
            let g = Double(gradients.values[cell * channels + channel])
            guard g > 0 else { return total }
            return total + g * g * g / (2 * g * g + sum * g * g * g + 1e-6)
          })
      }
    }
  }
}
