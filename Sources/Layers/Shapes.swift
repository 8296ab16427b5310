import H5ConvDiagnostics
import H5ConvTensors

extension Layer {
  /// The one input of a layer that takes one.
  func single(_ inputs: [PartialShape]) throws -> PartialShape {
    guard inputs.count == 1 else { throw H5ConvError(.badData, "\(inputs.count) inputs where one was expected") }
    return inputs[0]
  }

  /// The one input of a layer that takes one, with `rank` axes.
  func single(_ inputs: [PartialShape], rank: Int) throws -> PartialShape {
    let shape = try single(inputs)
    guard shape.rank == rank else {
      throw H5ConvError(.badData, "an input of shape \(shape) where \(rank) axes were expected")
    }
    return shape
  }

  /// Shapes of the outputs for inputs whose shapes are fully known.
  func knownOutputShapes(for inputs: [Value]) throws -> [[Int]] {
    try outputShapes(for: inputs.map { PartialShape($0.shape) }).map { shape in
      guard let known = shape.known else {
        throw H5ConvError(.internalFault, "the output shape \(shape) is not known from the input")
      }
      // What lowers the layer may multiply the sizes.
      guard Tensor.elementCount(of: known.filter { $0 > 0 }) != nil else {
        throw H5ConvError(.limit, "a result of shape \(known) has too many elements")
      }
      return known
    }
  }

  /// Shape of the only output for inputs whose shapes are fully known.
  func knownOutputShape(for inputs: [Value]) throws -> [Int] {
    guard let shape = try knownOutputShapes(for: inputs).first else {
      throw H5ConvError(.internalFault, "a layer without an output")
    }
    return shape
  }
}

/// `axis` of a tensor with `rank` axes, counted from the end when negative.
///
/// - Throws: `H5ConvError` when there is no such axis.
func normalized(axis: Int, rank: Int) throws -> Int {
  let place = axis < 0 ? axis + rank : axis
  guard (0..<rank).contains(place) else {
    throw H5ConvError(.badData, "axis \(axis) of a tensor with \(rank) axes")
  }
  return place
}

/// The number of elements of axes that are to become one.
///
/// - Throws: `H5ConvError` when it is too large.
func elementCount(_ sizes: ArraySlice<Int>) throws -> Int {
  guard let count = Tensor.elementCount(of: Array(sizes)) else {
    throw H5ConvError(.limit, "a tensor of shape \(Array(sizes)) has too many elements")
  }
  return count
}

/// Where the channels of an image tensor are.
package enum DataFormat: Sendable {
  /// (batch, spatial axes, channels)
  case channelsLast
  /// (batch, channels, spatial axes)
  case channelsFirst

  /// The axis of the channels in a tensor of `rank` axes.
  package func channelAxis(rank: Int) -> Int { self == .channelsLast ? rank - 1 : 1 }

  /// The first spatial axis.
  package var firstSpatialAxis: Int { self == .channelsLast ? 1 : 2 }

  /// `shape` with the channels moved to the end.
  func channelsLastShape(_ shape: PartialShape) -> PartialShape {
    self == .channelsLast || shape.rank < 3 ? shape : PartialShape([shape[0]] + shape.sizes[2...] + [shape[1]])
  }

  /// The inverse of ``channelsLastShape(_:)``.
  func shape(fromChannelsLast shape: PartialShape) -> PartialShape {
    guard self == .channelsFirst, let channels = shape.sizes.last, shape.rank >= 3 else { return shape }
    return PartialShape([shape[0], channels] + shape.sizes[1..<shape.rank - 1])
  }
}
