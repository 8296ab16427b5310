package import H5ConvConfig
package import H5ConvLayers

/// A model as its config describes it, before any layer is understood: names, classes, configs, edges.
package struct Architecture: Sendable {
  package enum Kind: Sendable { case sequential, functional }

  package var kind: Kind
  package var name: String
  /// `Sequential`, `Functional`, `Model`, or a subclass's name.
  package var className: String
  /// Which Keras wrote it.
  package let version: KerasVersion
  package var isTrainable: Bool
  /// The layers in the config's order.
  ///
  /// A Sequential begins with its InputLayer, stated or implied.
  package var layers: [LayerSpec]
  /// Where the model's inputs enter and its outputs leave: one tensor, a list or an object of them.
  package var inputStructure: Argument<TensorReference>
  package var outputStructure: Argument<TensorReference>

  /// 1, 2 or 3.
  package var generation: Int { version.major }
  package var inputs: [TensorReference] { inputStructure.tensors }
  package var outputs: [TensorReference] { outputStructure.tensors }
}

/// A layer of an ``Architecture``.
package struct LayerSpec: Sendable {
  package var name: String
  /// Class name without its package.
  package var className: String
  /// Python's module of the class, as `.keras` files tell it; `keras.src.ops.numpy` makes an `Add` an operation.
  package var module: String?
  /// `registered_name`, or the class name with its package, when the file tells one.
  package var registeredName: String?
  package var config: JSONObject
  package var isTrainable: Bool
  /// The model that this layer is, when it is one.
  package var nested: Architecture?
  /// Where the layer is applied, in the order of its nodes.
  package var calls: [LayerCall]
  /// An InputLayer that the config does not state.
  package var isImplied = false
  /// A layer that a translation put behind another, whose output it takes.
  var isChained = false

  /// Whether it is an operation of Keras 3 (`x + y`, `keras.ops.relu(x)`), which is no layer: it has no weights and is not counted.
  ///
  /// `.keras` files tell the module; in `.h5` files an operation lacks what every layer's config has. A config that someone
  /// wrote by hand may lack it too, so that the class must not be one that only layers have.
  package var isOperation: Bool {
    if let module { return module.contains(".ops.") }
    guard nested == nil, className != "InputLayer", config["trainable"] == nil else { return false }
    // A few operations have a dtype too: Cast, ZerosLike.
    guard config["dtype"] == nil || OperationModules.module(of: className) != nil else { return false }
    return LayerFields.of(className) == nil
      || config["dtype"] == nil && LayerSpec.namesOfBoth.contains(className)
  }

  /// Classes of layers that are classes of operations too.
  private static let namesOfBoth: Set = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Reshape", "Softmax", "Subtract",
  ]
}

/// One application of a layer.
package struct LayerCall: Sendable, Equatable {
  /// What it is called with; `training` and `mask` are among the keywords when the file pins them.
  package var arguments: CallArguments<TensorReference>

  package init(_ arguments: CallArguments<TensorReference>) { self.arguments = arguments }

  /// Input tensors in the order of the arguments.
  package var inputs: [TensorReference] { arguments.tensors }

  /// `training` when the call pins it.
  package var training: Bool? { arguments.argument("training")?.value?.bool }
}

/// Output `output` of call `call` (from 0) of a layer.
package struct TensorReference: Sendable, Hashable {
  package var layer: String
  package var call: Int
  package var output: Int

  package init(layer: String, call: Int, output: Int) {
    self.layer = layer
    self.call = call
    self.output = output
  }
}
