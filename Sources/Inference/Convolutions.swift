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

/// Floats of a thread's patch matrix: with the kernel's part it stays in the second-level cache.
private let patchBudget = 1 << 18

extension PlanStep {
  private var bias: Tensor? { weights.count > 1 ? weights[1] : nil }

  /// As matrix products: patches × kernel, tile by tile of whole output rows; over a volume the sum of those of each depth.
  func convolution(
    _ input: Tensor, _ window: Window, groups: Int, _ activation: Activation, _ threads: Threads
  ) throws -> Tensor {
    let shape = output.shape
    let isPoint = window.size.allSatisfy { $0 == 1 } && window.strides.allSatisfy { $0 == 1 }
    let (from, to) = (try Grid(input.shape), try Grid(shape))
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      let product = PatchProduct(
        input: input, kernel: weights[0], bias: bias, groups: groups, filters: to.channels,
        activation: activation.forKernels)
      if isPoint, groups == 1, input.shape.dropLast() == shape.dropLast() {
        product.pointwise(pixels: to.batch * to.depth * to.height * to.width, into: target, threads)
      } else {
        product.windowed(VolumeWindow(window), from: from, to: to, into: target, threads)
      }
    }
  }

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
    let from = try flat(image.shape)
    var layout = h5k_window(VolumeWindow(window), input: from, output: to)
    let function = activation.forKernels
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      image.withBase { image in
        weights[0].withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            withUnsafePointer(to: &layout) { layout in
              threads.forEach(to.batch * to.height) { row in
                let (batch, y) = row.quotientAndRemainder(dividingBy: to.height)
                PlanStep.loops.depthwise_row(
                  target + row * to.width * to.channels, image + batch * from.plane, kernel, bias, layout, y, function)
              }
            }
          }
        }
      }
    }
  }

  /// The axes of a tensor that has one or two spatial ones.
  private func flat(_ shape: [Int]) throws -> Grid {
    guard shape.count < 5 else { throw H5ConvError(.internalFault, "a volume of shape \(shape) among images") }
    return try Grid(shape)
  }

  func pool(
    _ input: Tensor, _ window: Window,
    _ loop: (UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<h5k_window>?, Int) -> Void,
    _ threads: Threads
  ) throws -> Tensor {
    let (from, to) = (try flat(input.shape), try flat(output.shape))
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

  /// For each output cell the product of its patch with its own kernel.
  func locallyConnected(_ input: Tensor, _ window: Window, channelsFirst: Bool, _ threads: Threads) throws -> Tensor {
    let (from, to) = (try flat(input.shape), try flat(output.shape))
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

  /// x · kernel + bias over all leading axes; one row is split by columns, more by rows.
  func dense(_ input: Tensor, _ activation: Activation, _ threads: Threads) throws -> Tensor {
    let units = weights[0].shape[1]
    let inner = weights[0].shape[0]
    let rows = inner == 0 ? output.shape.dropLast().reduce(1, *) : input.count / inner
    let function = activation.forKernels
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { input in
        weights[0].withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            func compute(rows: Range<Int>, columns: Range<Int>) {
              let place = target + rows.lowerBound * units + columns.lowerBound
              multiply(
                rows: rows.count, columns: columns.count, inner: inner, input + rows.lowerBound * inner, aStride: inner,
                kernel + columns.lowerBound, bStride: units, into: place, cStride: units)
              PlanStep.loops.finish(
                place, rows.count, columns.count, units, bias.map { $0 + columns.lowerBound }, function)
            }
            if rows < 2 * threads.count {
              threads.forEachRange(units, least: 64) { compute(rows: 0..<rows, columns: $0) }
            } else {
              threads.forEachRange(rows, least: 16) { compute(rows: $0, columns: 0..<units) }
            }
          }
        }
      }
    }
  }

  /// Each input pixel times the kernel, added into the places that it reaches.
  func transposedConvolution(
    _ input: Tensor, _ window: Window, _ activation: Activation, _ threads: Threads
  ) throws -> Tensor {
    let (from, to) = (try Grid(input.shape), try Grid(output.shape))
    let kernel = weights[0]
    let filters = to.channels
    let columns = window.size.reduce(1, *) * filters
    let window = VolumeWindow(window)
    // The innermost loop's numbers, each by itself.
    let (inWidth, width, kernelWidth) = (from.width, to.width, window.size.width)
    let (stride, dilation, cut) = (window.strides.width, window.dilation.width, window.before.width)
    let pixelCount = from.depth * from.height * from.width
    let function = activation.forKernels
    // Products of one image: pixel × (kz, ky, kx, filter).
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
              for batch in 0..<to.batch {
                let image = input + batch * from.depth * from.plane
                threads.forEachRange(pixelCount, least: 8) { pixels in
                  multiply(
                    rows: pixels.count, columns: columns, inner: from.channels,
                    image + pixels.lowerBound * from.channels, aStride: from.channels, kernel, bStride: from.channels,
                    bIsTransposed: true, into: products + pixels.lowerBound * columns, cStride: columns)
                }
                threads.forEach(to.depth * to.height) { line in
                  let (z, y) = line.quotientAndRemainder(dividingBy: to.height)
                  let row = target + (batch * to.depth * to.height + line) * to.width * filters
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
                          PlanStep.loops.binary(row + x * filters, row + x * filters, term, filters, 1, 1, H5K_ADD)
                        }
                      }
                    }
                  }
                  PlanStep.loops.finish(row, to.width, filters, filters, bias, function)
                }
              }
            }
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

/// A convolution as products of patch matrices with the kernel matrix.
private struct PatchProduct {
  let input: Tensor
  /// Axes (spatial axes, channels / groups, filters).
  let kernel: Tensor
  let bias: Tensor?
  let groups: Int
  let filters: Int
  let activation: h5k_activation

  /// A convolution of single cells: the image itself is the patch matrix.
  func pointwise(pixels: Int, into target: UnsafeMutablePointer<Float>, _ threads: Threads) {
    let channels = kernel.shape[kernel.shape.count - 2]
    withPointers { image, kernel, bias in
      if pixels >= 128 * threads.count || filters < 128 {
        threads.forEachRange(pixels, least: 64) { range in
          multiply(
            rows: range.count, columns: filters, inner: channels, image + range.lowerBound * channels,
            aStride: channels,
            kernel, bStride: filters, into: target + range.lowerBound * filters, cStride: filters)
          PlanStep.loops.finish(target + range.lowerBound * filters, range.count, filters, filters, bias, activation)
        }
      } else {
        columns(patches: image, patch: channels, pixels: pixels, kernel, bias, into: target, threads)
      }
    }
  }

  func windowed(
    _ window: VolumeWindow, from: Grid, to: Grid, into target: UnsafeMutablePointer<Float>, _ threads: Threads
  ) {
    var layout = h5k_window(window, input: from, output: to)
    let rows = to.batch * to.depth * to.height
    let width = to.width
    let channels = kernel.shape[kernel.shape.count - 2]
    let depths = window.size.depth
    // What one depth of the kernel sees.
    let patch = window.size.height * window.size.width * channels
    guard rows > 0, width > 0 else { return }
    withPointers { image, kernel, bias in
      withUnsafePointer(to: &layout) { layout in
        func fill(_ scratch: UnsafeMutablePointer<Float>, row: Int, depth: Int, group: Int) {
          let (plane, y) = row.quotientAndRemainder(dividingBy: to.height)
          let (batch, z) = plane.quotientAndRemainder(dividingBy: to.depth)
          let place = z * window.strides.depth + depth * window.dilation.depth - window.before.depth
          guard place >= 0, place < from.depth else { return scratch.update(repeating: 0, count: width * patch) }
          h5k_patches(
            scratch, image + (batch * from.depth + place) * from.plane, layout, y, group * channels, channels)
        }
        if groups == 1, depths == 1, rows * width < 128 * threads.count, filters >= 128 {
          // Few pixels, many filters: the threads share one patch matrix and split the filters.
          let scratch = UnsafeMutablePointer<Float>.allocate(capacity: rows * width * patch)
          defer { scratch.deallocate() }
          threads.forEach(rows) { row in fill(scratch + row * width * patch, row: row, depth: 0, group: 0) }
          columns(patches: scratch, patch: patch, pixels: rows * width, kernel, bias, into: target, threads)
          return
        }
        let share = max(1, (rows + threads.count * 3 - 1) / (threads.count * 3))
        let step = max(1, min(share, max(patchBudget / max(1, patch * width), (127 + width) / width)))
        threads.forEach((rows + step - 1) / step) { tile in
          let range = tile * step..<min(rows, (tile + 1) * step)
          let scratch = UnsafeMutablePointer<Float>.allocate(capacity: range.count * width * patch)
          defer { scratch.deallocate() }
          let place = target + range.lowerBound * width * filters
          for group in 0..<groups {
            let first = group * (filters / groups)
            for depth in 0..<depths {
              for row in range {
                fill(scratch + (row - range.lowerBound) * width * patch, row: row, depth: depth, group: group)
              }
              multiply(
                rows: range.count * width, columns: filters / groups, inner: patch, scratch, aStride: patch,
                kernel + depth * patch * filters + first, bStride: filters, into: place + first, cStride: filters,
                adding: depth > 0)
            }
          }
          PlanStep.loops.finish(place, range.count * width, filters, filters, bias, activation)
        }
      }
    }
  }

  /// One product whose columns (filters) are split over the threads.
  private func columns(
    patches: UnsafePointer<Float>, patch: Int, pixels: Int, _ kernel: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>?,
    into target: UnsafeMutablePointer<Float>, _ threads: Threads
  ) {
    let part = ((filters + threads.count - 1) / threads.count + 15) / 16 * 16
    threads.forEach((filters + part - 1) / part) { number in
      let range = number * part..<min(filters, (number + 1) * part)
      multiply(
        rows: pixels, columns: range.count, inner: patch, patches, aStride: patch, kernel + range.lowerBound,
        bStride: filters, into: target + range.lowerBound, cStride: filters)
      PlanStep.loops.finish(
        target + range.lowerBound, pixels, range.count, filters, bias.map { $0 + range.lowerBound }, activation)
    }
  }

  private func withPointers(
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?) -> Void
  ) {
    input.withBase { image in
      kernel.withBase { kernel in PlanStep.withOptional(bias) { bias in body(image, kernel, bias) } }
    }
  }
}
