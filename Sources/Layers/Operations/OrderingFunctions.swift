import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that sort, and that pick what sorting tells.
enum OrderingFunctions {
  /// `sort` and `argsort` along one axis.
  static func sort(_ call: OperationCall, givesPlaces: Bool) throws -> TensorFunction {
    // A null axis of Keras 3 means all elements.
    guard let axis = try call.int("axis", at: 1) ?? (call.isKeras3 ? nil : -1) else {
      throw call.unsupported("over all elements")
    }
    let isDescending = (call.text("direction", at: 2) ?? "ASCENDING").uppercased() == "DESCENDING"
    return TensorFunction(
      [try call.operand(0, "x", "values")],
      shapes: { shapes in
        _ = try normalized(axis: axis, rank: shapes[0].rank)
        return [shapes[0]]
      }
    ) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      return [lowering.sorted(values[0], axis: place, isDescending: isDescending, givesPlaces: givesPlaces)]
    }
  }

  /// The `k` largest along the last axis, and their places.
  static func largest(_ call: OperationCall) throws -> TensorFunction {
    guard let count = try call.int("k", at: 1) ?? (call.isKeras3 ? nil : 1), (0...sizeLimit).contains(count) else {
      throw call.unsupported("without a number of elements")
    }
    return TensorFunction(
      [try call.operand(0, "x", "input")],
      shapes: { shapes in
        guard let length = shapes[0].sizes.last, length ?? count >= count else {
          throw H5ConvError(.badData, "the \(count) largest elements of a tensor of shape \(shapes[0])")
        }
        return Array(repeating: PartialShape(shapes[0].sizes.dropLast() + [count]), count: 2)
      }
    ) { values, lowering in
      let axis = values[0].shape.count - 1
      return [false, true].map { givesPlaces in
        let sorted = lowering.sorted(values[0], axis: axis, isDescending: true, givesPlaces: givesPlaces)
        return lowering.part(sorted, axis: axis, from: 0, count: count)
      }
    }
  }

  /// The middle element, or the mean of the two in the middle.
  static func median(_ call: OperationCall) throws -> TensorFunction {
    guard let axes = try call.ints("axis", at: 1), axes.count == 1 else {
      throw call.unsupported("along more than one axis")
    }
    let keepsAxis = try call.flag("keepdims")
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let place = try normalized(axis: axes[0], rank: input.rank)
      var sizes = input.sizes
      if keepsAxis { sizes[place] = 1 } else { sizes.remove(at: place) }
      return PartialShape(sizes)
    }
    return TensorFunction([try call.operand(0, "x")], shapes: { [try shape($0[0])] }) { values, lowering in
      let axis = try normalized(axis: axes[0], rank: values[0].shape.count)
      let length = values[0].shape[axis]
      guard length > 0 else { throw H5ConvError(.badData, "the median of no elements") }
      let sorted = lowering.sorted(values[0], axis: axis, isDescending: false, givesPlaces: false)
      let low = lowering.part(sorted, axis: axis, from: (length - 1) / 2, count: 1)
      let high = lowering.part(sorted, axis: axis, from: length / 2, count: 1)
      let middle = lowering.scaled(try lowering.binary(.add, low, high), by: 0.5)
      return [
        lowering.emit(.reshape, [middle], shape: try TensorFunction.known(try shape(PartialShape(values[0].shape))))
      ]
    }
  }

  /// The elements at the places that a tensor of the same rank names along one axis.
  static func takeAlong(_ call: OperationCall) throws -> TensorFunction {
    guard let axis = try call.int("axis", at: 2) else { throw call.unsupported("without an axis") }
    @Sendable func shape(_ shapes: [PartialShape]) throws -> PartialShape {
      let place = try normalized(axis: axis, rank: shapes[0].rank)
      guard shapes[1].rank == shapes[0].rank,
        shapes[0].sizes.indices.allSatisfy({ other in
          guard other != place, let a = shapes[0][other], let b = shapes[1][other] else { return true }
          return a == b
        })
      else {
        throw H5ConvError(.unsupported, "places of shape \(shapes[1]) in a tensor of shape \(shapes[0])")
      }
      return shapes[1]
    }
    return TensorFunction([try call.operand(0, "x"), try call.operand(1, "indices")], shapes: { [try shape($0)] }) {
      values, lowering in
      let target = try TensorFunction.known(try shape(values.map { PartialShape($0.shape) }))
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      return [lowering.emit(.tensor(.takeAlong(axis: place)), values, shape: target)]
    }
  }
}

extension Lowering {
  fileprivate mutating func sorted(_ value: Value, axis: Int, isDescending: Bool, givesPlaces: Bool) -> Value {
    emit(
      .tensor(.sort(axis: axis, isDescending: isDescending, givesPlaces: givesPlaces)), [value], shape: value.shape)
  }
}
