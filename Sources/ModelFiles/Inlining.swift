package import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers

extension Architecture {
  /// The part of the model that computes `outputs`, with only the calls that they need.
  ///
  /// - Parameters:
  ///   - cuts: calls of layers at which the part begins: what goes into them becomes an input.
  ///   - shape: the shape of a tensor of this model, batch first, as the config of an input has it.
  /// - Throws: `H5ConvError` of kind `usage` when the outputs also need what does not pass through the cuts.
  package func pruned(
    to outputs: [TensorReference], from cuts: [TensorReference], shape: (TensorReference) throws -> JSONValue
  ) throws -> Architecture {
    var model = self
    model.kind = .functional
    model.className = "Functional"
    var newInputs: [TensorReference] = []
    if !cuts.isEmpty { newInputs = try model.cut(at: cuts, shape: shape) }
    let places = Dictionary(model.layers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    struct Node: Hashable {
      let layer: Int
      let call: Int
    }
    var needed = Set<Node>()
    var pending = outputs
    while let reference = pending.popLast() {
      guard let layer = places[reference.layer], model.layers[layer].calls.indices.contains(reference.call) else {
        throw H5ConvError(.badData, "call \(reference.call) of '\(reference.layer)' does not exist")
      }
      if needed.insert(Node(layer: layer, call: reference.call)).inserted {
        pending += model.layers[layer].calls[reference.call].inputs
      }
    }
    // Calls that stay are numbered anew.
    var numbers: [Node: Int] = [:]
    for (layer, spec) in model.layers.enumerated() {
      let kept = spec.calls.indices.filter { needed.contains(Node(layer: layer, call: $0)) }
      for (number, call) in kept.enumerated() { numbers[Node(layer: layer, call: call)] = number }
    }
    func renumbered(_ reference: TensorReference) -> TensorReference {
      guard let layer = places[reference.layer], let number = numbers[Node(layer: layer, call: reference.call)] else {
        return reference
      }
      return TensorReference(layer: reference.layer, call: number, output: reference.output)
    }
    let kept = (newInputs.isEmpty ? inputs : newInputs + inputs).filter { reference in
      places[reference.layer].map { needed.contains(Node(layer: $0, call: reference.call)) } ?? false
    }
    if !cuts.isEmpty, let other = kept.first(where: { !newInputs.contains($0) }) {
      throw H5ConvError(
        .usage,
        "the outputs also need the input '\(other.layer)', which does not pass through \(cuts.map(\.layer).joined(separator: ", "))",
        remedy: "begin at a layer that all ways lead through, or name several, as --from a,b")
    }
    model.layers = model.layers.enumerated().compactMap { place, spec in
      var spec = spec
      spec.calls = spec.calls.indices.filter { needed.contains(Node(layer: place, call: $0)) }.map {
        LayerCall(spec.calls[$0].arguments.map(renumbered))
      }
      return spec.calls.isEmpty ? nil : spec
    }
    func structure(_ references: [TensorReference]) -> Argument<TensorReference> {
      references.count == 1 ? .tensor(references[0]) : .list(references.map { .tensor($0) })
    }
    model.inputStructure = structure(kept)
    model.outputStructure = structure(outputs.map(renumbered))
    return model
  }

  /// Gives each of the calls `cuts` inputs of its own.
  private mutating func cut(
    at cuts: [TensorReference], shape: (TensorReference) throws -> JSONValue
  ) throws -> [TensorReference] {
    var made: [TensorReference: TensorReference] = [:]
    var order: [TensorReference] = []
    var taken = Set(layers.map(\.name))
    for cut in cuts {
      let name = cut.layer
      guard let place = layers.firstIndex(where: { $0.name == name }), layers[place].calls.indices.contains(cut.call)
      else { throw H5ConvError(.badData, "call \(cut.call) of '\(name)' does not exist") }
      let call = layers[place].calls[cut.call]
      if layers[place].className == "InputLayer" {
        let reference = TensorReference(layer: name, call: 0, output: 0)
        if !order.contains(reference) { order.append(reference) }
        continue
      }
      for reference in call.inputs where made[reference] == nil {
        var input = "\(name)_input"
        while !taken.insert(input).inserted { input += "_" }
        made[reference] = TensorReference(layer: input, call: 0, output: 0)
        order.append(TensorReference(layer: input, call: 0, output: 0))
        layers.append(
          LayerSpec(
            name: input, className: "InputLayer", module: "keras.layers", registeredName: nil,
            config: ["batch_shape": try shape(reference), "dtype": "float32", "name": .string(input)],
            isTrainable: true, nested: nil, calls: [LayerCall(CallArguments())]))
      }
      layers[place].calls[cut.call].arguments = call.arguments.map { made[$0] ?? $0 }
    }
    return order
  }
}

extension Architecture {
  /// The model with `prefix` before the names of its layers, not of those inside nested models.
  package func prefixed(_ prefix: String) -> Architecture {
    func renamed(_ reference: TensorReference) -> TensorReference {
      TensorReference(layer: prefix + reference.layer, call: reference.call, output: reference.output)
    }
    var model = self
    model.layers = layers.map { layer in
      var layer = layer
      layer.name = prefix + layer.name
      layer.config["name"] = .string(layer.name)
      layer.calls = layer.calls.map { LayerCall($0.arguments.map(renamed)) }
      return layer
    }
    model.inputStructure = inputStructure.map(renamed)
    model.outputStructure = outputStructure.map(renamed)
    return model
  }
}
