package import H5ConvConfig

/// A model as its config describes it, before any layer is understood: names, classes, configs, edges.
package struct Architecture: Sendable {
  package enum Kind: Sendable { case sequential, functional }

  package var kind: Kind
  package var name: String
  /// `Sequential`, `Functional`, `Model`, or a subclass's name.
  package var className: String
  /// Which Keras wrote it: 1, 2 or 3.
  package var generation: Int
  package var isTrainable: Bool
  /// The layers in the config's order.
  ///
  /// A Sequential begins with its InputLayer, stated or implied.
  package var layers: [LayerSpec]
  /// Where the model's inputs enter and its outputs leave.
  package var inputs: [TensorReference]
  package var outputs: [TensorReference]
}

/// A layer of an ``Architecture``.
package struct LayerSpec: Sendable {
  package var name: String
  /// Class name without its package.
  package var className: String
  package var config: JSONObject
  package var isTrainable: Bool
  /// The model that this layer is, when it is one.
  package var nested: Architecture?
  /// Where the layer is applied, in the order of its nodes.
  package var calls: [LayerCall]
  /// An InputLayer that the config does not state.
  package var isImplied = false
}

/// One application of a layer.
package struct LayerCall: Sendable {
  /// Input tensors in the order of the arguments.
  package var inputs: [TensorReference]
  /// `training` when the call pins it.
  package var training: Bool?
  /// Arguments that are not tensors; a layer that is not an operation needs none of them.
  package var hasConstantInputs = false
}

/// Output `output` of call `call` (from 0) of a layer.
package struct TensorReference: Sendable, Hashable {
  package var layer: String
  package var call: Int
  package var output: Int
}
