import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Sets the steps to 0 at which all features are `mask_value`, and marks them for the layers behind.
struct Masking: Layer {
  private let value: Float

  init(_ config: ConfigReader) throws { value = Float(try config.float("mask_value", default: 0)) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    guard shape.rank >= 2 else { throw H5ConvError(.badData, "an input of shape \(shape) without features") }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let (input, number) = (inputs[0], lowering.number(value))
    let rank = input.shape.count
    let differs = lowering.emit(.tensor(.combine(.notEqual)), [input, number], shape: input.shape)
    let shape = Array(input.shape.dropLast())
    let mask = lowering.emit(.tensor(.reduce(.any, axes: [rank - 1])), [differs], shape: shape)
    lowering.outputMasks = [mask]
    let column = lowering.emit(.reshape, [mask], shape: shape + [1])
    return [lowering.emit(.binary(.multiply), [input, column], shape: input.shape)]
  }
}

/// Rows of a learned table, (input_dim, output_dim), that the elements name.
struct Embedding: Layer {
  private let rows: Int
  private let columns: Int
  private let masksZero: Bool
  /// Another table for the way back, (output_dim, input_dim), or null.
  private let reverseKernel: Bool

  init(_ config: ConfigReader) throws { try self.init(config, isReversible: false) }

  /// - Parameter isReversible: whether it is a ReversibleEmbedding.
  init(_ config: ConfigReader, isReversible: Bool) throws {
    rows = try config.int("input_dim", in: 1...1 << 40)
    columns = try config.int("output_dim", in: 1...sizeLimit)
    masksZero = try config.bool("mask_zero", default: false)
    reverseKernel = isReversible ? !(try config.bool("tie_weights", default: true)) : false
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    if arguments.argument("reverse", at: 1)?.value?.bool == true {
      throw H5ConvError(.unsupported, "a call with reverse=True is not supported")
    }
    return self
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [PartialShape(try single(inputs).sizes + [columns])]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    [WeightSpec("embeddings", [rows, columns], aliases: ["W"])]
      + (reverseKernel ? [WeightSpec("reverse_embeddings", [columns, rows])] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    if masksZero {
      let zero = lowering.number(0)
      lowering.outputMasks = [
        lowering.emit(.tensor(.combine(.notEqual)), [inputs[0], zero], shape: inputs[0].shape)
      ]
    }
    let table = lowering.stored("embeddings", shape: [rows, columns])
    return [lowering.emit(.tensor(.rows), [inputs[0], table], shape: shape)]
  }
}
