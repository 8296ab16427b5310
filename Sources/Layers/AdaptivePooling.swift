import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// What the layers that pool to a given size share.
struct AdaptivePoolingConfig: Sendable {
  /// Length of each spatial axis of the result.
  let size: [Int]
  let format: DataFormat

  init(_ config: ConfigReader, rank: Int) throws {
    size = try config.sizes("output_size", rank: rank, in: 1...sizeLimit)
    format = try config.dataFormat()
  }

  /// The cells that each of `count` results takes of an axis of `length`: ⌊i·n/m⌋ ..< ⌈(i + 1)·n/m⌉, in the float32
  /// arithmetic of Keras on TensorFlow.
  static func sections(of length: Int, count: Int) -> [Range<Int>] {
    (0..<count).map { place in
      let start = (Float(place) * Float(length) / Float(count)).rounded(.down)
      let end = (Float(place + 1) * Float(length) / Float(count)).rounded(.up)
      let first = min(length - 1, Int(start))
      return first..<max(first + 1, min(length, Int(end)))
    }
  }
}

/// A layer that reduces each axis to `output_size` sections, which overlap where the length is not a multiple of it.
protocol AdaptivePoolingLayer: Layer {
  var config: AdaptivePoolingConfig { get }
  static var reduction: Reduction { get }
}

extension AdaptivePoolingLayer {
  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var shape = try single(inputs, rank: config.size.count + 2)
    for (axis, size) in config.size.enumerated() {
      let place = config.format.firstSpatialAxis + axis
      if shape[place] == 0 { throw H5ConvError(.badData, "an axis of 0 cannot be pooled to \(size)") }
      shape[place] = size
    }
    return [shape]
  }

  /// Axis after axis: a section over several axes is a box.
  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    var value = inputs[0]
    for (axis, size) in config.size.enumerated() {
      let place = config.format.firstSpatialAxis + axis
      var shape = value.shape
      let sections = AdaptivePoolingConfig.sections(of: shape[place], count: size)
      shape[place] = size
      value = lowering.emit(.reduceSections(Self.reduction, axis: place, sections), [value], shape: shape)
    }
    return [value]
  }
}

/// The mean of each section of `rank` spatial axes.
struct AdaptiveAveragePooling<let rank: Int>: AdaptivePoolingLayer {
  let config: AdaptivePoolingConfig
  static var reduction: Reduction { .mean }
  init(_ config: ConfigReader) throws { self.config = try AdaptivePoolingConfig(config, rank: rank) }
}

/// The maximum of each section of `rank` spatial axes.
struct AdaptiveMaxPooling<let rank: Int>: AdaptivePoolingLayer {
  let config: AdaptivePoolingConfig
  static var reduction: Reduction { .maximum }
  init(_ config: ConfigReader) throws { self.config = try AdaptivePoolingConfig(config, rank: rank) }
}
