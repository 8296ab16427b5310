package import H5ConvConfig
package import H5ConvDiagnostics
package import H5ConvLayers
import H5ConvModelFiles
package import H5ConvTensors

/// A model with its layers understood and its nested models unfolded: calls in execution order, joined by tensors.
///
/// Pure values: nothing is read from the file but names, and no weights.
package struct Graph: Sendable {
  /// Every layer once, nested ones too; models that are layers are not among them.
  package internal(set) var layers: [GraphLayer] = []
  /// Every application of a layer, in an order in which it can be computed.
  package internal(set) var calls: [GraphCall] = []
  /// Applications of nested models: names for tensors that calls produce.
  package internal(set) var modelCalls: [ModelCall] = []
  /// Calls of the input layers, in the order of the model's inputs.
  package internal(set) var inputs: [Int] = []
  /// The model's outputs.
  package internal(set) var outputs: [TensorID] = []
  /// Whether sizes of tensors are computed in the graph (`tf.shape`): a run needs a graph made for its inputs' sizes.
  package internal(set) var dependsOnSizes = false
}

/// Output `output` of call `call` of a ``Graph``.
package struct TensorID: Sendable, Hashable {
  package let call: Int
  package let output: Int

  package init(call: Int, output: Int) {
    self.call = call
    self.output = output
  }
}

/// A layer of a ``Graph``.
package struct GraphLayer: Sendable {
  /// Names from the top-level layer down: `outer/inner`.
  package let path: [String]
  package let className: String
  package let config: JSONObject
  /// Which Keras wrote it: 1, 2 or 3.
  package let generation: Int
  /// Whether the layer and all models around it are trainable.
  package let isTrainable: Bool
  /// The layer itself, or why it cannot be run.
  package let kind: Result<any Layer, H5ConvError>
  /// Its weights in storage order, as far as shapes are known; empty for a layer that cannot be run.
  package internal(set) var weights: [WeightSpec] = []
  /// How the largest of them are stored, when Keras quantized them.
  package internal(set) var quantization: Quantization?

  /// The path as one text: `outer/inner`.
  package var name: String { path.joined(separator: "/") }
}

/// One application of a layer.
package struct GraphCall: Sendable {
  /// Number of the layer in ``Graph/layers``.
  package let layer: Int
  /// Key of its first output: `name`, `outer/inner`, `name@1` for a second call, `outer@1/inner` for a second call of the model
  /// around it.
  package let key: String
  /// Which call of each is meant: of the layer itself, last, and of the models around it.
  package let callNumbers: [Int]
  package let inputs: [TensorID]
  /// The layer with what this call's arguments say, or why it cannot be run.
  package let applied: Result<any Layer, H5ConvError>
  /// Shapes of the outputs, or why they are not known.
  package internal(set) var outputShapes: Result<[PartialShape], H5ConvError>
  /// Whether it is listed: a Sequential's input layer is not, as in Keras.
  package let isListed: Bool
}

/// One application of a nested model.
package struct ModelCall: Sendable {
  package let path: [String]
  package let key: String
  /// Which call of each is meant: of the model itself, last, and of those around it.
  package let callNumbers: [Int]
  package let className: String
  package let inputs: [TensorID]
  package let outputs: [TensorID]
  /// The number of calls that stand before it in execution order.
  package let position: Int
}

extension Graph {
  /// The shape of a tensor, nil when it is not known.
  package func shape(of tensor: TensorID) -> PartialShape? {
    guard case .success(let shapes) = calls[tensor.call].outputShapes, shapes.indices.contains(tensor.output) else {
      return nil
    }
    return shapes[tensor.output]
  }

  /// Whether the call is an input of the model.
  package func isInput(_ call: Int) -> Bool { layers[calls[call].layer].className == "InputLayer" }

  /// Numbers of the calls that the tensors need, themselves included, in execution order.
  package func ancestors(of tensors: [TensorID]) -> [Int] {
    var needed = Set<Int>()
    var pending = tensors.map(\.call)
    while let call = pending.popLast() {
      if needed.insert(call).inserted { pending.append(contentsOf: calls[call].inputs.map(\.call)) }
    }
    return needed.sorted()
  }
}
