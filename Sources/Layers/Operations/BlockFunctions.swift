import H5ConvDiagnostics
import H5ConvTensors

/// Operations that move blocks of pixels between the channels and the plane, on (batch, height, width, channels).
enum BlockFunctions {
  private static func block(_ call: OperationCall) throws -> Int {
    if let format = call.text("data_format"), format != "NHWC", format != "channels_last" {
      throw call.unsupported("of \(format) images")
    }
    guard let size = try call.int("block_size", at: 1), (1...1 << 10).contains(size) else {
      throw call.unsupported("without a block size")
    }
    return size
  }

  private static func checked(_ shape: PartialShape) throws -> PartialShape {
    guard shape.rank == 4 else { throw H5ConvError(.badData, "an input of shape \(shape) where 4 axes were expected") }
    return shape
  }

  /// Channels (row in the block, column in the block, channel) become pixels: sub-pixel convolution.
  static func depthToSpace(_ call: OperationCall) throws -> TensorFunction {
    let size = try block(call)
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let input = try checked(input)
      if let channels = input[3], channels % (size * size) != 0 {
        throw H5ConvError(.badData, "\(channels) channels for blocks of \(size) × \(size)")
      }
      return [input[0], input[1].map { $0 * size }, input[2].map { $0 * size }, input[3].map { $0 / (size * size) }]
    }
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      let given = values[0].shape
      let split = [given[0], given[1], given[2], size, size, target[3]]
      return [lowering.interleaved(values[0], split, [0, 1, 3, 2, 4, 5], shape: target)]
    }
  }

  /// The inverse: each block of pixels becomes channels.
  static func spaceToDepth(_ call: OperationCall) throws -> TensorFunction {
    let size = try block(call)
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let input = try checked(input)
      for length in [input[1], input[2]].compactMap({ $0 }) where length % size != 0 {
        throw H5ConvError(.badData, "blocks of \(size) on an axis of \(length)")
      }
      return [input[0], input[1].map { $0 / size }, input[2].map { $0 / size }, input[3].map { $0 * size * size }]
    }
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      let split = [target[0], target[1], size, target[2], size, values[0].shape[3]]
      return [lowering.interleaved(values[0], split, [0, 1, 3, 2, 4, 5], shape: target)]
    }
  }
}

extension Lowering {
  /// The elements taken as `split`, in the order `axes`, taken as `shape`.
  fileprivate mutating func interleaved(_ value: Value, _ split: [Int], _ axes: [Int], shape: [Int]) -> Value {
    let parts = emit(.reshape, [value], shape: split)
    let turned = emit(.transpose(axes: axes), [parts], shape: axes.map { split[$0] })
    return emit(.reshape, [turned], shape: shape)
  }
}
