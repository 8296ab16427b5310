import H5ConvLayers
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles

extension Model {
  /// The weights of a layer that Keras quantized: floating point when a dtype is asked for, else as they are.
  func quantizedWeights(
    ofLayer number: Int, _ quantization: Quantization, _ format: ModelFormat, _ options: ConversionOptions,
    _ changes: inout [String], _ warnings: inout [String]
  ) throws -> [WrittenWeight] {
    let layer = graph.layers[number]
    let weights = weights
    if quantization.isUnstated, options.dtype == nil {
      warnings.append(
        "\(layer.name): its parts are quantized, which its config does not say, so that no Keras loads it; "
          + "--dtype float32 makes them floating point")
    }
    if quantization.isCalibrated, options.dtype == nil, format == .legacyH5 {
      warnings.append(
        "\(layer.name): Keras 3.15 loads weights of GPTQ and AWQ from a .h5 file, its own too, but cannot run the layer then; "
          + "--to keras or --dtype float32 avoids that")
    }
    func stored(_ name: String) throws -> StoredTensor? {
      weights.holds(layer: number, name) ? try weights.stored(layer: number, name) : nil
    }
    // What is missing altogether is said as for any other layer.
    for spec in layer.weights where !spec.isOptional { _ = try weights.stored(layer: number, spec.name) }
    let written: Quantization.Written
    do {
      written =
        options.dtype != nil && quantization.isQuantized
        ? try quantization.writtenPlainly(stored) { try weights.tensor(layer: number, $0) }
        : try quantization.written(isLegacy: format == .legacyH5 || format == .legacyWeights, stored) {
          try weights.tensor(layer: number, $0)
        }
    } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, at: error.place ?? "layer '\(layer.name)'", remedy: error.remedy)
    }
    changes += written.changes.map { "\(layer.name): \($0)" }
    return written.weights.map { spec, tensor in
      WrittenWeight(
        name: spec.name, owner: spec.owner, isTrainable: spec.isTrainable && layer.isTrainable, tensor: tensor,
        legacyName: options.dtype == nil
          ? quantization.partName(of: spec).map { (layer.path + $0).joined(separator: "/") } : nil)
    }
  }
}
