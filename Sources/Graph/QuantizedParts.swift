import H5ConvTensors
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
package import H5ConvModelFiles

extension Graph {
  /// Understands the layers of `architecture`, as ``init(_:)`` does, and what only their weights tell.
  package init(_ architecture: Architecture, weights: WeightLayout?) throws {
    try self.init(architecture)
    findQuantizedParts(architecture, weights)
  }

  /// Finds out which attention layers have quantized projections, which only the weights tell.
  ///
  /// `model.quantize` quantizes the EinsumDense layers inside a MultiHeadAttention, whose config does not say so: Keras itself cannot load
  /// such a file.
  private mutating func findQuantizedParts(_ architecture: Architecture, _ layout: WeightLayout?) {
    guard let layout else { return }
    for place in layers.indices where layers[place].isAttention && layers[place].quantization == nil {
      guard let modes = try? PartModes.read(layers, place, architecture, layout), !modes.isEmpty,
        let quantization = Quantization(modes, specs: layers[place].weights)
      else { continue }
      layers[place].quantization = quantization
      layers[place].weights = quantization.stored
    }
  }
}

extension GraphLayer {
  var isAttention: Bool {
    ["MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention"].contains(className)
  }
}

/// How the kernels of an attention layer are quantized, by their names.
private enum PartModes {
  static func read(
    _ layers: [GraphLayer], _ place: Int, _ architecture: Architecture, _ layout: WeightLayout
  ) throws -> [String: QuantizationPolicy.Mode] {
    let layer = layers[place]
    var modes: [String: QuantizationPolicy.Mode] = [:]
    for (owner, specs) in WeightSpec.byOwner(layer.weights) {
      guard let kernel = specs.first(where: { $0.name.hasSuffix("_kernel") }) else { continue }
      let tensors: [StoredTensor]
      switch layout {
      case .variables(let store):
        let variables = try VariableFinder(layers, architecture, store).variables(of: layer, owner: owner)
        tensors = specs.count > 1 && variables.count > 1 ? [variables[0]] + variables[2...] : variables
      case .legacy(let weights):
        let part = String(kernel.name.dropLast("_kernel".count))
        let names = try (weights.weightNames(layer.path[0]) ?? []).filter { name in
          let path = name.split(separator: "/").dropLast()
          return path.last.map(String.init) == part
            && (layer.path.count == 1 || path.contains { $0 == layer.path[layer.path.count - 1] })
        }
        func isNamed(_ name: String, _ last: String) -> Bool {
          name.hasSuffix("/" + last) || name.hasSuffix("/\(last):0")
        }
        let kernels = names.filter { isNamed($0, "kernel") }
        tensors = try (kernels + names.filter { !isNamed($0, "kernel") && !isNamed($0, "bias") }).map {
          try weights.tensor(layer.path[0], $0)
        }
      case .named: return [:]
      }
      if let mode = mode(tensors, kernel) { modes[kernel.name] = mode }
    }
    return modes
  }

  /// - Parameter tensors: the kernel and what stands beside it, without the bias.
  private static func mode(_ tensors: [StoredTensor], _ kernel: WeightSpec) -> QuantizationPolicy.Mode? {
    switch tensors.count {
    case 2 where tensors[0].shape.count == kernel.shape.rank && kernel.shape.fits(tensors[0].shape): return .int8
    // Which of the two it is the shape tells when it is read.
    case 2: return .int4(block: nil, isOlder: tensors[0].shape.count == kernel.shape.rank)
    case 4:
      guard let rows = tensors[3].shape.first, let groups = tensors[1].shape.first, groups > 0 else { return nil }
      return .int4(block: max(1, (rows + groups - 1) / groups), isOlder: false)
    case 7: return .float8(history: tensors.lazy.compactMap(\.shape.first).last ?? 0)
    default: return nil
    }
  }
}
