import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension ConfigReader {
  /// ((top, bottom), (left, right)) from an integer, a pair, or a pair of pairs.
  fileprivate func borders(_ field: String) throws -> [[Int]] {
    let numbers = try floats(field).map { number in
      guard let number = Int(exactly: number), (0...sizeLimit).contains(number) else {
        throw error(field, "is \(number), not a whole number of rows or columns")
      }
      return number
    }
    switch numbers.count {
    case 1: return [[numbers[0], numbers[0]], [numbers[0], numbers[0]]]
    case 2: return [[numbers[0], numbers[0]], [numbers[1], numbers[1]]]
    case 4: return [[numbers[0], numbers[1]], [numbers[2], numbers[3]]]
    default: throw error(field, "has \(numbers.count) numbers where 1, 2 or 4 were expected")
    }
  }
}

/// Zeros around the image.
struct ZeroPadding2D: Layer {
  private let borders: [[Int]]
  private let format: DataFormat

  init(_ config: ConfigReader) throws {
    borders = try config.borders("padding")
    format = try config.dataFormat()
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: 4)
    for axis in 0..<2 {
      let place = format.firstSpatialAxis + axis
      shape[place] = shape[place].map { $0 + borders[axis][0] + borders[axis][1] }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    var before = [0, 0, 0, 0]
    for axis in 0..<2 { before[format.firstSpatialAxis + axis] = borders[axis][0] }
    return [lowering.emit(.pad(before: before, value: 0), inputs, shape: shape)]
  }
}

/// Rows and columns cut off.
struct Cropping2D: Layer {
  private let borders: [[Int]]
  private let format: DataFormat

  init(_ config: ConfigReader) throws {
    borders = try config.borders("cropping")
    format = try config.dataFormat()
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: 4)
    for axis in 0..<2 {
      let place = format.firstSpatialAxis + axis
      guard let size = shape[place] else { continue }
      let cut = borders[axis][0] + borders[axis][1]
      guard cut < size else { throw H5ConvError(.badData, "cropping of \(cut) leaves nothing of an axis of \(size)") }
      shape[place] = size - cut
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    var start = [0, 0, 0, 0]
    for axis in 0..<2 { start[format.firstSpatialAxis + axis] = borders[axis][0] }
    return [lowering.emit(.slice(start: start), inputs, shape: shape)]
  }
}
