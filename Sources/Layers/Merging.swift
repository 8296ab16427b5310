import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A layer that combines its inputs element by element, broadcasting as Keras does.
protocol ElementwiseMerge: Layer {
  static var operation: BinaryOperation { get }
  /// Which Keras wrote the config: they join masks differently.
  var generation: Int { get }
}

extension ElementwiseMerge {
  /// Two operands instead of a list of inputs: `keras.ops.add(x, y)`, which broadcasts as NumPy does.
  package func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    guard arguments.positional.count > 1 || arguments.positional.first?.tensor != nil else { return self }
    let call = OperationCall("\(Self.operation)", arguments, config: ConfigReader([:], at: ""))
    return AppliedOperation(try ElementwiseFunctions.binary(call, Self.operation))
  }

  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    guard inputs.count >= 2 else {
      throw H5ConvError(.badData, "\(inputs.count) inputs where two or more were expected")
    }
    return [try Merging.broadcast(inputs)]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    _ = try knownOutputShape(for: inputs)
    try lowering.joinMasks(generation)
    if generation >= 3, let masked = try Merging.foldMasked(inputs, Self.operation, in: &lowering) { return [masked] }
    return [try Merging.fold(inputs, Self.operation, in: &lowering)]
  }
}

enum Merging {
  /// The shape that all inputs broadcast to; a lower rank gets axes of 1 behind the batch.
  static func broadcast(_ inputs: [PartialShape]) throws -> PartialShape {
    let rank = inputs.map(\.rank).max() ?? 0
    return try numpyBroadcast(inputs.map { aligned($0, rank: rank) })
  }

  /// The shape that all inputs broadcast to; a lower rank gets axes of 1 before all others, as in NumPy.
  static func numpyBroadcast(_ inputs: [PartialShape]) throws -> PartialShape {
    let rank = inputs.map(\.rank).max() ?? 0
    let shapes = inputs.map { PartialShape(Array(repeating: 1, count: rank - $0.rank) + $0.sizes) }
    guard var result = shapes.first else { return [] }
    for input in shapes.dropFirst() {
      for axis in 0..<rank {
        switch (result[axis], input[axis]) {
        case (let a, let b) where a == b: break
        case (1, let size): result[axis] = size
        case (_, 1): break
        case (nil, let size?), (let size?, nil): result[axis] = size
        default: throw H5ConvError(.badData, "inputs of shapes \(inputs.map(\.description).joined(separator: " and "))")
        }
      }
    }
    return result
  }

  private static func aligned(_ shape: PartialShape, rank: Int) -> PartialShape {
    guard let batch = shape.sizes.first else { return PartialShape(Array(repeating: 1, count: rank)) }
    return PartialShape([batch] + Array(repeating: 1, count: rank - shape.rank) + shape.sizes.dropFirst())
  }

  /// Combines the inputs from the first to the last.
  static func fold(_ inputs: [Value], _ operation: BinaryOperation, in lowering: inout Lowering) throws -> Value {
    let inputs = aligned(inputs, in: &lowering)
    return try inputs.dropFirst().reduce(inputs[0]) { try lowering.binary(operation, $0, $1) }
  }

  /// The inputs with axes of 1 behind the batch, so that all have as many.
  static func aligned(_ inputs: [Value], in lowering: inout Lowering) -> [Value] {
    let rank = inputs.map(\.shape.count).max() ?? 0
    return inputs.map { value in
      lowering.emit(.reshape, [value], shape: aligned(PartialShape(value.shape), rank: rank).known ?? [])
    }
  }
}

struct Add: ElementwiseMerge {
  static let operation = BinaryOperation.add
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }
}

struct Multiply: ElementwiseMerge {
  static let operation = BinaryOperation.multiply
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }
}

struct Maximum: ElementwiseMerge {
  static let operation = BinaryOperation.maximum
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }
}

struct Minimum: ElementwiseMerge {
  static let operation = BinaryOperation.minimum
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }
}

/// The first input less the second.
struct Subtract: ElementwiseMerge {
  static let operation = BinaryOperation.subtract
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    guard inputs.count == 2 else { throw H5ConvError(.badData, "\(inputs.count) inputs where two were expected") }
    return [try Merging.broadcast(inputs)]
  }
}

/// The mean of the inputs.
struct Average: ElementwiseMerge {
  static let operation = BinaryOperation.add
  let generation: Int
  init(_ config: ConfigReader) { generation = config.generation }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    try lowering.joinMasks(generation)
    let sum = try Merging.fold(inputs, .add, in: &lowering)
    return [lowering.emit(.scale(by: 1 / Float(inputs.count), plus: 0), [sum], shape: shape)]
  }
}

/// The inputs behind each other along one axis (the batch counts as axis 0).
struct Concatenate: Layer {
  private let axis: Int
  private let generation: Int

  init(_ config: ConfigReader) throws {
    axis = try config.int("axis", default: -1)
    generation = config.generation
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    guard var shape = inputs.first, inputs.allSatisfy({ $0.rank == shape.rank }) else {
      throw H5ConvError(.badData, "inputs of different ranks cannot be concatenated")
    }
    let place = try normalized(axis: axis, rank: shape.rank)
    for input in inputs.dropFirst() {
      for other in 0..<shape.rank {
        if other == place {
          shape[other] = if let a = shape[other], let b = input[other] { a + b } else { nil }
        } else if let a = shape[other], let b = input[other], a != b {
          throw H5ConvError(
            .badData, "inputs of shapes \(inputs.map(\.description).joined(separator: " and ")) along axis \(axis)")
        } else {
          shape[other] = shape[other] ?? input[other]
        }
      }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let axis = try normalized(axis: axis, rank: shape.count)
    try joinMasks(inputs, axis, in: &lowering)
    if inputs.count == 1 { return inputs }
    return [lowering.emit(.concatenate(axis: axis), inputs, shape: shape)]
  }

  /// Along the time axis masks stand behind each other; along the features they are joined.
  private func joinMasks(_ inputs: [Value], _ axis: Int, in lowering: inout Lowering) throws {
    let given = lowering.inputMasks.compactMap { $0 }
    guard let first = given.first else { return }
    if axis >= first.shape.count {
      // In Keras 3 an input without a mask has one that is true everywhere, and one that is true suffices.
      if generation < 3 || given.count == inputs.count { try lowering.joinMasks(generation) }
    } else if given.count == inputs.count {
      var shape = first.shape
      shape[axis] = given.reduce(0) { $0 + $1.shape[axis] }
      lowering.outputMasks = [lowering.emit(.concatenate(axis: axis), given, shape: shape)]
    } else {
      throw H5ConvError(.unsupported, "inputs with and without a mask along axis \(axis) are not supported")
    }
  }
}
