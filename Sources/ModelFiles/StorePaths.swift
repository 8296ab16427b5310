import H5ConvLayers

/// Where Keras 3 keeps the layers of a model: `layers/conv2d_1`, `layers/functional/layers/dense`.
package enum StorePaths {
  /// Classes that Python calls otherwise than configs do.
  private static let classNames = ["GroupQueryAttention": "GroupedQueryAttention"]

  /// Paths of the groups by the layers' names from the top down, nested models themselves too.
  ///
  /// In each model the layers of a class are numbered in their order, the first without a number; operations are no layers, and a
  /// Sequential does not count its input.
  ///
  /// - Parameters:
  ///   - container: `layers`, or what Keras 2.12 to 2.14 had.
  ///   - ownsWeights: whether a layer has weights: the older container held such layers twice, so that they count twice.
  package static func paths(
    of architecture: Architecture, container: String = "layers", ownsWeights: ([String]) -> Bool = { _ in false }
  ) -> [[String]: String] {
    let countsTwice = container != "layers"
    var paths: [[String]: String] = [:]
    func visit(_ model: Architecture, _ names: [String], _ base: String) {
      var counts: [String: Int] = [:]
      for layer in model.layers where !layer.isOperation {
        if model.kind == .sequential, layer.className == "InputLayer" { continue }
        let name = snakeCase(classNames[layer.className] ?? LayerRegistry.kerasName(layer.className))
        let number = counts[name, default: 0]
        counts[name] = number + (countsTwice && ownsWeights(names + [layer.name]) ? 2 : 1)
        let path = "\(base)\(container)/\(number == 0 ? name : "\(name)_\(number)")"
        paths[names + [layer.name]] = path
        if let nested = layer.nested { visit(nested, names + [layer.name], path + "/") }
      }
    }
    visit(architecture, [], "")
    return paths
  }
}
