import H5ConvLayers
import H5ConvTensors

/// A step after fusion: it may compute a batch normalization that followed it.
struct FusedStep {
  var operation: Operation
  var inputs: [Int]
  var output: Value
  /// Number in the graph of the call whose result it begins with.
  let call: Int
  /// A batch normalization applied to the result of a convolution before its activation.
  var normalization: Operation?
}

/// Removes steps that nobody needs, and joins a convolution with the padding before it and the batch normalization, addition and
/// activation behind it where nobody looks at what is between.
struct Fusion {
  /// Shapes of all values.
  private let shapes: [Int: [Int]]
  private let foldsNormalizations: Bool

  /// - Parameter foldsNormalizations: whether batch normalizations become part of a convolution's kernel.
  static func steps(
    _ steps: [Step], of inputs: [Value], keeping outputs: Set<Int>, foldsNormalizations: Bool = true
  ) -> [FusedStep] {
    var needed = outputs
    var live: [FusedStep] = []
    for step in steps.reversed() where needed.contains(step.output.id) {
      needed.formUnion(step.inputs)
      live.append(FusedStep(operation: step.operation, inputs: step.inputs, output: step.output, call: step.call))
    }
    let shapes = Dictionary((inputs + live.map(\.output)).map { ($0.id, $0.shape) }) { first, _ in first }
    return Fusion(shapes: shapes, foldsNormalizations: foldsNormalizations).fuse(live.reversed(), keeping: outputs)
  }

  private func fuse(_ steps: [FusedStep], keeping outputs: Set<Int>) -> [FusedStep] {
    var uses: [Int: Int] = [:]
    for input in steps.flatMap(\.inputs) { uses[input, default: 0] += 1 }
    var result: [FusedStep?] = []
    var producers: [Int: Int] = [:]
    for step in steps {
      // Steps before this whose results nobody else wants, the latest first.
      let sources = step.inputs.compactMap { uses[$0] == 1 && !outputs.contains($0) ? producers[$0] : nil }
      let joins = sources.sorted(by: >).lazy.compactMap { place in
        result[place].flatMap { joined($0, step) }.map { (place, $0) }
      }
      if let (place, joined) = joins.first {
        // What it adds may have been computed after it.
        if joined.inputs.count > 1 || joined.operation.isConvolution && step.operation.isConvolution {
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
  private func joined(_ first: FusedStep, _ second: FusedStep) -> FusedStep? {
    var joined = first
    joined.output = second.output
    switch second.operation {
    case .batchNormalization where first.normalization == nil && first.isOpen:
      guard foldsNormalizations, first.operation.isConvolution, first.inputs.count == 1 else { return nil }
      joined.normalization = second.operation
    case .activation(let activation) where first.operation.activation == .linear:
      guard let operation = first.operation.with(activation) else { return nil }
      joined.operation = operation
    case .binary(.add) where first.isOpen:
      guard case .convolution = first.operation, first.inputs.count == 1, second.inputs.count == 2,
        let other = second.inputs.first(where: { $0 != first.output.id }), shapes[other] == second.output.shape,
        first.output.shape == second.output.shape
      else { return nil }
      joined.inputs.append(other)
    case .convolution, .depthwiseConvolution:
      guard case .pad(let before, 0) = first.operation, let input = shapes[first.inputs[0]],
        input.first == first.output.shape.first, input.last == first.output.shape.last,
        let operation = second.operation.padded(before)
      else { return nil }
      joined = second
      joined.inputs = first.inputs
      joined.operation = operation
    default: return nil
    }
    return joined
  }
}

extension FusedStep {
  /// Whether something may still be done to the sums of a convolution.
  fileprivate var isOpen: Bool { operation.activation == .linear }

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

  /// The convolution of an image with `before` more zeros before its axes; nil where it is none, or the batch or channels grow.
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
    default: return nil
    }
  }

  var isConvolution: Bool {
    switch self {
    case .convolution, .depthwiseConvolution: true
    default: false
    }
  }
}
