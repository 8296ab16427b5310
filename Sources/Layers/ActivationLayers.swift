import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A layer that applies one activation; the shape stays.
protocol ActivationLayer: Layer {
  var activation: Activation { get }
}

extension ActivationLayer {
  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { [try single(inputs)] }

  /// glu halves the last axis, which Keras' layer does not declare.
  package func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs)
    if activation == .glu, let last = shape.sizes.last { shape[shape.rank - 1] = last.map { $0 / 2 } }
    return [shape]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    try inputs.map { try lowering.activate($0, activation) }
  }
}

/// The layer `Activation`.
struct ActivationByName: ActivationLayer {
  let activation: Activation
  init(_ config: ConfigReader) throws { activation = try config.activation() }
}

struct ReLU: ActivationLayer {
  let activation: Activation
  init(_ config: ConfigReader) throws {
    activation = .relu(
      negativeSlope: Float(try config.float("negative_slope", default: 0)),
      maximum: Float(try config.float("max_value", default: .infinity)),
      threshold: Float(try config.float("threshold", default: 0)))
  }
}

struct LeakyReLU: ActivationLayer {
  let activation: Activation
  init(_ config: ConfigReader) throws {
    let field = config.has("negative_slope") ? "negative_slope" : "alpha"
    let slope = Float(try config.float(field, default: 0.3))
    activation = .relu(negativeSlope: slope, maximum: .infinity, threshold: 0)
  }
}

struct ELU: ActivationLayer {
  let activation: Activation
  init(_ config: ConfigReader) throws { activation = .elu(alpha: Float(try config.float("alpha", default: 1))) }
}

/// x where x > θ, else 0.
struct ThresholdedReLU: ActivationLayer {
  let activation: Activation
  init(_ config: ConfigReader) throws {
    activation = .threshold(Float(try config.float("theta", default: 1)), value: 0)
  }
}

/// Softmax over one axis or several together.
struct Softmax: Layer {
  private let axes: [Int]
  private let generation: Int
  /// Where among the inputs a mask is: elements at which it is 0 count as very small.
  private var maskPlace: Int?

  init(_ config: ConfigReader) throws {
    axes = try config.ints("axis", default: [-1])
    generation = config.generation
    // An operation of that name without an axis works on all elements.
    if config.object["axis"]?.isNull == true {
      throw config.error("axis", "is null, which is not supported", kind: .unsupported)
    }
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    var copy = self
    if let mask = arguments.argument("mask", at: 1), !mask.tensors.isEmpty { copy.maskPlace = mask.tensors[0] }
    return copy
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try maskPlace == nil ? single(inputs) : inputs.first ?? single(inputs)
    if let maskPlace {
      guard inputs.count == 2, maskPlace == 1, try Merging.numpyBroadcast(inputs) == shape else {
        throw H5ConvError(.badData, "a mask that does not fit the input's shape \(shape)")
      }
    }
    _ = try axes.map { try normalized(axis: $0, rank: shape.rank) }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let axes = try axes.map { try normalized(axis: $0, rank: shape.count) }
    let input = maskPlace.map { lowering.masked(inputs[0], inputs[$0]) } ?? inputs[0]
    let result = lowering.emit(.softmax(axes: Array(Set(axes)).sorted()), [input], shape: shape)
    // Where all are masked Keras 3 gives 0, Keras 2 the mean.
    guard generation >= 3, let maskPlace else { return [result] }
    let nothing = lowering.number(0)
    return [lowering.emit(.tensor(.select), [inputs[maskPlace], result, nothing], shape: shape)]
  }
}

/// x where x ≥ 0, else α·x, with a learned α for each element that is not on a shared axis.
struct PReLU: Layer {
  private let sharedAxes: [Int]

  init(_ config: ConfigReader) throws { sharedAxes = try config.ints("shared_axes", default: []) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { [try single(inputs)] }

  /// alpha: the input's shape without the batch, 1 on shared axes (counted with the batch as axis 0).
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    var shape = try single(inputs)
    for axis in sharedAxes { shape[try normalized(axis: axis, rank: shape.rank)] = 1 }
    return [WeightSpec("alpha", PartialShape(Array(shape.sizes.dropFirst())), aliases: ["alphas"])]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let spec = try weights(for: [PartialShape(shape)])[0]
    let alpha = lowering.emit(.parameter(lowering.weight("alpha")), [], shape: spec.shape.known ?? [])
    return [lowering.emit(.prelu, inputs + [alpha], shape: shape)]
  }
}
