import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that give the same elements another shape or order.
enum ShapeFunctions {
  /// A reshape to what `shape` tells.
  private static func reshaped(
    _ operand: Operand, _ shape: @escaping @Sendable (PartialShape) throws -> PartialShape
  ) -> TensorFunction {
    TensorFunction([operand], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      return [lowering.emit(.reshape, values, shape: target)]
    }
  }

  static func reshape(_ call: OperationCall) throws -> TensorFunction {
    guard let sizes = try call.sizes("newshape", "shape", at: 1) else { throw call.unsupported("without a shape") }
    let known = sizes.compactMap { $0 }
    guard known.allSatisfy({ (-1...1 << 40).contains($0) }), known.filter({ $0 == -1 }).count <= 1 else {
      throw H5ConvError(.badData, "\(known) is no shape")
    }
    return reshaped(try call.operand(0, "x", "tensor")) { shape in
      // One size that is not known yet is what is left of the others.
      let target = sizes.map { $0 ?? -1 }
      guard let count = shape.product(of: 0..<shape.rank), target.filter({ $0 == -1 }).count <= 1 else {
        return PartialShape(target.map { $0 == -1 ? nil : $0 })
      }
      let fixed = PartialShape(target.map { $0 == -1 ? 1 : $0 })
      guard let product = fixed.product(of: 0..<fixed.rank),
        target.contains(-1) ? product > 0 && count % product == 0 : product == count
      else { throw H5ConvError(.badData, "an input of shape \(shape) cannot be reshaped to \(target)") }
      return PartialShape(target.map { $0 == -1 ? count / product : $0 })
    }
  }

  /// The input's shape as numbers, which are known when the model is run.
  static func shape(_ call: OperationCall) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "input", "x")], shapes: { [[$0[0].rank]] }) { values, lowering in
      let shape = values[0].shape
      return [lowering.constant(shape.map { Float($0) }, shape: [shape.count])]
    }
  }

  /// A tensor of the given shape, filled with one number: `value` itself, or what the call says.
  static func filled(_ call: OperationCall, _ value: Float?) throws -> TensorFunction {
    guard let sizes = try call.sizes("shape", "dims", at: 0), sizes.allSatisfy({ (0...1 << 40).contains($0 ?? 0) }),
      let number = try value ?? call.number("value", at: 1).map({ Float($0) })
    else { throw call.unsupported("without a shape and a number") }
    return TensorFunction([], shapes: { _ in [PartialShape(sizes)] }) { _, lowering in
      let shape = try TensorFunction.known(PartialShape(sizes))
      let one = lowering.constant([number], shape: shape.map { _ in 1 })
      return [lowering.emit(.repeatElements(times: shape), [one], shape: shape)]
    }
  }

  static func ravel(_ call: OperationCall) throws -> TensorFunction {
    reshaped(try call.operand(0, "x")) { [$0.product(of: 0..<$0.rank)] }
  }

  static func expand(_ call: OperationCall) throws -> TensorFunction {
    let axes = try call.ints("axis", at: 1) ?? [-1]
    return reshaped(try call.operand(0, "x", "input")) { shape in
      let rank = shape.rank + axes.count
      let places = try distinct(axes.map { try normalized(axis: $0, rank: rank) })
      var rest = shape.sizes[...]
      return PartialShape((0..<rank).map { places.contains($0) ? 1 : rest.popFirst() ?? nil })
    }
  }

  static func squeeze(_ call: OperationCall) throws -> TensorFunction {
    let axes = try call.ints("axis", at: 1)
    return reshaped(try call.operand(0, "x", "input")) { shape in
      let places =
        try axes.map { try $0.map { try normalized(axis: $0, rank: shape.rank) } }
        ?? shape.sizes.indices.filter { shape[$0] == 1 }
      for place in places where shape[place] ?? 1 != 1 {
        throw H5ConvError(.badData, "axis \(place) of the shape \(shape) is squeezed")
      }
      return PartialShape(shape.sizes.indices.filter { !places.contains($0) }.map { shape[$0] })
    }
  }

  /// A transposition by the order that `order` tells for a rank.
  private static func transposed(
    _ operand: Operand, _ order: @escaping @Sendable (Int) throws -> [Int]
  ) -> TensorFunction {
    TensorFunction(
      [operand],
      shapes: { shapes in [PartialShape(try order(shapes[0].rank).map { shapes[0][$0] })] }
    ) { values, lowering in
      let axes = try order(values[0].shape.count)
      return [lowering.emit(.transpose(axes: axes), values, shape: axes.map { values[0].shape[$0] })]
    }
  }

  static func transpose(_ call: OperationCall) throws -> TensorFunction {
    let axes = try call.ints("axes", "perm", at: 1)
    return transposed(try call.operand(0, "x", "a")) { rank in
      guard let axes else { return Array((0..<rank).reversed()) }
      let order = try distinct(axes.map { try normalized(axis: $0, rank: rank) })
      guard order.count == rank else { throw H5ConvError(.badData, "\(axes) is no order of \(rank) axes") }
      return order
    }
  }

  static func swapAxes(_ call: OperationCall) throws -> TensorFunction {
    guard let first = try call.int("axis1", at: 1), let second = try call.int("axis2", at: 2) else {
      throw call.unsupported("without axes")
    }
    return transposed(try call.operand(0, "x")) { rank in
      var order = Array(0..<rank)
      order.swapAt(try normalized(axis: first, rank: rank), try normalized(axis: second, rank: rank))
      return order
    }
  }

  static func moveAxis(_ call: OperationCall) throws -> TensorFunction {
    guard let sources = try call.ints("source", at: 1), let targets = try call.ints("destination", at: 2),
      sources.count == targets.count
    else { throw call.unsupported("without axes") }
    return transposed(try call.operand(0, "x")) { rank in
      let from = try distinct(sources.map { try normalized(axis: $0, rank: rank) })
      let to = try distinct(targets.map { try normalized(axis: $0, rank: rank) })
      var order = (0..<rank).filter { !from.contains($0) }
      for (target, source) in zip(to, from).sorted(by: { $0.0 < $1.0 }) { order.insert(source, at: target) }
      return order
    }
  }
}
