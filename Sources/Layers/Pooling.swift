import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// What the pooling layers over windows share.
struct PoolingConfig: Sendable {
  private let size: [Int]
  private let strides: [Int]
  private let padding: Padding
  let format: DataFormat

  init(_ config: ConfigReader, rank: Int) throws {
    (size, strides, _) = try config.window(kernel: "pool_size", rank: rank, stridesDefault: nil)
    padding = try config.padding()
    format = try config.dataFormat()
    if padding == .causal { throw config.error("padding", "'causal' is not for pooling") }
  }

  /// Number of spatial axes.
  var rank: Int { size.count }

  /// (batch, spatial axes, channels) of the result for an input in that order.
  func outputShape(_ input: PartialShape) throws -> PartialShape {
    let lengths = try (0..<rank).map { axis in
      try Sliding.outputLength(input[axis + 1], extent: size[axis], stride: strides[axis], padding: padding)
    }
    return PartialShape([input[0]] + lengths + [input[rank + 1]])
  }

  func window(on input: [Int]) -> Window {
    let before = (0..<rank).map { axis in
      Sliding.before(input[axis + 1], extent: size[axis], stride: strides[axis], padding: padding)
    }
    return Window(size: size, strides: strides, dilation: size.map { _ in 1 }, before: before)
  }
}

/// A layer that reduces each window to one number per channel.
protocol PoolingLayer: Layer {
  var config: PoolingConfig { get }
  static func operation(_ window: Window) -> Operation
}

extension PoolingLayer {
  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = config.format.channelsLastShape(try single(inputs, rank: config.rank + 2))
    return [config.format.shape(fromChannelsLast: try config.outputShape(input))]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let shape = try config.outputShape(PartialShape(input.shape)).known ?? []
    let window = config.window(on: input.shape)
    let output =
      window.size.count == 3
      ? try lowering.volumePool(input, window, shape: shape, Self.operation)
      : lowering.emit(Self.operation(window), [input], shape: shape)
    return [lowering.from(channelsLast: output, config.format)]
  }
}

extension Lowering {
  /// Pools (batch, depth, height, width, channels) over height and width, then over the depth.
  ///
  /// That is the same for the mean as for the maximum: of each window the cells inside the input form a box.
  fileprivate mutating func volumePool(
    _ input: Value, _ window: Window, shape: [Int], _ operation: (Window) -> Operation
  ) throws -> Value {
    func part(_ axes: Range<Int>) -> Window {
      Window(
        size: Array(window.size[axes]), strides: Array(window.strides[axes]), dilation: Array(window.dilation[axes]),
        before: Array(window.before[axes]))
    }
    let (batch, depth) = (input.shape[0], input.shape[1])
    let planes = try elementCount(input.shape[..<2])
    let cells = try elementCount(shape[2...])
    let images = emit(.reshape, [input], shape: [planes] + input.shape[2...])
    let pooled = emit(operation(part(1..<3)), [images], shape: [planes] + shape[2...])
    let columns = emit(.reshape, [pooled], shape: [batch, depth, cells])
    let result = emit(operation(part(0..<1)), [columns], shape: [batch, shape[1], cells])
    return emit(.reshape, [result], shape: shape)
  }
}

/// The largest element of each window over `rank` spatial axes; padding never wins.
struct MaxPooling<let rank: Int>: PoolingLayer {
  let config: PoolingConfig
  init(_ config: ConfigReader) throws { self.config = try PoolingConfig(config, rank: rank) }
  static func operation(_ window: Window) -> Operation { .maxPool(window) }
}

/// The mean of each window over `rank` spatial axes, of the elements that are not padding.
struct AveragePooling<let rank: Int>: PoolingLayer {
  let config: PoolingConfig
  init(_ config: ConfigReader) throws { self.config = try PoolingConfig(config, rank: rank) }
  static func operation(_ window: Window) -> Operation { .averagePool(window) }
}

/// What the layers that reduce all spatial axes share.
struct GlobalPoolingConfig: Sendable {
  /// Number of spatial axes.
  let rank: Int
  let format: DataFormat
  let keepsAxes: Bool

  init(_ config: ConfigReader, rank: Int) throws {
    self.rank = rank
    format = try config.dataFormat()
    keepsAxes = try config.bool("keepdims", default: false)
  }

  func outputShape(_ shape: PartialShape) -> PartialShape {
    let input = format.channelsLastShape(shape)
    let ones: [Int?] = Array(repeating: 1, count: keepsAxes ? rank : 0)
    return format.shape(fromChannelsLast: PartialShape([input[0]] + ones + [input[rank + 1]]))
  }
}

/// The maximum of each channel over `rank` spatial axes.
struct GlobalMaxPooling<let rank: Int>: Layer {
  private let config: GlobalPoolingConfig

  init(_ config: ConfigReader) throws { self.config = try GlobalPoolingConfig(config, rank: rank) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.outputShape(try single(inputs, rank: rank + 2))]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let input = lowering.channelsLast(inputs[0], config.format)
    let flat = lowering.emit(
      .reduce(.maximum, axes: Array(1...rank)), [input], shape: [input.shape[0], input.shape[rank + 1]])
    return [lowering.emit(.reshape, [flat], shape: shape)]
  }
}

/// The mean of each channel over `rank` spatial axes; of a masked sequence only the steps that count.
struct GlobalAveragePooling<let rank: Int>: Layer {
  private let config: GlobalPoolingConfig
  /// Where among the inputs a mask (batch, steps) is that the call names.
  private var maskPlace: Int?

  init(_ config: ConfigReader) throws { self.config = try GlobalPoolingConfig(config, rank: rank) }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    var copy = self
    if rank == 1 { copy.maskPlace = arguments.argument("mask", at: 1)?.tensors.first }
    return copy
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try config.outputShape(single(maskPlace == nil ? inputs : Array(inputs.prefix(1)), rank: rank + 2))
    if let maskPlace {
      let steps: PartialShape = [inputs[0][0], inputs[0][config.format.firstSpatialAxis]]
      guard maskPlace == 1, inputs.count == 2, inputs[1].rank == 2 else {
        throw H5ConvError(.badData, "\(inputs.count) inputs where a sequence and its mask were expected")
      }
      for (a, b) in zip(inputs[maskPlace].sizes, steps.sizes) where a != nil && b != nil && a != b {
        throw H5ConvError(.badData, "a mask of shape \(inputs[maskPlace]) for an input of shape \(inputs[0])")
      }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let input = lowering.channelsLast(inputs[0], config.format)
    let flat = [input.shape[0], input.shape[rank + 1]]
    let implied = lowering.inputMasks.isEmpty ? nil : lowering.inputMasks[0]
    guard rank == 1, let mask = maskPlace.map({ inputs[$0] }) ?? implied else {
      let mean = lowering.emit(.reduce(.mean, axes: Array(1...rank)), [input], shape: flat)
      return [lowering.emit(.reshape, [mean], shape: shape)]
    }
    guard mask.shape == [input.shape[0], input.shape[1]] else {
      throw H5ConvError(.unsupported, "a mask of shape \(mask.shape) is not supported")
    }
    // Without any step that counts this is 0/0, as in Keras.
    let column = lowering.emit(.reshape, [mask], shape: mask.shape + [1])
    let nothing = lowering.number(0)
    let kept = lowering.emit(.tensor(.select), [column, input, nothing], shape: input.shape)
    let sum = lowering.emit(.tensor(.reduce(.sum, axes: [1])), [kept], shape: flat)
    let count = lowering.emit(.tensor(.reduce(.sum, axes: [1])), [mask], shape: [input.shape[0]])
    let counts = lowering.emit(.reshape, [count], shape: [input.shape[0], 1])
    let mean = lowering.emit(.binary(.divide), [sum, counts], shape: flat)
    return [lowering.emit(.reshape, [mean], shape: shape)]
  }
}
