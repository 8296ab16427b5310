import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension ConfigReader {
  fileprivate func interpolation(default fallback: String) throws -> ResizeMethod {
    let name = try string("interpolation", default: fallback).lowercased()
    guard let method = ResizeMethod(rawValue: name) else {
      throw error("interpolation", "'\(name)' is not supported", kind: .unsupported)
    }
    return method
  }
}

/// Enlarges by whole factors: nearest repeats, the other methods resize.
struct UpSampling2D: Layer {
  private let factors: [Int]
  private let format: DataFormat
  private let method: ResizeMethod

  init(_ config: ConfigReader) throws {
    factors = try config.sizes("size", rank: 2, default: 2, in: 1...sizeLimit)
    format = try config.dataFormat()
    method = try config.interpolation(default: "nearest")
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: 4)
    for axis in 0..<2 {
      let place = format.firstSpatialAxis + axis
      shape[place] = shape[place].map { $0 * factors[axis] }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = format.channelsLastShape(PartialShape(try knownOutputShape(for: inputs))).known ?? []
    let input = lowering.channelsLast(inputs[0], format)
    let operation: Operation =
      method == .nearest ? .repeatElements(times: [1, factors[0], factors[1], 1]) : .resize(method, antialias: false)
    return [lowering.from(channelsLast: lowering.emit(operation, [input], shape: shape), format)]
  }
}

/// Resizes to a fixed height and width, as `tf.image.resize` does; optionally cuts or pads to keep the aspect.
struct Resizing: Layer {
  private let height: Int
  private let width: Int
  private let method: ResizeMethod
  private let antialias: Bool
  private let cropsToAspect: Bool
  private let padsToAspect: Bool
  private let fillValue: Float
  private let format: DataFormat

  init(_ config: ConfigReader) throws {
    height = try config.int("height", in: 1...sizeLimit)
    width = try config.int("width", in: 1...sizeLimit)
    method = try config.interpolation(default: "bilinear")
    antialias = try config.bool("antialias", default: false)
    cropsToAspect = try config.bool("crop_to_aspect_ratio", default: false)
    padsToAspect = try config.bool("pad_to_aspect_ratio", default: false)
    fillValue = Float(try config.float("fill_value", default: 0))
    format = try config.dataFormat()
    let fill = try config.string("fill_mode", default: "constant")
    if padsToAspect, fill != "constant" || fillValue != 0 {
      throw config.error("fill_mode", "'\(fill)' with fill_value \(fillValue) is not supported", kind: .unsupported)
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: 4)
    shape[format.firstSpatialAxis] = height
    shape[format.firstSpatialAxis + 1] = width
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    var input = lowering.channelsLast(inputs[0], format)
    let (rows, columns) = (input.shape[1], input.shape[2])
    guard rows > 0, columns > 0 else { throw H5ConvError(.badData, "an image of \(rows)×\(columns) cannot be resized") }
    if cropsToAspect {
      // Keras: the largest centred part with the target's aspect, in truncating float arithmetic.
      let cropHeight = min(rows, Int(Float(columns) * Float(height) / Float(width)))
      let cropWidth = min(columns, Int(Float(rows) * Float(width) / Float(height)))
      let start = [0, (rows - cropHeight) / 2, (columns - cropWidth) / 2, 0]
      let shape = [input.shape[0], max(1, cropHeight), max(1, cropWidth), input.shape[3]]
      if shape != input.shape { input = lowering.emit(.slice(start: start), [input], shape: shape) }
    } else if padsToAspect {
      let padHeight = max(rows, Int(Float(columns) * Float(height) / Float(width)))
      let padWidth = max(columns, Int(Float(rows) * Float(width) / Float(height)))
      let before = [0, (padHeight - rows) / 2, (padWidth - columns) / 2, 0]
      let shape = [input.shape[0], padHeight, padWidth, input.shape[3]]
      if shape != input.shape { input = lowering.emit(.pad(before: before), [input], shape: shape) }
    }
    let shape = [input.shape[0], height, width, input.shape[3]]
    let output = lowering.emit(.resize(method, antialias: antialias), [input], shape: shape)
    return [lowering.from(channelsLast: output, format)]
  }
}
