import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  func compute(_ operation: GradientOperation, _ inputs: [Tensor], _ threads: Threads) throws -> Tensor {
    switch operation {
    case .convolution(let window, let groups, _):
      return try transposedConvolution(inputs[0], window, groups: groups, .linear, threads)
    case .depthwiseConvolution(let window, _): return try depthwiseGradient(inputs[0], window, threads)
    case .maxPool(let window): return try maxPoolGradient(inputs[0], inputs[1], window, threads)
    case .averagePool(let window): return try averagePoolGradient(inputs[0], window, threads)
    case .activation(let activation): return try activationGradient(inputs[0], inputs[1], activation, threads)
    case .resize(let method, let antialias): return try resizeGradient(inputs[0], method, antialias, threads)
    }
  }

  private func resizeGradient(
    _ gradient: Tensor, _ method: ResizeMethod, _ antialias: Bool, _ threads: Threads
  ) throws -> Tensor {
    let tables = (1...2).map { axis in
      ResizeWeights(method, from: output.shape[axis], to: gradient.shape[axis], antialias: antialias)
        .transposed(length: output.shape[axis])
    }
    return try resize(gradient, vertical: tables[0], horizontal: tables[1], threads)
  }

  /// Each element of the gradient times the kernel (taps, channels · multiplier), added into the cells that it came from.
  private func depthwiseGradient(_ gradient: Tensor, _ window: Window, _ threads: Threads) throws -> Tensor {
    let channels = try Grid(output.shape).channels
    let kernel = weights[0]
    let outputs = gradient.shape[gradient.shape.count - 1]
    let multiplier = channels == 0 ? 1 : outputs / channels
    return try kernel.withUnsafeElements { kernel in
      try scatter(gradient, window, threads) { from, cell, target, taps, range in
        for tap in taps {
          for output in range.lowerBound * multiplier..<range.upperBound * multiplier {
            target[tap.cell + output / multiplier] += from[cell + output] * kernel[tap.number * outputs + output]
          }
        }
      }
    }
  }

  private func maxPoolGradient(
    _ input: Tensor, _ gradient: Tensor, _ window: Window, _ threads: Threads
  ) throws -> Tensor {
    try input.withUnsafeElements { input in
      try scatter(gradient, window, threads) { from, cell, target, taps, range in
        guard let first = taps.first else { return }
        for channel in range {
          var best = first.cell + channel
          for tap in taps where input[tap.cell + channel] > input[best] { best = tap.cell + channel }
          target[best] += from[cell + channel]
        }
      }
    }
  }

  private func averagePoolGradient(_ gradient: Tensor, _ window: Window, _ threads: Threads) throws -> Tensor {
    try scatter(gradient, window, threads) { from, cell, target, taps, range in
      let share = 1 / Float(max(1, taps.count))
      for tap in taps {
        for channel in range { target[tap.cell + channel] += from[cell + channel] * share }
      }
    }
  }

  /// Where an input cell under a window begins, and the number of the tap above it.
  private typealias Tap = (cell: Int, number: Int)

  /// Calls `body` for each cell of `gradient`.
  ///
  /// It gets where the cell begins, the cells of the result that the cell's window covers, and a range of the result's channels. Threads
  /// share the channels, since windows overlap.
  private func scatter(
    _ gradient: Tensor, _ window: Window, _ threads: Threads,
    _ body: (UnsafeBufferPointer<Float>, Int, UnsafeMutableBufferPointer<Float>, [Tap], Range<Int>) -> Void
  ) throws -> Tensor {
    let (from, to) = (try Grid(flat: gradient.shape), try Grid(flat: output.shape))
    let window = VolumeWindow(window)
    let size = window.size.width
    return try Tensor(shape: output.shape) { target in
      target.update(repeating: 0)
      gradient.withUnsafeElements { gradient in
        threads.forEachRange(to.channels, least: 8) { range in
          var taps: [Tap] = []
          for place in 0..<from.batch * from.height * from.width {
            let (line, x) = place.quotientAndRemainder(dividingBy: from.width)
            let (batch, y) = line.quotientAndRemainder(dividingBy: from.height)
            taps.removeAll(keepingCapacity: true)
            for number in 0..<window.size.height * size {
              let iy = y * window.strides.height - window.before.height + number / size * window.dilation.height
              let ix = x * window.strides.width - window.before.width + number % size * window.dilation.width
              guard iy >= 0, iy < to.height, ix >= 0, ix < to.width else { continue }
              taps.append((batch * to.plane + (iy * to.width + ix) * to.channels, number))
            }
            body(gradient, place * from.channels, target, taps, range)
          }
        }
      }
    }
  }

  /// g · f′(x), element by element.
  private func activationGradient(
    _ input: Tensor, _ gradient: Tensor, _ activation: Activation, _ threads: Threads
  ) throws -> Tensor {
    guard let slope = activation.derivative else {
      throw H5ConvError(.internalFault, "the activation \(activation) is not elementwise")
    }
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { x in
        gradient.withBase { g in
          threads.forEachRange(input.count, least: 1 << 13) { range in
            if case .relu(let below, .infinity, 0) = activation {
              for i in range { target[i] = x[i] > 0 ? g[i] : g[i] * below }
            } else {
              for i in range { target[i] = g[i] * slope(x[i]) }
            }
          }
        }
      }
    }
  }
}
