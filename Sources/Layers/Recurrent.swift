import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// What all recurrent layers have: which outputs they give, and in which order they read.
struct RecurrentOptions: Sendable {
  var returnsSequences: Bool
  var returnsState: Bool
  var goesBackwards: Bool
  var zeroesMasked: Bool
  /// (time, batch, features) instead of (batch, time, features), up to Keras 2.
  var isTimeMajor: Bool

  init(_ config: ConfigReader) throws {
    returnsSequences = try config.bool("return_sequences", default: false)
    returnsState = try config.bool("return_state", default: false)
    goesBackwards = try config.bool("go_backwards", default: false)
    zeroesMasked = try config.bool("zero_output_for_mask", default: false)
    isTimeMajor = try config.bool("time_major", default: false)
  }
}

/// A layer that reads a sequence in one direction, of which Bidirectional takes two.
protocol RecurrentLayer: Layer {
  var options: RecurrentOptions { get set }
  /// Which Keras wrote the config.
  var generation: Int { get }
  /// Whether it drops something out in training.
  var hasRandomness: Bool { get }
  /// What a call gives it besides the sequence.
  var call: RecurrentCall { get set }
  /// Number of states, each a tensor.
  var stateCount: Int { get }
  func weights(for input: PartialShape, prefix: String, owner: [String]) throws -> [WeightSpec]
  /// Shapes of the outputs for a sequence of shape `input`: the output, then the states if they are returned.
  func outputShapes(for input: PartialShape) throws -> [PartialShape]
  /// Computes the outputs.
  func lower(
    _ input: Value, states: [Value], mask: Value?, prefix: String, to lowering: inout Lowering
  ) throws -> [Value]
}

/// A recurrent layer by itself, rather than as one direction of a Bidirectional.
extension RecurrentLayer {
  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    try refuseRandomness(arguments, hasRandomness)
    var copy = self
    copy.call = try RecurrentCall(arguments, generation: generation)
    return copy
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    try weights(for: try sequence(call, inputs), prefix: "", owner: [])
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    try outputShapes(for: try sequence(call, inputs))
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    try lower(call, inputs, prefix: "", to: &lowering)
  }
}

/// SimpleRNN, GRU, LSTM, and RNN with such cells or several on top of each other.
struct Recurrent: RecurrentLayer {
  private let cells: [RecurrentCell]
  /// Attributes that lead to the cells in Keras 3's layout.
  private let owners: [[String]]
  var options: RecurrentOptions
  let generation: Int
  let hasRandomness: Bool
  var call = RecurrentCall()

  /// SimpleRNN, GRU and LSTM.
  init(_ kind: RecurrentKind, _ config: ConfigReader, isCuDNN: Bool = false) throws {
    cells = [try RecurrentCell(kind, config, isCuDNN: isCuDNN)]
    owners = [["cell"]]
    options = try RecurrentOptions(config)
    generation = config.generation
    hasRandomness = try config.dropsOut()
  }

  /// RNN.
  init(_ config: ConfigReader) throws {
    generation = config.generation
    options = try RecurrentOptions(config)
    let (className, reader) = try config.object("cell")
    guard className == "StackedRNNCells" else {
      cells = [try RecurrentCell.named(className, reader)]
      owners = [["cell"]]
      hasRandomness = try reader.dropsOut()
      return
    }
    guard let list = reader["cells"]?.array, !list.isEmpty else { throw config.error("cell", "has no list of cells") }
    if try reader.bool("reverse_state_order", default: false), options.returnsState {
      throw config.error("cell", "with reverse_state_order is not supported", kind: .unsupported)
    }
    var owners: [[String]] = []
    var counts: [String: Int] = [:]
    var hasRandomness = false
    cells = try list.map { value in
      let (className, cell) = try reader.object("cells", value)
      let name = ["SimpleRNNCell": "simple_rnn_cell", "GRUCell": "gru_cell"][className] ?? "lstm_cell"
      let number = counts[name, default: 0]
      counts[name] = number + 1
      owners.append(["cell", "cells", number == 0 ? name : "\(name)_\(number)"])
      hasRandomness = try cell.dropsOut() || hasRandomness
      return try RecurrentCell.named(className, cell)
    }
    self.owners = owners
    self.hasRandomness = hasRandomness
  }

  var stateCount: Int { cells.reduce(0) { $0 + $1.kind.stateCount } }

  func weights(for input: PartialShape, prefix: String, owner: [String]) throws -> [WeightSpec] {
    var features = try featureShape(input)[2]
    var specs: [WeightSpec] = []
    for (number, cell) in cells.enumerated() {
      specs += cell.weights(features: features, prefix: cellPrefix(number, prefix), owner: owner + owners[number])
      features = cell.units
    }
    return specs
  }

  private func cellPrefix(_ number: Int, _ prefix: String) -> String {
    cells.count == 1 ? prefix : prefix + "cell_\(number)_"
  }

  private func featureShape(_ input: PartialShape) throws -> PartialShape {
    guard input.rank == 3 else {
      throw H5ConvError(.badData, "an input of shape \(input) where (batch, time, features) was expected")
    }
    return options.isTimeMajor ? [input[1], input[0], input[2]] : input
  }

  func outputShapes(for input: PartialShape) throws -> [PartialShape] {
    let shape = try featureShape(input)
    let units = cells[cells.count - 1].units
    let output: PartialShape =
      !options.returnsSequences
      ? [shape[0], units] : options.isTimeMajor ? [shape[1], shape[0], units] : [shape[0], shape[1], units]
    guard options.returnsState else { return [output] }
    let states = cells.flatMap { cell in
      Array(repeating: PartialShape([shape[0], cell.units]), count: cell.kind.stateCount)
    }
    return [output] + states
  }

  func lower(
    _ input: Value, states: [Value], mask: Value?, prefix: String, to lowering: inout Lowering
  ) throws -> [Value] {
    var (value, mask) = (input, mask)
    if options.isTimeMajor {
      value = lowering.emit(
        .transpose(axes: [1, 0, 2]), [value], shape: [value.shape[1], value.shape[0], value.shape[2]])
      // The mask is (batch, time) all the same.
    }
    let (batch, time) = (value.shape[0], value.shape[1])
    try checkStates(states, batch)
    if options.goesBackwards {
      value = lowering.reversed(value, axis: 1)
      mask = mask.map { lowering.reversed($0, axis: 1) }
    }
    var (place, results) = (0, [Value]())
    for (number, cell) in cells.enumerated() {
      let isLast = number == cells.count - 1
      let count = cell.kind.stateCount
      let keepsSequence = !isLast || options.returnsSequences
      let run = RecurrentCell.Run(
        states: states.isEmpty ? [] : Array(states[place..<place + count]), mask: mask,
        zeroesMasked: options.zeroesMasked, keepsSequence: keepsSequence, appendsStates: options.returnsState)
      let packed = cell.lower(value, run, prefix: cellPrefix(number, prefix), to: &lowering)
      let rows = keepsSequence ? time : 1
      let outputs = lowering.part(packed, axis: 1, from: 0, count: rows)
      if options.returnsState {
        results += (0..<count).map { state in
          let row = lowering.part(packed, axis: 1, from: rows + state, count: 1)
          return lowering.emit(.reshape, [row], shape: [batch, cell.units])
        }
      }
      value = outputs
      place += count
    }
    let units = cells[cells.count - 1].units
    if !options.returnsSequences {
      value = lowering.emit(.reshape, [value], shape: [batch, units])
    } else if options.isTimeMajor {
      value = lowering.emit(.transpose(axes: [1, 0, 2]), [value], shape: [time, batch, units])
    }
    return [value] + results
  }

  private func checkStates(_ states: [Value], _ batch: Int) throws {
    let expected = cells.flatMap { Array(repeating: [batch, $0.units], count: $0.kind.stateCount) }
    guard states.isEmpty || states.map(\.shape) == expected else {
      throw H5ConvError(.badData, "initial states of shapes \(states.map(\.shape)) where \(expected) were expected")
    }
  }
}

extension RecurrentLayer {
  /// The shape of the sequence among the inputs.
  func sequence(_ call: RecurrentCall, _ inputs: [PartialShape]) throws -> PartialShape {
    guard inputs.indices.contains(call.sequence), inputs.count > (call.states + [call.mask ?? 0]).max() ?? 0 else {
      throw H5ConvError(.badData, "\(inputs.count) inputs where more were expected")
    }
    return inputs[call.sequence]
  }

  /// Computes a call by itself, with its states and mask.
  func lower(
    _ call: RecurrentCall, _ inputs: [Value], prefix: String, to lowering: inout Lowering
  ) throws -> [Value] {
    let input = inputs[call.sequence]
    let time = input.shape[options.isTimeMajor ? 0 : 1]
    guard time > 0 else { throw H5ConvError(.badData, "a sequence without steps") }
    let mask = try call.mask(inputs, time: time, in: &lowering)
    let outputs = try lower(input, states: call.states.map { inputs[$0] }, mask: mask, prefix: prefix, to: &lowering)
    if options.returnsSequences { lowering.outputMasks = [mask] }
    return outputs
  }

  /// Throws when the call asks for dropout.
  func refuseRandomness(_ arguments: CallArguments<Int>, _ hasRandomness: Bool) throws {
    if hasRandomness, arguments.argument("training")?.value?.bool == true {
      throw H5ConvError(.unsupported, "the layer is called with training=True, so that its output is random")
    }
  }
}

extension ConfigReader {
  /// Whether the cell that is described drops out in training.
  func dropsOut() throws -> Bool {
    try ["dropout", "recurrent_dropout", "dropout_W", "dropout_U"].contains { try float($0, default: 0) != 0 }
  }

  /// Class name and config of the object in `field`: `{"class_name": …, "config": {…}}`.
  func object(_ field: String, _ value: JSONValue? = nil) throws -> (className: String, config: ConfigReader) {
    guard let value = value ?? self[field], let className = value["class_name"]?.string,
      let object = value["config"]?.object
    else { throw error(field, "is not an object with class_name and config") }
    return (ConfigReader.plainName(className), ConfigReader(object, at: place, generation: generation))
  }

  /// Several serialized objects.
  func objects(_ field: String) throws -> [(className: String, config: ConfigReader)] {
    guard let items = self[field]?.array else { throw error(field, "is not a list of objects") }
    return try items.map { try object(field, $0) }
  }
}

extension Lowering {
  /// `count` places of `axis`, from `start` on.
  mutating func part(_ value: Value, axis: Int, from start: Int, count: Int) -> Value {
    if start == 0, count == value.shape[axis] { return value }
    var (shape, starts) = (value.shape, value.shape.map { _ in 0 })
    (shape[axis], starts[axis]) = (count, start)
    return emit(.slice(start: starts), [value], shape: shape)
  }

  mutating func reversed(_ value: Value, axis: Int) -> Value {
    emit(
      .tensor(.take(axis: axis, places: Array((0..<value.shape[axis]).reversed()))), [value], shape: value.shape)
  }
}
