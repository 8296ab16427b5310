import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that cut pixels off an image or put some around it, of (batch, height, width, channels).
enum BorderFunctions {
  /// Pixels before an axis, negative where they are cut off, and the length of the result.
  private struct Border: Sendable {
    let before: Int
    let length: Int
  }

  /// The border of an axis of a known length.
  private typealias Rule = @Sendable (_ axis: Int, _ length: Int) throws -> Border

  private static func bordered(_ call: OperationCall, _ rule: @escaping Rule) throws -> TensorFunction {
    let isFirst = call.text("data_format") == "channels_first"
    let first = isFirst ? 2 : 1
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      guard input.rank == 4 else {
        throw H5ConvError(.badData, "an input of shape \(input) where 4 axes were expected")
      }
      var shape = input
      for axis in 0..<2 {
        shape[first + axis] = try shape[first + axis].map { length in
          let border = try rule(axis, length)
          guard (1...sizeLimit).contains(border.length), border.before >= -length, border.before <= sizeLimit else {
            throw H5ConvError(.badData, "an image of shape \(input) does not have such a part")
          }
          return border.length
        }
      }
      return shape
    }
    return TensorFunction([try call.operand(0, "images", "image")], shapes: { [try shape($0[0])] }) {
      values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      var value = values[0]
      var before = [0, 0, 0, 0]
      for axis in 0..<2 {
        let place = first + axis
        let border = try rule(axis, value.shape[place])
        // What is cut off at either end, then what is added.
        let start = max(0, -border.before)
        let end = min(value.shape[place], border.length - border.before)
        guard start < end else { throw H5ConvError(.badData, "nothing is left of an axis of \(value.shape[place])") }
        value = lowering.part(value, axis: place, from: start, count: end - start)
        before[place] = max(0, border.before)
      }
      return [lowering.emit(.pad(before: before, value: 0), [value], shape: target)]
    }
  }

  /// Two of the three that tell how an axis is changed, in Keras' order: before, behind, target.
  private static func triple(_ call: OperationCall, _ verb: String) throws -> [[Int?]] {
    let places = call.isKeras3 ? [nil, nil, nil, nil, nil, nil] : [1, 2, 3, 4, 5, 6].map(Optional.some)
    return [
      [
        try call.int("top_\(verb)", at: places[0]), try call.int("bottom_\(verb)", at: places[2]),
        try call.int("target_height", at: places[4]),
      ],
      [
        try call.int("left_\(verb)", at: places[1]), try call.int("right_\(verb)", at: places[3]),
        try call.int("target_width", at: places[5]),
      ],
    ]
  }

  static func crop(_ call: OperationCall) throws -> TensorFunction {
    let given = try triple(call, "cropping")
    for axis in given where axis.filter({ $0 != nil }).count != 2 || axis.contains(where: { $0 ?? 0 < 0 }) {
      throw call.unsupported("without two numbers for each axis")
    }
    return try bordered(call) { axis, length in
      let (before, behind, target) = (given[axis][0], given[axis][1], given[axis][2])
      let start = before ?? length - (target ?? 0) - (behind ?? 0)
      let count = target ?? length - start - (behind ?? 0)
      guard start >= 0, count > 0, start + count <= length else {
        throw H5ConvError(.badData, "an axis of \(length) cannot be cropped so")
      }
      return Border(before: -start, length: count)
    }
  }

  static func pad(_ call: OperationCall) throws -> TensorFunction {
    let given = try triple(call, "padding")
    for axis in given where axis.filter({ $0 != nil }).count != 2 || axis.contains(where: { $0 ?? 0 < 0 }) {
      throw call.unsupported("without two numbers for each axis")
    }
    return try bordered(call) { axis, length in
      let (before, behind, target) = (given[axis][0], given[axis][1], given[axis][2])
      let start = before ?? (target ?? 0) - (behind ?? 0) - length
      let count = target ?? length + start + (behind ?? 0)
      guard start >= 0, count >= start + length else {
        throw H5ConvError(.badData, "an axis of \(length) cannot be padded so")
      }
      return Border(before: start, length: count)
    }
  }

  /// `tf.image.crop_to_bounding_box` and `pad_to_bounding_box`: where the part begins, and its size.
  static func box(_ call: OperationCall, pads: Bool) throws -> TensorFunction {
    guard let top = try call.int("offset_height", at: 1), let left = try call.int("offset_width", at: 2),
      let height = try call.int("target_height", at: 3), let width = try call.int("target_width", at: 4),
      [top, left, height, width].allSatisfy({ (0...sizeLimit).contains($0) })
    else { throw call.unsupported("without a box") }
    return try bordered(call) { axis, length in
      let (start, count) = axis == 0 ? (top, height) : (left, width)
      guard pads ? start + length <= count : start + count <= length else {
        throw H5ConvError(.badData, "a box from \(start) of \(count) on an axis of \(length)")
      }
      return Border(before: pads ? start : -start, length: count)
    }
  }

  /// The central part, and black around it where the image is smaller.
  static func cropOrPad(_ call: OperationCall) throws -> TensorFunction {
    guard let height = try call.int("target_height", at: 1), let width = try call.int("target_width", at: 2) else {
      throw call.unsupported("without a height and a width")
    }
    return try bordered(call) { axis, length in
      let target = axis == 0 ? height : width
      return Border(before: target < length ? -((length - target) / 2) : (target - length) / 2, length: target)
    }
  }

  /// The central part that has a fraction of each side.
  static func centralCrop(_ call: OperationCall) throws -> TensorFunction {
    guard let fraction = try call.number("central_fraction", at: 1), fraction > 0, fraction <= 1 else {
      throw call.unsupported("without a fraction")
    }
    return try bordered(call) { _, length in
      let start = Int((Double(length) - Double(length) * fraction) / 2)
      return Border(before: -start, length: length - 2 * start)
    }
  }

  /// Each window as one row of channels (row in the window, column in the window, channel).
  static func patches(_ call: OperationCall) throws -> TensorFunction {
    func pair(_ sizes: [Int]) throws -> [Int] {
      // TensorFlow has a number for each axis of the tensor.
      let pair = sizes.count == 1 ? [sizes[0], sizes[0]] : sizes.count == 4 ? Array(sizes[1...2]) : sizes
      guard pair.count == 2, pair.allSatisfy({ (1...sizeLimit).contains($0) }) else {
        throw call.unsupported("with such windows")
      }
      return pair
    }
    guard let given = try call.ints("size", "sizes", at: 1) else { throw call.unsupported("without a size") }
    let size = try pair(given)
    let strides = try call.ints("strides", at: 2).map(pair) ?? size
    let dilation = try pair(try call.ints("dilation_rate", "rates", at: call.isKeras3 ? nil : 3) ?? [1])
    if let format = call.text("data_format"), format != "channels_last" {
      throw call.unsupported("of \(format) images")
    }
    guard
      let padding = Padding(
        rawValue: (call.text("padding", at: call.isKeras3 ? nil : 4) ?? "valid").lowercased()), padding != .causal
    else { throw call.unsupported("with such a padding") }
    let extents = [0, 1].map { Sliding.extent(size[$0], dilation: dilation[$0]) }
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      guard input.rank == 4 else {
        throw H5ConvError(.badData, "an input of shape \(input) where 4 axes were expected")
      }
      let lengths = try [0, 1].map { axis in
        try Sliding.outputLength(input[axis + 1], extent: extents[axis], stride: strides[axis], padding: padding)
      }
      return [input[0], lengths[0], lengths[1], try input[3].map { try elementCount([size[0], size[1], $0][...]) }]
    }
    return TensorFunction([try call.operand(0, "images")], shapes: { [try shape($0[0])] }) { values, lowering in
      let target = try TensorFunction.known(try shape(PartialShape(values[0].shape)))
      var value = values[0]
      var padded = value.shape
      var before = [0, 0, 0, 0]
      for axis in 0..<2 {
        let length = value.shape[axis + 1]
        before[axis + 1] = Sliding.before(length, extent: extents[axis], stride: strides[axis], padding: padding)
        padded[axis + 1] = max((target[axis + 1] - 1) * strides[axis] + extents[axis], length + before[axis + 1])
      }
      value = lowering.emit(.pad(before: before, value: 0), [value], shape: padded)
      for axis in 0..<2 {
        let places = (0..<target[axis + 1]).flatMap { cell in
          (0..<size[axis]).map { cell * strides[axis] + $0 * dilation[axis] }
        }
        value = lowering.picked(value, axis + 1, places)
      }
      let split = [target[0], target[1], size[0], target[2], size[1], value.shape[3]]
      let parts = lowering.emit(.reshape, [value], shape: split)
      let order = [0, 1, 3, 2, 4, 5]
      let turned = lowering.emit(.transpose(axes: order), [parts], shape: order.map { split[$0] })
      return [lowering.emit(.reshape, [turned], shape: target)]
    }
  }
}
