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
  /// The bias behind the kernel; nil when there is none.
  var bias: Tensor? { weights.count > 1 ? weights[1] : nil }

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
    let from = try Grid(flat: image.shape)
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
