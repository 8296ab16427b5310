package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvTensors

extension ConfigReader {
  fileprivate func interpolation(default fallback: String) throws -> ResizeMethod {
    let name = try string("interpolation", default: fallback).lowercased()
    guard let method = ResizeMethod(rawValue: name) else {
      throw error("interpolation", "'\(name)' is not supported", kind: .unsupported)
    }
    return method
  }
}

/// Enlarges `rank` spatial axes by whole factors: nearest repeats; the other methods, which only pictures have, resize.
struct UpSampling<let rank: Int>: Layer {
  private let factors: [Int]
  private let format: DataFormat
  private let method: ResizeMethod

  init(_ config: ConfigReader) throws {
    factors = try config.sizes("size", rank: rank, default: 2, in: 1...sizeLimit)
    format = try config.dataFormat()
    method = rank == 2 ? try config.interpolation(default: "nearest") : .nearest
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: rank + 2)
    for axis in 0..<rank {
      let place = format.firstSpatialAxis + axis
      shape[place] = shape[place].map { $0 * factors[axis] }
    }
    return [shape]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = format.channelsLastShape(PartialShape(try knownOutputShape(for: inputs))).known ?? []
    let input = lowering.channelsLast(inputs[0], format)
    let operation: Operation =
      method == .nearest ? .repeatElements(times: [1] + factors + [1]) : .resize(method, antialias: false)
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
    if padsToAspect, fill != "constant" {
      throw config.error("fill_mode", "'\(fill)' is not supported", kind: .unsupported)
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
      input = lowering.croppedToAspect(input, height: height, width: width)
    } else if padsToAspect {
      // Keras pads half of what is missing, rounded down, on either side: an odd row is not added.
      let above = (max(rows, columns * height / width) - rows) / 2
      let left = (max(columns, rows * width / height) - columns) / 2
      let shape = [input.shape[0], rows + 2 * above, columns + 2 * left, input.shape[3]]
      input = lowering.emit(.pad(before: [0, above, left, 0], value: fillValue), [input], shape: shape)
    }
    let shape = [input.shape[0], height, width, input.shape[3]]
    let output = lowering.emit(.resize(method, antialias: antialias), [input], shape: shape)
    return [lowering.from(channelsLast: output, format)]
  }
}

/// Height and width of the part that a cropping layer gives.
private struct CropConfig: Sendable {
  let height: Int
  let width: Int
  let format: DataFormat

  init(_ config: ConfigReader) throws {
    height = try config.int("height", in: 1...sizeLimit)
    width = try config.int("width", in: 1...sizeLimit)
    format = try config.dataFormat()
  }

  func outputShape(_ input: PartialShape) -> PartialShape {
    var shape = input
    shape[format.firstSpatialAxis] = height
    shape[format.firstSpatialAxis + 1] = width
    return shape
  }
}

/// The centre of the image; an image smaller than the target is resized instead, keeping the aspect.
struct CenterCrop: Layer {
  private let config: CropConfig

  init(_ config: ConfigReader) throws { self.config = try CropConfig(config) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.outputShape(try single(inputs, rank: 4))]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let input = lowering.channelsLast(inputs[0], config.format)
    let (rows, columns) = (input.shape[1], input.shape[2])
    let (height, width) = (config.height, config.width)
    guard rows > 0, columns > 0 else { throw H5ConvError(.badData, "an image of \(rows)×\(columns) cannot be cropped") }
    let output =
      rows >= height && columns >= width
      ? lowering.emit(
        .slice(start: [0, (rows - height) / 2, (columns - width) / 2, 0]), [input],
        shape: [input.shape[0], height, width, input.shape[3]])
      : lowering.resizedCrop(input, height: height, width: width)
    return [lowering.from(channelsLast: output, config.format)]
  }
}

/// What only training crops at random; at inference each Keras had its own idea.
///
/// Keras 2.3 to 2.6 (TensorFlow's) resizes to the shorter side and cuts out the centre; 2.7 to 3.7 resizes the largest centred part that
/// has the target's aspect; since 3.8 the image is handed through, although `output_shape` still is the target's.
package struct RandomCrop: Layer {
  private let config: CropConfig
  private let version: KerasVersion

  package init(_ config: ConfigReader) throws {
    self.config = try CropConfig(config)
    version = config.version
  }

  package var differsInTraining: Bool { true }

  /// Whether the RandomCrop of this Keras is a Resizing that keeps the aspect.
  package static func resizes(in version: KerasVersion) -> Bool {
    KerasVersion(2, 7) <= version && version < KerasVersion(3, 8)
  }

  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.outputShape(try single(inputs, rank: 4))]
  }

  package func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    version < KerasVersion(3, 8) ? try outputShapes(for: inputs) : [try single(inputs, rank: 4)]
  }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    if version >= KerasVersion(3, 8) { return inputs }
    let input = lowering.channelsLast(inputs[0], config.format)
    let (rows, columns) = (input.shape[1], input.shape[2])
    guard rows > 0, columns > 0 else { throw H5ConvError(.badData, "an image of \(rows)×\(columns) cannot be cropped") }
    let output =
      RandomCrop.resizes(in: version)
      ? lowering.resizedCrop(input, height: config.height, width: config.width)
      : try lowering.croppedResize(input, height: config.height, width: config.width)
    return [lowering.from(channelsLast: output, config.format)]
  }
}

extension Lowering {
  /// The largest centred part of an image that has the aspect of `height` × `width`, in Keras' truncating float32 arithmetic.
  fileprivate mutating func croppedToAspect(_ input: Value, height: Int, width: Int) -> Value {
    let (rows, columns) = (input.shape[1], input.shape[2])
    let cropHeight = max(1, min(rows, Int(Float(columns * height) / Float(width))))
    let cropWidth = max(1, min(columns, Int(Float(rows * width) / Float(height))))
    let shape = [input.shape[0], cropHeight, cropWidth, input.shape[3]]
    if shape == input.shape { return input }
    return emit(.slice(start: [0, (rows - cropHeight) / 2, (columns - cropWidth) / 2, 0]), [input], shape: shape)
  }

  /// The largest centred part that has the aspect of `height` × `width`, resized to it (Keras' `smart_resize`).
  fileprivate mutating func resizedCrop(_ input: Value, height: Int, width: Int) -> Value {
    let shape = [input.shape[0], height, width, input.shape[3]]
    let part = croppedToAspect(input, height: height, width: width)
    return emit(.resize(.bilinear, antialias: false), [part], shape: shape)
  }
  /// The centre of the image resized to the shorter side of `height` × `width`, as TensorFlow 2.3 to 2.6 computes it.
  fileprivate mutating func croppedResize(_ input: Value, height: Int, width: Int) throws -> Value {
    let (rows, columns) = (input.shape[1], input.shape[2])
    let isTall = Double(rows) / Double(columns) > Double(height) / Double(width)
    let resized = [
      isTall ? Int(Double(width * rows) / Double(columns)) : height,
      isTall ? width : Int(Double(height * columns) / Double(rows)),
    ]
    guard resized[0] >= height, resized[1] >= width else {
      throw H5ConvError(.badData, "an image of \(rows)×\(columns) cannot be cropped to \(height)×\(width)")
    }
    let whole = emit(
      .resize(.bilinear, antialias: false), [input], shape: [input.shape[0], resized[0], resized[1], input.shape[3]])
    let start = [0, (resized[0] - height) / 2, (resized[1] - width) / 2, 0]
    return emit(.slice(start: start), [whole], shape: [input.shape[0], height, width, input.shape[3]])
  }
}
