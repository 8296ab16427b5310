import H5ConvConfig
import H5ConvLayers

/// Brings operations of tf.keras (`TFOpLambda`, `SlicingOpLambda`) into layers, which every Keras reads, or where no layer does
/// the same, into operations of Keras 3.
struct OperationTranslator {
  private let dialect: Dialect

  init(_ dialect: Dialect) { self.dialect = dialect }

  /// The layer that does what `layer` does in all its calls; nil when there is none.
  func layers(for layer: LayerSpec) -> LayerSpec? {
    // Each use of an operation is a layer of its own; one with several calls was written by hand.
    guard layer.calls.count == 1, let call = layer.calls.first else { return nil }
    let arguments = CallReader(call.arguments)
    guard
      let made =
        layer.className == "SlicingOpLambda"
        ? slice(arguments) : made(ConfigReader.plainName(layer.config["function"]?.string ?? ""), arguments)
    else { return nil }
    var config: JSONObject = ["name": .string(layer.name)]
    if made.module == nil {
      config["trainable"] = true
      config["dtype"] = layer.config["dtype"]?.string.map { .string($0) } ?? "float32"
    }
    for (key, value) in made.config.members { config[key] = value }
    return LayerSpec(
      name: layer.name, className: made.className, module: made.module ?? "keras.layers",
      registeredName: made.module == nil ? nil : made.className, config: config, isTrainable: true, nested: nil,
      calls: [LayerCall(made.arguments)])
  }

  private struct Made {
    var className: String
    var config: JSONObject = [:]
    var arguments: CallArguments<TensorReference>
    /// The module of an operation of Keras 3; nil for a layer.
    var module: String?
  }

  /// What a call was given, by position or by name.
  private struct CallReader {
    let arguments: CallArguments<TensorReference>

    init(_ arguments: CallArguments<TensorReference>) { self.arguments = arguments }

    /// The argument with one of `names`; the first of all stands by position.
    func argument(_ names: String..., at place: Int? = nil) -> Argument<TensorReference>? {
      if let place, arguments.positional.indices.contains(place) { return arguments.positional[place] }
      return names.lazy.compactMap { name in arguments.keywords.first { $0.name == name }?.value }.first
    }

    var first: Argument<TensorReference>? { arguments.positional.first }

    func value(_ names: String...) -> JSONValue? {
      names.lazy.compactMap { name in arguments.keywords.first { $0.name == name }?.value.value }.first {
        !$0.isNull
      }
    }
  }

  private func layer(_ className: String, _ input: Argument<TensorReference>, _ config: JSONObject = [:]) -> Made {
    Made(className: className, config: config, arguments: CallArguments([input]))
  }

  /// An operation of Keras 3, where the dialect may have one.
  private func operation(
    _ module: String, _ className: String, _ inputs: [Argument<TensorReference>], _ config: JSONObject = [:]
  ) -> Made? {
    guard dialect == .keras3 else { return nil }
    return Made(
      className: className, config: config, arguments: CallArguments(inputs), module: "keras.src.ops.\(module)")
  }

  private func made(_ function: String, _ call: CallReader) -> Made? {
    // `math.add`, `__operators__.add`, `compat.v1.nn.relu`: the last word tells.
    let word = function.split(separator: ".").last.map(String.init) ?? function
    guard let x = call.first else { return nil }
    switch word {
    case "add", "subtract", "multiply", "sub", "mul": return arithmetic(word, x, call.argument("y", at: 1))
    case "truediv", "divide", "div", "realdiv", "div_no_nan": return quotient(x, call.argument("y", at: 1), word)
    case "maximum", "minimum": return extremum(word, x, call.argument("y", at: 1))
    case "relu": return layer("ReLU", x)
    case "relu6": return layer("ReLU", x, ["max_value": 6.0])
    case "leaky_relu":
      let slope = call.value("alpha") ?? 0.2
      return layer("LeakyReLU", x, [dialect == .portable ? "alpha" : "negative_slope": slope])
    case "elu", "selu", "sigmoid", "tanh", "softplus", "softsign", "silu", "swish", "softmax", "exp", "relu1":
      if word == "relu1" { return nil }
      if word == "softmax", let axis = call.value("axis")?.integer, axis != -1 {
        return layer("Softmax", x, ["axis": .int(axis)])
      }
      let name = word == "silu" ? "swish" : word == "exp" ? "exponential" : word
      return layer("Activation", x, ["activation": .string(name)])
    case "gelu":
      return call.value("approximate") == true
        ? operation("nn", "Gelu", [x], ["approximate": true]) : layer("Activation", x, ["activation": "gelu"])
    case "concat", "concatenate": return concatenation(x, call)
    case "reshape": return reshape(x, call)
    case "transpose": return transposition(x, call)
    case "clip_by_value": return clip(x, call)
    case "reduce_mean", "reduce_max", "mean", "max", "reduce_sum", "reduce_min", "sum", "min":
      return reduction(word, x, call)
    case "resize": return resizing(x, call)
    case "expand_dims": return operation("numpy", "ExpandDims", [x], ["axis": call.value("axis", "dim") ?? -1])
    case "squeeze": return operation("numpy", "Squeeze", [x], ["axis": call.value("axis") ?? .null])
    case "cast":
      guard let dtype = call.value("dtype")?.string, dtype.hasPrefix("float") else { return nil }
      return operation("core", "Cast", [x], ["dtype": .string(dtype)])
        ?? layer("Activation", x, ["activation": "linear"])
    case "identity", "stop_gradient", "convert_to_tensor": return layer("Activation", x, ["activation": "linear"])
    case "pad": return padding(x, call)
    case "abs": return operation("numpy", "Absolute", [x])
    case "sqrt": return operation("numpy", "Sqrt", [x])
    case "square": return operation("numpy", "Square", [x])
    case "rsqrt": return operation("math", "Rsqrt", [x])
    case "log": return operation("numpy", "Log", [x])
    case "negative", "neg": return layer("Rescaling", x, ["scale": -1.0, "offset": 0.0])
    case "pow":
      guard let exponent = call.argument("y", at: 1) else { return nil }
      return operation("numpy", "Power", [x, exponent])
    case "matmul":
      let changes = ["transpose_a", "transpose_b", "adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"]
      guard let y = call.argument("b", at: 1), !changes.contains(where: { call.value($0)?.bool == true }) else {
        return nil
      }
      return operation("numpy", "Matmul", [x, y])
    case "stack":
      return operation("numpy", "Stack", [x], ["axis": call.value("axis") ?? 0])
    case "tile":
      guard let repeats = call.value("multiples") else { return nil }
      return operation("numpy", "Tile", [x], ["repeats": repeats])
    default: return nil
    }
  }

  /// x ± y and x · y: of two tensors a merging layer, with a number a Rescaling.
  private func arithmetic(_ word: String, _ x: Argument<TensorReference>, _ y: Argument<TensorReference>?) -> Made? {
    guard let y else { return nil }
    let kind = word == "sub" ? "subtract" : word == "mul" ? "multiply" : word
    if x.tensor != nil, y.tensor != nil {
      let className = ["add": "Add", "subtract": "Subtract", "multiply": "Multiply"][kind] ?? "Add"
      return layer(className, .list([x, y]))
    }
    guard let (tensor, number, isReversed) = tensorAndNumber(x, y) else { return nil }
    switch kind {
    case "add": return rescaling(tensor, 1, number)
    case "multiply": return rescaling(tensor, number, 0)
    default: return isReversed ? rescaling(tensor, -1, number) : rescaling(tensor, 1, -number)
    }
  }

  private func quotient(_ x: Argument<TensorReference>, _ y: Argument<TensorReference>?, _ word: String) -> Made? {
    guard let y else { return nil }
    if case (let tensor, let number, false)? = tensorAndNumber(x, y), number != 0 {
      // Keras 3 divides as TensorFlow does; a Rescaling by the inverse may differ in the last bit.
      return operation("numpy", "TrueDivide", [tensor, .value(.double(number))]) ?? rescaling(tensor, 1 / number, 0)
    }
    return word == "div_no_nan" ? nil : operation("numpy", "TrueDivide", [x, y])
  }

  private func extremum(_ word: String, _ x: Argument<TensorReference>, _ y: Argument<TensorReference>?) -> Made? {
    guard let y else { return nil }
    let className = word == "maximum" ? "Maximum" : "Minimum"
    if x.tensor != nil, y.tensor != nil { return layer(className, .list([x, y])) }
    if case (let tensor, 0, _)? = tensorAndNumber(x, y), word == "maximum" { return layer("ReLU", tensor) }
    return operation("numpy", className, [x, y])
  }

  private func tensorAndNumber(
    _ x: Argument<TensorReference>, _ y: Argument<TensorReference>
  ) -> (tensor: Argument<TensorReference>, number: Double, isReversed: Bool)? {
    if x.tensor != nil, let number = y.value?.number { return (x, number, false) }
    if y.tensor != nil, let number = x.value?.number { return (y, number, true) }
    return nil
  }

  private func rescaling(_ x: Argument<TensorReference>, _ scale: Double, _ offset: Double) -> Made {
    layer("Rescaling", x, ["scale": .double(scale), "offset": .double(offset)])
  }

  private func concatenation(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard case .list(let items) = x, items.allSatisfy({ $0.tensor != nil }),
      let axis = call.argument("axis", at: 1)?.value?.integer, axis != 0
    else { return nil }
    return layer("Concatenate", x, ["axis": .int(axis)])
  }

  private func reshape(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard let shape = call.argument("shape", at: 1)?.value?.array, shape.count > 0 else { return nil }
    let sizes = shape.map(\.integer)
    // The batch stays the batch when it is the axis that is left open.
    guard !sizes.contains(nil) else { return nil }
    if sizes[0] == -1, sizes.dropFirst().allSatisfy({ ($0 ?? 0) > 0 }), sizes.count > 1 {
      return layer("Reshape", x, ["target_shape": .array(Array(shape.dropFirst()))])
    }
    return operation("numpy", "Reshape", [x], ["newshape": .array(shape)])
  }

  private func transposition(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard let axes = call.argument("perm", at: 1)?.value?.array?.compactMap(\.integer), axes.first == 0, axes.count > 1
    else { return nil }
    return layer("Permute", x, ["dims": .array(axes.dropFirst().map { .int($0) })])
  }

  private func clip(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard let low = call.argument("clip_value_min", at: 1)?.value?.number,
      let high = call.argument("clip_value_max", at: 2)?.value?.number
    else { return nil }
    if low == 0, high > 0 { return layer("ReLU", x, ["max_value": .double(high)]) }
    return operation("numpy", "Clip", [x], ["x_min": .double(low), "x_max": .double(high)])
  }

  private func reduction(_ word: String, _ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    let kind = word.hasPrefix("reduce_") ? String(word.dropFirst("reduce_".count)) : word
    let axis = call.argument("axis", at: 1)?.value ?? .null
    let keeps = call.value("keepdims", "keep_dims")?.bool ?? false
    let axes = axis.array?.compactMap(\.integer) ?? axis.integer.map { [$0] } ?? []
    if axes == [1, 2], kind == "mean" || kind == "max" {
      return layer(
        kind == "mean" ? "GlobalAveragePooling2D" : "GlobalMaxPooling2D", x,
        ["data_format": "channels_last", "keepdims": .bool(keeps)])
    }
    let className = ["mean": "Mean", "max": "Max", "sum": "Sum", "min": "Min"][kind] ?? "Mean"
    return operation("numpy", className, [x], ["axis": axis, "keepdims": .bool(keeps)])
  }

  private func resizing(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard let size = call.argument("size", at: 1)?.value?.array?.compactMap(\.integer), size.count == 2 else {
      return nil
    }
    let method = call.value("method")?.string ?? "bilinear"
    guard call.value("antialias") != true, call.value("preserve_aspect_ratio") != true,
      ["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"].contains(method),
      method != "area", method != "gaussian", method != "mitchellcubic"
    else { return nil }
    return layer(
      "Resizing", x, ["height": .int(size[0]), "width": .int(size[1]), "interpolation": .string(method)])
  }

  private func padding(_ x: Argument<TensorReference>, _ call: CallReader) -> Made? {
    guard let pairs = call.argument("paddings", at: 1)?.value?.array,
      (call.value("mode")?.string ?? "CONSTANT").uppercased() == "CONSTANT",
      (call.value("constant_values")?.number ?? 0) == 0
    else { return nil }
    let sizes = pairs.map { $0.array?.compactMap(\.integer) ?? [] }
    guard sizes.count == 4, sizes.allSatisfy({ $0.count == 2 }), sizes[0] == [0, 0], sizes[3] == [0, 0] else {
      return nil
    }
    return layer("ZeroPadding2D", x, ["padding": .array([pairs[1], pairs[2]]), "data_format": "channels_last"])
  }

  /// `x[…]`: only Keras 3 has an operation for it.
  private func slice(_ call: CallReader) -> Made? {
    guard let x = call.first, let parts = call.value("slice_spec")?.array, dialect == .keras3 else { return nil }
    let keys = parts.map { part -> JSONValue in
      if part.object?["start"] != nil || part.object?["stop"] != nil {
        func bound(_ name: String) -> JSONValue { part[name] ?? .null }
        return [
          "class_name": "__slice__", "config": ["start": bound("start"), "stop": bound("stop"), "step": bound("step")],
        ]
      }
      if part["class_name"]?.string == "__ellipsis__" || part["type"]?.string == "Ellipsis" || part == "..." {
        return ["class_name": "__ellipsis__", "config": [:]]
      }
      return part
    }
    return operation(
      "numpy", "GetItem", [x, .value(.array(keys))])
  }
}
