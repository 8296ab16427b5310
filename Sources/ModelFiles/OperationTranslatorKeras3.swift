import H5ConvConfig
import H5ConvLayers

extension OperationTranslator {
  private static let unary = [
    "abs": "Absolute", "square": "Square", "sqrt": "Sqrt", "rsqrt": "Rsqrt", "reciprocal": "Reciprocal",
    "inv": "Reciprocal",
    "expm1": "Expm1", "log": "Log", "log1p": "Log1p", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Arcsin",
    "acos": "Arccos", "atan": "Arctan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Arcsinh", "acosh": "Arccosh",
    "atanh": "Arctanh", "erf": "Erf", "floor": "Floor", "ceil": "Ceil", "sign": "Sign", "logicalnot": "LogicalNot",
    "isnan": "Isnan", "isfinite": "Isfinite", "isinf": "Isinf", "zeroslike": "ZerosLike", "oneslike": "OnesLike",
    "round": "Round",
  ]

  private static let binary = [
    "add": "Add", "subtract": "Subtract", "sub": "Subtract", "multiply": "Multiply", "mul": "Multiply",
    "truediv": "TrueDivide", "divide": "TrueDivide", "div": "TrueDivide", "realdiv": "TrueDivide",
    "dividenonan": "DivideNoNan", "maximum": "Maximum", "minimum": "Minimum", "pow": "Power", "floordiv": "FloorDivide",
    "mod": "Mod", "floormod": "Mod", "atan2": "Arctan2", "equal": "Equal", "notequal": "NotEqual",
    "greater": "Greater", "greaterequal": "GreaterEqual", "less": "Less", "lessequal": "LessEqual",
    "logicaland": "LogicalAnd", "logicalor": "LogicalOr", "logicalxor": "LogicalXor",
  ]

  private static let reductions = [
    "mean": "Mean", "max": "Max", "sum": "Sum", "min": "Min", "prod": "Prod", "all": "All", "any": "Any",
    "variance": "Var", "std": "Std", "logsumexp": "Logsumexp",
  ]

  /// The operations of Keras 3 that do what a function of TensorFlow does.
  func asOperations(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> [OperationStep]? {
    if let name = OperationTranslator.unary[function] {
      return [operation(name, [x], function == "round" ? ["decimals": 0] : [:])]
    }
    if let name = OperationTranslator.binary[function], let y = call.argument("y", at: 1) {
      return [operation(name, [array(x), array(y)])]
    }
    if let name = OperationTranslator.reductions[function] {
      return [
        operation(
          name, [x], ["axis": axis(call, "axis", "reduction_indices", at: 1), "keepdims": .bool(call.keepsAxes)])
      ]
    }
    switch function {
    case "squareddifference":
      guard let y = call.argument("y", at: 1) else { return nil }
      return [operation("Subtract", [array(x), array(y)]), operation("Square", [OperationStep.result(0)])]
    case "biasadd":
      guard let bias = call.argument("bias", at: 1), call.value("data_format", at: 2)?.string?.hasPrefix("NC") != true
      else { return nil }
      return [operation("Add", [x, array(bias)])]
    case "gelu": return [operation("Gelu", [x], ["approximate": true])]
    case "logsoftmax": return [operation("LogSoftmax", [x], ["axis": call.value("axis", at: 1) ?? -1])]
    case "clipbyvalue":
      guard let low = call.value("clip_value_min", at: 1), let high = call.value("clip_value_max", at: 2) else {
        return nil
      }
      return [operation("Clip", [x], ["x_min": low, "x_max": high])]
    case "cast":
      guard let dtype = call.value("dtype", at: 1)?.string else { return nil }
      return [operation("Cast", [x], ["dtype": .string(dtype)])]
    case "where":
      guard let a = call.argument("x", at: 1), let b = call.argument("y", at: 2) else { return nil }
      return [operation("Where", [x, array(a), array(b)])]
    case "argmax", "argmin":
      return [operation(function == "argmax" ? "Argmax" : "Argmin", [x], ["axis": call.value("axis", at: 1) ?? 0])]
    case "cumsum":
      guard call.value("exclusive")?.bool != true, call.value("reverse")?.bool != true else { return nil }
      return [operation("Cumsum", [x], ["axis": call.value("axis", at: 1) ?? 0])]
    case "onehot":
      guard let depth = call.value("depth", at: 1), (call.value("axis")?.integer ?? -1) == -1,
        call.value("on_value") == nil, call.value("off_value") == nil
      else { return nil }
      return [operation("OneHot", [x], ["num_classes": depth, "axis": -1, "dtype": "float32"])]
    case "l2normalize", "normalize": return normalization(function, x, call)
    case "norm": return norm(x, call)
    case "matmul": return product(x, call)
    case "tensordot":
      guard let y = call.argument("b", at: 1), let axes = call.value("axes", at: 2) else { return nil }
      return [operation("Tensordot", [x, array(y)], ["axes": axes])]
    case "einsum":
      guard let equation = x.value?.string else { return nil }
      let operands = Array(call.all.positional.dropFirst())
      return operands.isEmpty ? nil : [operation("Einsum", operands, ["subscripts": .string(equation)])]
    case "depthtospace", "spacetodepth":
      guard let size = call.value("block_size", at: 1), call.value("data_format")?.string.map({ $0 == "NHWC" }) ?? true
      else { return nil }
      return [
        operation(
          function == "depthtospace" ? "DepthToSpace" : "SpaceToDepth", [x],
          ["block_size": size, "data_format": "channels_last"])
      ]
    default: return shaping(function, x, call)
    }
  }

  // MARK: - Shapes and places

  private func shaping(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> [OperationStep]? {
    switch function {
    case "getitem": return slice(call).map { [$0] }
    case "slice":
      guard let begin = call.ints("begin", at: 1), let size = call.ints("size", at: 2), begin.count == size.count else {
        return nil
      }
      let key = zip(begin, size).map { begin, size -> JSONValue in
        SliceBounds.object(.int(begin), size < 0 ? .null : .int(begin + size), .null)
      }
      return [operation("GetItem", [x, .value(.array(key))])]
    case "reshape":
      guard let shape = call.ints("shape", at: 1), !shape.isEmpty else { return nil }
      return [operation("Reshape", [x], ["newshape": .array(shape.map { .int($0) })])]
    case "transpose": return [operation("Transpose", [x], ["axes": call.value("perm", at: 1) ?? .null])]
    case "expanddims": return [operation("ExpandDims", [x], ["axis": axis(call, "axis", "dim", at: 1)])]
    case "squeeze": return [operation("Squeeze", [x], ["axis": axis(call, "axis", "squeeze_dims", at: 1)])]
    case "concat", "concatenate":
      guard case .list(let items) = x, let axis = call.value("axis", at: 1)?.integer else { return nil }
      return [operation("Concatenate", [.list(items.map { array($0) })], ["axis": .int(axis)])]
    case "stack":
      guard case .list(let items) = x else { return nil }
      return [operation("Stack", [.list(items.map { array($0) })], ["axis": call.value("axis", at: 1) ?? 0])]
    case "unstack":
      return [
        operation("Unstack", [x], ["num": call.value("num", at: 1) ?? .null, "axis": call.value("axis", at: 2) ?? 0])
      ]
    case "split": return split(x, call)
    case "tile":
      guard let times = call.value("multiples", at: 1) else { return nil }
      return [operation("Tile", [x], ["repeats": times])]
    case "repeat":
      guard let times = call.value("repeats", at: 1), let axis = call.value("axis", at: 2) else { return nil }
      return [operation("Repeat", [x], ["repeats": times, "axis": axis])]
    case "broadcastto":
      guard let shape = call.ints("shape", at: 1) else { return nil }
      return [operation("BroadcastTo", [x], ["shape": .array(shape.map { .int($0) })])]
    case "reverse":
      guard let axes = call.ints("axis", at: 1) else { return nil }
      return [operation("Flip", [x], ["axis": axes.count == 1 ? .int(axes[0]) : .array(axes.map { .int($0) })])]
    case "roll":
      guard let shift = call.value("shift", at: 1), let axis = call.value("axis", at: 2) else { return nil }
      return [operation("Roll", [x], ["shift": shift, "axis": axis])]
    case "gather":
      guard let indices = call.argument("indices", at: 1), (call.value("batch_dims")?.integer ?? 0) == 0 else {
        return nil
      }
      // By position the function's third argument is another than the node's.
      return [operation("Take", [array(x), array(indices, "int32")], ["axis": call.value("axis", at: 2) ?? 0])]
    case "pad":
      guard let pairs = call.value("paddings", at: 1) else { return nil }
      let mode = (call.value("mode", at: 2)?.string ?? "constant").lowercased()
      var step = operation("Pad", [x], ["pad_width": pairs, "mode": .string(mode)])
      if mode == "constant", let filling = call.value("constant_values", at: 3)?.number, filling != 0 {
        step.arguments.keywords.append(KeywordArgument(name: "constant_values", value: .value(.double(filling))))
      }
      return [step]
    default: return nil
    }
  }

  /// TensorFlow tells how long the parts are, Keras 3 where they begin.
  private func split(_ x: Argument<TensorReference>, _ call: OperationArguments) -> [OperationStep]? {
    guard let parts = call.ints("num_or_size_splits", at: 1) else { return nil }
    let isCount = call.value("num_or_size_splits", at: 1)?.integer != nil
    // A part of length -1 takes what is left; where the others begin behind it, nobody knows here.
    guard isCount || parts.dropLast().allSatisfy({ $0 >= 0 }) else { return nil }
    var starts: [Int] = []
    for part in parts.dropLast() { starts.append((starts.last ?? 0) + part) }
    return [
      operation(
        "Split", [x],
        [
          "indices_or_sections": isCount ? .int(parts[0]) : .array(starts.map { .int($0) }),
          "axis": call.value("axis", at: 2) ?? 0,
        ])
    ]
  }

  /// `x[…]`.
  func slice(_ call: OperationArguments) -> OperationStep? {
    guard let x = call.first, let parts = call.value("slice_spec", at: 1)?.array, dialect == .keras3 else { return nil }
    let key = parts.map { part -> JSONValue in
      if part.object?["start"] != nil || part.object?["stop"] != nil {
        return SliceBounds.object(part["start"] ?? .null, part["stop"] ?? .null, part["step"] ?? .null)
      }
      if part["class_name"]?.string == "__ellipsis__" || part["type"]?.string == "Ellipsis" || part == "..." {
        return ["class_name": "__ellipsis__", "config": [:]]
      }
      return part
    }
    return operation("GetItem", [x, .value(.array(key))])
  }

  // MARK: - Norms and products

  private func normalization(
    _ function: String, _ x: Argument<TensorReference>, _ call: OperationArguments
  ) -> [OperationStep]? {
    // `tf.linalg.normalize` gives the norm too.
    guard function == "l2normalize" else { return nil }
    let epsilon = call.value("epsilon", at: 2)?.number ?? 1e-12
    // TensorFlow bounds the square of the length, Keras the length.
    return [
      operation(
        "Normalize", [x],
        ["axis": axis(call, "axis", "dim", at: 1), "order": 2, "epsilon": .double(epsilon.squareRoot())])
    ]
  }

  private func norm(_ x: Argument<TensorReference>, _ call: OperationArguments) -> [OperationStep]? {
    let axis = axis(call, "axis", at: 2)
    let order = call.value("ord", at: 1) ?? "euclidean"
    guard order == "euclidean" || order.integer == 2 && axis.integer != nil else { return nil }
    return [operation("Norm", [x], ["ord": .null, "axis": axis, "keepdims": .bool(call.keepsAxes)])]
  }

  private func product(_ x: Argument<TensorReference>, _ call: OperationArguments) -> [OperationStep]? {
    guard let y = call.argument("b", at: 1),
      !["a_is_sparse", "b_is_sparse"].contains(where: { call.value($0)?.bool == true })
    else { return nil }
    var steps: [OperationStep] = []
    let operands = [(x, "a"), (y, "b")].map { operand, side in
      guard ["transpose_", "adjoint_"].contains(where: { call.value($0 + side)?.bool == true }) else {
        return array(operand)
      }
      steps.append(operation("Swapaxes", [array(operand)], ["axis1": -1, "axis2": -2]))
      return OperationStep.result(steps.count - 1)
    }
    return steps + [operation("Matmul", operands)]
  }

  // MARK: - Words of Keras 3

  private func operation(
    _ className: String, _ inputs: [Argument<TensorReference>], _ config: JSONObject = [:]
  ) -> OperationStep {
    OperationStep(
      className: className, config: config, arguments: CallArguments(inputs),
      module: OperationModules.module(of: className) ?? "keras.src.ops.numpy")
  }

  /// An argument of which a list of numbers is an array.
  private func array(_ argument: Argument<TensorReference>, _ dtype: String = "float32") -> Argument<TensorReference> {
    guard let value = argument.value.map(ConfigReader.unwrapped), value.array != nil else { return argument }
    return .value(["class_name": "__numpy__", "config": ["value": value, "dtype": .string(dtype)]])
  }

  /// An axis, or a list of several.
  private func axis(_ call: OperationArguments, _ names: String..., at place: Int) -> JSONValue {
    let found = names.lazy.compactMap { call.ints($0, at: place) }.first
    guard let found else { return .null }
    return found.count == 1 ? .int(found[0]) : .array(found.map { .int($0) })
  }
}

enum SliceBounds {
  /// `start:stop:step` as Keras 3 writes it.
  static func object(_ start: JSONValue, _ stop: JSONValue, _ step: JSONValue) -> JSONValue {
    ["class_name": "__slice__", "config": ["start": start, "stop": stop, "step": step]]
  }
}
