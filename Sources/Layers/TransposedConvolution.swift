import H5ConvConfig
import H5ConvTensors

/// The transpose (gradient) of a convolution over `rank` spatial axes.
///
/// Kernel (spatial axes, filters, channels).
/// full[i·s + j·d] += x[i]·w[j] has length (n − 1)s + extent; `valid` keeps it (and pads with the bias up to
/// max(extent, s) − extent more), `same` cuts it to n·s, the smaller half off before.
struct TransposedConvolution<let rank: Int>: Layer {
  private let config: ConvolutionConfig
  private let filters: Int
  private let outputPadding: [Int]?

  init(_ config: ConfigReader) throws {
    self.config = try ConvolutionConfig(config, rank: rank)
    filters = try config.int("filters", in: 1...sizeLimit)
    outputPadding =
      config.has("output_padding") ? try config.sizes("output_padding", rank: rank, in: 0...sizeLimit) : nil
    if let outputPadding, zip(outputPadding, self.config.strides).contains(where: { $0 >= $1 }) {
      throw config.error("output_padding", "\(outputPadding) is not smaller than the strides \(self.config.strides)")
    }
  }

  private func extent(_ axis: Int) -> Int { Sliding.extent(config.size[axis], dilation: config.dilation[axis]) }

  private func outputLength(_ length: Int?, _ axis: Int) -> Int? {
    guard let length else { return nil }
    let stride = config.strides[axis]
    let extent = extent(axis)
    if config.padding == .same {
      guard let outputPadding else { return length * stride }
      return (length - 1) * stride + extent - 2 * (extent / 2) + outputPadding[axis]
    }
    return (length - 1) * stride + extent + (outputPadding?[axis] ?? max(stride - extent, 0))
  }

  private func outputShape(_ input: PartialShape) -> PartialShape {
    PartialShape([input[0]] + (0..<rank).map { outputLength(input[$0 + 1], $0) } + [filters])
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    return [config.format.shape(fromChannelsLast: outputShape(input))]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    let kernel = WeightSpec("kernel", config.kernel(filters, input[rank + 1]), aliases: ["W"])
    return [kernel] + config.bias(filters)
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = outputShape(PartialShape(input.shape)).known ?? []
    let cut = (0..<rank).map { axis in
      guard config.padding == .same else { return 0 }
      let full = (input.shape[axis + 1] - 1) * config.strides[axis] + extent(axis)
      return max(full - shape[axis + 1], 0) / 2
    }
    let window = Window(size: config.size, strides: config.strides, dilation: config.dilation, before: cut)
    let bias = config.usesBias ? lowering.weight("bias") : nil
    let kernel = lowering.weight("kernel")
    let output = try activated(config, input, shape: shape, in: &lowering) {
      .transposedConvolution(window, kernel: kernel, bias: bias, $0)
    }
    return [output]
  }
}
