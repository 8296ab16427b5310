import H5ConvConfig
import H5ConvTensors

/// What MaxPooling2D and AveragePooling2D share.
struct PoolingConfig: Sendable {
  private let size: [Int]
  private let strides: [Int]
  private let padding: Padding
  let format: DataFormat

  init(_ config: ConfigReader) throws {
    (size, strides, _) = try config.window(kernel: "pool_size", stridesDefault: nil)
    padding = try config.padding()
    format = try config.dataFormat()
    if padding == .causal { throw config.error("padding", "'causal' is not for pooling") }
  }

  /// (batch, height, width, channels) of the result for an input in that order.
  func outputShape(_ input: PartialShape) throws -> PartialShape {
    let lengths = try (0..<2).map { axis in
      try Sliding.outputLength(input[axis + 1], extent: size[axis], stride: strides[axis], padding: padding)
    }
    return [input[0], lengths[0], lengths[1], input[3]]
  }

  func window(on input: [Int]) -> Window {
    let before = (0..<2).map { axis in
      Sliding.before(input[axis + 1], extent: size[axis], stride: strides[axis], padding: padding)
    }
    return Window(size: size, strides: strides, dilation: [1, 1], before: before)
  }
}

/// A layer that reduces each window to one number per channel.
protocol PoolingLayer: Layer {
  var config: PoolingConfig { get }
  static func operation(_ window: Window) -> Operation
}

extension PoolingLayer {
  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = config.format.channelsLastShape(try single(inputs, rank: 4))
    return [config.format.shape(fromChannelsLast: try config.outputShape(input))]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = try config.outputShape(PartialShape(input.shape)).known ?? []
    let output = lowering.emit(Self.operation(config.window(on: input.shape)), [input], shape: shape)
    return [lowering.from(channelsLast: output, config.format)]
  }
}

/// The largest element of each window; padding never wins.
struct MaxPooling2D: PoolingLayer {
  let config: PoolingConfig
  init(_ config: ConfigReader) throws { self.config = try PoolingConfig(config) }
  static func operation(_ window: Window) -> Operation { .maxPool(window) }
}

/// The mean of each window over the elements that are not padding.
struct AveragePooling2D: PoolingLayer {
  let config: PoolingConfig
  init(_ config: ConfigReader) throws { self.config = try PoolingConfig(config) }
  static func operation(_ window: Window) -> Operation { .averagePool(window) }
}

/// A layer that reduces the spatial axes to one number per channel.
protocol GlobalPoolingLayer: Layer {
  var format: DataFormat { get }
  var keepsAxes: Bool { get }
  static var reduction: Reduction { get }
}

extension GlobalPoolingLayer {
  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = try single(inputs, rank: 4)
    let channels = input[format.channelAxis(rank: 4)]
    guard keepsAxes else { return [[input[0], channels]] }
    return [format == .channelsLast ? [input[0], 1, 1, channels] : [input[0], channels, 1, 1]]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let input = lowering.channelsLast(inputs[0], format)
    let flat = lowering.emit(
      .reduce(Self.reduction, axes: [1, 2]), [input], shape: [input.shape[0], input.shape[3]])
    return [lowering.emit(.reshape, [flat], shape: shape)]
  }
}

struct GlobalMaxPooling2D: GlobalPoolingLayer {
  let format: DataFormat
  let keepsAxes: Bool
  static let reduction = Reduction.maximum

  init(_ config: ConfigReader) throws {
    format = try config.dataFormat()
    keepsAxes = try config.bool("keepdims", default: false)
  }
}

struct GlobalAveragePooling2D: GlobalPoolingLayer {
  let format: DataFormat
  let keepsAxes: Bool
  static let reduction = Reduction.mean

  init(_ config: ConfigReader) throws {
    format = try config.dataFormat()
    keepsAxes = try config.bool("keepdims", default: false)
  }
}
