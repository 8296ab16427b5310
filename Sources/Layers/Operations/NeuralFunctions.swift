import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations of neural networks that work along axes.
enum NeuralFunctions {
  static func softmax(_ call: OperationCall) throws -> TensorFunction {
    // In Keras 3 a null axis means all elements.
    guard let axes = try call.ints("axis", "dim", at: 1) ?? (call.isKeras3 ? nil : [-1]) else {
      throw call.unsupported("without an axis")
    }
    let isLogarithm = call.name == "logsoftmax"
    if isLogarithm, axes.count != 1 { throw call.unsupported("over several axes") }
    return TensorFunction(
      [try call.operand(0, "x", "logits")],
      shapes: { shapes in
        _ = try distinct(axes.map { try normalized(axis: $0, rank: shapes[0].rank) })
        return [shapes[0]]
      }
    ) { values, lowering in
      let places = try axes.map { try normalized(axis: $0, rank: values[0].shape.count) }.sorted()
      return [
        lowering.emit(
          isLogarithm ? .logSoftmax(axis: places[0]) : .softmax(axes: places), values, shape: values[0].shape)
      ]
    }
  }

  /// x divided by its length along some axes.
  static func normalize(_ call: OperationCall) throws -> TensorFunction {
    if let order = try call.value("order"), order.integer != 2 { throw call.unsupported("of another order than 2") }
    // Keras 3 limits the length, TensorFlow its square.
    let epsilon = try call.number("epsilon") ?? (call.isKeras3 ? 1e-7 : 1e-12)
    let axes = try call.ints("axis", at: 1)
    if call.isKeras3, axes == nil { throw call.unsupported("without an axis") }
    return standardized(
      try call.operand(0, "x"), .length, axes: axes,
      epsilon: call.isKeras3 ? epsilon * epsilon : epsilon)
  }

  private static func standardized(
    _ operand: Operand, _ kind: Standardization, axes: [Int]?, epsilon: Double
  ) -> TensorFunction {
    @Sendable func places(_ rank: Int) throws -> [Int] {
      try axes.map { try distinct($0.map { try normalized(axis: $0, rank: rank) }).sorted() } ?? Array(0..<rank)
    }
    return TensorFunction(
      [operand],
      shapes: { shapes in
        _ = try places(shapes[0].rank)
        return [shapes[0]]
      }
    ) { values, lowering in
      let shape = values[0].shape
      return [
        lowering.emit(
          .tensor(.standardize(kind, axes: try places(shape.count), epsilon: Float(epsilon))), values, shape: shape)
      ]
    }
  }

  static func oneHot(_ call: OperationCall) throws -> TensorFunction {
    guard let depth = try call.int("num_classes", "depth", at: 1), (1...sizeLimit).contains(depth),
      try call.int("axis") ?? -1 == -1
    else { throw call.unsupported("along another axis than the last") }
    for name in ["on_value", "off_value"] where try call.value(name) != nil { throw call.unsupported("with \(name)") }
    return TensorFunction([try call.operand(0, "x", "indices")], .oneHot) { PartialShape($0[0].sizes + [depth]) }
  }

  /// `keras.ops.image.resize` and `tf.image.resize` of (batch, height, width, channels).
  static func resize(_ call: OperationCall) throws -> TensorFunction {
    guard let size = try call.sizes("size", at: 1), size.count == 2,
      size.allSatisfy({ (1...sizeLimit).contains($0 ?? 1) })
    else {
      throw call.unsupported("without a height and a width")
    }
    for name in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "preserve_aspect_ratio"] where try call.flag(name) {
      throw call.unsupported("with \(name)")
    }
    if let format = call.text("data_format"), format != "channels_last" {
      throw call.unsupported("of \(format) images")
    }
    let name = call.text("interpolation", "method", at: 2) ?? "bilinear"
    guard let method = ResizeMethod(rawValue: name.lowercased()) else { throw call.unsupported("with \(name)") }
    let smooths = try call.flag("antialias")
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      guard input.rank == 4 else { throw H5ConvError(.unsupported, "images of shape \(input) are not supported") }
      return [input[0], size[0], size[1], input[3]]
    }
    return TensorFunction([try call.operand(0, "images", "x")], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      return [lowering.emit(.resize(method, antialias: smooths), values, shape: target)]
    }
  }

  static func addBias(_ call: OperationCall) throws -> TensorFunction {
    if let format = call.text("data_format"), format.hasPrefix("NC") { throw call.unsupported("of \(format) tensors") }
    return ElementwiseFunctions.fold([try call.operand(0, "value"), try call.operand(1, "bias")], .add)
  }
}
