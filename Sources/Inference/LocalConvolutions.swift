import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// For each output cell the product of its patch with its own kernel.
  func locallyConnected(_ input: Tensor, _ window: Window, channelsFirst: Bool, _ threads: Threads) throws -> Tensor {
    let (from, to) = (try Grid(flat: input.shape), try Grid(flat: output.shape))
    let kernel = weights[0]
    let taps = window.size.reduce(1, *)
    let patch = taps * from.channels
    let cells = to.height * to.width
    guard kernel.shape == [cells, patch, to.channels], bias.map({ $0.count == cells * to.channels }) ?? true else {
      throw H5ConvError(.badData, "a kernel of shape \(kernel.shape) for \(cells) patches of \(patch)")
    }
    // Keras stores (spatial axes, filters), but reads those numbers as (filters, spatial axes) for channels_first.
    let bias = channelsFirst ? try bias?.reshaped(to: [to.channels, cells]).transposed([1, 0], threads) : bias
    var layout = h5k_window(VolumeWindow(window), input: from, output: to)
    let linear = Activation.linear.forKernels
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { image in
        kernel.withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            withUnsafePointer(to: &layout) { layout in
              threads.forEach(to.batch * to.height) { row in
                let (batch, y) = row.quotientAndRemainder(dividingBy: to.height)
                let scratch = UnsafeMutablePointer<Float>.allocate(capacity: (to.width + 1) * patch)
                defer { scratch.deallocate() }
                h5k_patches(scratch, image + batch * from.plane, layout, y, 0, from.channels)
                for x in 0..<to.width {
                  let cell = y * to.width + x
                  var values = scratch + x * patch
                  if channelsFirst {
                    let turned = scratch + to.width * patch
                    h5k_transpose(turned, values, taps, from.channels)
                    values = turned
                  }
                  let place = target + (row * to.width + x) * to.channels
                  multiply(
                    rows: 1, columns: to.channels, inner: patch, values, aStride: patch,
                    kernel + cell * patch * to.channels, bStride: to.channels, into: place, cStride: to.channels)
                  PlanStep.loops.finish(
                    place, 1, to.channels, to.channels, bias.map { $0 + cell * to.channels }, linear)
                }
              }
            }
          }
        }
      }
    }
  }
}
