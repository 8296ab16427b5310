import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Layers one after the other: what Keras makes of preprocessing.
struct Pipeline: Layer {
  private let layers: [any Layer]

  init(_ config: ConfigReader) throws {
    layers = try config.objects("layers").map { try LayerRegistry.layer($0.0, $0.1) }
  }

  var isIdentity: Bool { layers.allSatisfy(\.isIdentity) }
  var differsInTraining: Bool { layers.contains(where: \.differsInTraining) }

  /// The inputs of each layer, and the outputs of the last.
  private func shapes(_ inputs: [PartialShape]) throws -> [[PartialShape]] {
    try layers.reduce(into: [inputs]) { shapes, layer in
      shapes.append(try layer.computedShapes(for: shapes.last ?? inputs))
    }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { try shapes(inputs).last ?? inputs }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    guard try zip(layers, shapes(inputs)).allSatisfy({ try $0.weights(for: $1).isEmpty }) else {
      throw H5ConvError(.unsupported, "layers with weights are not supported here")
    }
    return []
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    try layers.reduce(inputs) { try $1.isIdentity ? $0 : $1.lower($0, to: &lowering) }
  }
}
