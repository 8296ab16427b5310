import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that pick elements by their places.
enum PickingFunctions {
  /// One item between the brackets of `x[…]`.
  private enum Item: Sendable {
    case place(Int)
    case range(start: Int?, stop: Int?, step: Int)
    case ellipsis
    case newAxis
  }

  static func item(_ call: OperationCall) throws -> TensorFunction {
    // null alone is x[None].
    let value = try call.value("slice_spec", "key", at: 1) ?? .null
    let list = value.array ?? [value]
    let items = try list.map { try item($0, call) }
    guard items.filter({ if case .ellipsis = $0 { true } else { false } }).count <= 1 else {
      throw call.unsupported("with two ellipses")
    }
    return TensorFunction(
      [try call.operand(0, "x", "tensor")],
      shapes: { shapes in [try shape(of: shapes[0], items).result] }
    ) { values, lowering in
      let (picks, result) = try shape(of: PartialShape(values[0].shape), items)
      var value = values[0]
      for (axis, run) in picks.enumerated() {
        guard let run else { continue }
        value =
          run.step == 1
          ? lowering.part(value, axis: axis, from: run.start, count: run.count)
          : lowering.picked(value, axis, (0..<run.count).map { run.start + $0 * run.step })
      }
      return [lowering.emit(.reshape, [value], shape: try TensorFunction.known(result))]
    }
  }

  private static func item(_ value: JSONValue, _ call: OperationCall) throws -> Item {
    if value.isNull { return .newAxis }
    if let place = value.integer { return .place(place) }
    if value["class_name"]?.string == "__ellipsis__" { return .ellipsis }
    let range = value["class_name"]?.string == "__slice__" ? value["config"] ?? .null : value
    guard let object = range.object, object["start"] != nil || object["stop"] != nil || object["step"] != nil else {
      throw call.unsupported("with such a key")
    }
    func end(_ name: String) throws -> Int? {
      guard let value = object[name], !value.isNull else { return nil }
      guard let number = value.integer else { throw call.unsupported("with a tensor in its key") }
      return number
    }
    let step = try end("step") ?? 1
    guard step != 0, step != Int.min else { throw H5ConvError(.badData, "a step of \(step)") }
    return .range(start: try end("start"), stop: try end("stop"), step: step)
  }

  /// Evenly spaced places of an axis.
  private struct Run: Sendable {
    let start: Int
    let step: Int
    let count: Int
  }

  /// The places that are picked along each axis (nil for all of them, and where its length is not known), and the result's shape.
  private static func shape(
    of shape: PartialShape, _ items: [Item]
  ) throws -> (picks: [Run?], result: PartialShape) {
    let used = items.filter { if case .place = $0 { true } else if case .range = $0 { true } else { false } }.count
    guard used <= shape.rank else { throw H5ConvError(.badData, "\(used) places in a tensor of shape \(shape)") }
    var (picks, sizes) = ([Run?](), [Int?]())
    func keep(_ axis: Int) {
      picks.append(nil)
      sizes.append(shape[axis])
    }
    for item in items {
      let axis = picks.count
      switch item {
      case .newAxis: sizes.append(1)
      case .ellipsis: for _ in 0..<shape.rank - used { keep(picks.count) }
      case .place(let place):
        guard let length = shape[axis] else {
          picks.append(nil)
          continue
        }
        let index = place < 0 ? place + length : place
        guard (0..<length).contains(index) else {
          throw H5ConvError(.badData, "place \(place) of an axis of \(length)")
        }
        picks.append(Run(start: index, step: 1, count: 1))
      case .range(let start, let stop, let step):
        guard let length = shape[axis] else {

          picks.append(nil)
          sizes.append(nil)
          continue
        }
        let run = run(start, stop, step, length)
        picks.append(run)
        sizes.append(run.count)
      }
    }
    while picks.count < shape.rank { keep(picks.count) }
    return (picks, PartialShape(sizes))
  }

  /// The places of Python's `start:stop:step` on an axis of `length`.
  private static func run(_ start: Int?, _ stop: Int?, _ step: Int, _ length: Int) -> Run {
    let range = step > 0 ? 0...length : -1...length - 1
    func clamped(_ place: Int?, or fallback: Int) -> Int {
      guard let place else { return fallback }
      return min(max(place < 0 ? max(place, -length - 1) + length : place, range.lowerBound), range.upperBound)
    }
    let from = clamped(start, or: step > 0 ? 0 : length - 1)
    let to = clamped(stop, or: step > 0 ? length : -1)
    let distance = step > 0 ? to - from : from - to
    let size = step.magnitude > UInt(max(length, 1)) ? max(length, 1) : Int(step.magnitude)
    return Run(start: max(from, 0), step: step, count: distance <= 0 ? 0 : (distance - 1) / size + 1)
  }

  /// `tf.slice(x, begin, size)` and `keras.ops.slice(x, start_indices, shape)`.
  static func slice(_ call: OperationCall) throws -> TensorFunction {
    guard let starts = try call.ints("begin", "start_indices", at: 1),
      let counts = try call.sizes("size", "shape", at: 2),
      starts.count == counts.count, starts.allSatisfy({ (0...1 << 40).contains($0) }),
      counts.allSatisfy({ (-1...1 << 40).contains($0 ?? 0) })
    else { throw call.unsupported("without places and sizes") }
    @Sendable func sizes(_ shape: PartialShape) throws -> PartialShape {
      guard shape.rank == starts.count else { throw H5ConvError(.badData, "places \(starts) in the shape \(shape)") }
      return PartialShape(
        try shape.sizes.indices.map { axis in
          let length = shape[axis].map { $0 - starts[axis] }
          if let count = counts[axis], let length, count > length {
            throw H5ConvError(.badData, "a slice that reaches over the shape \(shape)")
          }
          if let length, length < 0 { throw H5ConvError(.badData, "a slice that begins behind the shape \(shape)") }
          return counts[axis] == -1 ? length : counts[axis]
        })
    }
    return TensorFunction([try call.operand(0, "x", "input_", "inputs")], shapes: { [try sizes($0[0])] }) {
      values, lowering in
      let shape = try TensorFunction.known(try sizes(PartialShape(values[0].shape)))
      if shape == values[0].shape { return values }
      return [lowering.emit(.slice(start: starts), values, shape: shape)]
    }
  }

  static func flip(_ call: OperationCall, axis: Int? = nil) throws -> TensorFunction {
    let axes = try axis.map { [$0] } ?? call.ints("axis", at: 1)
    return TensorFunction([try call.operand(0, "x", "tensor")], shapes: { [$0[0]] }) { values, lowering in
      let rank = values[0].shape.count
      let places = try axes?.map { try normalized(axis: $0, rank: rank) } ?? Array(0..<rank)
      return [Set(places).sorted().reduce(values[0]) { lowering.reversed($0, axis: $1) }]
    }
  }

  /// Places along an axis, named by constants; or rows of a table of numbers, named by a tensor.
  static func take(_ call: OperationCall) throws -> TensorFunction {
    if case .constant(let numbers, let shape) = try call.operand(0, "x", "params"), shape.count == 2 {
      guard try call.int("axis") ?? 0 == 0 else { throw call.unsupported("along another axis of a table") }
      return TensorFunction(
        [try call.operand(1, "indices"), .constant(numbers, shape: shape)], .rows
      ) { PartialShape($0[0].sizes + [shape[1]]) }
    }
    guard case .constant(let numbers, let shape) = try call.operand(1, "indices") else {
      throw call.unsupported("with a tensor of places")
    }
    let indices = try numbers.map { number -> Int in
      guard let index = Int(exactly: number) else { throw H5ConvError(.badData, "the place \(number)") }
      return index
    }
    // Without an axis Keras 3 counts through all elements, TensorFlow along the first axis.
    guard let axis = try call.int("axis", at: 2) ?? (call.isKeras3 ? nil : 0) else {
      throw call.unsupported("without an axis")
    }
    @Sendable func result(_ input: PartialShape) throws -> (axis: Int, shape: PartialShape) {
      let axis = try normalized(axis: axis, rank: input.rank)
      return (axis, PartialShape(input.sizes[..<axis] + shape.map { $0 } + input.sizes[(axis + 1)...]))
    }
    return TensorFunction([try call.operand(0, "x", "params")], shapes: { [try result($0[0]).shape] }) {
      values, lowering in
      let (axis, shape) = try result(PartialShape(values[0].shape))
      let length = values[0].shape[axis]
      let places = try indices.map { index -> Int in
        let place = index < 0 ? index + length : index
        guard (0..<length).contains(place) else {
          throw H5ConvError(.badData, "place \(index) of an axis of \(length)")
        }
        return place
      }
      let picked = lowering.picked(values[0], axis, places)
      return [lowering.emit(.reshape, [picked], shape: try TensorFunction.known(shape))]
    }
  }

  /// Each element less the one before it along an axis, `n` times.
  static func difference(_ call: OperationCall) throws -> TensorFunction {
    let count = try call.int("n", at: 1) ?? 1
    let axis = try call.int("axis", at: 2) ?? -1
    guard (0...1 << 6).contains(count) else { throw call.unsupported("of order \(count)") }
    return TensorFunction(
      [try call.operand(0, "a", "x")],
      shapes: { shapes in
        var shape = shapes[0]
        let place = try normalized(axis: axis, rank: shape.rank)
        if let length = shape[place] {
          guard length >= count else { throw H5ConvError(.badData, "\(count) differences of an axis of \(length)") }
          shape[place] = length - count
        }
        return [shape]
      }
    ) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      return [
        try (0..<count).reduce(values[0]) { value, _ in
          let length = value.shape[place] - 1
          let behind = lowering.part(value, axis: place, from: 1, count: length)
          return try lowering.binary(.subtract, behind, lowering.part(value, axis: place, from: 0, count: length))
        }
      ]
    }
  }

  /// 0 outside a band of the last two axes: `tril`, `triu`, `band_part`.
  static func band(_ call: OperationCall) throws -> TensorFunction {
    let (lower, upper): (Int?, Int?)
    switch call.name {
    case "tril": (lower, upper) = (nil, try call.int("k", at: 1) ?? 0)
    case "triu": (lower, upper) = (-(try call.int("k", at: 1) ?? 0), nil)
    default:
      guard let below = try call.int("num_lower", at: 1), let above = try call.int("num_upper", at: 2) else {
        throw call.unsupported("without widths")
      }
      (lower, upper) = (below < 0 ? nil : below, above < 0 ? nil : above)
    }
    return TensorFunction(
      [try call.operand(0, "x", "input")],
      shapes: { shapes in
        guard shapes[0].rank >= 2 else { throw H5ConvError(.badData, "a matrix of shape \(shapes[0])") }
        return [shapes[0]]
      }
    ) { values, lowering in
      let size = Array(values[0].shape.suffix(2))
      let count = try elementCount(size[...])
      let mask = (0..<count).map { place -> Float in
        let distance = place % size[1] - place / size[1]
        return (lower.map { -distance <= $0 } ?? true) && (upper.map { distance <= $0 } ?? true) ? 1 : 0
      }
      return [try lowering.select(lowering.constant(mask, shape: size), values[0], lowering.number(0))]
    }
  }

  /// Places moved along axes; those that leave at one end come in at the other.
  static func roll(_ call: OperationCall) throws -> TensorFunction {
    guard let shifts = try call.ints("shift", at: 1), let axes = try call.ints("axis", at: 2),
      shifts.count == axes.count
    else { throw call.unsupported("without axes") }
    return TensorFunction([try call.operand(0, "x", "input")], shapes: { [$0[0]] }) { values, lowering in
      let rolled = try zip(shifts, axes).reduce(values[0]) { value, step in
        let axis = try normalized(axis: step.1, rank: value.shape.count)
        let length = value.shape[axis]
        guard length > 0 else { return value }
        let shift = (step.0 % length + length) % length
        return lowering.picked(value, axis, (0..<length).map { ($0 + length - shift) % length })
      }
      return [rolled]
    }
  }

  static func pad(_ call: OperationCall) throws -> TensorFunction {
    // The operation of Keras 3 has the widths, and is called with the image and the filling.
    let named = try call.value("pad_width", "paddings")
    guard let value = try named ?? call.value(at: 1), let rows = value.array else {
      throw call.unsupported("without the widths of all axes")
    }
    let widths = try rows.map { row -> [Int] in
      let pair = ConfigReader.unwrapped(row).array?.compactMap(\.integer) ?? []
      guard pair.count == 2, pair.allSatisfy({ (0...sizeLimit).contains($0) }) else {
        throw call.unsupported("with such widths")
      }
      return pair
    }
    let mode = (call.text("mode", at: 2) ?? "constant").lowercased()
    guard ["constant", "reflect", "symmetric", "edge"].contains(mode) else {
      throw call.unsupported("with mode \(mode)")
    }
    let filling = Float(try call.number("constant_values", at: named == nil ? 3 : 1) ?? 0)
    @Sendable func result(_ shape: PartialShape) throws -> PartialShape {
      guard shape.rank == widths.count else { throw H5ConvError(.badData, "widths \(widths) for the shape \(shape)") }
      return PartialShape(zip(shape.sizes, widths).map { size, width in size.map { $0 + width[0] + width[1] } })
    }
    return TensorFunction([try call.operand(0, "x", "tensor")], shapes: { [try result($0[0])] }) { values, lowering in
      let shape = try TensorFunction.known(try result(PartialShape(values[0].shape)))
      if mode == "constant" {
        return [lowering.emit(.pad(before: widths.map { $0[0] }, value: filling), values, shape: shape)]
      }
      var value = values[0]
      for (axis, width) in widths.enumerated() where width != [0, 0] {
        value = lowering.picked(value, axis, try mirrored(value.shape[axis], width, mode))
      }
      return [value]
    }
  }

  /// The places that an axis of `length` shows when it is padded.
  private static func mirrored(_ length: Int, _ width: [Int], _ mode: String) throws -> [Int] {
    let most = mode == "reflect" ? length - 1 : length
    guard length > 0, mode == "edge" || width.allSatisfy({ $0 <= most }) else {
      throw H5ConvError(.badData, "an axis of \(length) padded by \(width) with mode \(mode)")
    }
    return (-width[0]..<length + width[1]).map { place in
      switch mode {
      case "reflect": place < 0 ? -place : place >= length ? 2 * length - 2 - place : place
      case "symmetric": place < 0 ? -1 - place : place >= length ? 2 * length - 1 - place : place
      default: min(max(place, 0), length - 1)
      }
    }
  }
}

extension Lowering {
  /// The places `places` along `axis`; a slice where they follow each other.
  mutating func picked(_ value: Value, _ axis: Int, _ places: [Int]) -> Value {
    if let first = places.first, places == Array(first..<first + places.count) {
      return part(value, axis: axis, from: first, count: places.count)
    }
    var shape = value.shape
    shape[axis] = places.count
    return emit(.tensor(.take(axis: axis, places: places)), [value], shape: shape)
  }
}
