import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension Lowering {
  /// `value` with γ multiplied and β added along `axes`; both have the sizes of those axes.
  mutating func scaled(
    _ value: Value, axes: [Int], gamma: Parameter?, beta: Parameter?
  ) -> Value {
    let shape = value.shape.indices.map { axes.contains($0) ? value.shape[$0] : 1 }
    var result = value
    for (parameter, operation) in [(gamma, BinaryOperation.multiply), (beta, .add)] {
      guard let parameter else { continue }
      let factors = emit(.parameter(parameter), [], shape: shape)
      result = emit(.binary(operation), [result, factors], shape: value.shape)
    }
    return result
  }
}

/// γ(x − mean)/√(variance + ε) + β with mean and variance of each example along some axes.
struct LayerNormalization: Layer {
  private let axes: [Int]
  private let epsilon: Float
  private let usesScale: Bool
  private let usesCenter: Bool
  /// x/√(variance + ε): Keras 3's `rms_scaling`, which is no root mean square.
  private let onlyScales: Bool

  init(_ config: ConfigReader) throws {
    axes = try config.axes(default: [-1])
    epsilon = Float(try config.float("epsilon", default: 1e-3))
    onlyScales = try config.bool("rms_scaling", default: false)
    usesScale = try config.bool("scale", default: true) || onlyScales
    usesCenter = try config.bool("center", default: true) && !onlyScales
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    _ = try places(shape)
    return [shape]
  }

  private func places(_ shape: PartialShape) throws -> [Int] {
    try distinct(axes.map { try normalized(axis: $0, rank: shape.rank) })
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = try single(inputs)
    let shape = PartialShape(try places(input).sorted().map { input[$0] })
    return (usesScale ? [WeightSpec("gamma", shape)] : []) + (usesCenter ? [WeightSpec("beta", shape)] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let places = try places(PartialShape(inputs[0].shape)).sorted()
    let kind = onlyScales ? Standardization.varianceOnly : .variance
    let value = lowering.emit(
      .tensor(.standardize(kind, axes: places, epsilon: epsilon)), inputs, shape: inputs[0].shape)
    return [
      lowering.scaled(
        value, axes: places, gamma: usesScale ? lowering.weight("gamma") : nil,
        beta: usesCenter ? lowering.weight("beta") : nil)
    ]
  }
}

/// scale · x/√(mean of x² + ε), with the mean along some axes.
struct RMSNormalization: Layer {
  private let axes: [Int]
  private let epsilon: Float

  init(_ config: ConfigReader) throws {
    axes = try config.axes(default: [-1])
    epsilon = Float(try config.float("epsilon", default: 1e-6))
  }

  private func places(_ shape: PartialShape) throws -> [Int] {
    try distinct(axes.map { try normalized(axis: $0, rank: shape.rank) }).sorted()
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    _ = try places(shape)
    return [shape]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    [WeightSpec("scale", try scale(try single(inputs)))]
  }

  private func scale(_ input: PartialShape) throws -> PartialShape {
    PartialShape(try places(input).map { input[$0] })
  }

  /// Keras multiplies as NumPy does, whatever the axes: the scale lies along the last ones, and may make them longer.
  func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = try single(inputs)
    return [try Merging.numpyBroadcast([input, try scale(input)])]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let places = try places(PartialShape(inputs[0].shape))
    let value = lowering.emit(
      .tensor(.standardize(.rootMeanSquare, axes: places, epsilon: epsilon)), inputs, shape: inputs[0].shape)
    let scale = lowering.stored("scale", shape: try scale(PartialShape(inputs[0].shape)).known ?? [])
    return [try lowering.binary(.multiply, value, scale)]
  }
}

/// x divided by its length along some axes.
struct UnitNormalization: Layer {
  private let axes: [Int]
  private let epsilon: Float

  init(_ config: ConfigReader) throws {
    axes = try config.axes(default: [-1])
    // The least length in Keras 3, the least square of it before.
    epsilon = config.generation < 3 ? 1e-12 : 1e-24
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    _ = try distinct(axes.map { try normalized(axis: $0, rank: shape.rank) })
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = inputs[0].shape
    let places = try axes.map { try normalized(axis: $0, rank: shape.count) }
    return [
      lowering.emit(
        .tensor(.standardize(.length, axes: places.sorted(), epsilon: epsilon)), inputs, shape: shape)
    ]
  }
}

/// The channels in groups; mean and variance of each group of each example.
struct GroupNormalization: Layer {
  private let groups: Int
  private let axis: Int
  private let epsilon: Float
  private let usesScale: Bool
  private let usesCenter: Bool

  init(_ config: ConfigReader) throws {
    // −1: as many groups as channels.
    groups = try config.int("groups", default: 32, in: -1...sizeLimit)
    if groups == 0 { throw config.error("groups", "is 0") }
    let axes = try config.axes(default: [-1])
    guard axes.count == 1 else { throw config.error("axis", "lists \(axes.count) axes; one is supported") }
    axis = axes[0]
    epsilon = Float(try config.float("epsilon", default: 1e-3))
    usesScale = try config.bool("scale", default: true)
    usesCenter = try config.bool("center", default: true)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    let place = try normalized(axis: axis, rank: shape.rank)
    guard place > 0 else { throw H5ConvError(.badData, "groups along the batch axis") }
    if let channels = shape[place], groups > 0, channels % groups != 0 {
      throw H5ConvError(.badData, "\(channels) channels cannot be split in \(groups) groups")
    }
    return [shape]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = try single(inputs)
    let shape: PartialShape = [input[try normalized(axis: axis, rank: input.rank)]]
    return (usesScale ? [WeightSpec("gamma", shape)] : []) + (usesCenter ? [WeightSpec("beta", shape)] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = inputs[0].shape
    let place = try normalized(axis: axis, rank: shape.count)
    let count = groups < 0 ? shape[place] : groups
    let split = Array(shape[..<place]) + [count, shape[place] / max(1, count)] + shape[(place + 1)...]
    let grouped = lowering.emit(.reshape, inputs, shape: split)
    let axes = (1..<split.count).filter { $0 != place }
    let value = lowering.emit(
      .tensor(.standardize(.variance, axes: axes, epsilon: epsilon)), [grouped], shape: split)
    let result = lowering.emit(.reshape, [value], shape: shape)
    return [
      lowering.scaled(
        result, axes: [place], gamma: usesScale ? lowering.weight("gamma") : nil,
        beta: usesCenter ? lowering.weight("beta") : nil)
    ]
  }
}

/// A layer whose kernel is divided by its largest singular value in training; at inference the kernel is as it was stored.
struct SpectralNormalization: Layer {
  private let inner: any Layer

  /// Training moves the vectors that the kernel is divided by.
  var differsInTraining: Bool { true }

  init(_ config: ConfigReader) throws {
    let (className, reader) = try config.object("layer")
    inner = try LayerRegistry.layer(className, reader)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { try inner.outputShapes(for: inputs) }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let specs = try inner.weights(for: inputs)
    guard let kernel = specs.first(where: { ["kernel", "depthwise_kernel", "embeddings"].contains($0.name) }) else {
      throw H5ConvError(.unsupported, "a layer without a kernel is not supported here")
    }
    let wrapped = specs.map { spec in
      WeightSpec(
        spec.name, spec.shape, aliases: spec.aliases, isTrainable: spec.isTrainable, owner: ["layer"] + spec.owner)
    }
    // In Keras 3's layout the kernel is the first variable of the wrapper too.
    return wrapped + [
      WeightSpec(
        "vector_u", [1, kernel.shape.sizes.last ?? nil], aliases: ["sn_u"], isTrainable: false, number: 1)
    ]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    try inner.lower(inputs, to: &lowering)
  }
}

extension ConfigReader {
  /// `axis`: one or several.
  func axes(default fallback: [Int]) throws -> [Int] {
    let axes = try ints("axis", default: fallback)
    if axes.isEmpty { throw error("axis", "is empty") }
    return axes
  }
}

/// - Throws: `H5ConvError` when an axis is named twice.
func distinct(_ axes: [Int]) throws -> [Int] {
  guard Set(axes).count == axes.count else { throw H5ConvError(.badData, "an axis is named twice") }
  return axes
}
