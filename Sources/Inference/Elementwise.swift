import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// Elements that are worth a thread of their own.
private let share = 1 << 14

extension PlanStep {
  func activate(_ input: Tensor, _ function: h5k_activation, _ threads: Threads) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        threads.forEachRange(input.count, least: share) { range in
          PlanStep.loops.activate(target + range.lowerBound, source + range.lowerBound, range.count, function)
        }
      }
    }
  }

  /// x · scale + shift along the last axis.
  func affine(_ input: Tensor, _ threads: Threads) throws -> Tensor {
    try affine(input, scale: weights[0], shift: weights[1], threads)
  }

  /// x · scale + shift, with one number for each element of the last axis, or one for all.
  func affine(_ input: Tensor, scale: Tensor, shift: Tensor, _ threads: Threads) throws -> Tensor {
    let channels = scale.count
    guard channels > 0, input.count % channels == 0, shift.count == channels else {
      throw H5ConvError(.badData, "\(channels) scales for a tensor of shape \(input.shape)")
    }
    let linear = h5k_activation(function: H5K_LINEAR, a: 0, b: 0, c: 0)
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        scale.withBase { scale in
          shift.withBase { shift in
            threads.forEachRange(input.count / channels, least: max(1, share / channels)) { rows in
              let place = rows.lowerBound * channels
              PlanStep.loops.affine(target + place, source + place, rows.count, channels, scale, shift, linear)
            }
          }
        }
      }
    }
  }

  /// Two tensors of the same rank, or the second of a lower one that is aligned at the end.
  func binary(_ a: Tensor, _ b: Tensor, _ operation: BinaryOperation, _ threads: Threads) throws -> Tensor {
    let function =
      switch operation {
      case .add: H5K_ADD
      case .subtract: H5K_SUBTRACT
      case .multiply: H5K_MULTIPLY
      case .divide: H5K_DIVIDE
      case .maximum: H5K_MAXIMUM
      case .minimum: H5K_MINIMUM
      }
    return try broadcast(a, b, threads) { target, a, b, count, stepA, stepB in
      PlanStep.loops.binary(target, a, b, count, stepA, stepB, function)
    }
  }

  func prelu(_ input: Tensor, _ alpha: Tensor, _ threads: Threads) throws -> Tensor {
    try broadcast(input, alpha, threads) { target, x, alpha, count, stepX, stepAlpha in
      for i in 0..<count {
        let value = x[i * Int(stepX)]
        target[i] = value < 0 ? value * alpha[i * Int(stepAlpha)] : value
      }
    }
  }

  typealias Loop = (
    UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int32, Int32
  ) -> Void

  /// Runs `loop` over rows in which each input either advances with the output or stands still.
  func broadcast(_ a: Tensor, _ b: Tensor, _ threads: Threads, _ loop: Loop) throws -> Tensor {
    let shape = output.shape
    let stepsA = try Broadcast.steps(of: a.shape, in: shape)
    let stepsB = try Broadcast.steps(of: b.shape, in: shape)
    // Trailing axes over which both inputs advance evenly, or one stands still, are one row.
    var inner = 1
    var axis = shape.count
    while axis > 0, Broadcast.isEven(stepsA, shape, axis - 1, inner), Broadcast.isEven(stepsB, shape, axis - 1, inner) {
      inner *= shape[axis - 1]
      axis -= 1
    }
    let outer = shape[..<axis]
    let stepA: Int32 = Broadcast.advances(stepsA, shape, from: axis) ? 1 : 0
    let stepB: Int32 = Broadcast.advances(stepsB, shape, from: axis) ? 1 : 0
    let rows = outer.reduce(1, *)
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress, inner > 0, rows > 0 else { return }
      a.withBase { a in
        b.withBase { b in
          if rows == 1 {
            return threads.forEachRange(inner, least: share) { range in
              loop(
                target + range.lowerBound, a + range.lowerBound * Int(stepA), b + range.lowerBound * Int(stepB),
                range.count,
                stepA, stepB)
            }
          }
          // An image times a row of channels, for example: the whole first input by the second over and over.
          if stepA == 1, stepB == 1, Broadcast.isWhole(stepsA, shape, axis, inner),
            outer.indices.allSatisfy({ stepsB[$0] == 0 })
          {
            return repeating(b, inner: inner, rows: rows, threads) { rows, b in
              loop(target + rows.lowerBound * inner, a + rows.lowerBound * inner, b, rows.count * inner, 1, 1)
            }
          }
          threads.forEachRange(rows, least: max(1, share / inner)) { range in
            for row in range {
              var rest = row
              var (offsetA, offsetB) = (0, 0)
              for axis in outer.indices.reversed() {
                let (next, place) = rest.quotientAndRemainder(dividingBy: shape[axis])
                offsetA += place * stepsA[axis]
                offsetB += place * stepsB[axis]
                rest = next
              }
              loop(target + row * inner, a + offsetA, b + offsetB, inner, stepA, stepB)
            }
          }
        }
      }
    }
  }

  /// Calls `body` with ranges of `rows` and as many copies of the row `b`, one behind the other: short rows are no work for a loop.
  private func repeating(
    _ b: UnsafePointer<Float>, inner: Int, rows: Int, _ threads: Threads,
    _ body: (Range<Int>, UnsafePointer<Float>) -> Void
  ) {
    let copies = max(1, min(rows, 2048 / inner))
    TensorMemory.withFloats(copies * inner) { copied in
      for copy in 0..<copies { (copied + copy * inner).update(from: b, count: inner) }
      threads.forEachRange(rows, least: max(1, share / inner)) { range in
        for row in stride(from: range.lowerBound, to: range.upperBound, by: copies) {
          body(row..<min(range.upperBound, row + copies), copied)
        }
      }
    }
  }
}

/// NumPy's broadcasting.
enum Broadcast {
  /// For each axis of `target` how far an element of `shape` is from the next: 0 where it is repeated.
  static func steps(of shape: [Int], in target: [Int]) throws -> [Int] {
    let aligned = Array(repeating: 1, count: max(0, target.count - shape.count)) + shape
    var steps = Array(repeating: 0, count: aligned.count)
    var step = 1
    for axis in aligned.indices.reversed() {
      guard aligned.count == target.count, aligned[axis] == target[axis] || aligned[axis] == 1 else {
        throw H5ConvError(.badData, "the shape \(shape) does not broadcast to \(target)")
      }
      steps[axis] = aligned[axis] == 1 ? 0 : step
      step *= aligned[axis]
    }
    return steps
  }

  /// Whether the axis continues a row of `inner` elements: all advance, or all stand still.
  static func isEven(_ steps: [Int], _ shape: [Int], _ axis: Int, _ inner: Int) -> Bool {
    if shape[axis] == 1 { return true }
    let stands = !advances(steps, shape, from: axis + 1)
    return inner == 1 || (stands ? steps[axis] == 0 : steps[axis] == inner)
  }

  /// Whether the axes before `axis` lie one behind the other, rows of `inner` elements.
  static func isWhole(_ steps: [Int], _ shape: [Int], _ axis: Int, _ inner: Int) -> Bool {
    var step = inner
    for axis in (0..<axis).reversed() {
      guard shape[axis] == 1 || steps[axis] == step else { return false }
      step *= shape[axis]
    }
    return true
  }

  /// Whether the row made of the axes from `axis` on advances.
  static func advances(_ steps: [Int], _ shape: [Int], from axis: Int) -> Bool { steps[axis...].contains { $0 != 0 } }
}
