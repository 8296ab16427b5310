import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A layer applied to each step of (batch, time, …) by itself.
///
/// At inference the steps do not depend on each other, so that they are computed as one larger batch.
struct TimeDistributed: Layer {
  private let inner: any Layer
  private let innerClass: String
  private let isModel: Bool
  private let generation: Int
  /// Which input is the mask that the call is given.
  private var mask: Int?

  /// - Parameter model: the model that is wrapped, which only the graph can read.
  init(_ config: ConfigReader, model: any Layer) throws {
    inner = model
    innerClass = try config.object("layer").0
    isModel = true
    generation = config.generation
  }

  init(_ config: ConfigReader) throws {
    let (className, reader) = try config.object("layer")
    isModel = false
    generation = config.generation
    if reader.object["layers"] != nil {
      throw config.error("layer", "is a model, which only a graph can read", kind: .unsupported)
    }
    inner = try LayerRegistry.layer(className, reader)
    innerClass = className
    if config.generation < 3, className == "Masking" || (className == "Embedding" && reader["mask_zero"]?.bool == true)
    {
      throw config.error("layer", "of class \(className) makes masks, which is not supported here", kind: .unsupported)
    }
  }

  /// Whether a mask would change what the inner layer computes.
  private var looksAtMask: Bool { isModel || MaskRule.of(innerClass, generation: generation).looksAtMask }

  private func step(_ inputs: [PartialShape]) throws -> PartialShape {
    // A mask may stand behind the sequence.
    guard let shape = inputs.first, shape.rank >= 3, inputs.count <= 2 else {
      throw H5ConvError(.badData, "\(inputs.map(\.description)) where one input with a time axis was expected")
    }
    return PartialShape([shape[0]] + shape.sizes.dropFirst(2))
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    if arguments.argument("training")?.value?.bool == true,
      isModel || inner.isIdentity || innerClass.hasPrefix("BatchNorm")
    {
      throw H5ConvError(.unsupported, "a call with training=True is not supported")
    }
    // A mask would tell the inner layer which steps count; those that look at theirs are refused when there is one.
    var copy = self
    copy.mask = arguments.argument("mask", at: 2)?.tensor
    if copy.mask != nil, looksAtMask {
      throw H5ConvError(.unsupported, "a mask for a \(innerClass) is not supported")
    }
    return copy
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shapes = try inner.outputShapes(for: [try step(inputs)])
    guard let shape = shapes.first, shapes.count == 1 else {
      throw H5ConvError(.unsupported, "a \(innerClass) with \(shapes.count) outputs is not supported here")
    }
    return [PartialShape([shape[0], inputs[0][1]] + shape.sizes.dropFirst())]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    try inner.weights(for: [try step(inputs)]).map { spec in
      WeightSpec(
        spec.name, spec.shape, aliases: spec.aliases, isTrainable: spec.isTrainable, owner: ["layer"] + spec.owner,
        number: spec.number)
    }
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let input = inputs[0]
    let (steps, overflow) = input.shape[0].multipliedReportingOverflow(by: input.shape[1])
    guard !overflow else { throw H5ConvError(.limit, "an input of shape \(input.shape)") }
    let masks = lowering.inputMasks
    if masks.first.flatMap({ $0 }) != nil, looksAtMask {
      throw H5ConvError(.unsupported, "a mask for a \(innerClass) is not supported")
    }
    lowering.inputMasks = [nil]
    let merged = lowering.emit(.reshape, [input], shape: [steps] + input.shape.dropFirst(2))
    let output = try inner.lower([merged], to: &lowering)
    lowering.inputMasks = masks
    // What the call is given goes on instead of what comes along.
    lowering.outputMasks = mask.map { [inputs[$0]] } ?? (masks.isEmpty ? [] : [masks[0]])
    return [lowering.emit(.reshape, output, shape: shape)]
  }
}
