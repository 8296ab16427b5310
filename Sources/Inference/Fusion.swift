import H5ConvLayers
import H5ConvTensors

/// A step after fusion: it may compute a batch normalization and a maximum that followed it.
struct FusedStep {
  var operation: Operation
  var inputs: [Int]
  var output: Value
  /// Number in the graph of the call whose result it begins with.
  let call: Int
  /// A batch normalization applied to the result of a convolution before its activation.
  var normalization: Operation?
  /// The shape of a convolution's result of which only the largest of each 2 × 2 cells is wanted; nil where all are.
  var pooled: [Int]?
}

/// Removes steps that nobody needs, and joins a convolution with the padding before it and the batch normalization, addition,
/// activation and maximum behind it where nobody looks at what is between.
struct Fusion {
  /// Shapes of all values.
  private let shapes: [Int: [Int]]
  private let isExact: Bool

  /// - Parameter isExact: whether every convolution is summed as it stands: batch normalizations do not become part of its kernel.
  static func steps(
    _ steps: [Step], of inputs: [Value], keeping outputs: Set<Int>, isExact: Bool = false
  ) -> [FusedStep] {
    var needed = outputs
    var live: [FusedStep] = []
    for step in steps.reversed() where needed.contains(step.output.id) {
      needed.formUnion(step.inputs)
      live.append(FusedStep(operation: step.operation, inputs: step.inputs, output: step.output, call: step.call))
    }
    let shapes = Dictionary((inputs + live.map(\.output)).map { ($0.id, $0.shape) }) { first, _ in first }
    return Fusion(shapes: shapes, isExact: isExact).fuse(live.reversed(), keeping: outputs)
  }

  private func fuse(_ steps: [FusedStep], keeping outputs: Set<Int>) -> [FusedStep] {
    var uses: [Int: Int] = [:]
    for input in steps.flatMap(\.inputs) { uses[input, default: 0] += 1 }
    var result: [FusedStep?] = []
    var producers: [Int: Int] = [:]
    func producer(_ value: Int) -> FusedStep? { producers[value].flatMap { result[$0] } }
    for step in steps {
      // Steps before this whose results nobody else wants, the latest first.
      let sources = step.inputs.compactMap { uses[$0] == 1 && !outputs.contains($0) ? producers[$0] : nil }
      let joins = sources.sorted(by: >).lazy.compactMap { place in
        result[place].flatMap { joined($0, step, before: $0.inputs.first.flatMap(producer)) }.map { (place, $0) }
      }
      if let (place, joined) = joins.first {
        // What it adds may have been computed after it.
        if joined.inputs.count > 1 || joined.operation.isWindowed && step.operation.isWindowed {
          result[place] = nil
          producers[step.output.id] = result.count
          result.append(joined)
        } else {
          result[place] = joined
          producers[step.output.id] = place
        }
      } else {
        producers[step.output.id] = result.count
        result.append(step)
      }
    }
    return result.compactMap(\.self)
  }

  /// The two steps as one, or nil.
  ///
  /// - Parameter before: what computes the input of the first.
  private func joined(_ first: FusedStep, _ second: FusedStep, before: FusedStep?) -> FusedStep? {
    var joined = first
    joined.output = second.output
    switch second.operation {
    case .batchNormalization where first.normalization == nil && first.isOpen:
      guard !isExact, first.operation.isConvolution, first.inputs.count == 1 else { return nil }
      joined.normalization = second.operation
    case .activation(let activation) where first.isOpen:
      guard let operation = first.operation.with(activation) else { return nil }
      joined.operation = operation
    case .binary(.add) where first.isOpen:
      guard case .convolution = first.operation, first.inputs.count == 1, second.inputs.count == 2,
        let other = second.inputs.first(where: { $0 != first.output.id }), shapes[other] == second.output.shape,
        first.output.shape == second.output.shape
      else { return nil }
      joined.inputs.append(other)
    case .maxPool(let window) where first.operation.isConvolution:
      guard canPool(first, window, giving: second.output.shape) else { return nil }
      joined.pooled = first.output.shape
    case .maxPool(let window):
      // Where no number is negative, cells of zeros are no larger than any that a window has: it may as well not have them.
      guard before?.operation.activation?.isNeverNegative == true, window.before.allSatisfy({ $0 == 0 }),
        let padded = withoutPad(first, second), case .maxPool(let larger) = padded.operation,
        let cells = shapes[padded.inputs[0]], larger.alwaysMeets(cells, giving: second.output.shape)
      else { return nil }
      return padded
    case .convolution, .depthwiseConvolution: return withoutPad(first, second)
    default: return nil
    }
    return joined
  }

  /// Whether a convolution may compute the maximum behind it: of 2 × 2 cells that lie next to each other in a tile of Winograd's
  /// algorithm.
  private func canPool(_ step: FusedStep, _ window: Window, giving output: [Int]) -> Bool {
    let to = step.output.shape
    guard !isExact, step.pooled == nil, step.inputs.count == 1, to.count == 4,
      case .convolution(let convolved, let groups, _, _, let activation) = step.operation, activation.isLimit,
      window.size == [2, 2], window.strides == [2, 2], window.before == [0, 0], let from = shapes[step.inputs[0]],
      output == [to[0], to[1] / 2, to[2] / 2, to[3]],
      let shape = try? ConvolutionShape(convolved, groups: groups, from: from, to: to)
    else { return false }
    return shape.fastestMethod != .direct
  }

  /// The second step with the padding that the first adds.
  private func withoutPad(_ first: FusedStep, _ second: FusedStep) -> FusedStep? {
    guard case .pad(let before, 0) = first.operation, let input = shapes[first.inputs[0]],
      input.first == first.output.shape.first, input.last == first.output.shape.last,
      let operation = second.operation.padded(before)
    else { return nil }
    var joined = second
    joined.inputs = first.inputs
    joined.operation = operation
    return joined
  }
}

extension Activation {
  /// Whether it only bounds numbers.
  fileprivate var isLimit: Bool {
    switch self {
    case .linear, .relu(0, _, 0): true
    default: false
    }
  }

  /// Whether its results are 0 or more, or no numbers.
  fileprivate var isNeverNegative: Bool {
    if case .relu(0, let maximum, let threshold) = self { maximum >= 0 && threshold >= 0 } else { false }
  }
}

extension Window {
  /// Whether every place of the window covers a cell of an input of the shape `input` (batch, spatial axes, channels).
  fileprivate func alwaysMeets(_ input: [Int], giving output: [Int]) -> Bool {
    guard input.count == size.count + 2, output.count == size.count + 2 else { return false }
    return size.indices.allSatisfy { axis in
      let last = (output[axis + 1] - 1) * strides[axis] - before[axis]
      return before[axis] < size[axis] && last < input[axis + 1]
    }
  }
}

extension FusedStep {
  /// Whether something may still be done to the sums of a convolution.
  fileprivate var isOpen: Bool { operation.activation == .linear && pooled == nil }

  /// What the step needs that does not depend on the input.
  var parameters: [Parameter] { operation.parameters + (normalization?.parameters ?? []) }
}

extension Operation {
  var parameters: [Parameter] {
    switch self {
    case .parameter(let parameter): [parameter]
    case .convolution(_, _, let kernel, let bias, _), .depthwiseConvolution(_, let kernel, let bias, _),
      .transposedConvolution(_, let kernel, let bias, _), .locallyConnected(_, let kernel, let bias, _),
      .dense(let kernel, let bias, _):
      [kernel] + (bias.map { [$0] } ?? [])
    case .batchNormalization(let gamma, let beta, let mean, let variance, _):
      [gamma, beta, mean, variance].compactMap(\.self)
    case .gradient(.convolution(_, _, let kernel)), .gradient(.depthwiseConvolution(_, let kernel)): [kernel]
    default: []
    }
  }

  /// The same of an image with `before` more cells before its axes; nil where it has no window, or the batch or channels grow.
  func padded(_ before: [Int]) -> Operation? {
    func padded(_ window: Window) -> Window? {
      guard before.count == window.before.count + 2, before.allSatisfy({ $0 >= 0 }) else { return nil }
      var window = window
      window.before = zip(window.before, before.dropFirst()).map { $0 + $1 }
      return window
    }
    switch self {
    case .convolution(let window, let groups, let kernel, let bias, let activation):
      return padded(window).map { .convolution($0, groups: groups, kernel: kernel, bias: bias, activation) }
    case .depthwiseConvolution(let window, let kernel, let bias, let activation):
      return padded(window).map { .depthwiseConvolution($0, kernel: kernel, bias: bias, activation) }
    case .maxPool(let window): return padded(window).map { .maxPool($0) }
    default: return nil
    }
  }

  fileprivate var isWindowed: Bool {
    if case .maxPool = self { true } else { isConvolution }
  }

  var isConvolution: Bool {
    switch self {
    case .convolution, .depthwiseConvolution: true
    default: false
    }
  }
}
