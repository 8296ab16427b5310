import H5ConvDiagnostics
import H5ConvHDF5

/// Writes Keras 3's layout of weights (`.weights.h5`): numbered variables in groups that follow the objects of the model.
package enum VariableWriter {
  /// - Throws: ``H5ConvError`` of kind `usage` for weights without an architecture.
  package static func write(_ model: WrittenModel, to path: String, _ options: StorageOptions) throws {
    let target = try HDF5Target(path, options)
    try write(model, into: target)
    try target.finish()
  }

  /// Writes into `target`, which is left to be finished.
  static func write(_ model: WrittenModel, into target: HDF5Target) throws {
    guard let architecture = model.architecture else {
      throw H5ConvError(
        .badData, "Keras 3's layout follows the architecture, which is not known",
        remedy: "give it with --architecture")
    }
    try write(model, architecture, into: target)
  }

  private static func write(_ model: WrittenModel, _ architecture: Architecture, into target: HDF5Target) throws {
    try variables([], named: architecture.name, at: "", in: target)
    let paths = StorePaths.paths(of: architecture)
    let weights = Dictionary(model.layers.map { ($0.path, $0.weights) }, uniquingKeysWith: { first, _ in first })
    for (layer, path) in paths.sorted(by: { $0.value < $1.value }) {
      let owned = weights[layer] ?? []
      try variables(ownVariables(owned), named: layer.last ?? "", at: path, in: target)
      var owners: [[String]] = []
      for weight in owned where !weight.owner.isEmpty && !owners.contains(weight.owner) { owners.append(weight.owner) }
      for owner in owners {
        try variables(
          owned.filter { $0.owner == owner }, named: nil, at: ([path] + owner).joined(separator: "/"), in: target)
      }
    }
    guard !model.optimizer.isEmpty else { return }
    let group = try target.root.makeGroup("optimizer/vars")
    for (number, tensor) in model.optimizer.enumerated() {
      try target.write(tensor, String(number), in: group, marksType: true)
    }
  }

  /// The layer's own variables in their order.
  ///
  /// A wrapper that lists one of the wrapped layer's before its own gets it again.
  private static func ownVariables(_ weights: [WrittenWeight]) -> [WrittenWeight] {
    let own = weights.filter(\.owner.isEmpty)
    guard let first = own.compactMap(\.number).min(), first > 0 else { return own }
    return Array(weights.filter { !$0.owner.isEmpty }.prefix(first)) + own
  }

  private static func variables(
    _ weights: [WrittenWeight], named name: String?, at path: String, in target: HDF5Target
  ) throws {
    let group = try target.root.makeGroup(path.isEmpty ? "vars" : "\(path)/vars")
    if let name { try group.writeAttribute("name", name) }
    for (number, weight) in weights.enumerated() {
      try target.write(weight.tensor, String(number), in: group, marksType: true)
    }
  }
}
