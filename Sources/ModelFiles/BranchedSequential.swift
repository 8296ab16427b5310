import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers

/// Puts together a Sequential that begins with a Merge of others, the way to several inputs before there were functional models.
///
/// It becomes a functional architecture: the layers of the branches, whose weights the file lists as the model's own, then the
/// merging layer and the rest. The inputs are those of the branches in their order.
struct BranchedSequential {
  private(set) var layers: [LayerSpec] = []
  private(set) var inputs: [TensorReference] = []
  /// Where each layer is.
  private var known: [String: Int] = [:]

  /// Adds the layers of a branch and gives its outputs.
  ///
  /// A layer that several branches share stands in each of them: the second time it is one more call.
  /// - Throws: ``H5ConvError`` of kind `badData` when another layer has the same name.
  mutating func add(_ branch: Architecture, at place: String) throws -> [TensorReference] {
    func moved(_ reference: TensorReference) -> TensorReference {
      guard let shared = known[reference.layer], layers[shared].className != "InputLayer" else { return reference }
      var reference = reference
      reference.call += layers[shared].calls.count
      return reference
    }
    let branchInputs = branch.inputs.map(moved)
    let outputs = branch.outputs.map(moved)
    let first = layers.count
    let calls = branch.layers.map { layer in layer.calls.map { LayerCall($0.arguments.map(moved)) } }
    for (var layer, calls) in zip(branch.layers, calls) {
      guard let shared = known[layer.name] else {
        layer.calls = calls
        layers.append(layer)
        continue
      }
      guard layers[shared].className == layer.className, layers[shared].config == layer.config else {
        throw H5ConvError(.badData, "two layers are called '\(layer.name)'", at: place)
      }
      if layer.className != "InputLayer" { layers[shared].calls += calls }
    }
    for place in first..<layers.count where known[layers[place].name] == nil { known[layers[place].name] = place }
    for input in branchInputs where !inputs.contains(input) { inputs.append(input) }
    return outputs
  }

  /// Adds a layer that is called with `tensors`, and gives its output.
  mutating func add(
    _ layer: LayerSpec, on tensors: Argument<TensorReference>, at place: String
  ) throws -> TensorReference {
    guard known[layer.name] == nil else {
      throw H5ConvError(.badData, "two layers are called '\(layer.name)'", at: place)
    }
    var layer = layer
    layer.calls = [LayerCall(CallArguments([tensors]))]
    known[layer.name] = layers.count
    layers.append(layer)
    return TensorReference(layer: layer.name, call: 0, output: 0)
  }
}
