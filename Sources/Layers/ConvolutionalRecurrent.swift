import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions, over (batch, time, spatial axes, channels).
///
/// Kernel (size…, channels, 4 · filters), recurrent kernel (size…, filters, 4 · filters), bias (4 · filters). The recurrent
/// convolution has padding same, no stride and, as in Keras, no dilation.
struct ConvolutionalRecurrent: RecurrentLayer {
  private let rank: Int
  private let filters: Int
  private let size: [Int]
  private let strides: [Int]
  private let dilation: [Int]
  private let padding: Padding
  private let format: DataFormat
  private let usesBias: Bool
  private let activation: Activation
  private let recurrentActivation: Activation
  let hasRandomness: Bool
  let generation: Int
  var options: RecurrentOptions
  var call = RecurrentCall()

  /// ConvLSTM2D.
  init(_ config: ConfigReader) throws { try self.init(config, rank: 2) }

  /// - Parameter rank: number of spatial axes, 1 to 3.
  init(_ config: ConfigReader, rank: Int) throws {
    self.rank = rank
    filters = try config.int("filters", in: 1...sizeLimit)
    size = try config.sizes("kernel_size", rank: rank, in: 1...sizeLimit)
    strides = try config.sizes("strides", rank: rank, default: 1, in: 1...sizeLimit)
    dilation = try config.sizes("dilation_rate", rank: rank, default: 1, in: 1...sizeLimit)
    padding = try config.padding()
    if padding == .causal { throw config.error("padding", "'causal' is not for a ConvLSTM") }
    if strides.contains(where: { $0 > 1 }), dilation.contains(where: { $0 > 1 }) {
      throw config.error("strides", "\(strides) and dilation_rate \(dilation) exclude each other")
    }
    format = try config.dataFormat()
    usesBias = try config.bool("use_bias", default: true)
    activation = config.has("activation") ? try config.recurrentActivation("activation") : .tanh
    recurrentActivation =
      config.has("recurrent_activation")
      ? try config.recurrentActivation("recurrent_activation")
      : config.generation < 3 ? .hardSigmoid(slope: 0.2) : .sigmoid
    hasRandomness = try config.dropsOut()
    generation = config.generation
    options = try RecurrentOptions(config)
    if options.isTimeMajor { throw config.error("time_major", "is not supported", kind: .unsupported) }
    let limit = size.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    if limit > sizeLimit { throw config.error("kernel_size", "\(size) is too large", kind: .limit) }
  }

  var stateCount: Int { 2 }

  /// (batch, spatial axes, channels) of one step.
  private func step(_ input: PartialShape) throws -> PartialShape {
    guard input.rank == rank + 3 else {
      throw H5ConvError(.badData, "an input of shape \(input) where \(rank + 3) axes were expected")
    }
    return format.channelsLastShape(PartialShape([input[0]] + input.sizes.dropFirst(2)))
  }

  func weights(for input: PartialShape, prefix: String, owner: [String]) throws -> [WeightSpec] {
    let channels = try step(input)[rank + 1]
    func spec(_ name: String, _ sizes: [Int?]) -> WeightSpec {
      WeightSpec(prefix + name, PartialShape(sizes), aliases: prefix.isEmpty ? [] : [name], owner: owner + ["cell"])
    }
    return [spec("kernel", size + [channels, 4 * filters]), spec("recurrent_kernel", size + [filters, 4 * filters])]
      + (usesBias ? [spec("bias", [4 * filters])] : [])
  }

  /// (batch, spatial axes, filters) of a state.
  private func state(_ step: PartialShape) throws -> PartialShape {
    let lengths = try (0..<rank).map { axis in
      try Sliding.outputLength(
        step[axis + 1], extent: Sliding.extent(size[axis], dilation: dilation[axis]), stride: strides[axis],
        padding: padding)
    }
    return PartialShape([step[0]] + lengths + [filters])
  }

  func outputShapes(for input: PartialShape) throws -> [PartialShape] {
    let state = format.shape(fromChannelsLast: try state(try step(input)))
    let output = options.returnsSequences ? PartialShape([input[0], input[1]] + state.sizes.dropFirst()) : state
    return [output] + (options.returnsState ? [state, state] : [])
  }

  func lower(
    _ input: Value, states: [Value], mask: Value?, prefix: String, to lowering: inout Lowering
  ) throws -> [Value] {
    let (batch, time) = (input.shape[0], input.shape[1])
    let step = try step(PartialShape(input.shape)).known ?? []
    let state = try state(PartialShape(step)).known ?? []
    let shapes = try outputShapes(for: PartialShape(input.shape)).compactMap(\.known)
    let channels = step[rank + 1]
    var (value, mask) = (lowering.channelsLastSteps(input, format), mask)
    if options.goesBackwards {
      value = lowering.reversed(value, axis: 1)
      mask = mask.map { lowering.reversed($0, axis: 1) }
    }
    // Fewer than three spatial axes are three of which the first are 1.
    let ones = Array(repeating: 1, count: 3 - rank)
    value = lowering.emit(.reshape, [value], shape: [batch, time] + ones + step[1...])
    let kernel = lowering.stored(prefix + "kernel", shape: ones + size + [channels, 4 * filters])
    let recurrent = lowering.stored(prefix + "recurrent_kernel", shape: ones + size + [filters, 4 * filters])
    let bias = usesBias ? [lowering.stored(prefix + "bias", shape: [4 * filters])] : []
    let stateSize = format.shape(fromChannelsLast: PartialShape(state)).known ?? []
    guard states.allSatisfy({ $0.shape == stateSize }), [0, 2].contains(states.count) else {
      throw H5ConvError(.badData, "initial states of shapes \(states.map(\.shape)) where \(stateSize) were expected")
    }
    let initial = states.map { lowering.channelsLast($0, format) }
    let recurrence = Recurrence(
      cell: .lstm, units: filters, activation: activation, recurrentActivation: recurrentActivation,
      hasRecurrentBias: usesBias, hasInitialStates: !states.isEmpty, hasMask: mask != nil,
      zeroesMasked: options.zeroesMasked, keepsSequence: options.returnsSequences, appendsStates: options.returnsState)
    let before = (0..<rank).map { axis in
      Sliding.before(
        step[axis + 1], extent: Sliding.extent(size[axis], dilation: dilation[axis]), stride: strides[axis],
        padding: padding)
    }
    let window = Convolution3D(
      size: ones + size, strides: ones + strides, dilation: ones + dilation, before: ones.map { _ in 0 } + before,
      outputSize: ones + state[1..<rank + 1])
    let rows = options.returnsSequences ? time : 1
    guard let cells = PartialShape(state).product(of: 1..<state.count) else {
      throw H5ConvError(.limit, "a state of shape \(state)")
    }
    let packed = lowering.emit(
      .tensor(.convolutionalRecurrence(recurrence, window)),
      [value, kernel, recurrent] + bias + initial + [mask].compactMap { $0 },
      shape: [batch, rows + (options.returnsState ? 2 : 0), cells])
    let outputs = lowering.part(packed, axis: 1, from: 0, count: rows)
    let last = (options.returnsState ? 0..<2 : 0..<0).map { number in
      let part = lowering.part(packed, axis: 1, from: rows + number, count: 1)
      return lowering.from(channelsLast: lowering.emit(.reshape, [part], shape: state), format)
    }
    let sequence =
      options.returnsSequences
      ? lowering.fromChannelsLastSteps(
        lowering.emit(.reshape, [outputs], shape: [batch, time] + state[1...]), format)
      : lowering.from(channelsLast: lowering.emit(.reshape, [outputs], shape: state), format)
    guard sequence.shape == shapes.first else { throw H5ConvError(.internalFault, "a sequence of \(sequence.shape)") }
    return [sequence] + last
  }
}

extension Lowering {
  /// (batch, time, …) with the channels moved to the end.
  fileprivate mutating func channelsLastSteps(_ value: Value, _ format: DataFormat) -> Value {
    guard format == .channelsFirst else { return value }
    let axes = [0, 1] + Array(3..<value.shape.count) + [2]
    return emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }

  fileprivate mutating func fromChannelsLastSteps(_ value: Value, _ format: DataFormat) -> Value {
    guard format == .channelsFirst else { return value }
    let axes = [0, 1, value.shape.count - 1] + Array(2..<value.shape.count - 1)
    return emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }
}
