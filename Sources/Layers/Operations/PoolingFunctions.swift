import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// `keras.ops.max_pool`, `tf.nn.max_pool2d` and their like: the pooling layers, with a rank that the input tells.
enum PoolingFunctions {
  static func pool(_ call: OperationCall, isMaximum: Bool) throws -> TensorFunction {
    guard let size = try call.ints("pool_size", "ksize", at: 1) else { throw call.unsupported("without a size") }
    let window = try WindowArguments(call, stridesAt: 2)
    return .layer(try call.operand(0, "inputs", "input", "value")) { shape in
      let rank = shape.rank - 2
      var fields = try window.fields(rank: rank, stridesDefault: size)
      fields["pool_size"] = try window.spatial(size, rank: rank)
      let config = ConfigReader(fields, at: "")
      switch rank {
      case 1: return isMaximum ? try MaxPooling<1>(config) : try AveragePooling<1>(config)
      case 2: return isMaximum ? try MaxPooling<2>(config) : try AveragePooling<2>(config)
      default: return isMaximum ? try MaxPooling<3>(config) : try AveragePooling<3>(config)
      }
    }
  }

  /// `keras.ops.adaptive_average_pool` and `adaptive_max_pool`.
  static func adaptive(_ call: OperationCall, isMaximum: Bool) throws -> TensorFunction {
    guard let size = try call.ints("output_size", at: 1) else { throw call.unsupported("without a size") }
    let format = call.text("data_format") ?? "channels_last"
    return .layer(try call.operand(0, "inputs")) { shape in
      let config = ConfigReader(
        ["output_size": .array(size.map { .int($0) }), "data_format": .string(format)], at: "")
      switch shape.rank - 2 {
      case 1: return isMaximum ? try AdaptiveMaxPooling<1>(config) : try AdaptiveAveragePooling<1>(config)
      case 2: return isMaximum ? try AdaptiveMaxPooling<2>(config) : try AdaptiveAveragePooling<2>(config)
      case 3: return isMaximum ? try AdaptiveMaxPooling<3>(config) : try AdaptiveAveragePooling<3>(config)
      default: throw H5ConvError(.badData, "pooling of an input of shape \(shape)")
      }
    }
  }
}
