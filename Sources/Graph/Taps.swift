/// A tensor of a graph that can be asked for by name.
package struct Tap: Sendable {
  /// `name`, `outer/inner`, `name@1` for a second call, `name:1` for a second output.
  package let key: String
  /// Class of the layer or nested model.
  package let className: String
  package let tensor: TensorID
  /// Which output of the layer or nested model it is.
  package let output: Int
  /// Place of the layer in execution order, from 0: Keras' `get_layer(index=…)` in a model without nested ones.
  package let index: Int
  /// Whether it is a network input.
  package let isInput: Bool
  /// Whether not the output is meant but what the activation at the layer's end is computed of.
  package var isBeforeActivation = false

  /// The class, and whether the layer's activation is left out.
  package var classDescription: String { isBeforeActivation ? "\(className) before its activation" : className }
}

extension Graph {
  /// Everything that can be asked for, in execution order; a nested model follows the layers inside it.
  package var taps: [Tap] {
    var taps: [Tap] = []
    var index = 0
    var models = modelCalls[...]
    func addModels(before position: Int) {
      while let model = models.first, model.position <= position {
        add(key: model.key, className: model.className, tensors: model.outputs, isInput: false)
        models.removeFirst()
      }
    }
    func add(key: String, className: String, tensors: [TensorID], isInput: Bool) {
      for (output, tensor) in tensors.enumerated() {
        taps.append(
          Tap(
            key: output == 0 ? key : "\(key):\(output)", className: className, tensor: tensor, output: output,
            index: index,
            isInput: isInput))
      }
      index += 1
    }
    for (number, call) in calls.enumerated() {
      addModels(before: number)
      guard call.isListed else { continue }
      let count = if case .success(let shapes) = call.outputShapes { max(1, shapes.count) } else { 1 }
      add(
        key: call.key, className: layers[call.layer].className,
        tensors: (0..<count).map { TensorID(call: number, output: $0) }, isInput: isInput(number))
    }
    addModels(before: calls.count)
    return taps
  }
}
