import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Cells at both ends of each spatial axis.
private struct Borders: Sendable {
  /// Cells before and behind, for each spatial axis.
  let sizes: [(before: Int, behind: Int)]
  let format: DataFormat

  /// Reads `field`: a number for all borders, one for both borders of each axis, or a pair for each axis; of one axis a pair
  /// is before and behind.
  init(_ config: ConfigReader, _ field: String, rank: Int) throws {
    let numbers = try config.floats(field).map { number in
      guard let number = Int(exactly: number), (0...sizeLimit).contains(number) else {
        throw config.error(field, "is \(number), not a whole number of cells")
      }
      return number
    }
    switch numbers.count {
    case 1: sizes = Array(repeating: (numbers[0], numbers[0]), count: rank)
    case 2 * rank: sizes = (0..<rank).map { (numbers[2 * $0], numbers[2 * $0 + 1]) }
    case rank: sizes = numbers.map { ($0, $0) }
    default:
      let allowed = rank == 1 ? "1 or 2" : "1, \(rank) or \(2 * rank)"
      throw config.error(field, "has \(numbers.count) numbers where \(allowed) were expected")
    }
    format = try config.dataFormat()
  }

  /// What stands before the input, or the part of it that is kept, along each axis of the tensor.
  var before: [Int] {
    var before = Array(repeating: 0, count: sizes.count + 2)
    for axis in sizes.indices { before[format.firstSpatialAxis + axis] = sizes[axis].before }
    return before
  }
}

/// Zeros around each of `rank` spatial axes.
struct ZeroPadding<let rank: Int>: Layer {
  private let borders: Borders

  init(_ config: ConfigReader) throws { borders = try Borders(config, "padding", rank: rank) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: rank + 2)
    for (axis, border) in borders.sizes.enumerated() {
      let place = borders.format.firstSpatialAxis + axis
      shape[place] = shape[place].map { $0 + border.before + border.behind }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    return [lowering.emit(.pad(before: borders.before, value: 0), inputs, shape: shape)]
  }
}

/// Cells cut off at the ends of each of `rank` spatial axes.
struct Cropping<let rank: Int>: Layer {
  private let borders: Borders

  init(_ config: ConfigReader) throws { borders = try Borders(config, "cropping", rank: rank) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: rank + 2)
    for (axis, border) in borders.sizes.enumerated() {
      let place = borders.format.firstSpatialAxis + axis
      guard let size = shape[place] else { continue }
      let cut = border.before + border.behind
      guard cut < size else { throw H5ConvError(.badData, "cropping of \(cut) leaves nothing of an axis of \(size)") }
      shape[place] = size - cut
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    return [lowering.emit(.slice(start: borders.before), inputs, shape: shape)]
  }
}
