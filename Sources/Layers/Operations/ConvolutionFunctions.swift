import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// `keras.ops.conv`, `tf.nn.conv2d` and their like with constant kernels: the layers, with a rank that the kernel tells.
enum ConvolutionFunctions {
  /// A constant kernel with `rank` spatial axes and two more.
  private struct Kernel: Sendable {
    let parameter: Parameter
    let size: [Int]
    /// Its last two axes.
    let channels: (first: Int, last: Int)

    init(_ call: OperationCall, _ operand: Operand) throws {
      guard case .constant(let numbers, let shape) = operand else {
        throw call.unsupported("with a tensor of the graph as kernel")
      }
      guard (3...5).contains(shape.count), !numbers.isEmpty else {
        throw H5ConvError(.badData, "a kernel of shape \(PartialShape(shape)) where 3 to 5 axes were expected")
      }
      parameter = .constant(numbers, shape: shape)
      size = Array(shape.dropLast(2))
      channels = (shape[shape.count - 2], shape[shape.count - 1])
    }

    /// The fields of the layer that has this kernel.
    func fields(_ window: WindowArguments, _ input: PartialShape, _ more: JSONObject) throws -> ConfigReader {
      guard input.rank == size.count + 2 else {
        throw H5ConvError(
          .badData,
          "an input of shape \(input) where the kernel, with \(size.count) spatial axes, wants \(size.count + 2)")
      }
      var fields = try window.fields(rank: size.count, stridesDefault: [1])
      fields["kernel_size"] = .array(size.map { .int($0) })
      fields["use_bias"] = false
      for (name, value) in more.members { fields[name] = value }
      return ConfigReader(fields, at: "")
    }
  }

  private static func input(_ call: OperationCall) throws -> Operand {
    try call.operand(0, "inputs", "input", "value", "x")
  }

  private static func kernel(_ call: OperationCall, _ place: Int, _ names: [String]) throws -> Kernel {
    try Kernel(call, try call.operand(place, names))
  }

  static func convolve(_ call: OperationCall) throws -> TensorFunction {
    let kernel = try kernel(call, 1, ["kernel", "filters", "filter"])
    let window = try WindowArguments(call, stridesAt: 2)
    return .layer(try input(call), weights: ["kernel": kernel.parameter]) { shape in
      let channels = window.channels(shape) ?? kernel.channels.first
      guard kernel.channels.first > 0, channels % kernel.channels.first == 0 else {
        throw H5ConvError(.badData, "\(channels) channels for a kernel that takes \(kernel.channels.first)")
      }
      let config = try kernel.fields(
        window, shape,
        ["filters": .int(kernel.channels.last), "groups": .int(max(1, channels / kernel.channels.first))])
      switch kernel.size.count {
      case 1: return try Convolution<1>(config)
      case 2: return try Convolution<2>(config)
      default: return try Convolution<3>(config)
      }
    }
  }

  static func transpose(_ call: OperationCall) throws -> TensorFunction {
    let kernel = try kernel(call, 1, ["kernel"])
    let window = try WindowArguments(call, stridesAt: 2)
    let outputPadding = try call.ints("output_padding")
    return .layer(try input(call), weights: ["kernel": kernel.parameter]) { shape in
      try checked(window.channels(shape), kernel.channels.last)
      let config = try kernel.fields(
        window, shape,
        [
          "filters": .int(kernel.channels.first),
          "output_padding": try outputPadding.map { try window.spatial($0, rank: kernel.size.count) } ?? .null,
        ])
      switch kernel.size.count {
      case 1: return try TransposedConvolution<1>(config)
      case 2: return try TransposedConvolution<2>(config)
      default: return try TransposedConvolution<3>(config)
      }
    }
  }

  static func depthwise(_ call: OperationCall) throws -> TensorFunction {
    let kernel = try kernel(call, 1, ["kernel", "filter", "filters"])
    let window = try WindowArguments(call, stridesAt: 2)
    return .layer(try input(call), weights: ["depthwise_kernel": kernel.parameter]) { shape in
      try checked(window.channels(shape), kernel.channels.first)
      let config = try kernel.fields(window, shape, ["depth_multiplier": .int(kernel.channels.last)])
      return kernel.size.count == 1 ? try DepthwiseConvolution<1>(config) : try DepthwiseConvolution<2>(config)
    }
  }

  static func separable(_ call: OperationCall) throws -> TensorFunction {
    let depthwise = try kernel(call, 1, ["depthwise_kernel", "depthwise_filter"])
    let pointwise = try kernel(call, 2, ["pointwise_kernel", "pointwise_filter"])
    let window = try WindowArguments(call, stridesAt: 3)
    let middle = depthwise.channels.first.multipliedReportingOverflow(by: depthwise.channels.last)
    guard pointwise.size.allSatisfy({ $0 == 1 }), !middle.overflow, pointwise.channels.first == middle.partialValue
    else { throw call.unsupported("with kernels that do not fit each other") }
    return .layer(
      try input(call), weights: ["depthwise_kernel": depthwise.parameter, "pointwise_kernel": pointwise.parameter]
    ) { shape in
      try checked(window.channels(shape), depthwise.channels.first)
      let config = try depthwise.fields(
        window, shape,
        ["filters": .int(pointwise.channels.last), "depth_multiplier": .int(depthwise.channels.last)])
      return depthwise.size.count == 1 ? try SeparableConvolution<1>(config) : try SeparableConvolution<2>(config)
    }
  }

  private static func checked(_ channels: Int?, _ taken: Int) throws {
    if let channels, channels != taken {
      throw H5ConvError(.badData, "\(channels) channels for a kernel that takes \(taken)")
    }
  }
}
