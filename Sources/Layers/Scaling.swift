import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// γ(x − μ)/√(σ² + ε) + β along one axis, with the moving statistics.
struct BatchNormalization: Layer {
  private let axis: Int
  private let epsilon: Float
  private let usesScale: Bool
  private let usesCenter: Bool
  /// Batch renormalization keeps statistics of its own, which count in training only.
  private let usesRenorm: Bool
  private var hasMask = false

  var differsInTraining: Bool { true }

  init(_ config: ConfigReader) throws {
    let axes = try config.ints("axis", default: [-1])
    guard axes.count == 1 else {
      throw config.error("axis", "lists \(axes.count) axes; one is supported", kind: .unsupported)
    }
    axis = axes[0]
    epsilon = Float(try config.float("epsilon", default: 1e-3))
    usesScale = try config.bool("scale", default: true)
    usesCenter = try config.bool("center", default: true)
    usesRenorm = try config.bool("renorm", default: false)
  }

  /// A mask tells which elements count for the statistics, in training only.
  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    var copy = self
    copy.hasMask = arguments.argument("mask")?.tensors.isEmpty == false
    return copy
  }

  private func input(_ inputs: [PartialShape]) throws -> PartialShape {
    try single(hasMask ? Array(inputs.prefix(1)) : inputs)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try input(inputs)
    _ = try normalized(axis: axis, rank: shape.rank)
    return [shape]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = try input(inputs)
    let shape: PartialShape = [input[try normalized(axis: axis, rank: input.rank)]]
    return (usesScale ? [WeightSpec("gamma", shape)] : []) + (usesCenter ? [WeightSpec("beta", shape)] : []) + [
      WeightSpec("moving_mean", shape, aliases: ["running_mean"], isTrainable: false),
      WeightSpec("moving_variance", shape, aliases: ["running_variance", "running_std"], isTrainable: false),
    ]
      + (usesRenorm ? ["moving_stddev", "renorm_mean", "renorm_stddev"] : []).map { name in
        WeightSpec(name, shape, isTrainable: false)
      }
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let rank = inputs[0].shape.count
    let axis = try normalized(axis: axis, rank: rank)
    let operation = Operation.batchNormalization(
      gamma: usesScale ? lowering.weight("gamma") : nil, beta: usesCenter ? lowering.weight("beta") : nil,
      mean: lowering.weight("moving_mean"), variance: lowering.weight("moving_variance"), epsilon: epsilon)
    if axis == rank - 1 { return [lowering.emit(operation, [inputs[0]], shape: inputs[0].shape)] }
    let forth = Array(0..<axis) + Array(axis + 1..<rank) + [axis]
    let back = Array(0..<axis) + [rank - 1] + Array(axis..<rank - 1)
    let moved = lowering.emit(.transpose(axes: forth), [inputs[0]], shape: forth.map { inputs[0].shape[$0] })
    let output = lowering.emit(operation, [moved], shape: moved.shape)
    return [lowering.emit(.transpose(axes: back), [output], shape: inputs[0].shape)]
  }
}

/// x · scale + offset, each a number or one number per channel.
struct Rescaling: Layer {
  private let scale: [Float]
  private let offset: [Float]

  init(_ config: ConfigReader) throws {
    scale = try config.floats("scale").map { Float($0) }
    offset = try config.floats("offset", default: [0]).map { Float($0) }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    for list in [scale, offset] where list.count != 1 {
      guard let last = shape.sizes.last, last == nil || last == list.count else {
        throw H5ConvError(.badData, "\(list.count) scales or offsets for an input of shape \(shape)")
      }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    if scale.count == 1, offset.count == 1 {
      return [lowering.emit(.scale(by: scale[0], plus: offset[0]), inputs, shape: shape)]
    }
    let factors = lowering.emit(.parameter(.constant(scale, shape: [scale.count])), [], shape: [scale.count])
    let scaled = lowering.emit(.binary(.multiply), [inputs[0], factors], shape: shape)
    let terms = lowering.emit(.parameter(.constant(offset, shape: [offset.count])), [], shape: [offset.count])
    return [lowering.emit(.binary(.add), [scaled, terms], shape: shape)]
  }
}

/// (x − mean)/max(√variance, 1e-7), or its inverse, with statistics kept along some axes.
struct Normalization: Layer {
  private let axes: [Int]
  private let mean: [Float]?
  private let variance: [Float]?
  private let inverts: Bool

  init(_ config: ConfigReader) throws {
    // A null axis means one mean and variance for everything; a missing one the default, the last axis.
    axes = config.has("axis") ? try config.ints("axis") : config.object["axis"] == nil ? [-1] : []
    mean = config.has("mean") ? try config.floats("mean").map { Float($0) } : nil
    variance = config.has("variance") ? try config.floats("variance").map { Float($0) } : nil
    inverts = try config.bool("invert", default: false)
    if (mean == nil) != (variance == nil) { throw config.error("mean", "and variance must be given together") }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    for axis in axes { _ = try normalized(axis: axis, rank: shape.rank) }
    return [shape]
  }

  /// mean and variance with the sizes of the kept axes, and the number of batches that they were made from.
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    guard mean == nil else { return [] }
    let input = try single(inputs)
    let kept = try axes.map { try normalized(axis: $0, rank: input.rank) }.sorted()
    let shape = PartialShape(kept.map { input[$0] })
    return [
      WeightSpec("mean", shape, isTrainable: false), WeightSpec("variance", shape, isTrainable: false),
      WeightSpec("count", [], isTrainable: false),
    ]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = inputs[0]
    let kept = Set(try axes.map { try normalized(axis: $0, rank: input.shape.count) })
    // Sizes of the kept axes, 1 elsewhere, so that the statistics broadcast.
    let broadcast = input.shape.enumerated().map { kept.contains($0.offset) ? $0.element : 1 }
    let statistics = lowering.emit(
      .parameter(try parameter(mean, "mean", broadcast, in: lowering)), [], shape: broadcast)
    let deviation = lowering.emit(
      .parameter(try parameter(variance, "variance", broadcast, in: lowering)), [], shape: broadcast)
    let root = lowering.emit(.activation(.squareRoot(minimum: 1e-7)), [deviation], shape: broadcast)
    if inverts {
      let scaled = lowering.emit(.binary(.multiply), [input, root], shape: input.shape)
      return [lowering.emit(.binary(.add), [scaled, statistics], shape: input.shape)]
    }
    let centred = lowering.emit(.binary(.subtract), [input, statistics], shape: input.shape)
    return [lowering.emit(.binary(.divide), [centred, root], shape: input.shape)]
  }

  private func parameter(
    _ values: [Float]?, _ name: String, _ broadcast: [Int], in lowering: Lowering
  ) throws -> Parameter {
    guard let values else { return lowering.weight(name) }
    let count = broadcast.reduce(1, *)
    guard values.count == 1 || values.count == count else {
      throw H5ConvError(.badData, "\(name) has \(values.count) numbers where 1 or \(count) were expected")
    }
    return .constant(values.count == 1 ? Array(repeating: values[0], count: count) : values, shape: broadcast)
  }
}
