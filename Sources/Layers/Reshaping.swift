import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// All axes but the batch as one, in (height, width, channels) order.
struct Flatten: Layer {
  private let format: DataFormat

  init(_ config: ConfigReader) throws { format = try config.dataFormat() }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    guard shape.rank > 0 else { throw H5ConvError(.badData, "an input without a batch axis") }
    return [[shape[0], shape.product(of: 1..<shape.rank)]]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    // Keras moves the channels of a channels_first image to the end first, so that dense weights fit both formats.
    return [lowering.emit(.reshape, [lowering.channelsLast(inputs[0], format)], shape: shape)]
  }
}

/// Other sizes for the same elements; one of them may be −1.
struct Reshape: Layer {
  private let target: [Int]

  init(_ config: ConfigReader) throws {
    target = try config.ints("target_shape")
    if target.contains(where: { $0 < -1 || $0 > 1 << 40 }) || target.filter({ $0 == -1 }).count > 1 {
      throw config.error("target_shape", "\(target) has more than one unknown size or an impossible one")
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    guard let count = shape.product(of: 1..<shape.rank) else {
      return [PartialShape([shape[0]] + target.map { $0 == -1 ? nil : $0 })]
    }
    let fixed = PartialShape(target.map { $0 == -1 ? 1 : $0 })
    guard let product = fixed.product(of: 0..<fixed.rank),
      target.contains(-1) ? product > 0 && count % product == 0 : product == count
    else { throw H5ConvError(.badData, "an input of shape \(shape) cannot be reshaped to \(target)") }
    return [PartialShape([shape[0]] + target.map { $0 == -1 ? count / product : $0 })]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    [lowering.emit(.reshape, inputs, shape: try knownOutputShape(for: inputs))]
  }
}

/// Axes in another order; `dims` counts from 1, without the batch.
struct Permute: Layer {
  private let axes: [Int]

  init(_ config: ConfigReader) throws {
    let dims = try config.ints("dims")
    guard dims.sorted() == Array(1...max(1, dims.count)) else {
      throw config.error("dims", "\(dims) is not an order of the axes")
    }
    axes = [0] + dims
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs, rank: axes.count)
    return [PartialShape(axes.map { shape[$0] })]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    [lowering.emit(.transpose(axes: axes), inputs, shape: try knownOutputShape(for: inputs))]
  }
}

/// (batch, features) → (batch, n, features).
struct RepeatVector: Layer {
  private let times: Int

  init(_ config: ConfigReader) throws { times = try config.int("n", in: 1...sizeLimit) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs, rank: 2)
    return [[shape[0], times, shape[1]]]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let column = lowering.emit(.reshape, inputs, shape: [shape[0], 1, shape[2]])
    return [lowering.emit(.repeatElements(times: [1, times, 1]), [column], shape: shape)]
  }
}
