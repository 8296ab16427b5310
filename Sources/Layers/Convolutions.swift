import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// What the convolutions share: window, padding, format, bias, activation.
struct ConvolutionConfig: Sendable {
  let size: [Int]
  let strides: [Int]
  let dilation: [Int]
  let padding: Padding
  let format: DataFormat
  let usesBias: Bool
  let activation: Activation

  /// - Parameters:
  ///   - rank: number of spatial axes.
  ///   - causal: whether the layer takes `padding` 'causal', which is of one axis only.
  ///   - dilatedStrides: whether strides and dilation may both be larger than 1, which Keras 3 allows where channels are
  ///     convolved by themselves.
  init(_ config: ConfigReader, rank: Int, causal: Bool = false, dilatedStrides: Bool = false) throws {
    (size, strides, dilation) = try config.window(kernel: "kernel_size", rank: rank, stridesDefault: 1)
    padding = try config.padding()
    format = try config.dataFormat()
    usesBias = try config.bool("use_bias", default: true)
    activation = try config.activation()
    if padding == .causal, !causal || rank != 1 { throw config.error("padding", "'causal' is not for this layer") }
    if !dilatedStrides, strides.contains(where: { $0 > 1 }), dilation.contains(where: { $0 > 1 }) {
      throw config.error("strides", "\(strides) and dilation_rate \(dilation) exclude each other")
    }
  }

  /// Number of spatial axes.
  var rank: Int { size.count }

  /// (batch, spatial axes, channels) of the result for an input in that order.
  func outputShape(_ input: PartialShape, channels: Int?) throws -> PartialShape {
    let lengths = try (0..<rank).map { axis in
      try Sliding.outputLength(
        input[axis + 1], extent: Sliding.extent(size[axis], dilation: dilation[axis]), stride: strides[axis],
        padding: padding)
    }
    return PartialShape([input[0]] + lengths + [channels])
  }

  /// The window on an input of shape (batch, spatial axes, channels).
  func window(on input: [Int]) -> Window {
    let before = (0..<rank).map { axis in
      Sliding.before(
        input[axis + 1], extent: Sliding.extent(size[axis], dilation: dilation[axis]), stride: strides[axis],
        padding: padding)
    }
    return Window(size: size, strides: strides, dilation: dilation, before: before)
  }

  /// The shape (kernel's spatial axes, `channels`…).
  func kernel(_ channels: Int?...) -> PartialShape { PartialShape(size.map { $0 } + channels) }

  func bias(_ channels: Int?) -> [WeightSpec] { usesBias ? [WeightSpec("bias", [channels], aliases: ["b"])] : [] }
}

/// Convolution over `rank` spatial axes.
///
/// Kernel (spatial axes, channels / groups, filters).
struct Convolution<let rank: Int>: Layer {
  private let config: ConvolutionConfig
  private let filters: Int
  private let groups: Int

  init(_ config: ConfigReader) throws {
    self.config = try ConvolutionConfig(config, rank: rank, causal: true)
    filters = try config.int("filters", in: 1...sizeLimit)
    groups = try config.int("groups", default: 1, in: 1...sizeLimit)
    if filters % groups != 0 { throw config.error("filters", "\(filters) cannot be split in \(groups) groups") }
  }

  private func input(_ inputs: [PartialShape]) throws -> PartialShape {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    if let channels = input[rank + 1], channels % groups != 0 {
      throw H5ConvError(.badData, "\(channels) input channels cannot be split in \(groups) groups")
    }
    return input
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.format.shape(fromChannelsLast: try config.outputShape(try input(inputs), channels: filters))]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let channels = try input(inputs)[rank + 1].map { $0 / groups }
    return [WeightSpec("kernel", config.kernel(channels, filters), aliases: ["W"])] + config.bias(filters)
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = try config.outputShape(PartialShape(input.shape), channels: filters).known ?? []
    let bias = config.usesBias ? lowering.weight("bias") : nil
    let kernel = lowering.weight("kernel")
    let output = try activated(config, input, shape: shape, in: &lowering) {
      .convolution(config.window(on: input.shape), groups: groups, kernel: kernel, bias: bias, $0)
    }
    return [output]
  }
}

/// Each channel convolved by itself over one or two spatial axes, `depth_multiplier` times.
///
/// Kernel (spatial axes, channels, multiplier).
struct DepthwiseConvolution<let rank: Int>: Layer {
  private let config: ConvolutionConfig
  private let multiplier: Int

  init(_ config: ConfigReader) throws {
    self.config = try ConvolutionConfig(config, rank: rank, dilatedStrides: config.generation == 3)
    multiplier = try config.int("depth_multiplier", default: 1, in: 1...sizeLimit)
  }

  private func channels(_ input: PartialShape) throws -> Int? {
    try input[rank + 1].map { channels in
      let (product, overflow) = channels.multipliedReportingOverflow(by: multiplier)
      guard !overflow else { throw H5ConvError(.limit, "depth_multiplier \(multiplier) is too large") }
      return product
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    return [config.format.shape(fromChannelsLast: try config.outputShape(input, channels: try channels(input)))]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    let kernel = WeightSpec("depthwise_kernel", config.kernel(input[rank + 1], multiplier), aliases: ["kernel"])
    return [kernel] + config.bias(try channels(input))
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let inputShape = PartialShape(input.shape)
    let shape = try config.outputShape(inputShape, channels: try channels(inputShape)).known ?? []
    let bias = config.usesBias ? lowering.weight("bias") : nil
    let kernel = lowering.weight("depthwise_kernel")
    let output = try activated(config, input, shape: shape, in: &lowering) {
      .depthwiseConvolution(config.window(on: input.shape), kernel: kernel, bias: bias, $0)
    }
    return [output]
  }
}

/// A depthwise convolution over one or two spatial axes without bias, then one of single cells with bias and activation.
struct SeparableConvolution<let rank: Int>: Layer {
  private let config: ConvolutionConfig
  private let filters: Int
  private let multiplier: Int

  init(_ config: ConfigReader) throws {
    self.config = try ConvolutionConfig(config, rank: rank, causal: true, dilatedStrides: config.generation == 3)
    filters = try config.int("filters", in: 1...sizeLimit)
    multiplier = try config.int("depth_multiplier", default: 1, in: 1...4096)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    return [config.format.shape(fromChannelsLast: try config.outputShape(input, channels: filters))]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    let middle = input[rank + 1].map { $0 * multiplier }
    let ones: [Int?] = Array(repeating: 1, count: rank)
    return [
      WeightSpec("depthwise_kernel", config.kernel(input[rank + 1], multiplier)),
      WeightSpec("pointwise_kernel", PartialShape(ones + [middle, filters])),
    ] + config.bias(filters)
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = try config.outputShape(PartialShape(input.shape), channels: filters).known ?? []
    let middle = lowering.emit(
      .depthwiseConvolution(
        config.window(on: input.shape), kernel: lowering.weight("depthwise_kernel"), bias: nil, .linear),
      [input], shape: shape.dropLast() + [input.shape[rank + 1] * multiplier])
    let bias = config.usesBias ? lowering.weight("bias") : nil
    let kernel = lowering.weight("pointwise_kernel")
    let output = try activated(config, middle, shape: shape, in: &lowering) {
      .convolution(.point(rank: rank), groups: 1, kernel: kernel, bias: bias, $0)
    }
    return [output]
  }
}

/// Emits a convolution with its activation: an elementwise one with the operation, any other behind it, where the layer's
/// own channel order counts (softmax is over the last axis whatever that is).
func activated(
  _ config: ConvolutionConfig, _ input: Value, shape: [Int], in lowering: inout Lowering,
  _ operation: (Activation) -> Operation
) throws -> Value {
  if config.activation.isElementwise {
    let result = lowering.emit(operation(config.activation), [input], shape: shape)
    return lowering.from(channelsLast: result, config.format)
  }
  let result = lowering.from(channelsLast: lowering.emit(operation(.linear), [input], shape: shape), config.format)
  return try lowering.activate(result, config.activation)
}
