import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// A dense layer made ready for a number of rows.
struct PackedDense: Sendable {
  let inner: Int
  private let units: Int
  private let rows: Int
  /// The kernel, packed for the loops, or as it is where too few rows are multiplied by it.
  private let kernel: Tensor
  private let isPacked: Bool
  private let bias: Tensor?
  private let activation: h5k_activation

  /// Rows from which on packing the kernel pays; below, the time is that of reading it.
  private static let leastRows = 3
  /// Floats that a thread reads at a time of a kernel that is not packed, and parts into which a smaller one is divided.
  private static let (floatsAtOnce, leastParts) = (1 << 19, 16)

  /// - Parameter kernel: axes (inputs, units).
  init(rows: Int, kernel: Tensor, bias: Tensor?, _ activation: Activation, _ threads: Threads) throws {
    guard kernel.shape.count == 2, (bias?.count ?? kernel.shape[1]) == kernel.shape[1] else {
      throw H5ConvError(.badData, "a kernel of shape \(kernel.shape) in a dense layer")
    }
    let (inner, units) = (kernel.shape[0], kernel.shape[1])
    (self.inner, self.units, self.rows) = (inner, units, rows)
    self.bias = bias
    self.activation = activation.forKernels
    isPacked = rows >= PackedDense.leastRows
    guard isPacked else {
      self.kernel = kernel
      return
    }
    let loops = PlanStep.loops
    self.kernel = try Tensor(shape: [loops.packed_count(inner, units)]) { target in
      guard let target = target.baseAddress else { return }
      kernel.withBase { kernel in
        threads.forEach((units + loops.panel - 1) / loops.panel) { panel in
          let column = panel * loops.panel
          loops.pack(
            target + column * inner, kernel + column, inner, min(loops.panel, units - column), units, nil)
        }
      }
    }
  }

  /// x · kernel + bias for each row of x.
  func run(_ input: Tensor, into target: UnsafeMutablePointer<Float>, _ threads: Threads) {
    input.withUnsafeElements { input in
      kernel.withUnsafeElements { kernel in
        PlanStep.withOptional(bias) { bias in
          guard let input = input.baseAddress, let kernel = kernel.baseAddress else { return }
          if isPacked {
            multiply(input, kernel, bias, into: target, threads)
          } else {
            stream(input, kernel, bias, into: target, threads)
          }
        }
      }
    }
  }

  /// The threads share the inputs: each part of the kernel is read once, as it lies in memory, and its sums are added in the end.
  ///
  /// The parts do not depend on the number of threads, nor do the results.
  private func stream(
    _ input: UnsafePointer<Float>, _ kernel: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
    into target: UnsafeMutablePointer<Float>, _ threads: Threads
  ) {
    let loops = PlanStep.loops
    let floats = min(PackedDense.floatsAtOnce, inner * units / PackedDense.leastParts)
    let each = max(64, (floats / max(1, units) + 7) / 8 * 8)
    let parts = (inner + each - 1) / each
    TensorMemory.withFloats(parts * rows * units) { sums in
      threads.forEach(parts) { part in
        let first = part * each
        for row in 0..<rows {
          loops.multiply_row(
            sums + (part * rows + row) * units, input + row * inner + first, kernel + first * units,
            min(each, inner - first), units)
        }
      }
      threads.forEachRange(units, least: 256) { range in
        for row in 0..<rows {
          for unit in range { target[row * units + unit] = 0 }
          for part in 0..<parts {
            let from = sums + (part * rows + row) * units
            let to = target + row * units
            for unit in range { to[unit] += from[unit] }
          }
        }
        loops.finish(
          target + range.lowerBound, rows, range.count, units, bias.map { $0 + range.lowerBound }, activation)
      }
    }
  }

  /// The threads share the rows, or the units where there are few rows.
  private func multiply(
    _ input: UnsafePointer<Float>, _ kernel: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
    into target: UnsafeMutablePointer<Float>, _ threads: Threads
  ) {
    let loops = PlanStep.loops
    let panels = (units + loops.panel - 1) / loops.panel
    let sharesUnits = panels >= 2 * threads.count && rows <= 40 * loops.rows
    let parts = sharesUnits ? min(panels, 4 * threads.count) : 1
    let least = 2 * loops.rows
    let chunk = sharesUnits ? rows : max(least, (rows + 4 * threads.count - 1) / (4 * threads.count))
    let chunks = (rows + chunk - 1) / chunk
    threads.forEach(parts * chunks) { item in
      let (part, number) = item.quotientAndRemainder(dividingBy: chunks)
      let first = number * chunk
      loops.multiply(
        target + first * units, units, input + first * inner, inner, min(chunk, rows - first), inner, kernel, units,
        part * panels / parts, (part + 1) * panels / parts, bias, nil, activation)
    }
  }
}

extension PlanStep {
  /// x · kernel + bias over all leading axes.
  func dense(_ input: Tensor, _ threads: Threads) throws -> Tensor {
    guard let dense else { throw H5ConvError(.internalFault, "a dense layer that was not prepared") }
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      dense.run(input, into: target, threads)
    }
  }
}
