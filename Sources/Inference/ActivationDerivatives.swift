import Glibc
import H5ConvLayers

extension Activation {
  /// f′; nil for a function over an axis.
  ///
  /// At a kink it is what TensorFlow takes for the form in which Keras computes the function: 0 for ReLU at 0 and `relu6` at 6, 1 where
  /// another maximum clips.
  var derivative: ((Float) -> Float)? {
    func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
    switch self {
    case .softmax, .logSoftmax, .sparsemax, .glu: return nil
    case .linear: return { _ in 1 }
    case .relu(let slope, let maximum, let threshold):
      if maximum == 6, threshold == 0 {
        // relu6(x) − slope · relu(−x)
        return { $0 >= 6 || $0 == 0 ? 0 : $0 > 0 ? 1 : slope }
      }
      return { $0 > maximum ? 0 : $0 > threshold ? 1 : slope }
    case .elu(let alpha): return { $0 > 0 ? 1 : alpha * exp($0) }
    case .selu:
      let (scale, alpha): (Float, Float) = (1.050_701, 1.673_263_2)
      return { $0 >= 0 ? scale : scale * alpha * exp($0) }
    // Keras adds the two halves, and both count at 0.
    case .celu(let alpha): return { $0 > 0 ? 1 : $0 == 0 ? 2 : exp($0 / alpha) }
    case .gelu(false):
      // Φ(x) + x φ(x)
      return { x in 0.5 * (1 + erf(x * 0.707_106_77)) + x * exp(-0.5 * x * x) * 0.398_942_3 }
    case .gelu(true):
      return { x in
        let root: Float = 0.797_884_56
        let t = Glibc.tanh(root * (x + 0.044715 * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
      }
    case .sigmoid:
      return { x in
        let s = sigmoid(x)
        return s * (1 - s)
      }
    case .hardSigmoid(let slope):
      // Keras 3 has relu6 in it, Keras 2 (slope 0.2) clips.
      return { x in abs(x) * slope < 0.5 || (abs(x) * slope == 0.5 && slope == 0.2) ? slope : 0 }
    case .silu:
      return { x in
        let s = sigmoid(x)
        return s * (1 + x * (1 - s))
      }
    case .hardSilu: return { x in x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6 }
    case .tanh:
      return { x in
        let t = Glibc.tanh(x)
        return 1 - t * t
      }
    case .hardTanh: return { abs($0) <= 1 ? 1 : 0 }
    case .tanhShrink:
      return { x in
        let t = Glibc.tanh(x)
        return t * t
      }
    case .softplus: return sigmoid
    case .softsign: return { x in 1 / ((1 + abs(x)) * (1 + abs(x))) }
    case .softShrink(let threshold), .hardShrink(let threshold): return { abs($0) > threshold ? 1 : 0 }
    case .logSigmoid: return { sigmoid(-$0) }
    case .exponential: return { exp($0) }
    case .mish:
      return { x in
        let t = Glibc.tanh(max(x, 0) + log1p(exp(-abs(x))))
        return t + x * (1 - t * t) * sigmoid(x)
      }
    case .squareplus(let b): return { x in 0.5 * (1 + x / (x * x + b).squareRoot()) }
    case .threshold(let threshold, _): return { $0 > threshold ? 1 : 0 }
    case .sparsePlus: return { x in x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2 }
    case .sparseSigmoid: return { abs($0) < 1 ? 0.5 : 0 }
    case .squareRoot(let minimum):
      return { x in
        let root = x.squareRoot()
        return root > minimum ? 0.5 / root : 0
      }
    }
  }
}
