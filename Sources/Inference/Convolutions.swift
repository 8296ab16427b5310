import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension Tensor {
  /// Calls `body` with the first element; tensors without elements have none.
  func withBase<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result? {
    try withUnsafeElements { try $0.baseAddress.map(body) }
  }
}

extension PlanStep {
  /// The bias behind the kernel; nil when there is none.
  var bias: Tensor? { weights.count > 1 ? weights[1] : nil }

  func depthwise(_ input: Tensor, _ window: Window, _ activation: Activation, _ threads: Threads) throws -> Tensor {
    let shape = output.shape
    let to = try Grid(shape)
    let (last, channels) = (shape.count - 1, try Grid(input.shape).channels)
    let multiplier = channels == 0 ? 1 : to.channels / channels
    // With a multiplier each input channel is repeated, so that outputs and inputs stand one to one.
    let times = Array(repeating: 1, count: last) + [multiplier]
    let image =
      multiplier == 1
      ? input : try PlanStep.repeated(input, times: times, shape: Array(input.shape[..<last]) + [to.channels])
    let from = try Grid(flat: image.shape)
    var layout = h5k_window(VolumeWindow(window), input: from, output: to)
    let function = activation.forKernels
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      image.withBase { image in
        weights[0].withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            withUnsafePointer(to: &layout) { layout in
              // The threads share the rows, since what neighbours share is read once; or, where there are few, the channels.
              let parts = max(1, (4 * threads.count + to.batch - 1) / max(1, to.batch))
              let sharesChannels = to.height < parts && to.channels >= 16 * parts
              let bands = sharesChannels ? parts : max(1, min(to.height, parts))
              let vectors = (to.channels + 15) / 16
              threads.forEach(to.batch * bands) { item in
                let (batch, band) = item.quotientAndRemainder(dividingBy: bands)
                let rows = sharesChannels ? 0..<to.height : band * to.height / bands..<(band + 1) * to.height / bands
                let channels =
                  sharesChannels
                  ? band * vectors / bands * 16..<min(to.channels, (band + 1) * vectors / bands * 16) : 0..<to.channels
                PlanStep.loops.depthwise(
                  target + (batch * to.height + rows.lowerBound) * to.width * to.channels, image + batch * from.plane,
                  kernel, bias, layout, rows.lowerBound, rows.upperBound, channels.lowerBound, channels.upperBound,
                  function)
              }
            }
          }
        }
      }
    }
  }

  func pool(
    _ input: Tensor, _ window: Window,
    _ loop: (UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<h5k_window>?, Int) -> Void,
    _ threads: Threads
  ) throws -> Tensor {
    let (from, to) = (try Grid(flat: input.shape), try Grid(flat: output.shape))
    var layout = h5k_window(VolumeWindow(window), input: from, output: to)
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { image in
        withUnsafePointer(to: &layout) { layout in
          threads.forEach(to.batch * to.height) { row in
            let (batch, y) = row.quotientAndRemainder(dividingBy: to.height)
            loop(target + row * to.width * to.channels, image + batch * from.plane, layout, y)
          }
        }
      }
    }
  }

  static func withOptional<Result>(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Result) -> Result {
    guard let tensor else { return body(nil) }
    return tensor.withUnsafeElements { body($0.baseAddress) }
  }
}
