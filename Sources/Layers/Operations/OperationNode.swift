import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A node of the graph that is a function rather than a layer: `keras.ops` in Keras 3, TFOpLambda and SlicingOpLambda in tf.keras.
struct OperationNode: Layer {
  private let function: String
  private let config: ConfigReader
  private let isKeras3: Bool

  /// TFOpLambda and SlicingOpLambda: `config.function` names what TensorFlow's Python calls it.
  init(_ config: ConfigReader) throws {
    function = try config.string("function")
    self.config = config
    isKeras3 = false
    if !OperationTable.names.contains(OperationTable.plainName(function)) {
      throw config.error("function", "'\(function)' is not supported", kind: .unsupported)
    }
  }

  /// An operation of Keras 3, whose class names the function; its fixed arguments are in the config.
  init(_ className: String, _ config: ConfigReader) {
    function = className
    self.config = config
    isKeras3 = true
  }

  /// Whether `config` is that of an operation of Keras 3: a layer's always tells whether it is trainable.
  static func isOperation(_ className: String, _ config: ConfigReader) -> Bool {
    guard config.generation >= 3, config.object["trainable"] == nil,
      OperationTable.names.contains(OperationTable.plainName(className))
    else { return false }
    switch className {
    case "Reshape": return config.has("newshape")
    case "Dot": return config.object["axes"] == nil
    case "Average": return config.object["axis"] != nil
    default: return true
    }
  }

  /// Classes of operations that compute something else than the layers of the same name.
  static let differing: Set<String> = ["Reshape", "Dot", "Average"]

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    try AppliedOperation(
      OperationTable.function(OperationCall(function, arguments, config: isKeras3 ? config : nil)))
  }

  private var name: String { OperationTable.plainName(function) }

  var takesSizes: Bool { SizeFunction.takers.contains(name) }

  func sizes(of arguments: CallArguments<Int>, shapes: [PartialShape], known: [SizeNumbers?]) -> [SizeNumbers] {
    SizeFunction(name: name, arguments: arguments, shapes: shapes, known: known).results
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    throw H5ConvError(.internalFault, "an operation without its arguments")
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    throw H5ConvError(.internalFault, "an operation without its arguments")
  }
}

/// What an operation works on: an input of its call, or numbers.
enum Operand: Sendable {
  case input(Int)
  case constant([Float], shape: [Int])
}

/// A function of tensors: its shape rule and how it is computed.
struct TensorFunction: Sendable {
  var operands: [Operand]
  var shapes: @Sendable ([PartialShape]) throws -> [PartialShape]
  var lower: @Sendable ([Value], inout Lowering) throws -> [Value]

  init(
    _ operands: [Operand], shapes: @escaping @Sendable ([PartialShape]) throws -> [PartialShape],
    lower: @escaping @Sendable ([Value], inout Lowering) throws -> [Value]
  ) {
    self.operands = operands
    self.shapes = shapes
    self.lower = lower
  }

  /// One operation whose result's shape the rule tells.
  init(
    _ operands: [Operand], _ operation: TensorOperation,
    shape: @escaping @Sendable ([PartialShape]) throws -> PartialShape
  ) {
    self.init(operands, shapes: { [try shape($0)] }) { values, lowering in
      let known = try TensorFunction.known(try shape(values.map { PartialShape($0.shape) }))
      return [lowering.emit(.tensor(operation), values, shape: known)]
    }
  }

  static func known(_ shape: PartialShape) throws -> [Int] {
    guard let known = shape.known else {
      throw H5ConvError(.internalFault, "the output shape \(shape) is not known from the inputs")
    }
    return known
  }
}

/// An operation with the arguments of one call.
struct AppliedOperation: Layer {
  private let function: TensorFunction

  init(_ config: ConfigReader) throws { throw config.error("function", "is missing") }

  init(_ function: TensorFunction) { self.function = function }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    try function.shapes(
      try function.operands.map { operand in
        switch operand {
        case .input(let place):
          guard inputs.indices.contains(place) else {
            throw H5ConvError(.badData, "\(inputs.count) inputs are too few")
          }
          return inputs[place]
        case .constant(_, let shape): return PartialShape(shape)
        }
      })
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let values = function.operands.map { operand in
      switch operand {
      case .input(let place): inputs[place]
      case .constant(let values, let shape):
        lowering.emit(.parameter(.constant(values, shape: shape)), [], shape: shape)
      }
    }
    return try function.lower(values, &lowering)
  }
}
