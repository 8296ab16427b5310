import H5ConvConfig
import H5ConvLayers

/// Brings operations of tf.keras (`TFOpLambda`, `SlicingOpLambda`, and `TensorFlowOpLayer` up to TensorFlow 2.3) into layers, which
/// every Keras reads, or where no layer does the same, into operations of Keras 3.
struct OperationTranslator {
  let dialect: Dialect

  init(_ dialect: Dialect) { self.dialect = dialect }

  /// What such a layer computes, as its file calls it; nil for a layer of another kind.
  static func function(of layer: LayerSpec) -> String? {
    switch layer.className {
    case "TFOpLambda": return layer.config["function"]?.string ?? ""
    case "SlicingOpLambda": return "getitem"
    case "TensorFlowOpLayer":
      let node = layer.config["node_def"]
      return (node?["op"] ?? node?.string.flatMap { try? JSONParser.parse($0)["op"] })?.string ?? ""
    default: return nil
    }
  }

  /// The layers that do what `layer` does in all its calls, one after the other, the last of them under its name; nil when there
  /// are none.
  ///
  /// - Parameter fresh: makes a name of its own for another layer, from what is put behind the layer's.
  func layers(for layer: LayerSpec, fresh: (String) -> String) -> [LayerSpec]? {
    // Each use of an operation is a layer of its own; one with several calls was written by hand.
    guard layer.calls.count == 1, let arguments = layer.calls.first?.arguments,
      let steps = steps(for: layer, arguments), !steps.isEmpty
    else { return nil }
    let names = steps.indices.map { $0 == steps.count - 1 ? layer.name : fresh("_" + snakeCase(steps[$0].className)) }
    return zip(names, steps).enumerated().map { place, pair in
      let (name, step) = pair
      var config: JSONObject = ["name": .string(name)]
      if step.module == nil {
        config["trainable"] = true
        config["dtype"] = layer.config["dtype"]?.string.map { .string($0) } ?? "float32"
      }
      for (key, value) in step.config.members { config[key] = value }
      let arguments = step.arguments.map { reference in
        OperationStep.number(reference).map { TensorReference(layer: names[$0], call: 0, output: 0) } ?? reference
      }
      return LayerSpec(
        name: name, className: step.className, module: step.module ?? "keras.layers",
        registeredName: step.module == nil ? nil : step.className, config: config, isTrainable: true, nested: nil,
        calls: [LayerCall(arguments)])
    }
  }

  private func steps(
    for layer: LayerSpec, _ arguments: CallArguments<TensorReference>
  ) -> [OperationStep]? {
    switch layer.className {
    case "SlicingOpLambda": return slice(OperationArguments(arguments)).map { [$0] }
    case "TensorFlowOpLayer":
      guard let (function, arguments, isHalfPixel) = try? arguments.ofTensorFlowNode(layer.config),
        function != "resize" || isHalfPixel
      else { return nil }
      return steps(function, OperationArguments(arguments))
    default:
      let name = CallArguments<TensorReference>.plainName(layer.config["function"]?.string ?? "")
      return steps(name, OperationArguments(arguments))
    }
  }

  /// - Parameter function: what TensorFlow calls it, without module, underscores and `reduce_`, in lower case.
  private func steps(_ function: String, _ call: OperationArguments) -> [OperationStep]? {
    guard let x = call.first else { return nil }
    if let step = asLayer(function, x, call) { return [step] }
    return dialect == .keras3 ? asOperations(function, x, call) : nil
  }

  func layer(
    _ className: String, _ input: Argument<TensorReference>, _ config: JSONObject = [:]
  ) -> OperationStep {
    OperationStep(className: className, config: config, arguments: CallArguments([input]))
  }

  // MARK: - Layers

  private func asLayer(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> OperationStep? {
    switch function {
    case "add", "addv2", "subtract", "sub", "multiply", "mul":
      return arithmetic(function, x, call.argument("y", at: 1))
    case "truediv", "divide", "div", "realdiv": return quotient(x, call.argument("y", at: 1))
    case "addn":
      guard case .list(let items) = x, items.count > 1, items.allSatisfy({ $0.tensor != nil }) else { return nil }
      return layer("Add", x)
    case "maximum", "minimum": return extremum(function, x, call.argument("y", at: 1))
    case "neg", "negative": return rescaling(x, -1, 0)
    case "relu": return layer("ReLU", x)
    case "relu6": return layer("ReLU", x, ["max_value": 6.0])
    case "leakyrelu":
      let slope = call.value("alpha", at: 1) ?? 0.2
      return layer("LeakyReLU", x, [dialect == .portable ? "alpha" : "negative_slope": slope])
    case "elu", "selu", "sigmoid", "tanh", "softplus", "softsign": return activation(function, x)
    case "silu", "swish":
      guard call.value("beta", at: 1)?.number ?? 1 == 1 else { return nil }
      return activation("swish", x)
    case "exp": return activation("exponential", x)
    case "identity", "stopgradient", "converttotensor", "copy": return activation("linear", x)
    case "gelu": return call.value("approximate", at: 1)?.bool == true ? nil : activation("gelu", x)
    case "softmax":
      guard let axis = call.value("axis", "dim", at: 1)?.integer, axis != -1 else { return activation("softmax", x) }
      return layer("Softmax", x, ["axis": .int(axis)])
    case "concat", "concatenate": return concatenation(x, call)
    case "reshape": return reshape(x, call)
    case "transpose":
      guard let axes = call.ints("perm", at: 1), axes.first == 0, axes.count > 1 else { return nil }
      return layer("Permute", x, ["dims": .array(axes.dropFirst().map { .int($0) })])
    case "clipbyvalue":
      guard let low = call.value("clip_value_min", at: 1)?.number, low == 0,
        let high = call.value("clip_value_max", at: 2)?.number, high > 0
      else { return nil }
      return layer("ReLU", x, ["max_value": .double(high)])
    case "mean", "max": return globalPooling(function, x, call)
    case "resize": return resizing(x, call)
    case "pad": return padding(x, call)
    default: return pooling(function, x, call)
    }
  }

  private func activation(_ name: String, _ x: Argument<TensorReference>) -> OperationStep {
    layer("Activation", x, ["activation": .string(name)])
  }

  /// x ± y and x · y: of two tensors a merging layer, with a number a Rescaling.
  private func arithmetic(
    _ function: String, _ x: Argument<TensorReference>, _ y: Argument<TensorReference>?
  ) -> OperationStep? {
    guard let y else { return nil }
    let kind =
      ["sub": "Subtract", "subtract": "Subtract", "mul": "Multiply", "multiply": "Multiply"][function] ?? "Add"
    if x.tensor != nil, y.tensor != nil { return layer(kind, .list([x, y])) }
    guard let (tensor, number, isReversed) = OperationArguments.tensorAndNumber(x, y) else { return nil }
    switch kind {
    case "Add": return rescaling(tensor, 1, number)
    case "Multiply": return rescaling(tensor, number, 0)
    default: return isReversed ? rescaling(tensor, -1, number) : rescaling(tensor, 1, -number)
    }
  }

  private func quotient(_ x: Argument<TensorReference>, _ y: Argument<TensorReference>?) -> OperationStep? {
    // Keras 3 divides as TensorFlow does; a Rescaling by the inverse may differ in the last bit.
    guard dialect == .portable, let y, case (let tensor, let number, false)? = OperationArguments.tensorAndNumber(x, y),
      number != 0
    else { return nil }
    return rescaling(tensor, 1 / number, 0)
  }

  private func extremum(
    _ function: String, _ x: Argument<TensorReference>, _ y: Argument<TensorReference>?
  ) -> OperationStep? {
    guard let y else { return nil }
    if x.tensor != nil, y.tensor != nil {
      return layer(function == "maximum" ? "Maximum" : "Minimum", .list([x, y]))
    }
    guard case (let tensor, 0, _)? = OperationArguments.tensorAndNumber(x, y), function == "maximum" else { return nil }
    return layer("ReLU", tensor)
  }

  private func rescaling(_ x: Argument<TensorReference>, _ scale: Double, _ offset: Double) -> OperationStep {
    layer("Rescaling", x, ["scale": .double(scale), "offset": .double(offset)])
  }

  private func concatenation(_ x: Argument<TensorReference>, _ call: OperationArguments) -> OperationStep? {
    guard case .list(let items) = x, items.count > 1, items.allSatisfy({ $0.tensor != nil }),
      let axis = call.value("axis", at: 1)?.integer, axis != 0
    else { return nil }
    return layer("Concatenate", x, ["axis": .int(axis)])
  }

  private func reshape(_ x: Argument<TensorReference>, _ call: OperationArguments) -> OperationStep? {
    // The batch stays the batch when it is the axis that is left open.
    guard let sizes = call.ints("shape", at: 1), sizes.count > 1, sizes[0] == -1,
      sizes.dropFirst().allSatisfy({ $0 > 0 })
    else { return nil }
    return layer("Reshape", x, ["target_shape": .array(sizes.dropFirst().map { .int($0) })])
  }

  private func globalPooling(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> OperationStep? {
    guard call.ints("axis", "reduction_indices", at: 1) == [1, 2] else { return nil }
    return layer(
      function == "mean" ? "GlobalAveragePooling2D" : "GlobalMaxPooling2D", x,
      ["data_format": "channels_last", "keepdims": .bool(call.keepsAxes)])
  }

  private func resizing(_ x: Argument<TensorReference>, _ call: OperationArguments) -> OperationStep? {
    guard let size = call.ints("size", at: 1), size.count == 2, call.value("antialias") != true,
      call.value("preserve_aspect_ratio") != true
    else { return nil }
    let method = call.value("method", at: 2)?.string ?? "bilinear"
    guard ["bilinear", "nearest", "nearestneighbor", "bicubic", "lanczos3", "lanczos5"].contains(method) else {
      return nil
    }
    return layer(
      "Resizing", x,
      [
        "height": .int(size[0]), "width": .int(size[1]),
        "interpolation": .string(method == "nearestneighbor" ? "nearest" : method),
      ])
  }

  private func padding(_ x: Argument<TensorReference>, _ call: OperationArguments) -> OperationStep? {
    guard let pairs = call.value("paddings", at: 1)?.array,
      (call.value("mode", at: 2)?.string ?? "CONSTANT").uppercased() == "CONSTANT",
      (call.value("constant_values", at: 3)?.number ?? 0) == 0
    else { return nil }
    let sizes = pairs.map { $0.array?.compactMap(\.integer) ?? [] }
    guard sizes.count == 4, sizes.allSatisfy({ $0.count == 2 }), sizes[0] == [0, 0], sizes[3] == [0, 0] else {
      return nil
    }
    return layer("ZeroPadding2D", x, ["padding": .array([pairs[1], pairs[2]]), "data_format": "channels_last"])
  }

  /// `max_pool2d` and its like; the plain `max_pool` has a number for every axis.
  private func pooling(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> OperationStep? {
    let names = ["maxpool": "MaxPooling", "avgpool": "AveragePooling"]
    guard let stem = names.keys.first(where: function.hasPrefix), let className = names[stem] else { return nil }
    let given = [call.ints("ksize", at: 1), call.ints("strides", at: 2)]
    let rank =
      Int(function.dropFirst(stem.count).prefix { $0.isNumber }) ?? given.compactMap { $0?.count }.max().map { $0 - 2 }
    guard let rank, (1...3).contains(rank), call.value("data_format", at: 4)?.string?.hasPrefix("NC") != true,
      call.value("dilations") == nil
    else { return nil }
    let sizes = given.map { numbers -> [Int]? in
      guard let numbers else { return nil }
      if numbers.count == 1 { return Array(repeating: numbers[0], count: rank) }
      if numbers.count == rank { return numbers }
      return numbers.count == rank + 2 && numbers.first == 1 && numbers.last == 1 ? Array(numbers[1...rank]) : nil
    }
    guard let size = sizes[0], let strides = sizes[1],
      let padding = call.value("padding", at: 3)?.string?.lowercased(), ["valid", "same"].contains(padding)
    else { return nil }
    return layer(
      "\(className)\(rank)D", x,
      [
        "pool_size": .array(size.map { .int($0) }), "strides": .array(strides.map { .int($0) }),
        "padding": .string(padding), "data_format": "channels_last",
      ])
  }
}
