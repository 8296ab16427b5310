import H5ConvDiagnostics
import H5ConvTensors

/// Makes floating-point numbers of small integers: q / scale, or (q − zero) · scale.
///
/// Source: `dequantize_with_sz_map` and `unpack_int4` in keras/src/quantizers/quantizers.py; q / scale in the layers' calls.
struct Dequantizer {
  /// Shape of the integers, one for each number.
  let shape: [Int]
  /// The axis along which two integers are in a byte, the first in the low half; nil when each has its own.
  var packedAxis: Int?
  /// Whether the halves of a byte are from −8 to 7, and not from 0 to 15.
  var isSigned = true
  /// How far the scale moves with each axis; 0 along those that share one.
  let strides: [Int]
  /// The axis whose places belong to groups, and how far the scale moves with the group.
  var grouping: (axis: Int, stride: Int)?
  /// Whether a number is q / scale.
  let divides: Bool

  /// Shape of what is stored.
  var storedShape: [Int] { Dequantizer.halved(shape, along: packedAxis) }

  static func halved(_ shape: [Int], along axis: Int?) -> [Int] {
    shape.enumerated().map { $0 == axis ? ($1 + 1) / 2 : $1 }
  }

  /// How far the place in a row-major array moves with each axis of `shape`, when the array has only the axes `kept`, in that order.
  static func strides(_ shape: [Int], kept: [Int]) -> [Int] {
    var strides = shape.map { _ in 0 }
    var step = 1
    for axis in kept.reversed() {
      strides[axis] = step
      step *= shape[axis]
    }
    return strides
  }

  /// - Parameters:
  ///   - stored: the integers as they are in the file.
  ///   - scale, zero: what each place of `strides` and `grouping` has.
  ///   - groups: the group of each place along the axis of `grouping`.
  /// - Throws: `H5ConvError` of kind `badData` when they do not fit each other.
  func values(of stored: Tensor, _ name: String, scale: [Float], zero: [Float]?, groups: [Float]?) throws -> [Float] {
    let numbers = try integers(stored, name)
    let offsets = try self.offsets(groups, scales: scale.count)
    guard let inner = shape.last, inner > 0, !numbers.isEmpty else { return [] }
    let most = zip(shape, strides).reduce(offsets.max() ?? 0) { $0 + ($1.0 - 1) * $1.1 }
    if let zero, zero.count != scale.count {
      throw H5ConvError(.badData, "the quantized '\(name)' has \(scale.count) scales and \(zero.count) zeros")
    }
    guard scale.count > most else {
      throw H5ConvError(
        .badData, "the scales of the quantized '\(name)' are \(scale.count) where at least \(most + 1) were expected")
    }
    if let wrong = scale.firstIndex(where: { !$0.isFinite || (divides && $0 == 0) }) {
      throw H5ConvError(.badData, "scale \(wrong) of the quantized '\(name)' is \(scale[wrong])")
    }
    let last = shape.count - 1
    var place = shape.map { _ in 0 }
    var values = numbers
    for row in 0..<numbers.count / inner {
      var base = 0
      for axis in 0..<last { base += place[axis] * strides[axis] }
      if let grouping, grouping.axis != last { base += offsets[place[grouping.axis]] }
      let isGrouped = grouping?.axis == last
      for column in 0..<inner {
        let at = base + column * strides[last] + (isGrouped ? offsets[column] : 0)
        let number = numbers[row * inner + column]
        values[row * inner + column] = divides ? number / scale[at] : (number - (zero?[at] ?? 0)) * scale[at]
      }
      var axis = last - 1
      while axis >= 0 {
        place[axis] += 1
        if place[axis] < shape[axis] { break }
        place[axis] = 0
        axis -= 1
      }
    }
    return values
  }

  /// Where the scales of the groups begin, for each place along the grouped axis.
  private func offsets(_ groups: [Float]?, scales: Int) throws -> [Int] {
    guard let grouping else { return [] }
    guard let groups, groups.count == shape[grouping.axis] else {
      throw H5ConvError(.badData, "g_idx has \(groups?.count ?? 0) places where \(shape[grouping.axis]) were expected")
    }
    return try groups.map { group in
      // GPTQ stores quotients, whose fractions Keras drops when it looks the groups up.
      guard let number = Int(exactly: group.rounded(.towardZero)), number >= 0,
        number <= scales / max(1, grouping.stride)
      else {
        throw H5ConvError(.badData, "g_idx names the group \(group), which has no scale")
      }
      return number * grouping.stride
    }
  }

  /// The integers, one by one.
  func integers(_ stored: Tensor, _ name: String) throws -> [Float] {
    guard stored.shape == storedShape else {
      throw H5ConvError(
        .badData, "the quantized '\(name)' has the shape \(stored.shape) where \(storedShape) was expected")
    }
    let bytes = stored.values
    guard let packedAxis else { return bytes }
    let size = shape[packedAxis]
    let inner = shape[(packedAxis + 1)...].reduce(1, *)
    var numbers: [Float] = []
    numbers.reserveCapacity(shape.reduce(1, *))
    for outer in 0..<shape[..<packedAxis].reduce(1, *) {
      for place in 0..<size {
        let start = (outer * ((size + 1) / 2) + place / 2) * inner
        for column in start..<start + inner {
          guard let byte = Int(exactly: bytes[column]), (-128...255).contains(byte) else {
            throw H5ConvError(.badData, "the quantized '\(name)' holds \(bytes[column]), which is no byte")
          }
          let half = (place % 2 == 0 ? byte : byte >> 4) & 15
          numbers.append(Float(isSigned ? (half ^ 8) - 8 : half))
        }
      }
    }
    return numbers
  }

  /// Integers from −8 to 7 in bytes, two neighbours of a row in one.
  static func packed(_ numbers: [Float], columns: Int) -> [UInt8] {
    guard columns > 0 else { return [] }
    var bytes: [UInt8] = []
    for row in stride(from: 0, to: numbers.count, by: columns) {
      for column in stride(from: row, to: row + columns, by: 2) {
        let low = Int(numbers[column]) & 15
        let high = column + 1 < row + columns ? Int(numbers[column + 1]) & 15 : 0
        bytes.append(UInt8(low | high << 4))
      }
    }
    return bytes
  }
}
