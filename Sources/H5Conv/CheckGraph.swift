import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers

/// Checks the layers of a model and how they are joined.
struct GraphCheck {
  private(set) var findings: [Finding] = []

  init(_ graph: Graph) {
    // Reasons that were told; what lies behind a layer repeats its reason.
    var told = Set<String>()
    var unsupported: [String: [String]] = [:]
    var custom: [String: [String]] = [:]
    for layer in graph.layers {
      guard case .failure(let error) = layer.kind else { continue }
      told.insert(error.description)
      if LayerRegistry.isSupported(layer.className) {
        add(error, at: layer.name)
      } else if KerasClasses.isKnown(layer.className)
        || layer.config["trainable"] == nil && layer.config["dtype"] == nil
      {
        // An operation of Keras 3 lacks what every layer's config has.
        unsupported[layer.className, default: []].append(layer.name)
      } else {
        custom[layer.className, default: []].append(layer.name)
      }
    }
    for (className, names) in custom.sorted(by: { $0.key < $1.key }) {
      findings.append(
        Finding(
          .warning, "custom_object", at: names,
          "the class \(className) is not Keras' own: loading it needs the Python code that defines it"))
    }
    for (className, names) in unsupported.sorted(by: { $0.key < $1.key }) where className != "Lambda" {
      findings.append(
        Finding(
          .warning, "unsupported_layer", at: names, "h5conv does not run the class \(className)",
          remedy: "what does not need it can still be run"))
    }
    for call in graph.calls {
      for case .failure(let error) in [call.applied.map { _ in () }, call.outputShapes.map { _ in () }] {
        guard told.insert(error.description).inserted else { continue }
        add(error, at: graph.layers[call.layer].name)
      }
    }
  }

  private mutating func add(_ error: H5ConvError, at place: String) {
    switch error.kind {
    case .unsupported:
      findings.append(Finding(.warning, "unsupported_argument", at: place, error.what, remedy: error.remedy))
    case .limit: findings.append(Finding(.error, "absurd_size", at: place, error.what, remedy: error.remedy))
    default: findings.append(Finding(.error, "invalid_layer", at: place, error.what, remedy: error.remedy))
    }
  }
}
