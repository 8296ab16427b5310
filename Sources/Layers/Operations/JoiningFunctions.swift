import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that join tensors, take them apart and repeat them.
enum JoiningFunctions {
  static func concatenate(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis", at: 1) ?? -1
    let layer = try Concatenate(ConfigReader(["axis": .int(axis)], at: "concatenate"))
    return TensorFunction(
      try call.operands(0, "values", "xs"), shapes: { try layer.outputShapes(for: $0) },
      lower: { try layer.lower($0, to: &$1) })
  }

  /// `append` of two tensors along an axis.
  static func append(_ call: OperationCall) throws -> TensorFunction {
    guard let axis = try call.int("axis", at: 2) else { throw call.unsupported("without an axis") }
    let layer = try Concatenate(ConfigReader(["axis": .int(axis)], at: "append"))
    return TensorFunction(
      [try call.operand(0, "x1"), try call.operand(1, "x2")], shapes: { try layer.outputShapes(for: $0) },
      lower: { try layer.lower($0, to: &$1) })
  }

  /// `hstack` and `dstack`: joined along one axis, with as many axes as that takes.
  static func joined(_ call: OperationCall, axis: Int) throws -> TensorFunction {
    let operands = try call.operands(0, "xs")
    @Sendable func aligned(_ shape: PartialShape) -> PartialShape {
      switch (shape.rank, axis) {
      case (1, 2): [1, shape[0], 1]
      case (2, 2): [shape[0], shape[1], 1]
      default: shape
      }
    }
    @Sendable func layer(_ shapes: [PartialShape]) throws -> Concatenate {
      let place = axis == 1 && shapes.first?.rank == 1 ? 0 : axis
      return try Concatenate(ConfigReader(["axis": .int(place)], at: "stack"))
    }
    return TensorFunction(operands, shapes: { try layer($0).outputShapes(for: $0.map(aligned)) }) { values, lowering in
      let parts = try values.map { value in
        lowering.emit(.reshape, [value], shape: try TensorFunction.known(aligned(PartialShape(value.shape))))
      }
      return try layer(values.map { PartialShape($0.shape) }).lower(parts, to: &lowering)
    }
  }

  static func stack(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis", at: 1) ?? 0
    let operands = try call.operands(0, "values", "x")
    @Sendable func place(_ rank: Int) throws -> Int { try normalized(axis: axis, rank: rank + 1) }
    return TensorFunction(
      operands,
      shapes: { shapes in
        guard let first = shapes.first, shapes.allSatisfy({ $0.rank == first.rank }) else {
          throw H5ConvError(.badData, "inputs of different ranks cannot be stacked")
        }
        for shape in shapes {
          for (a, b) in zip(shape.sizes, first.sizes) where a != nil && b != nil && a != b {
            throw H5ConvError(.badData, "inputs of shapes \(first) and \(shape) cannot be stacked")
          }
        }
        var sizes = first.sizes
        sizes.insert(shapes.count, at: try place(first.rank))
        return [PartialShape(sizes)]
      }
    ) { values, lowering in
      let axis = try place(values[0].shape.count)
      var shape = values[0].shape
      shape.insert(1, at: axis)
      let expanded = values.map { lowering.emit(.reshape, [$0], shape: shape) }
      shape[axis] = values.count
      return [values.count == 1 ? expanded[0] : lowering.emit(.concatenate(axis: axis), expanded, shape: shape)]
    }
  }

  /// Most parts that an axis is taken apart into.
  private static let partLimit = 1 << 16

  /// The ends of the parts of an axis of `length`.
  private typealias Ends = @Sendable (_ length: Int) throws -> [Int]

  private static func parts(
    _ operand: Operand, axis: Int, dropsAxis: Bool, count: Int?, _ ends: @escaping Ends
  ) -> TensorFunction {
    TensorFunction(
      [operand],
      shapes: { shapes in
        let axis = try normalized(axis: axis, rank: shapes[0].rank)
        guard let length = shapes[0][axis] else {
          guard let count else { throw H5ConvError(.unsupported, "parts of an axis of unknown length") }
          return Array(repeating: shapes[0].without(axis, or: nil, dropsAxis), count: count)
        }
        let ends = try ends(length)
        return zip(ends, [0] + ends).map { shapes[0].without(axis, or: $0 - $1, dropsAxis) }
      }
    ) { values, lowering in
      let axis = try normalized(axis: axis, rank: values[0].shape.count)
      let ends = try ends(values[0].shape[axis])
      return zip(ends, [0] + ends).map { end, start in
        let part = lowering.part(values[0], axis: axis, from: start, count: end - start)
        guard dropsAxis else { return part }
        var shape = part.shape
        shape.remove(at: axis)
        return lowering.emit(.reshape, [part], shape: shape)
      }
    }
  }

  static func split(_ call: OperationCall) throws -> TensorFunction {
    guard let parts = try call.ints("indices_or_sections", "num_or_size_splits", at: 1) else {
      throw call.unsupported("without parts")
    }
    guard parts.count <= partLimit, parts.first ?? 0 <= 1 << 40 else { throw call.unsupported("in so many parts") }
    let isCount = try call.value("indices_or_sections", "num_or_size_splits", at: 1)?.integer != nil
    if isCount, !(1...partLimit).contains(parts[0]) {
      throw H5ConvError(.badData, "an axis cannot be split in \(parts[0])")
    }
    let areEnds = call.isKeras3
    let operand = try call.operand(0, "x", "value")
    return JoiningFunctions.parts(
      operand, axis: try call.int("axis", at: 2) ?? 0, dropsAxis: false, count: isCount ? parts[0] : parts.count
    ) { length in
      if isCount {
        guard length % parts[0] == 0 else {
          throw H5ConvError(.badData, "an axis of \(length) cannot be split in \(parts[0])")
        }
        return (1...parts[0]).map { $0 * (length / parts[0]) }
      }
      // Keras 3 gives where parts begin, TensorFlow their sizes.
      var ends: [Int] = []
      for part in parts {
        let (end, overflow) = areEnds ? (part, false) : (ends.last ?? 0).addingReportingOverflow(part)
        guard !overflow, end >= ends.last ?? 0, end <= length else {
          throw H5ConvError(.badData, "an axis of \(length) cannot be split as \(parts) says")
        }
        ends.append(end)
      }
      return areEnds ? ends + [length] : ends
    }
  }

  static func unstack(_ call: OperationCall) throws -> TensorFunction {
    let count = try call.int("num")
    if let count, !(1...partLimit).contains(count) { throw H5ConvError(.badData, "an axis in \(count) parts") }
    return parts(
      try call.operand(0, "x", "value"), axis: try call.int("axis") ?? 0, dropsAxis: true, count: count
    ) { length in
      guard length > 0, length <= partLimit, count == nil || count == length else {
        throw H5ConvError(.badData, "an axis of \(length) cannot be unstacked")
      }
      return Array(1...length)
    }
  }

  static func tile(_ call: OperationCall) throws -> TensorFunction {
    guard let times = try call.ints("repeats", "multiples", at: 1), times.allSatisfy({ (1...sizeLimit).contains($0) })
    else {
      throw call.unsupported("without factors above 0")
    }
    return TensorFunction(
      [try call.operand(0, "x", "input")],
      shapes: { shapes in
        guard times.count == shapes[0].rank else { throw H5ConvError(.unsupported, "tiles of another rank") }
        return [
          PartialShape(
            try zip(shapes[0].sizes, times).map { size, factor in try size.map { try scaled($0, by: factor) } })
        ]
      }
    ) { values, lowering in
      // Each axis becomes (1, n), the 1 is repeated, and both are one axis again.
      let split = values[0].shape.flatMap { [1, $0] }
      let factors = times.flatMap { [$0, 1] }
      let parts = lowering.emit(.reshape, values, shape: split)
      let repeated = lowering.emit(.repeatElements(times: factors), [parts], shape: zip(split, factors).map { $0 * $1 })
      return [lowering.emit(.reshape, [repeated], shape: zip(values[0].shape, times).map { $0 * $1 })]
    }
  }

  private static func scaled(_ size: Int, by factor: Int) throws -> Int {
    let (product, overflow) = size.multipliedReportingOverflow(by: factor)
    guard !overflow else { throw H5ConvError(.limit, "an axis of \(size) repeated \(factor) times") }
    return product
  }

  static func repeated(_ call: OperationCall) throws -> TensorFunction {
    guard let times = try call.ints("repeats", at: 1), times.count == 1, (1...sizeLimit).contains(times[0]),
      let axis = try call.int("axis", at: 2)
    else { throw call.unsupported("without one factor and one axis") }
    return TensorFunction(
      [try call.operand(0, "x", "input")],
      shapes: { shapes in
        var shape = shapes[0]
        let axis = try normalized(axis: axis, rank: shape.rank)
        shape[axis] = try shape[axis].map { try scaled($0, by: times[0]) }
        return [shape]
      }
    ) { values, lowering in
      let axis = try normalized(axis: axis, rank: values[0].shape.count)
      var (factors, shape) = (values[0].shape.map { _ in 1 }, values[0].shape)
      factors[axis] = times[0]
      shape[axis] = try scaled(shape[axis], by: times[0])
      return [lowering.emit(.repeatElements(times: factors), values, shape: shape)]
    }
  }

  static func broadcast(_ call: OperationCall) throws -> TensorFunction {
    guard let sizes = try call.sizes("shape", at: 1), sizes.allSatisfy({ (0...1 << 40).contains($0 ?? 0) }) else {
      throw call.unsupported("without a shape")
    }
    let wanted = PartialShape(sizes)
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      let shape = try Merging.numpyBroadcast([input, wanted])
      guard shape.rank == wanted.rank, zip(shape.sizes, sizes).allSatisfy({ $0 == nil || $1 == nil || $0 == $1 }) else {
        throw H5ConvError(.badData, "the shape \(input) does not broadcast to \(wanted)")
      }
      return wanted
    }
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      let aligned = Array(repeating: 1, count: target.count - values[0].shape.count) + values[0].shape
      let value = lowering.emit(.reshape, values, shape: aligned)
      let times = zip(aligned, target).map { $0 == 1 ? $1 : 1 }
      return [lowering.emit(.repeatElements(times: times), [value], shape: target)]
    }
  }
}

extension PartialShape {
  /// The shape with another size of `axis`, or without it.
  fileprivate func without(_ axis: Int, or size: Int?, _ dropsAxis: Bool) -> PartialShape {
    var sizes = self.sizes
    if dropsAxis { sizes.remove(at: axis) } else { sizes[axis] = size }
    return PartialShape(sizes)
  }
}
