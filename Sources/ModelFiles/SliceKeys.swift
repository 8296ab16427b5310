import H5ConvConfig
import H5ConvLayers

extension Architecture {
  /// The model with slices that need no `...`, which Keras 3 does not read in legacy files.
  ///
  /// `x[:, ..., 1:3]` becomes: the last axis moved behind the first, `[:, 1:3]`, the axis moved back. The layer's name goes to
  /// the last of them.
  func withoutEllipses() -> Architecture {
    var model = self
    var taken = Set(layers.map(\.name))
    model.layers = layers.flatMap { layer -> [LayerSpec] in
      var layer = layer
      layer.nested = layer.nested?.withoutEllipses()
      guard layer.isOperation, layer.className == "GetItem", layer.calls.count == 1,
        case (let tensor, let key?)? = layer.calls.first.flatMap(SliceKey.read), key.hasEllipsis
      else { return [layer] }
      return key.steps(of: layer, on: tensor) { suffix in
        var candidate = layer.name + suffix
        while !taken.insert(candidate).inserted { candidate += "_" }
        return candidate
      }
    }
    return model
  }
}

/// What stands between the brackets of a slice, around its `...`.
private struct SliceKey {
  private var leading: [JSONValue] = []
  private var trailing: [JSONValue] = []
  private(set) var hasEllipsis = false

  /// The tensor that is sliced and the key, by position or by name.
  static func read(_ call: LayerCall) -> (tensor: Argument<TensorReference>, key: SliceKey?)? {
    guard let tensor = call.arguments.argument("x", at: 0), tensor.tensor != nil,
      let value = call.arguments.argument("key", at: 1)?.value
    else { return nil }
    let items = value.array ?? (value["class_name"] == "__tuple__" ? value["config"]?["value"]?.array : nil) ?? [value]
    return (tensor, SliceKey(items))
  }

  private init?(_ items: [JSONValue]) {
    for item in items {
      if item["class_name"] == "__ellipsis__" {
        guard !hasEllipsis else { return nil }
        hasEllipsis = true
      } else if !item.isNull, item.integer == nil, item["class_name"] != "__slice__" {
        return nil  // an array of places
      } else if hasEllipsis {
        trailing.append(item)
      } else {
        leading.append(item)
      }
    }
  }

  func steps(
    of layer: LayerSpec, on tensor: Argument<TensorReference>, fresh: (String) -> String
  ) -> [LayerSpec] {
    // What is taken from the input, and what is left of it: a number takes an axis, null makes one.
    func taken(_ items: [JSONValue]) -> Int { items.count { !$0.isNull } }
    func left(_ items: [JSONValue]) -> Int { items.count { $0.integer == nil } }
    var steps: [LayerSpec] = []
    func add(_ className: String, _ config: JSONObject, _ arguments: [Argument<TensorReference>], _ name: String) {
      var fields: JSONObject = ["name": .string(name)]
      for (key, value) in config.members { fields[key] = value }
      steps.append(
        LayerSpec(
          name: name, className: className, module: OperationModules.module(of: className), registeredName: className,
          config: fields, isTrainable: true, nested: nil, calls: [LayerCall(CallArguments(arguments))]))
    }
    func move(_ source: Range<Int>, _ target: Range<Int>, _ name: String, _ tensor: Argument<TensorReference>) {
      add(
        "Moveaxis",
        ["source": .array(source.map { .int($0) }), "destination": .array(target.map { .int($0) })], [tensor], name)
    }
    func last() -> Argument<TensorReference> {
      .tensor(TensorReference(layer: steps[steps.count - 1].name, call: 0, output: 0))
    }
    let count = taken(trailing)
    var input = tensor
    if count > 0 {
      move(-count..<0, taken(leading)..<taken(leading) + count, fresh("_axes"), tensor)
      input = last()
    }
    let moved = left(trailing)
    add(
      "GetItem", [:], [input, .value(.array(leading + trailing))], moved > 0 ? fresh("_part") : layer.name)
    if moved > 0 { move(left(leading)..<left(leading) + moved, -moved..<0, layer.name, last()) }
    return steps
  }
}
