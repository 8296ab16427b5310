import H5ConvDiagnostics
package import H5ConvGraph
import H5ConvLayers

/// Gradients that a ``Plan`` computes: those of Σ seed · logits with respect to some tensors.
///
/// The seed is an input of the plan behind the model's own, of the logits' shape; with 1 for a class and 0 for the others the gradients
/// are those of the class's logit. The results are the logits and then the gradients.
package struct Derivative: Sendable {
  /// The tensor that is differentiated, an output of the model.
  package var target: TensorID
  /// What it is differentiated by: inputs, outputs of layers.
  package var points: [TensorID]
  /// Whether what a softmax or sigmoid is computed of is meant where one gives the target.
  package var ofLogits: Bool

  package init(of target: TensorID, by points: [TensorID], ofLogits: Bool = true) {
    (self.target, self.points, self.ofLogits) = (target, points, ofLogits)
  }

  /// Tensors that a plan must lower.
  var needed: [TensorID] { [target] + points }

  /// Emits the gradients.
  ///
  /// - Returns: the logits, and a value for each point.
  /// - Throws: `H5ConvError` of kind `unsupported` naming the first layer on the way that has no derivative.
  func emit(_ graph: Graph, _ value: (TensorID) throws -> Value, in lowering: inout Lowering) throws -> [Value] {
    let output = try value(target)
    let logits = ofLogits ? lowering.logits(of: output) : output
    let seed = lowering.input(shape: logits.shape)
    do {
      return [logits] + (try lowering.gradients(of: logits, seed: seed, withRespectTo: try points.map(value)))
    } catch let error as H5ConvError where error.kind == .unsupported && error.place == nil {
      let call = graph.calls[lowering.call]
      throw H5ConvError(
        .unsupported, error.what, at: "layer '\(call.key)' of class \(graph.layers[call.layer].className)",
        remedy: error.remedy)
    }
  }
}
