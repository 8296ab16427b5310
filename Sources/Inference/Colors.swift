import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// Pixels (…, 3) in other terms, as TensorFlow's kernels compute them (`tensorflow/core/kernels/image/colorspace_op.h`).
  func recolor(_ input: Tensor, _ change: ColorChange, _ threads: Threads) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        threads.forEachRange(input.count / 3, least: 1 << 12) { pixels in
          for pixel in pixels {
            let (from, to) = (source + 3 * pixel, target + 3 * pixel)
            let result =
              change == .hsvFromRGB
              ? PlanStep.hsv(from[0], from[1], from[2]) : PlanStep.rgb(from[0], from[1], from[2])
            (to[0], to[1], to[2]) = result
          }
        }
      }
    }
  }

  private static func hsv(_ red: Float, _ green: Float, _ blue: Float) -> (Float, Float, Float) {
    let value = max(red, green, blue)
    let range = value - min(red, green, blue)
    let norm = 1 / range * (1 / 6)
    var hue =
      red == value
      ? norm * (green - blue) : green == value ? norm * (blue - red) + 2 / 6 : norm * (red - green) + 4 / 6
    if !(range > 0) { hue = 0 }
    if hue < 0 { hue += 1 }
    return (hue, value > 0 ? range / value : 0, value)
  }

  private static func rgb(_ hue: Float, _ saturation: Float, _ value: Float) -> (Float, Float, Float) {
    func part(_ distance: Float) -> Float { ((1 - saturation) + saturation * min(max(distance, 0), 1)) * value }
    let angle = hue * 6
    return (part(abs(angle - 3) - 1), part(2 - abs(angle - 2)), part(2 - abs(angle - 4)))
  }
}
