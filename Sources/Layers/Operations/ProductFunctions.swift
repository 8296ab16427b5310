import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that multiply matrices and tensors.
enum ProductFunctions {
  static func matrixProduct(_ call: OperationCall) throws -> TensorFunction {
    let (turnsFirst, turnsSecond) = (
      try call.flag("transpose_a", "adjoint_a"), try call.flag("transpose_b", "adjoint_b")
    )
    @Sendable func turned(_ shape: PartialShape, _ turns: Bool) -> PartialShape {
      var sizes = shape.sizes
      if turns { sizes.swapAt(sizes.count - 1, sizes.count - 2) }
      return PartialShape(sizes)
    }
    @Sendable func shape(_ shapes: [PartialShape]) throws -> PartialShape {
      guard shapes.allSatisfy({ $0.rank >= 2 }) else {
        throw H5ConvError(.unsupported, "a product of \(shapes.map(\.description)) is not supported")
      }
      let (a, b) = (turned(shapes[0], turnsFirst), turned(shapes[1], turnsSecond))
      if let inner = a[a.rank - 1], let other = b[b.rank - 2], inner != other {
        throw H5ConvError(.badData, "a product of matrices of shapes \(a) and \(b)")
      }
      let batch = try Merging.numpyBroadcast([
        PartialShape(Array(a.sizes.dropLast(2))), PartialShape(Array(b.sizes.dropLast(2))),
      ])
      return PartialShape(batch.sizes + [a[a.rank - 2], b[b.rank - 1]])
    }
    let operands = [try call.operand(0, "x1", "a"), try call.operand(1, "x2", "b")]
    return TensorFunction(operands, shapes: { [try shape($0)] }) { values, lowering in
      let target = try TensorFunction.known(try shape(values.map { PartialShape($0.shape) }))
      var first = values[0]
      if turnsFirst {
        var axes = Array(first.shape.indices)
        axes.swapAt(axes.count - 1, axes.count - 2)
        first = lowering.emit(.transpose(axes: axes), [first], shape: axes.map { values[0].shape[$0] })
      }
      return [
        lowering.emit(.tensor(.matrixProduct(transposingSecond: turnsSecond)), [first, values[1]], shape: target)
      ]
    }
  }

  static func einsum(_ call: OperationCall) throws -> TensorFunction {
    // tf.keras does not store the tensors of an einsum, only its equation.
    guard call.isKeras3, let equation = call.text("subscripts") else { throw call.unsupported("without its tensors") }
    let einsum = try Einsum(equation)
    return TensorFunction(try call.allOperands(), shapes: { [try einsum.shape($0)] }) { values, lowering in
      [try einsum.lower(values, to: &lowering)]
    }
  }

  /// Sums over the last axes of the first operand and the first of the second, or over those that are named.
  static func tensorDot(_ call: OperationCall) throws -> TensorFunction {
    let value = try call.value("axes", at: 2) ?? .int(2)
    let count = value.integer
    let named = try value.array.map { lists in
      try lists.map { item -> [Int] in
        let list = item.integer.map { [$0] } ?? item.array?.compactMap(\.integer) ?? []
        guard !list.isEmpty else { throw call.unsupported("with such axes") }
        return list
      }
    }
    if let named, named.count != 2 || named[0].count != named[1].count { throw call.unsupported("with such axes") }
    return contraction([try call.operand(0, "x1", "a"), try call.operand(1, "x2", "b")]) { first, second in
      if let count {
        guard (0...min(first, second)).contains(count) else { throw H5ConvError(.badData, "\(count) axes are summed") }
        return (Array(first - count..<first), Array(0..<count))
      }
      return (
        try distinct((named?[0] ?? []).map { try normalized(axis: $0, rank: first) }),
        try distinct((named?[1] ?? []).map { try normalized(axis: $0, rank: second) })
      )
    }
  }

  /// `numpy.dot`: the last axis of the first with the last but one of the second.
  static func dot(_ call: OperationCall) throws -> TensorFunction {
    contraction([try call.operand(0, "x1"), try call.operand(1, "x2")]) { first, second in
      guard first >= 1, second >= 1 else { throw H5ConvError(.unsupported, "a dot product with a number") }
      return ([first - 1], [max(0, second - 2)])
    }
  }

  /// `numpy.inner`: over the last axes of both.
  static func inner(_ call: OperationCall) throws -> TensorFunction {
    contraction([try call.operand(0, "x1"), try call.operand(1, "x2")]) { first, second in
      guard first >= 1, second >= 1 else { throw H5ConvError(.unsupported, "an inner product with a number") }
      return ([first - 1], [second - 1])
    }
  }

  private static func contraction(
    _ operands: [Operand], _ axes: @escaping @Sendable (Int, Int) throws -> ([Int], [Int])
  ) -> TensorFunction {
    TensorFunction(
      operands,
      shapes: { shapes in
        let (first, second) = try axes(shapes[0].rank, shapes[1].rank)
        for (a, b) in zip(first, second) {
          if let a = shapes[0][a], let b = shapes[1][b], a != b {
            throw H5ConvError(.badData, "a product of tensors of shapes \(shapes[0]) and \(shapes[1])")
          }
        }
        let rows = shapes[0].sizes.indices.filter { !first.contains($0) }.map { shapes[0][$0] }
        let columns = shapes[1].sizes.indices.filter { !second.contains($0) }.map { shapes[1][$0] }
        return [PartialShape(rows + columns)]
      }
    ) { values, lowering in
      let (a, b) = (values[0], values[1])
      let (first, second) = try axes(a.shape.count, b.shape.count)
      let rows = a.shape.indices.filter { !first.contains($0) }
      let columns = b.shape.indices.filter { !second.contains($0) }
      func matrix(_ value: Value, _ axes: [Int], rows: Int, columns: Int) -> Value {
        let turned = lowering.emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
        return lowering.emit(.reshape, [turned], shape: [rows, columns])
      }
      let inner = first.reduce(1) { $0 * a.shape[$1] }
      let (height, width) = (rows.reduce(1) { $0 * a.shape[$1] }, columns.reduce(1) { $0 * b.shape[$1] })
      let left = matrix(a, rows + first, rows: height, columns: inner)
      let right = matrix(b, second + columns, rows: inner, columns: width)
      let product = lowering.emit(
        .tensor(.matrixProduct(transposingSecond: false)), [left, right], shape: [height, width])
      return [
        lowering.emit(.reshape, [product], shape: rows.map { a.shape[$0] } + columns.map { b.shape[$0] })
      ]
    }
  }
}
