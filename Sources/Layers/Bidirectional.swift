import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A recurrent layer forwards and one backwards over the same sequence, joined.
struct Bidirectional: Layer {
  /// How the two outputs become one.
  private enum Merge: String { case sum, mul, ave, concat }

  private let merge: Merge?
  private var forward: any RecurrentLayer
  private var backward: any RecurrentLayer
  private let generation: Int
  private var call = RecurrentCall()

  init(_ config: ConfigReader) throws {
    generation = config.generation
    // A null merge_mode keeps both outputs.
    if config.has("merge_mode") {
      let name = try config.string("merge_mode")
      guard let mode = Merge(rawValue: name) else {
        throw config.error("merge_mode", "'\(name)' is none of sum, mul, ave, concat, null")
      }
      merge = mode
    } else {
      merge = config.object["merge_mode"] == nil ? .concat : nil
    }
    forward = try Bidirectional.layer(config, "layer")
    if config.has("backward_layer") {
      backward = try Bidirectional.layer(config, "backward_layer")
    } else {
      backward = forward
      backward.options.goesBackwards.toggle()
    }
    let (a, b) = (forward.options, backward.options)
    guard a.returnsSequences == b.returnsSequences, a.returnsState == b.returnsState,
      a.isTimeMajor == b.isTimeMajor, a.goesBackwards != b.goesBackwards
    else { throw config.error("backward_layer", "does not fit the layer") }
    // Keras forces this when it wraps a layer.
    forward.options.zeroesMasked = a.returnsSequences
    backward.options.zeroesMasked = a.returnsSequences
  }

  private static func layer(_ config: ConfigReader, _ field: String) throws -> any RecurrentLayer {
    let (className, reader) = try config.object(field)
    guard let layer = try LayerRegistry.layer(className, reader) as? any RecurrentLayer else {
      throw config.error(field, "of class \(className) is not a recurrent layer that is supported", kind: .unsupported)
    }
    return layer
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    if arguments.argument("training")?.value?.bool == true {
      throw H5ConvError(.unsupported, "a call with training=True is not supported")
    }
    var copy = self
    copy.call = try RecurrentCall(arguments, generation: generation)
    return copy
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let input = try forward.sequence(call, inputs)
    return try forward.weights(for: input, prefix: "forward_", owner: ["forward_layer"])
      + backward.weights(for: input, prefix: "backward_", owner: ["backward_layer"])
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = try forward.sequence(call, inputs)
    let (ahead, back) = (try forward.outputShapes(for: input), try backward.outputShapes(for: input))
    let states = ahead.dropFirst() + back.dropFirst()
    var output = ahead[0]
    switch merge {
    case nil: return [output, back[0]] + states
    case .concat:
      let axis = output.rank - 1
      output[axis] = if let a = output[axis], let b = back[0][axis] { a + b } else { nil }
    default:
      guard output == back[0] else { throw H5ConvError(.badData, "outputs of shapes \(output) and \(back[0])") }
    }
    return [output] + states
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShapes(for: inputs)[0]
    let half = call.states.count / 2
    guard call.states.count % 2 == 0 else {
      throw H5ConvError(.badData, "\(call.states.count) initial states for two directions")
    }
    var (callAhead, callBack) = (call, call)
    callAhead.states = Array(call.states[..<half])
    callBack.states = Array(call.states[half...])
    let ahead = try forward.lower(callAhead, inputs, prefix: "forward_", to: &lowering)
    var back = try backward.lower(callBack, inputs, prefix: "backward_", to: &lowering)
    let mask = lowering.outputMasks.first ?? nil
    if forward.options.returnsSequences {
      back[0] = lowering.reversed(back[0], axis: forward.options.isTimeMajor ? 0 : 1)
    }
    let states = ahead.dropFirst() + back.dropFirst()
    let pair = [ahead[0], back[0]]
    lowering.outputMasks = merge == nil ? [mask, mask] : [mask]
    switch merge {
    case nil: return pair + states
    case .concat: return [lowering.emit(.concatenate(axis: shape.count - 1), pair, shape: shape)] + states
    case .mul: return [lowering.emit(.binary(.multiply), pair, shape: shape)] + states
    case .sum: return [lowering.emit(.binary(.add), pair, shape: shape)] + states
    case .ave:
      let sum = lowering.emit(.binary(.add), pair, shape: shape)
      return [lowering.emit(.scale(by: 0.5, plus: 0), [sum], shape: shape)] + states
    }
  }
}
