import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Each channel of each image stretched until its values reach from one end of the range to the other.
///
/// Smallest and largest are taken along the axes 1 and 2, which Keras takes for height and width whatever `data_format` says.
struct AutoContrast: Layer {
  private let range: ClosedRange<Float>

  init(_ config: ConfigReader) throws { range = try config.valueRange() }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { [try single(inputs, rank: 4)] }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let image = lowering.moved(inputs[0], from: range, to: grey)
    let low = lowering.reduced(image, .minimum, axes: [1, 2])
    let high = lowering.reduced(image, .maximum, axes: [1, 2])
    let spread = try lowering.binary(.subtract, high, low)
    let factor = try lowering.binary(.divide, lowering.number(255), spread)
    let offset = try lowering.binary(.multiply, lowering.map(low, .negative), factor)
    let scaled = try lowering.binary(.add, try lowering.binary(.multiply, image, factor), offset)
    let bounded = try lowering.binary(
      .minimum, try lowering.binary(.maximum, scaled, lowering.number(0)), lowering.number(255))
    let result = lowering.moved(bounded, from: grey, to: range)
    // A channel of one value stays.
    let isFlat = try lowering.combine(.equal, spread, lowering.number(0))
    return [try lowering.select(isFlat, inputs[0], result)]
  }
}

/// Contrast limited adaptive histogram equalization, as Keras computes it with 256 levels.
struct TileContrast: Layer {
  private let range: ClosedRange<Float>
  private let tiles: TileEqualization
  private let format: DataFormat

  init(_ config: ConfigReader) throws {
    range = try config.valueRange()
    tiles = TileEqualization(
      grid: try config.sizes("tile_grid_size", rank: 2, default: 8, in: 1...4096),
      clipLimit: Float(try config.float("clip_limit", default: 4)))
    format = try config.dataFormat()
    if tiles.grid[0] * tiles.grid[1] > 1 << 16 {
      throw config.error("tile_grid_size", "of more than 65536 tiles is not supported", kind: .limit)
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs, rank: 4)
    let image = format.channelsLastShape(shape)
    for axis in 0..<2 {
      guard let length = image[axis + 1] else { continue }
      let cells = tiles.grid[axis]
      // What is missing of the last tiles is mirrored, once.
      guard length > 0, (length + cells - 1) / cells * cells <= 2 * length else {
        throw H5ConvError(.badData, "\(cells) tiles along an axis of \(length)")
      }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    _ = try knownOutputShape(for: inputs)
    let image = lowering.moved(lowering.channelsLast(inputs[0], format), from: range, to: grey)
    let equal = lowering.emit(.tensor(.equalizeTiles(tiles)), [image], shape: image.shape)
    return [lowering.from(channelsLast: lowering.moved(equal, from: grey, to: range), format)]
  }
}

private let grey: ClosedRange<Float> = 0...255

extension Lowering {
  /// `value` with one range of values stretched to another.
  fileprivate mutating func moved(_ value: Value, from: ClosedRange<Float>, to: ClosedRange<Float>) -> Value {
    guard from != to else { return value }
    let factor = 1 / (from.upperBound - from.lowerBound)
    let unit = scaled(value, by: factor, plus: -from.lowerBound * factor)
    return scaled(unit, by: to.upperBound - to.lowerBound, plus: to.lowerBound)
  }
}

extension ConfigReader {
  /// `value_range`: the least and the largest value of images.
  fileprivate func valueRange() throws -> ClosedRange<Float> {
    let ends = try floats("value_range", default: [0, 255]).map { Float($0) }
    guard ends.count == 2, ends.allSatisfy(\.isFinite), ends[0] != ends[1] else {
      throw error("value_range", "is not two different numbers")
    }
    return min(ends[0], ends[1])...max(ends[0], ends[1])
  }
}
