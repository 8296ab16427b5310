import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// Each input pixel times the kernel, added into the places that it reaches.
  func transposedConvolution(
    _ input: Tensor, _ window: Window, groups: Int = 1, _ activation: Activation, _ threads: Threads
  ) throws -> Tensor {
    let (from, to) = (try Grid(input.shape), try Grid(output.shape))
    let kernel = weights[0]
    guard groups > 0, to.channels % groups == 0, from.channels % groups == 0 else {
      throw H5ConvError(.badData, "\(from.channels) and \(to.channels) channels in \(groups) groups")
    }
    // Channels of one group.
    let (sources, filters) = (from.channels / groups, to.channels / groups)
    let columns = window.size.reduce(1, *) * filters
    let window = VolumeWindow(window)
    // The innermost loop's numbers, each by itself.
    let (inWidth, width, kernelWidth) = (from.width, to.width, window.size.width)
    let (stride, dilation, cut) = (window.strides.width, window.dilation.width, window.before.width)
    let pixelCount = from.depth * from.height * from.width
    let function = activation.forKernels
    // Products of one group of one image: pixel × (kz, ky, kx, filter).
    guard let count = Tensor.elementCount(of: [pixelCount, columns]), count <= Int32.max else {
      throw H5ConvError(.limit, "\(pixelCount) pixels times a kernel of \(columns) columns")
    }
    var products = [Float](repeating: 0, count: max(1, count))
    return try Tensor(shape: output.shape) { target in
      target.update(repeating: 0)
      guard let target = target.baseAddress else { return }
      input.withBase { input in
        kernel.withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            products.withUnsafeMutableBufferPointer { products in
              guard let products = products.baseAddress else { return }
              for part in 0..<to.batch * groups {
                let (batch, group) = part.quotientAndRemainder(dividingBy: groups)
                let image = input + batch * from.depth * from.plane + group * sources
                threads.forEachRange(pixelCount, least: 8) { pixels in
                  multiply(
                    rows: pixels.count, columns: columns, inner: sources,
                    image + pixels.lowerBound * from.channels, aStride: from.channels, kernel + group * sources,
                    bStride: from.channels, bIsTransposed: true, into: products + pixels.lowerBound * columns,
                    cStride: columns)
                }
                threads.forEach(to.depth * to.height) { line in
                  let (z, y) = line.quotientAndRemainder(dividingBy: to.height)
                  let row = target + (batch * to.depth * to.height + line) * to.width * to.channels
                  let places = row + group * filters
                  for kz in 0..<window.size.depth {
                    let fromZ = z + window.before.depth - kz * window.dilation.depth
                    let (iz, gapZ) = fromZ.quotientAndRemainder(dividingBy: window.strides.depth)
                    guard fromZ >= 0, gapZ == 0, iz < from.depth else { continue }
                    for ky in 0..<window.size.height {
                      let fromY = y + window.before.height - ky * window.dilation.height
                      let (iy, gapY) = fromY.quotientAndRemainder(dividingBy: window.strides.height)
                      guard fromY >= 0, gapY == 0, iy < from.height else { continue }
                      let terms = products + (iz * from.height + iy) * from.width * columns
                      let taps = (kz * window.size.height + ky) * window.size.width
                      for ix in 0..<inWidth {
                        for kx in 0..<kernelWidth {
                          let x = ix * stride + kx * dilation - cut
                          guard x >= 0, x < width else { continue }
                          let term = terms + ix * columns + (taps + kx) * filters
                          let place = places + x * to.channels
                          PlanStep.loops.binary(place, place, term, filters, 1, 1, H5K_ADD)
                        }
                      }
                    }
                  }
                  if group == groups - 1 {
                    PlanStep.loops.finish(row, to.width, to.channels, to.channels, bias, function)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
