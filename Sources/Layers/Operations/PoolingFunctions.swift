import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// `keras.ops.max_pool`, `tf.nn.max_pool2d` and their like: the pooling layers, with a rank that the input tells.
enum PoolingFunctions {
  static func pool(_ call: OperationCall, isMaximum: Bool) throws -> TensorFunction {
    guard let size = try call.ints("pool_size", "ksize", at: 1) else { throw call.unsupported("without a size") }
    let strides = try call.ints("strides", at: 2) ?? size
    let padding = (call.text("padding", at: 3) ?? "valid").lowercased()
    // NCHW or channels_first.
    let isFirst = call.text("data_format").map { $0.hasPrefix("NC") || $0 == "channels_first" } ?? false
    @Sendable func layer(_ shape: PartialShape) throws -> any Layer {
      let rank = shape.rank - 2
      /// TensorFlow also takes a number for each axis of the tensor.
      func spatial(_ sizes: [Int]) throws -> JSONValue {
        guard sizes.count == rank + 2 else { return .array(sizes.map { .int($0) }) }
        let axes = isFirst ? 2..<rank + 2 : 1..<rank + 1
        guard sizes.indices.allSatisfy({ axes.contains($0) || sizes[$0] == 1 }) else {
          throw H5ConvError(.unsupported, "pooling over examples or channels is not supported")
        }
        return .array(sizes[axes].map { .int($0) })
      }
      guard (1...3).contains(rank) else { throw H5ConvError(.badData, "pooling of an input of shape \(shape)") }
      let config = ConfigReader(
        [
          "pool_size": try spatial(size), "strides": try spatial(strides), "padding": .string(padding),
          "data_format": isFirst ? "channels_first" : "channels_last",
        ], at: "")
      do {
        switch rank {
        case 1: return isMaximum ? try MaxPooling<1>(config) : try AveragePooling<1>(config)
        case 2: return isMaximum ? try MaxPooling<2>(config) : try AveragePooling<2>(config)
        default: return isMaximum ? try MaxPooling<3>(config) : try AveragePooling<3>(config)
        }
      } catch let error as H5ConvError {
        // The place is the operation's, which the graph knows.
        throw H5ConvError(error.kind, error.what)
      }
    }
    return TensorFunction(
      [try call.operand(0, "inputs", "input", "value")], shapes: { try layer($0[0]).outputShapes(for: $0) },
      lower: { try layer(PartialShape($0[0].shape)).lower($0, to: &$1) })
  }
}
