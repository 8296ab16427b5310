import H5ConvConfig
import H5ConvLayers
import H5ConvModelFiles

/// What goes into a layer, call by call, as text that does not depend on the version of Keras.
struct Connections {
  /// `conv1`, `conv1, conv2:1`, or with several calls `left; right`.
  let text: String

  /// - Parameter names: what layers are called in the text, where it is something else.
  init(_ layer: LayerSpec, in model: Architecture, names: [String: String]) {
    let isCommutative = ["Add", "Multiply", "Average", "Maximum", "Minimum"].contains(layer.className)
    let calls = layer.calls.map { call -> String in
      var inputs = Connections.inputs(call).map { Connections.name($0, in: model, names: names) }
      if isCommutative { inputs.sort() }
      return (inputs + Connections.constants(call.arguments, of: layer)).joined(separator: ", ")
    }
    text = calls.joined(separator: "; ")
  }

  /// The tensors as text.
  static func list(_ references: [TensorReference], in model: Architecture, names: [String: String]) -> String {
    references.map { name($0, in: model, names: names) }.joined(separator: ", ")
  }

  /// Names of the layers that the model's outputs need, when masks are left out.
  static func needed(_ model: Architecture) -> Set<String> {
    let layers = Dictionary(model.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var needed = Set<String>()
    var pending = model.outputs.map(\.layer)
    while let name = pending.popLast() {
      guard needed.insert(name).inserted, let layer = layers[name] else { continue }
      pending += layer.calls.flatMap(inputs).map(\.layer)
    }
    return needed
  }

  /// The tensors that go into a call, masks left out.
  private static func inputs(_ call: LayerCall) -> [TensorReference] {
    call.arguments.positional.flatMap(\.tensors)
      + call.arguments.keywords.filter { $0.name != "mask" }.flatMap(\.value.tensors)
  }

  /// Arguments that are no tensors and not what they are without being given.
  private static func constants(_ arguments: CallArguments<TensorReference>, of layer: LayerSpec) -> [String] {
    // Most layers do the same in training.
    let ignored = ["name", "mask"] + (CanonicalConfig.dependsOnTraining(layer.className) ? [] : ["training"])
    let positional = arguments.positional.compactMap { argument -> String? in
      guard let value = argument.value, !value.isNull else { return nil }
      return CanonicalConfig.cleaned(value).text()
    }
    return positional
      + arguments.keywords.sorted { $0.name < $1.name }.compactMap { keyword in
        guard let value = keyword.value.value, !value.isNull, value != false, !ignored.contains(keyword.name) else {
          return nil
        }
        return "\(keyword.name)=\(CanonicalConfig.cleaned(value).text())"
      }
  }

  private static func name(
    _ reference: TensorReference, in model: Architecture, names: [String: String]
  ) -> String {
    // Inputs by their place: a Sequential's has no name that counts.
    if let place = model.inputs.firstIndex(of: reference) { return "input \(place)" }
    return (names[reference.layer] ?? reference.layer) + (reference.call > 0 ? "@\(reference.call)" : "")
      + (reference.output > 0 ? ":\(reference.output)" : "")
  }
}
