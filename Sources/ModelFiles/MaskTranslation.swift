import H5ConvConfig
import H5ConvLayers

extension ModelTranslator {
  /// A model of Keras 2 in which Keras 3 sends the masks that Keras 2 sent.
  ///
  /// Where it would not, the mask is computed in the graph and given: to a recurrent layer as its argument, behind a merging
  /// layer to a TimeDistributed that does nothing but send it along.
  mutating func sendMasks(_ model: Architecture, path: [String]) -> Architecture {
    guard configs.generation < 3, model.kind == .functional else { return model }
    let flow = MaskFlow(model)
    guard !flow.needsNothing else { return model }
    func name(_ place: CallPlace) -> String { (path + [place.layer]).joined(separator: "/") }
    guard dialect == .keras3 else {
      configs.problem(path.joined(separator: "/"), "masks that Keras 2 and 3 join differently")
      return model
    }
    // Each of them goes through the whole model.
    guard flow.given.count + flow.joins.count + flow.attention.count + flow.bare.count + flow.dropping.count <= 1000
    else {
      configs.problem(path.joined(separator: "/"), "more masks that Keras 2 and 3 join differently than are translated")
      return model
    }
    for place in flow.lost {
      configs.problem(
        name(place), "its mask is joined from several, by Keras 2 with 'and', by Keras 3 with 'or' or not at all")
    }
    var maker = MaskMaker(model)
    for (place, mask) in flow.given.sorted(by: { $0.key.layer < $1.key.layer }) {
      guard let made = maker.mask(mask) else { continue }
      maker.give(made, to: place)
      configs.note(name(place), "is given the mask of its sequence, which Keras 3 does not send along with states")
    }
    for (place, mask) in flow.joins.sorted(by: { $0.key.layer < $1.key.layer }) {
      guard model.layers.first(where: { $0.name == place.layer })?.calls.count == 1, let made = maker.mask(mask) else {
        configs.problem(name(place), "joins masks, by Keras 2 with 'and', by Keras 3 with 'or' or not at all")
        continue
      }
      maker.send(made, behind: place)
      configs.note(name(place), "its mask, which Keras 3 joins with 'or' or not at all, is computed and sent on")
    }
    for (place, references) in flow.bare.sorted(by: { $0.key.layer < $1.key.layer }) {
      maker.bare(references, for: place)
      configs.note(name(place), "works on copies of its inputs without masks, with which Keras 3 leaves steps out")
    }
    for (place, references) in flow.dropping.sorted(by: { $0.key.layer < $1.key.layer }) {
      maker.bare(references, for: place)
      configs.note(
        name(place), "works on a copy of its input without the mask, which Keras 3 hands on and Keras 2 does not")
    }
    for (place, references) in flow.attention.sorted(by: { $0.key.layer < $1.key.layer }) {
      maker.copy(references, for: place)
      configs.note(name(place), "works on copies of its inputs, whose masks Keras 3 takes off")
    }
    return maker.model
  }
}

/// Puts the computation of masks into a model.
private struct MaskMaker {
  private(set) var model: Architecture
  private var taken: Set<String>
  private var made: [Set<CallPlace>: TensorReference] = [:]

  init(_ model: Architecture) {
    self.model = model
    taken = Set(model.layers.map(\.name))
  }

  /// The tensor of a mask that is made anew.
  mutating func mask(_ mask: TensorMask) -> TensorReference? {
    guard mask.isPlain, !mask.makers.isEmpty else { return nil }
    if let known = made[mask.makers] { return known }
    var parts: [TensorReference] = []
    for maker in mask.makers.sorted(by: { ($0.layer, $0.call) < ($1.layer, $1.call) }) {
      guard let part = made[[maker]] ?? self.part(maker) else { return nil }
      made[[maker]] = part
      parts.append(part)
    }
    let joined = parts.dropFirst().reduce(parts[0]) { left, right in
      operation("LogicalAnd", parts[0].layer + "_and", [.tensor(left), .tensor(right)])
    }
    made[mask.makers] = joined
    return joined
  }

  /// The mask that a Masking or an Embedding makes.
  private mutating func part(_ maker: CallPlace) -> TensorReference? {
    guard let layer = model.layers.first(where: { $0.name == maker.layer }), layer.calls.indices.contains(maker.call),
      let input = layer.calls[maker.call].inputs.first
    else { return nil }
    guard layer.className == "Masking" else {
      return operation("NotEqual", layer.name + "_mask", [.tensor(input), .value(0)])
    }
    let value = layer.config["mask_value"].map(ConfigReader.unwrapped) ?? 0.0
    let differs = operation("NotEqual", layer.name + "_differs", [.tensor(input), .value(value)])
    return operation("Any", layer.name + "_mask", [.tensor(differs)], ["axis": -1, "keepdims": false])
  }

  private mutating func operation(
    _ className: String, _ name: String, _ inputs: [Argument<TensorReference>], _ fields: JSONObject = [:]
  ) -> TensorReference {
    let name = ModelTranslator.fresh(name, &taken)
    var config: JSONObject = ["name": .string(name)]
    for (key, value) in fields.members { config[key] = value }
    model.layers.append(
      LayerSpec(
        name: name, className: className, module: OperationModules.module(of: className), registeredName: className,
        config: config, isTrainable: true, nested: nil, calls: [LayerCall(CallArguments(inputs))]))
    return TensorReference(layer: name, call: 0, output: 0)
  }

  mutating func give(_ mask: TensorReference, to place: CallPlace) {
    guard let layer = model.layers.firstIndex(where: { $0.name == place.layer }) else { return }
    var arguments = model.layers[layer].calls[place.call].arguments
    arguments.keywords.removeAll { $0.name == "mask" }
    arguments.keywords.append(KeywordArgument(name: "mask", value: .tensor(mask)))
    model.layers[layer].calls[place.call].arguments = arguments
  }

  /// Leads all that takes what the layer at `place` gives through a layer that sends `mask` along with it.
  mutating func send(_ mask: TensorReference, behind place: CallPlace) {
    let source = TensorReference(layer: place.layer, call: place.call, output: 0)
    let sender = sender(place.layer + "_masked", source, mask)
    for layer in model.layers.indices where model.layers[layer].name != sender.layer {
      for call in model.layers[layer].calls.indices {
        let arguments = model.layers[layer].calls[call].arguments
        model.layers[layer].calls[call].arguments = arguments.map { $0 == source ? sender : $0 }
      }
    }
  }

  /// Lets the attention at `place` read copies of `references`.
  mutating func copy(_ references: [TensorReference], for place: CallPlace) {
    replace(references, for: place) { maker, reference in maker.sender(place.layer + "_input", reference, nil) }
  }

  /// Lets the layer at `place` read `references` without their masks, which operations do not hand on.
  mutating func bare(_ references: [TensorReference], for place: CallPlace) {
    replace(references, for: place) { maker, reference in
      maker.operation("Copy", reference.layer + "_bare", [.tensor(reference)])
    }
  }

  private mutating func replace(
    _ references: [TensorReference], for place: CallPlace,
    _ make: (inout MaskMaker, TensorReference) -> TensorReference
  ) {
    guard let layer = model.layers.firstIndex(where: { $0.name == place.layer }) else { return }
    // What it reads may come from behind a merging layer by now.
    let inputs = model.layers[layer].calls[place.call].inputs
    for reference in Set(inputs).sorted(by: { ($0.layer, $0.call) < ($1.layer, $1.call) })
    where references.contains(where: { $0 == reference || reference.layer.hasPrefix($0.layer + "_masked") }) {
      let copy = make(&self, reference)
      let arguments = model.layers[layer].calls[place.call].arguments
      model.layers[layer].calls[place.call].arguments = arguments.map { $0 == reference ? copy : $0 }
    }
  }

  /// A layer that gives what it gets, with `mask`, or the mask that comes with it.
  private mutating func sender(_ name: String, _ source: TensorReference, _ mask: TensorReference?) -> TensorReference {
    let name = ModelTranslator.fresh(name, &taken)
    let dtype = model.layers.first { $0.name == source.layer }?.config["dtype"] ?? "float32"
    let inner: JSONValue = [
      "module": "keras.layers", "class_name": "Activation", "registered_name": .null,
      "config": ["name": .string(name + "_step"), "trainable": true, "dtype": dtype, "activation": "linear"],
    ]
    let keywords = mask.map { [KeywordArgument(name: "mask", value: Argument.tensor($0))] } ?? []
    model.layers.append(
      LayerSpec.made(
        name, "TimeDistributed", ["layer": inner], dtype: dtype,
        calls: [LayerCall(CallArguments([.tensor(source)], keywords: keywords))]))
    return TensorReference(layer: name, call: 0, output: 0)
  }
}
