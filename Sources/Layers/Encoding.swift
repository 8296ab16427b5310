import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// How whole numbers become vectors.
enum Encoding: String {
  /// They stay.
  case int
  /// A vector for each number, with 1 at its place.
  case oneHot = "one_hot"
  /// One vector for all numbers of an example, with 1 at their places.
  case multiHot = "multi_hot"
  /// The same with how often each is there.
  case count

  init(_ config: ConfigReader, default fallback: String) throws {
    let name = try config.string("output_mode", default: fallback)
    guard let encoding = Encoding(rawValue: name == "binary" ? "multi_hot" : name) else {
      throw config.error("output_mode", "'\(name)' is none of int, one_hot, multi_hot, count")
    }
    if try config.bool("sparse", default: false) {
      throw config.error("sparse", "is not supported", kind: .unsupported)
    }
    self = encoding
  }

  func shape(_ shape: PartialShape, depth: Int) throws -> PartialShape {
    switch self {
    case .int: return shape
    case .oneHot:
      let sizes = shape.rank > 1 && shape.sizes.last == 1 ? Array(shape.sizes.dropLast()) : shape.sizes
      return PartialShape(sizes + [depth])
    case .multiHot, .count:
      guard shape.rank == 2 else {
        throw H5ConvError(.unsupported, "\(rawValue) of an input of shape \(shape) is not supported")
      }
      return [shape[0], depth]
    }
  }

  func lower(_ value: Value, depth: Int, to lowering: inout Lowering) throws -> Value {
    let shape = try shape(PartialShape(value.shape), depth: depth).known ?? []
    switch self {
    case .int: return value
    case .oneHot: return lowering.emit(.tensor(.oneHot), [value], shape: shape)
    case .multiHot, .count:
      let vectors = lowering.emit(.tensor(.oneHot), [value], shape: value.shape + [depth])
      let reduction = self == .count ? AxisReduction.sum : .maximum
      return lowering.emit(.tensor(.reduce(reduction, axes: [1])), [vectors], shape: shape)
    }
  }
}

/// The number of the interval that each element lies in; boundaries belong to the interval above.
struct Discretization: Layer {
  private let boundaries: [Float]
  private let encoding: Encoding

  init(_ config: ConfigReader) throws {
    guard config.has("bin_boundaries") else {
      throw config.error("bin_boundaries", "is missing; boundaries that were adapted are not read", kind: .unsupported)
    }
    boundaries = try config.floats("bin_boundaries").map { Float($0) }
    guard zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw config.error("bin_boundaries", "do not ascend")
    }
    encoding = try Encoding(config, default: "int")
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [try encoding.shape(try single(inputs), depth: boundaries.count + 1)]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let numbers = lowering.emit(.tensor(.bucketize(boundaries)), inputs, shape: inputs[0].shape)
    return [try encoding.lower(numbers, depth: boundaries.count + 1, to: &lowering)]
  }
}

/// Whole numbers as vectors of 0 and 1, or of counts.
struct CategoryEncoding: Layer {
  private let depth: Int
  private let encoding: Encoding

  init(_ config: ConfigReader) throws {
    depth = try config.int(config.has("max_tokens") ? "max_tokens" : "num_tokens", in: 1...sizeLimit)
    encoding = try Encoding(config, default: "multi_hot")
    if encoding == .int { throw config.error("output_mode", "'int' is not for a CategoryEncoding") }
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    guard arguments.tensors.count == 1 else { throw H5ConvError(.unsupported, "count_weights are not supported") }
    return self
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [try encoding.shape(try single(inputs), depth: depth)]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    [try encoding.lower(inputs[0], depth: depth, to: &lowering)]
  }
}
