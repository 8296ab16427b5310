import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// A recurrent layer over vectors; each thread takes examples of the batch through all steps.
  func recur(_ recurrence: Recurrence, _ inputs: [Tensor], _ threads: Threads) throws -> Tensor {
    let (projected, kernel) = (inputs[0], inputs[1])
    let (batch, time) = (projected.shape[0], projected.shape[1])
    let units = recurrence.units
    let columns = recurrence.cell.gates * units
    let operands = RecurrenceOperands(recurrence, Array(inputs[2...]))
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      projected.withBase { projected in
        kernel.withBase { kernel in
          threads.forEachRange(batch, least: 1) { examples in
            let run = CellRun(recurrence, operands, examples, cells: 1)
            run.steps(time, into: target, rowsOfResult: output.shape[1]) { step in
              for (place, example) in examples.enumerated() {
                (run.input.start + place * columns).update(
                  from: projected + (example * time + step) * columns, count: columns)
              }
            } product: { state, first, count in
              multiply(
                rows: examples.count, columns: count, inner: units, state, aStride: units, kernel + first,
                bStride: columns, into: run.recurrent.start + first, cStride: columns)
            }
          }
        }
      }
    }
  }

  /// The same with convolutions in place of the products.
  func recur(
    _ recurrence: Recurrence, _ window: Convolution3D, _ inputs: [Tensor], _ threads: Threads
  ) throws -> Tensor {
    let (images, kernel, recurrentKernel) = (inputs[0], inputs[1], inputs[2])
    let (batch, time) = (images.shape[0], images.shape[1])
    let columns = recurrence.cell.gates * recurrence.units
    let operands = RecurrenceOperands(recurrence, Array(inputs[3...]))
    let outer = Patches(window, inputSize: Array(images.shape[2..<5]), channels: images.shape[5])
    let inner = Patches(window.same, inputSize: window.outputSize, channels: recurrence.units)
    let cells = window.outputSize.reduce(1, *)
    let imageSize = images.shape[2...].reduce(1, *)
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      images.withBase { images in
        kernel.withBase { kernel in
          recurrentKernel.withBase { recurrentKernel in
            threads.forEachRange(batch, least: 1) { examples in
              let run = CellRun(recurrence, operands, examples, cells: cells)
              run.steps(time, into: target, rowsOfResult: output.shape[1]) { step in
                for (place, example) in examples.enumerated() {
                  outer.convolve(
                    images + (example * time + step) * imageSize, kernel, columns,
                    into: run.input.start + place * cells * columns)
                }
              } product: { state, _, _ in
                for place in 0..<examples.count {
                  inner.convolve(
                    state + place * cells * recurrence.units, recurrentKernel, columns,
                    into: run.recurrent.start + place * cells * columns)
                }
              }
            }
          }
        }
      }
    }
  }
}

/// What a recurrence is given beside its products.
private struct RecurrenceOperands {
  let bias: Tensor?
  let states: [Tensor]
  let mask: Tensor?

  init(_ recurrence: Recurrence, _ inputs: [Tensor]) {
    var rest = inputs[...]
    bias = recurrence.hasRecurrentBias ? rest.popFirst() : nil
    states = recurrence.hasInitialStates ? Array(rest.prefix(recurrence.cell.stateCount)) : []
    mask = recurrence.hasMask ? rest.last : nil
  }
}

/// Memory for the time of a computation, zeroed.
private final class Scratch {
  let start: UnsafeMutablePointer<Float>

  init(_ count: Int) {
    start = .allocate(capacity: max(1, count))
    start.initialize(repeating: 0, count: max(1, count))
  }

  deinit { start.deallocate() }
}

/// Some examples of a batch on their way through time.
///
/// All buffers hold rows: one for each example, or one for each cell of each example's image.
private final class CellRun {
  private let recurrence: Recurrence
  private let operands: RecurrenceOperands
  private let examples: Range<Int>
  private let cells: Int
  private let rows: Int
  private let units: Int
  private let columns: Int
  /// What the input adds to the gates of this step, then the gates.
  let input: Scratch
  /// What the state adds to them.
  let recurrent: Scratch
  private let hidden: Scratch
  private let carry: Scratch
  private let nextHidden: Scratch
  private let nextCarry: Scratch
  private let output: Scratch

  init(_ recurrence: Recurrence, _ operands: RecurrenceOperands, _ examples: Range<Int>, cells: Int) {
    self.recurrence = recurrence
    self.operands = operands
    self.examples = examples
    self.cells = cells
    units = recurrence.units
    columns = recurrence.cell.gates * units
    rows = examples.count * cells
    (input, recurrent) = (Scratch(rows * columns), Scratch(rows * columns))
    (hidden, carry, nextHidden) = (Scratch(rows * units), Scratch(rows * units), Scratch(rows * units))
    (nextCarry, output) = (Scratch(rows * units), Scratch(rows * units))
    for (state, buffer) in zip(operands.states, [hidden, carry]) {
      state.withBase { buffer.start.update(from: $0 + examples.lowerBound * cells * units, count: rows * units) }
    }
  }

  /// Runs all steps and writes outputs and last states.
  ///
  /// - Parameters:
  ///   - fill: puts what the input of a step adds into ``input``.
  ///   - product: puts the product of a state with some columns of the recurrent kernel into ``recurrent``.
  func steps(
    _ time: Int, into target: UnsafeMutablePointer<Float>, rowsOfResult: Int, fill: (Int) -> Void,
    product: (_ state: UnsafePointer<Float>, _ firstColumn: Int, _ count: Int) -> Void
  ) {
    let size = cells * units
    func write(_ buffer: Scratch, row: Int) {
      for (place, example) in examples.enumerated() {
        (target + (example * rowsOfResult + row) * size).update(from: buffer.start + place * size, count: size)
      }
    }
    for step in 0..<time {
      fill(step)
      switch recurrence.cell {
      case .simple: simple(product)
      case .gru(let resetsAfter): gated(product, resetsAfter: resetsAfter)
      case .lstm: lstm(product)
      }
      settle(step, time)
      if recurrence.keepsSequence || step == time - 1 { write(output, row: recurrence.keepsSequence ? step : 0) }
    }
    guard recurrence.appendsStates else { return }
    let first = recurrence.keepsSequence ? time : 1
    write(hidden, row: first)
    if recurrence.cell.stateCount > 1 { write(carry, row: first + 1) }
  }

  /// Takes the new states and output over, except where the mask says no.
  private func settle(_ step: Int, _ time: Int) {
    let size = cells * units
    for (place, example) in examples.enumerated() {
      let range = place * size
      let isKept = operands.mask?.withUnsafeElements { $0[example * time + step] != 0 } ?? true
      if isKept {
        (hidden.start + range).update(from: nextHidden.start + range, count: size)
        (output.start + range).update(from: nextHidden.start + range, count: size)
        (carry.start + range).update(from: nextCarry.start + range, count: size)
      } else if recurrence.zeroesMasked {
        (output.start + range).update(repeating: 0, count: size)
      }
    }
  }

  private func add(_ target: UnsafeMutablePointer<Float>, _ term: UnsafePointer<Float>, _ count: Int) {
    PlanStep.loops.binary(target, target, term, count, 1, 1, H5K_ADD)
  }

  private func apply(_ activation: Activation, _ values: UnsafeMutablePointer<Float>) {
    if activation == .softmax {
      PlanStep.loops.softmax(values, values, 1, units)
    } else {
      PlanStep.loops.activate(values, values, units, activation.forKernels)
    }
  }

  /// Adds the recurrent bias, where there is one, to all rows of the recurrent product.
  private func addBias() {
    operands.bias?.withBase { bias in
      for row in 0..<rows { add(recurrent.start + row * columns, bias, columns) }
    }
  }

  /// One step of h = f(x + hU).
  private func simple(_ product: (UnsafePointer<Float>, Int, Int) -> Void) {
    product(hidden.start, 0, columns)
    addBias()
    add(input.start, recurrent.start, rows * columns)
    for row in 0..<rows { apply(recurrence.activation, input.start + row * columns) }
    nextHidden.start.update(from: input.start, count: rows * units)
  }

  /// z and r, then h = z∘h + (1 − z)∘f(x + r∘(hU)), or f(x + (r∘h)U) where the reset comes before the product.
  private func gated(_ product: (UnsafePointer<Float>, Int, Int) -> Void, resetsAfter: Bool) {
    product(hidden.start, 0, resetsAfter ? columns : 2 * units)
    if resetsAfter { addBias() }
    for row in 0..<rows {
      let (gates, recurrent) = (input.start + row * columns, recurrent.start + row * columns)
      add(gates, recurrent, 2 * units)
      apply(recurrence.recurrentActivation, gates)
      apply(recurrence.recurrentActivation, gates + units)
      let reset = gates + units
      if resetsAfter {
        for unit in 0..<units { gates[2 * units + unit] += reset[unit] * recurrent[2 * units + unit] }
      } else {
        let (state, product) = (hidden.start + row * units, nextHidden.start + row * units)
        for unit in 0..<units { product[unit] = reset[unit] * state[unit] }
      }
    }
    if !resetsAfter { product(nextHidden.start, 2 * units, units) }
    for row in 0..<rows {
      let gates = input.start + row * columns
      let candidate = gates + 2 * units
      if !resetsAfter { add(candidate, recurrent.start + row * columns + 2 * units, units) }
      apply(recurrence.activation, candidate)
      let (old, new) = (hidden.start + row * units, nextHidden.start + row * units)
      for unit in 0..<units { new[unit] = gates[unit] * old[unit] + (1 - gates[unit]) * candidate[unit] }
    }
  }

  /// One step of c = f∘c + i∘g(x_c), h = o∘g(c).
  private func lstm(_ product: (UnsafePointer<Float>, Int, Int) -> Void) {
    product(hidden.start, 0, columns)
    addBias()
    add(input.start, recurrent.start, rows * columns)
    for row in 0..<rows {
      let gates = input.start + row * columns
      let (forget, candidate, out) = (gates + units, gates + 2 * units, gates + 3 * units)
      for gate in [gates, forget, out] { apply(recurrence.recurrentActivation, gate) }
      apply(recurrence.activation, candidate)
      let (old, new) = (carry.start + row * units, nextCarry.start + row * units)
      for unit in 0..<units { new[unit] = forget[unit] * old[unit] + gates[unit] * candidate[unit] }
      let state = nextHidden.start + row * units
      state.update(from: new, count: units)
      apply(recurrence.activation, state)
      for unit in 0..<units { state[unit] *= out[unit] }
    }
  }
}

extension Convolution3D {
  /// The recurrent convolution: padding same, no stride, no dilation.
  fileprivate var same: Convolution3D {
    var same = self
    (same.strides, same.dilation, same.before) = ([1, 1, 1], [1, 1, 1], size.map { ($0 - 1) / 2 })
    return same
  }
}

/// A convolution of one image (depth, height, width, channels) as a product of its patches with the kernel.
private struct Patches {
  let window: Convolution3D
  let inputSize: [Int]
  let channels: Int

  init(_ window: Convolution3D, inputSize: [Int], channels: Int) {
    self.window = window
    self.inputSize = inputSize
    self.channels = channels
  }

  /// - Parameter kernel: (depth, height, width, channels, columns).
  func convolve(
    _ image: UnsafePointer<Float>, _ kernel: UnsafePointer<Float>, _ columns: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let patch = window.size.reduce(channels, *)
    let width = window.outputSize[2]
    // One row of the result at a time: memory stays small whatever the image's size.
    let patches = Scratch(width * patch)
    for depth in 0..<window.outputSize[0] {
      for height in 0..<window.outputSize[1] {
        gather(image, [depth, height], into: patches.start, patch)
        multiply(
          rows: width, columns: columns, inner: patch, patches.start, aStride: patch, kernel, bStride: columns,
          into: target + (depth * window.outputSize[1] + height) * width * columns, cStride: columns)
      }
    }
  }

  private func gather(
    _ image: UnsafePointer<Float>, _ row: [Int], into patches: UnsafeMutablePointer<Float>, _ patch: Int
  ) {
    var place = patches
    for x in 0..<window.outputSize[2] {
      for kd in 0..<window.size[0] {
        let d = row[0] * window.strides[0] + kd * window.dilation[0] - window.before[0]
        for ky in 0..<window.size[1] {
          let y = row[1] * window.strides[1] + ky * window.dilation[1] - window.before[1]
          for kx in 0..<window.size[2] {
            let column = x * window.strides[2] + kx * window.dilation[2] - window.before[2]
            let isInside =
              (0..<inputSize[0]).contains(d) && (0..<inputSize[1]).contains(y) && (0..<inputSize[2]).contains(column)
            if isInside {
              let source = ((d * inputSize[1] + y) * inputSize[2] + column) * channels
              place.update(from: image + source, count: channels)
            } else {
              place.update(repeating: 0, count: channels)
            }
            place += channels
          }
        }
      }
    }
  }
}
