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

extension h5k_window {
  init(_ window: Window, input: [Int], output: [Int]) {
    self.init(
      height: input[1], width: input[2], channels: input[3], out_height: output[1], out_width: output[2],
      kernel_height: window.size[0], kernel_width: window.size[1], stride_y: window.strides[0],
      stride_x: window.strides[1], dilation_y: window.dilation[0], dilation_x: window.dilation[1],
      pad_top: window.before[0], pad_left: window.before[1])
  }
}

/// Floats of a thread's patch matrix: with the kernel's part it stays in the second-level cache.
private let patchBudget = 1 << 18

extension PlanStep {
  private var bias: Tensor? { weights.count > 1 ? weights[1] : nil }

  /// As matrix products: patches × kernel, tile by tile of whole output rows.
  func convolution(
    _ input: Tensor, _ window: Window, groups: Int, _ activation: Activation, _ threads: Threads
  ) throws -> Tensor {
    let shape = output.shape
    var layout = h5k_window(window, input: input.shape, output: shape)
    let isPointwise =
      window.size == [1, 1] && window.strides == [1, 1] && groups == 1 && input.shape[1...2] == shape[1...2]
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      let product = PatchProduct(
        input: input, kernel: weights[0], bias: bias, groups: groups, filters: shape[3],
        activation: activation.forKernels)
      if isPointwise {
        product.pointwise(pixels: shape[0] * shape[1] * shape[2], into: target, threads)
      } else {
        product.windowed(&layout, images: shape[0], into: target, threads)
      }
    }
  }

  func depthwise(_ input: Tensor, _ window: Window, _ activation: Activation, _ threads: Threads) throws -> Tensor {
    let shape = output.shape
    let channels = input.shape[3]
    let multiplier = channels == 0 ? 1 : shape[3] / channels
    // With a multiplier each input channel is repeated, so that outputs and inputs stand one to one.
    let image =
      multiplier == 1
      ? input
      : try PlanStep.repeated(input, times: [1, 1, 1, multiplier], shape: Array(input.shape[..<3]) + [shape[3]])
    var layout = h5k_window(window, input: image.shape, output: shape)
    let function = activation.forKernels
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      image.withBase { image in
        weights[0].withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            withUnsafePointer(to: &layout) { layout in
              threads.forEach(shape[0] * shape[1]) { row in
                let (batch, y) = row.quotientAndRemainder(dividingBy: shape[1])
                let source = image + batch * layout.pointee.height * layout.pointee.width * shape[3]
                PlanStep.loops.depthwise_row(
                  target + row * shape[2] * shape[3], source, kernel, bias, layout, y, function)
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
    let shape = output.shape
    var layout = h5k_window(window, input: input.shape, output: shape)
    let imageSize = input.shape[1] * input.shape[2] * input.shape[3]
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { image in
        withUnsafePointer(to: &layout) { layout in
          threads.forEach(shape[0] * shape[1]) { row in
            let (batch, y) = row.quotientAndRemainder(dividingBy: shape[1])
            loop(target + row * shape[2] * shape[3], image + batch * imageSize, layout, y)
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
    let shape = output.shape
    let kernel = weights[0]
    let (height, width, channels, filters) = (input.shape[1], input.shape[2], input.shape[3], shape[3])
    let columns = window.size[0] * window.size[1] * filters
    let function = activation.forKernels
    // Products of one image: pixel × (ky, kx, filter).
    guard let count = Tensor.elementCount(of: [height, width, columns]), count <= Int32.max else {
      throw H5ConvError(.limit, "\(height)×\(width) pixels times a kernel of \(columns) columns")
    }
    var products = [Float](repeating: 0, count: max(1, count))
    return try Tensor(shape: shape) { target in
      target.update(repeating: 0)
      guard let target = target.baseAddress else { return }
      input.withBase { input in
        kernel.withBase { kernel in
          PlanStep.withOptional(bias) { bias in
            products.withUnsafeMutableBufferPointer { products in
              guard let products = products.baseAddress else { return }
              for batch in 0..<shape[0] {
                let image = input + batch * height * width * channels
                threads.forEachRange(height * width, least: 8) { pixels in
                  multiply(
                    rows: pixels.count, columns: columns, inner: channels, image + pixels.lowerBound * channels,
                    aStride: channels, kernel, bStride: channels, bIsTransposed: true,
                    into: products + pixels.lowerBound * columns, cStride: columns)
                }
                threads.forEach(shape[1]) { y in
                  let row = target + (batch * shape[1] + y) * shape[2] * filters
                  for ky in 0..<window.size[0] {
                    let from = y + window.before[0] - ky * window.dilation[0]
                    guard from >= 0, from % window.strides[0] == 0, from / window.strides[0] < height else { continue }
                    let source = products + from / window.strides[0] * width * columns
                    for ix in 0..<width {
                      for kx in 0..<window.size[1] {
                        let x = ix * window.strides[1] + kx * window.dilation[1] - window.before[1]
                        guard x >= 0, x < shape[2] else { continue }
                        let term = source + ix * columns + (ky * window.size[1] + kx) * filters
                        PlanStep.loops.binary(row + x * filters, row + x * filters, term, filters, 1, 1, H5K_ADD)
                      }
                    }
                  }
                  PlanStep.loops.finish(row, shape[2], filters, filters, bias, function)
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
  /// Axes (height, width, channels / groups, filters).
  let kernel: Tensor
  let bias: Tensor?
  let groups: Int
  let filters: Int
  let activation: h5k_activation

  /// A 1×1 convolution: the image itself is the patch matrix.
  func pointwise(pixels: Int, into target: UnsafeMutablePointer<Float>, _ threads: Threads) {
    let channels = kernel.shape[2]
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

  func windowed(_ layout: inout h5k_window, images: Int, into target: UnsafeMutablePointer<Float>, _ threads: Threads) {
    let rows = images * layout.out_height
    let width = layout.out_width
    let channels = kernel.shape[2]
    let patch = layout.kernel_height * layout.kernel_width * channels
    let imageSize = layout.height * layout.width * layout.channels
    guard rows > 0, width > 0, patch > 0 else { return }
    withPointers { image, kernel, bias in
      withUnsafePointer(to: &layout) { layout in
        func fill(_ scratch: UnsafeMutablePointer<Float>, row: Int, group: Int) {
          let (batch, y) = row.quotientAndRemainder(dividingBy: layout.pointee.out_height)
          h5k_patches(scratch, image + batch * imageSize, layout, y, group * channels, channels)
        }
        if groups == 1, rows * width < 128 * threads.count, filters >= 128 {
          // Few pixels, many filters: the threads share one patch matrix and split the filters.
          let scratch = UnsafeMutablePointer<Float>.allocate(capacity: rows * width * patch)
          defer { scratch.deallocate() }
          threads.forEach(rows) { row in fill(scratch + row * width * patch, row: row, group: 0) }
          columns(patches: scratch, patch: patch, pixels: rows * width, kernel, bias, into: target, threads)
          return
        }
        let share = max(1, (rows + threads.count * 3 - 1) / (threads.count * 3))
        let step = max(1, min(share, max(patchBudget / (patch * width), (127 + width) / width)))
        threads.forEach((rows + step - 1) / step) { tile in
          let range = tile * step..<min(rows, (tile + 1) * step)
          let scratch = UnsafeMutablePointer<Float>.allocate(capacity: range.count * width * patch)
          defer { scratch.deallocate() }
          let place = target + range.lowerBound * width * filters
          for group in 0..<groups {
            for row in range { fill(scratch + (row - range.lowerBound) * width * patch, row: row, group: group) }
            let first = group * (filters / groups)
            multiply(
              rows: range.count * width, columns: filters / groups, inner: patch, scratch, aStride: patch,
              kernel + first,
              bStride: filters, into: place + first, cStride: filters)
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
