import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A convolution over one or two spatial axes with a kernel of its own for each output cell (Keras 1 and 2).
///
/// Kernel (output cells, patch, filters); bias (spatial axes, filters). A patch's elements are (taps, channels). With
/// channels_first they are (channels, taps), and Keras reads the bias' numbers as (filters, spatial axes).
struct LocallyConnected<let rank: Int>: Layer {
  /// The layer as its `implementation` stores the kernel.
  static func layer(_ config: ConfigReader) throws -> any Layer {
    try config.int("implementation", default: 1) == 1
      ? try LocallyConnected<rank>(config) : try LocallyConnectedMatrix<rank>(config)
  }

  private let config: ConvolutionConfig
  private let filters: Int

  init(_ config: ConfigReader) throws {
    self.config = try ConvolutionConfig(config, rank: rank)
    filters = try config.int("filters", in: 1...sizeLimit)
    if self.config.padding != .valid { throw config.error("padding", "is not 'valid'") }
  }

  /// (batch, spatial axes, channels) of input and output.
  private func shapes(_ inputs: [PartialShape]) throws -> (input: PartialShape, output: PartialShape) {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    return (input, try config.outputShape(input, channels: filters))
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.format.shape(fromChannelsLast: try shapes(inputs).output)]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let (input, output) = try shapes(inputs)
    let cells = output.product(of: 1..<rank + 1)
    let patch = config.kernel(input[rank + 1]).product(of: 0..<rank + 1)
    let bias = WeightSpec("bias", PartialShape(Array(output.sizes[1...])), aliases: ["b"])
    return [WeightSpec("kernel", [cells, patch, filters], aliases: ["W"])] + (config.usesBias ? [bias] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = try config.outputShape(PartialShape(input.shape), channels: filters).known ?? []
    let operation = Operation.locallyConnected(
      config.window(on: input.shape), kernel: lowering.weight("kernel"),
      bias: config.usesBias ? lowering.weight("bias") : nil, channelsFirst: config.format == .channelsFirst)
    let output = lowering.from(channelsLast: lowering.emit(operation, [input], shape: shape), config.format)
    return [try lowering.activate(output, config.activation)]
  }
}
