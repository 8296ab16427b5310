import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers

/// The masks that come along with the tensors of a graph while it is lowered.
struct MaskTable {
  private let graph: Graph
  private var masks: [TensorID: Value] = [:]
  /// Tensors that share their value: identities.
  private var tensors: [Int: [TensorID]] = [:]

  init(_ graph: Graph) { self.graph = graph }

  /// Masks of the inputs of `call`, nil for those without.
  func inputs(of call: Int) -> [Value?] { graph.calls[call].inputs.map { masks[$0] } }

  /// Takes over what lowering `call` to `outputs` told.
  mutating func add(_ call: Int, _ outputs: [Value], _ lowering: Lowering) throws {
    if lowering.deletesInputMasks { try delete(by: call, outputs) }
    for (output, value) in outputs.enumerated() {
      let tensor = TensorID(call: call, output: output)
      tensors[value.id, default: []].append(tensor)
      if lowering.outputMasks.indices.contains(output) { masks[tensor] = lowering.outputMasks[output] }
    }
  }

  /// Removes the masks of the inputs of `call`, as Keras 3's MultiHeadAttention does: layers that run after it see none.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` when another layer that may look at one runs before or after, as Keras decides.
  private mutating func delete(by call: Int, _ outputs: [Value]) throws {
    let given = graph.calls[call].inputs.filter { masks[$0] != nil }
    if given.isEmpty { return }
    let values = tensors.filter { $0.value.contains(where: given.contains) }.keys
    let shared = Set(given + values.flatMap { tensors[$0] ?? [] })
    let before = Set(graph.ancestors(of: [TensorID(call: call, output: 0)]))
    for other in graph.calls.indices where other != call && !before.contains(other) {
      let user = graph.calls[other]
      let layer = graph.layers[user.layer]
      guard user.inputs.contains(where: shared.contains),
        MaskRule.of(layer.className, generation: layer.generation) != .drops,
        !graph.ancestors(of: [TensorID(call: other, output: 0)]).contains(call)
      else { continue }
      throw H5ConvError(
        .unsupported,
        "whether '\(user.key)' sees the mask of '\(graph.calls[given[0].call].key)' depends on the order in which Keras runs "
          + "it and '\(graph.calls[call].key)'")
    }
    for tensor in shared { masks[tensor] = nil }
  }
}
