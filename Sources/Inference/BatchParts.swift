import H5ConvLayers
import H5ConvTensors

/// The first operations of a plan for a large batch, which are computed for a few of its images at a time.
///
/// What an image becomes then stays in the caches from one layer to the next, where a whole batch of it would go to memory and back. The
/// operations behind them take the whole batch: those with much weight, which is better read once.
struct BatchParts: Sendable {
  /// Bytes of an operation's images and results that are worked on at a time, for each thread: about a second-level cache.
  private static let bytes = 2 << 20
  /// Bytes of an operation's weights that are fetched for each part while others are multiplied.
  private static let cheapWeights = 3 << 20

  /// Images at a time; the batch is a multiple of it.
  let size: Int
  private let count: Int
  /// The first steps of the plan, for `size` images.
  private let steps: [PlanStep]
  /// After which step a value is not needed any more within the part.
  private let lastUses: [Int: Int]
  /// Inputs of the plan that the part needs.
  private let arguments: Set<Int>
  /// Values that are needed behind the part, of the whole batch.
  private let kept: [Value]

  /// Number of steps of the plan that this computes.
  var stepCount: Int { steps.count }

  /// - Returns: nil where nothing is gained.
  init?(_ steps: [PlanStep], of inputs: [Value], lastUses: [Int: Int], _ threads: Threads) {
    guard let batch = inputs.first?.shape.first, batch > 1 else { return nil }
    var shapes = Dictionary(uniqueKeysWithValues: inputs.map { ($0.id, $0.shape) })
    var (end, largest, total) = (0, 0, 0)
    for step in steps {
      let arguments = step.inputs.compactMap { shapes[$0] }
      let bytes = (arguments + [step.output.shape]).reduce(0) { $0 + $1.reduce(4, *) / batch }
      // Weights are read again for each part.
      guard arguments.count == step.inputs.count,
        step.operation.keepsImagesApart(arguments, output: step.output.shape, batch: batch),
        step.weightBytes <= max(BatchParts.cheapWeights, bytes)
      else { break }
      shapes[step.output.id] = step.output.shape
      largest = max(largest, bytes)
      total += step.output.shape.reduce(4, *)
      end += 1
    }
    let room = max(1, BatchParts.bytes * threads.count / max(1, largest))
    guard end > 1, let size = (1...min(room, batch)).last(where: { batch % $0 == 0 }), size < batch
    else { return nil }
    self.size = size
    count = batch / size
    let part = steps[..<end].map { $0.forImages(size) }
    self.steps = part
    self.lastUses = lastUses
    arguments = Set(inputs.map(\.id)).intersection(part.flatMap(\.inputs))
    kept = steps[..<end].map(\.output).filter { lastUses[$0.id].map { $0 >= end } ?? false }
    // They are copied.
    guard kept.reduce(0, { $0 + $1.shape.reduce(4, *) }) <= total / 4 else { return nil }
  }

  /// Replaces the inputs among `values` that are not needed behind this by what is.
  func run(_ values: inout [Int: Tensor], _ threads: Threads, _ profile: RunProfile?) throws {
    var parts: [Int: [Tensor]] = [:]
    for part in 0..<count {
      var some: [Int: Tensor] = [:]
      for id in arguments {
        some[id] = try values[id]?.images(part * size..<(part + 1) * size)
      }
      try Plan.run(steps[...], &some, lastUses: lastUses, threads, profile)
      for value in kept {
        if let tensor = some[value.id] { parts[value.id, default: []].append(tensor) }
      }
    }
    for (id, last) in lastUses where last < steps.count { values[id] = nil }
    for value in kept { values[value.id] = try Tensor(joining: parts[value.id] ?? [], shape: value.shape) }
  }
}

extension Operation {
  /// Whether each image of a batch of `batch`, the first axis, is computed without the others.
  fileprivate func keepsImagesApart(_ inputs: [[Int]], output: [Int], batch: Int) -> Bool {
    guard !inputs.isEmpty, inputs.allSatisfy({ $0.first == batch && $0.count > 1 }), output.first == batch,
      output.count > 1
    else { return false }
    switch self {
    case .convolution, .depthwiseConvolution, .maxPool, .averagePool, .batchNormalization, .activation, .scale,
      .reshape:
      return true
    case .binary: return inputs.allSatisfy { $0.count == output.count }
    case .concatenate(let axis): return axis > 0
    case .reduce(_, let axes), .softmax(let axes): return axes.allSatisfy { $0 > 0 }
    default: return false
    }
  }
}

extension PlanStep {
  fileprivate var weightBytes: Int {
    (weights.map(\.count).reduce(0, +) + (convolution?.packed.count ?? 0)) * MemoryLayout<Float>.stride
  }
}

extension Tensor {
  /// A copy of some of a batch, which is the first axis.
  fileprivate func images(_ range: Range<Int>) throws -> Tensor {
    let each = count / max(1, shape.first ?? 1)
    return try Tensor(shape: [range.count] + shape.dropFirst()) { target in
      withUnsafeElements { source in
        _ = target.update(fromContentsOf: source[range.lowerBound * each..<range.upperBound * each])
      }
    }
  }

  /// The parts one behind the other; they fill the shape.
  fileprivate init(joining parts: [Tensor], shape: [Int]) throws {
    try self.init(shape: shape) { target in
      var rest = target[...]
      for part in parts { part.withUnsafeElements { rest = rest[rest.update(fromContentsOf: $0)...] } }
    }
  }
}
