import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

// Layers that the networks of keras.applications bring along.

/// x₀ + scale · x₁, in InceptionResNetV2.
struct CustomScaleLayer: Layer {
  private let scale: Float

  init(_ config: ConfigReader) throws { scale = Float(try config.float("scale")) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    guard inputs.count == 2 else { throw H5ConvError(.badData, "\(inputs.count) inputs where two were expected") }
    return [try Merging.broadcast(inputs)]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let scaled = lowering.emit(.scale(by: scale, plus: 0), [inputs[1]], shape: inputs[1].shape)
    return [try Merging.fold([inputs[0], scaled], .add, in: &lowering)]
  }
}

/// x · γ along the last axis, in ConvNeXt.
struct LayerScale: Layer {
  private let features: Int

  init(_ config: ConfigReader) throws { features = try config.int("projection_dim", in: 1...sizeLimit) }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    guard let last = shape.sizes.last, last == nil || last == features else {
      throw H5ConvError(.badData, "an input of shape \(shape) for \(features) factors")
    }
    return [shape]
  }

  /// gamma (features); Keras 3 gives the variable no name of its own.
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    [WeightSpec("gamma", [features], aliases: ["variable", "Variable"])]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let rank = inputs[0].shape.count
    return [lowering.scaled(inputs[0], axes: [rank - 1], gamma: lowering.weight("gamma"), beta: nil)]
  }
}
