import H5ConvConfig
import H5ConvDiagnostics
import H5ConvHDF5

/// Writes the legacy `.h5` layout: one group per layer, `layer_names` and `weight_names`.
package enum LegacyWriter {
  /// - Parameter isWhole: whether the architecture is written too, and the weights below `model_weights`.
  package static func write(_ model: WrittenModel, to path: String, isWhole: Bool, _ options: StorageOptions) throws {
    // No Keras reads bfloat16 from a legacy file: such numbers are stored as float32, which holds them all.
    var stored = options
    if options.type == .opaque(bytes: 2) { stored.type = nil }
    let target = try HDF5Target(path, stored)
    try write(model, into: target, isWhole: isWhole, type: options.type)
    try target.finish()
  }

  private static func write(
    _ model: WrittenModel, into target: HDF5Target, isWhole: Bool, type: ElementType?
  ) throws {
    let weights = isWhole ? try target.root.makeGroup("model_weights") : target.root
    for group in isWhole ? [target.root, weights] : [weights] {
      if let version = model.kerasVersion { try group.writeAttribute("keras_version", version) }
      if let backend = model.backend { try group.writeAttribute("backend", backend) }
    }
    if isWhole, let architecture = model.architecture {
      try target.root.writeAttribute("model_config", config(architecture, model.dialect).pythonText)
      if let training = model.trainingConfig { try target.root.writeAttribute("training_config", training.pythonText) }
    }
    let layers = layerNames(model)
    let written = Dictionary(grouping: model.layers) { $0.path.first }
    try weights.writeAttribute("layer_names", layers)
    for layer in layers + ["top_level_model_weights"] {
      let group = try weights.makeGroup(layer)
      let named = weightNames(written[layer] ?? [])
      try group.writeAttribute("weight_names", named.map(\.name))
      for (name, tensor) in named {
        let tensor = tensor.converted(to: type)
        let isBrain = tensor.type == .opaque(bytes: 2)
        try target.write(isBrain ? tensor.converted(to: .float(bytes: 4, bigEndian: false)) : tensor, name, in: group)
      }
    }
    guard isWhole, !model.optimizer.isEmpty else { return }
    let group = try target.root.makeGroup("optimizer_weights")
    try group.writeAttribute("weight_names", model.optimizer.map(\.path))
    for tensor in model.optimizer { try target.write(tensor, tensor.path, in: group) }
  }

  /// The root of the config, whose class legacy files call Functional and which has no module there.
  private static func config(_ architecture: Architecture, _ dialect: Dialect) -> JSONValue {
    let config = ArchitectureWriter(dialect).config(architecture.withoutEllipses())
    return [
      "class_name": architecture.kind == .functional ? "Functional" : "Sequential", "config": config["config"] ?? .null,
    ]
  }

  /// The top-level layers as `model.layers` has them; of a file without architecture those that own weights.
  private static func layerNames(_ model: WrittenModel) -> [String] {
    guard let architecture = model.architecture else {
      var names: [String] = []
      for layer in model.layers where names.last != layer.path.first { names += layer.path.prefix(1) }
      return names
    }
    // What owns weights is no operation, however little its config says.
    let owners = Set(model.layers.filter { !$0.weights.isEmpty }.compactMap(\.path.first))
    return architecture.layers.filter { layer in
      owners.contains(layer.name)
        || !layer.isOperation && !(architecture.kind == .sequential && layer.className == "InputLayer")
    }.map(\.name)
  }

  /// The weights of a top-level layer under names of their own, in Keras' order: trainable ones, then the others.
  private static func weightNames(_ layers: [WrittenLayer]) -> [(name: String, tensor: StoredTensor)] {
    let all = layers.flatMap { layer in layer.weights.map { (layer: layer, weight: $0) } }
    let ordered = all.filter(\.weight.isTrainable) + all.filter { !$0.weight.isTrainable }
    var taken = Set<String>()
    // How often each name was there: a strange file has thousands of one name.
    var times: [String: Int] = [:]
    return ordered.map { layer, weight in
      let plain = weight.legacyName ?? (layer.path + weight.owner + [weight.name]).joined(separator: "/")
      var name = plain
      while !taken.insert(name).inserted {
        times[plain, default: 0] += 1
        name = "\(plain)_\(times[plain, default: 0])"
      }
      return (name, weight.tensor)
    }
  }
}
