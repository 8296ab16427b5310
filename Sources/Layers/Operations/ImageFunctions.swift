import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// `keras.ops.image` and `tf.image`: colours, borders, patches and contrast of (batch, height, width, channels).
enum ImageFunctions {
  private static func image(_ call: OperationCall) throws -> Operand {
    if let format = call.text("data_format"), format != "channels_last" {
      throw call.unsupported("of \(format) images")
    }
    return try call.operand(0, "images", "image", "value")
  }

  private static func checked(_ shape: PartialShape, channels: Int? = nil) throws -> PartialShape {
    guard shape.rank == 4 else { throw H5ConvError(.badData, "an input of shape \(shape) where 4 axes were expected") }
    if let channels, let given = shape[3], given != channels {
      throw H5ConvError(.badData, "an image of \(given) channels where \(channels) were expected")
    }
    return shape
  }

  // MARK: - Colours

  /// Each pixel times a matrix (3, channels), row by row.
  static func mixed(_ call: OperationCall, _ matrix: [Float]) throws -> TensorFunction {
    let count = matrix.count / 3
    return TensorFunction(
      [try image(call)],
      shapes: { shapes in
        if count == 1, shapes[0].rank == 4, shapes[0][3] == 1 { return [shapes[0]] }
        return [PartialShape(try checked(shapes[0], channels: 3).sizes.dropLast() + [count])]
      }
    ) { values, lowering in
      // A grey image stays as it is.
      if count == 1, values[0].shape[3] == 1 { return [values[0]] }
      let shape = Array(values[0].shape.dropLast()) + [count]
      return [
        lowering.emit(.dense(kernel: .constant(matrix, shape: [3, count]), bias: nil, .linear), values, shape: shape)
      ]
    }
  }

  static let greyWeights: [Float] = [0.2989, 0.5870, 0.1140]
  /// The matrices of `tf.image`.
  static let yuvFromRGB: [Float] = [
    0.299, -0.14714119, 0.61497538, 0.587, -0.28886916, -0.51496512, 0.114, 0.43601035, -0.10001026,
  ]
  static let rgbFromYUV: [Float] = [1, 1, 1, 0, -0.394642334, 2.03206185, 1.13988303, -0.58062185, 0]
  static let yiqFromRGB: [Float] = [
    0.299, 0.59590059, 0.2115, 0.587, -0.27455667, -0.52273617, 0.114, -0.32134392, 0.31119955,
  ]
  static let rgbFromYIQ: [Float] = [
    1, 1, 1, 0.95598634, -0.27201283, -1.10674021, 0.6208248, -0.64720424, 1.70423049,
  ]

  static func recolored(_ call: OperationCall, _ change: ColorChange) throws -> TensorFunction {
    TensorFunction([try image(call)], .recolor(change)) { try checked($0[0], channels: 3) }
  }

  static func coloured(_ call: OperationCall) throws -> TensorFunction {
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      PartialShape(try checked(input, channels: 1).sizes.dropLast() + [3])
    }
    return TensorFunction([try image(call)], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      return [lowering.emit(.repeatElements(times: [1, 1, 1, 3]), values, shape: target)]
    }
  }

  // MARK: - Contrast

  /// (x − mean)/max(standard deviation, 1/√elements), each image by itself.
  static func standardize(_ call: OperationCall) throws -> TensorFunction {
    TensorFunction([try image(call)], shapes: { [try checked($0[0])] }) { values, lowering in
      let axes = [1, 2, 3]
      let count = values[0].shape[1...].reduce(1, *)
      guard count > 0 else { throw H5ConvError(.badData, "an image without pixels") }
      let centred = try lowering.binary(.subtract, values[0], lowering.reduced(values[0], .mean, axes: axes))
      let deviation = lowering.map(lowering.reduced(values[0], .variance, axes: axes), .squareRoot)
      let limited = try lowering.binary(.maximum, deviation, lowering.number(1 / Float(count).squareRoot()))
      return [try lowering.binary(.divide, centred, limited)]
    }
  }

  /// (x − mean)·factor + mean, each image and channel by itself.
  static func contrast(_ call: OperationCall) throws -> TensorFunction {
    guard let factor = try call.number("contrast_factor", at: 1) else { throw call.unsupported("without a factor") }
    return TensorFunction([try image(call)], shapes: { [try checked($0[0])] }) { values, lowering in
      let mean = lowering.reduced(values[0], .mean, axes: [1, 2])
      let centred = try lowering.binary(.subtract, values[0], mean)
      return [try lowering.binary(.add, lowering.scaled(centred, by: Float(factor)), mean)]
    }
  }

  /// The power gamma of each element, times the gain.
  static func gamma(_ call: OperationCall) throws -> TensorFunction {
    let gamma = Float(try call.number("gamma", at: 1) ?? 1)
    let gain = Float(try call.number("gain", at: 2) ?? 1)
    return TensorFunction([try image(call)], shapes: { [$0[0]] }) { values, lowering in
      let power = try lowering.combine(.power, values[0], lowering.number(gamma))
      return [lowering.scaled(power, by: gain)]
    }
  }

  // MARK: - Turning

  /// The axes reversed, in that order, of the image or of its transpose.
  private static func turned(_ operand: Operand, transposes: Bool, reverses axes: [Int]) -> TensorFunction {
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let shape = try checked(input)
      return transposes ? [shape[0], shape[2], shape[1], shape[3]] : shape
    }
    return TensorFunction([operand], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      let value =
        transposes ? lowering.emit(.transpose(axes: [0, 2, 1, 3]), [values[0]], shape: target) : values[0]
      return [axes.reduce(value) { lowering.reversed($0, axis: $1) }]
    }
  }

  static func flipped(_ call: OperationCall, axis: Int) throws -> TensorFunction {
    turned(try image(call), transposes: false, reverses: [axis])
  }

  static func transposed(_ call: OperationCall) throws -> TensorFunction {
    turned(try image(call), transposes: true, reverses: [])
  }

  /// Quarter turns against the clock.
  static func rotated(_ call: OperationCall) throws -> TensorFunction {
    let turns = ((try call.int("k", at: 1) ?? 1) % 4 + 4) % 4
    let axes = [[], [1], [1, 2], [2]][turns]
    return turned(try image(call), transposes: turns % 2 == 1, reverses: axes)
  }
}
