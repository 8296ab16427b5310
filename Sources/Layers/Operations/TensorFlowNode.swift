package import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension CallArguments {
  /// The call of a `TensorFlowOpLayer` with `config` as one of the function that makes such nodes: its plain name, as `mean` for
  /// `Mean`, and what it is called with.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` for nodes that are not understood.
  package func ofTensorFlowNode(
    _ config: JSONObject
  ) throws -> (function: String, arguments: CallArguments<Tensor>, resizesByHalfPixels: Bool) {
    let reader = ConfigReader(config, at: "layer", generation: 2)
    let node = try NodeDefinition(reader)
    let inputs = try node.inputs(self)
    guard node.operation.hasPrefix("Resize") else {
      let (name, arguments) = try TensorFlowNode(reader).function(inputs)
      return (OperationTable.plainName(name), arguments, false)
    }
    let method = KeywordArgument<Tensor>(
      name: "method", value: .value(.string(node.operation.dropFirst(6).filter { $0 != "V" && $0 != "2" }.lowercased()))
    )
    return ("resize", CallArguments(inputs, keywords: [method]), node.flag("half_pixel_centers"))
  }

  /// `math.reduce_mean` is `mean`: what names of functions are told apart by.
  package static func plainName(_ function: String) -> String { OperationTable.plainName(function) }
}

/// An operation of TensorFlow's graph as a layer, `TensorFlowOpLayer`: computed as the function that makes such nodes.
struct TensorFlowNode: Layer {
  private let node: NodeDefinition

  init(_ config: ConfigReader) throws {
    node = try NodeDefinition(config)
    guard TensorFlowNode.names.contains(node.operation) else {
      throw config.error("node_def", "of the operation '\(node.operation)' is not supported", kind: .unsupported)
    }
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    let inputs = try node.inputs(arguments)
    if node.operation.hasPrefix("Resize") { return AppliedOperation(try NeuralFunctions.resize(node, inputs)) }
    let (name, call) = try function(inputs)
    return AppliedOperation(try OperationTable.function(OperationCall(name, call, config: nil)))
  }

  var takesSizes: Bool { SizeFunction.takers.contains(plain(node.operation)) || node.operation.hasPrefix("Resize") }

  func sizes(of arguments: CallArguments<Int>, shapes: [PartialShape], known: [SizeNumbers?]) -> [SizeNumbers] {
    guard let inputs = try? node.inputs(arguments), let (name, call) = try? function(inputs) else { return [] }
    return SizeFunction(name: plain(name), arguments: call, shapes: shapes, known: known).results
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    throw H5ConvError(.internalFault, "an operation without its arguments")
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    throw H5ConvError(.internalFault, "an operation without its arguments")
  }

  /// Operations that take their inputs as the function of the same name does.
  private static let alike: Set<String> = [
    "Abs", "Neg", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Exp", "Expm1", "Log", "Log1p", "Sin", "Cos", "Tan", "Asin",
    "Acos", "Atan", "Sinh", "Cosh", "Atanh", "Erf", "Floor", "Ceil", "Sign", "LogicalNot", "IsNan", "IsFinite", "IsInf",
    "Add", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "Pow", "FloorDiv", "FloorMod", "SquaredDifference", "Atan2",
    "Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "Relu",
    "Relu6", "Sigmoid", "Tanh", "Softplus", "Softsign", "Elu", "Selu", "ClipByValue", "Identity", "StopGradient",
    "ZerosLike", "OnesLike", "Reshape", "Transpose", "Tile", "BroadcastTo", "Slice", "Softmax", "LogSoftmax", "Shape",
    "Fill",
  ]

  /// Operations with attributes, or with inputs in another order or under another name.
  private static let special: Set<String> = [
    "AddV2", "AddN", "BiasAdd", "Div", "DivNoNan", "Inv", "Select", "SelectV2", "LeakyRelu", "Mean", "Sum", "Max",
    "Min",
    "Prod", "All", "Any", "ArgMax", "ArgMin", "ExpandDims", "Squeeze", "ConcatV2", "Pack", "Unpack", "Split", "SplitV",
    "StridedSlice", "Pad", "PadV2", "MirrorPad", "GatherV2", "ReverseV2", "Cumsum", "OneHot", "Cast", "MatMul",
    "BatchMatMul", "BatchMatMulV2", "MaxPool", "AvgPool", "DepthToSpace", "SpaceToDepth", "ResizeBilinear",
    "ResizeNearestNeighbor", "ResizeBicubic",
  ]

  /// All operations that are computed.
  static var names: Set<String> { alike.union(special) }

  private static let plainNames = [
    "AddV2": "add", "Div": "truediv", "DivNoNan": "divide_no_nan", "Inv": "reciprocal", "Select": "where",
    "SelectV2": "where",
  ]

  /// The function and what it is called with.
  func function<Tensor>(_ inputs: [Argument<Tensor>]) throws -> (String, CallArguments<Tensor>) {
    func call(_ name: String, _ positional: [Argument<Tensor>], _ keywords: KeyValuePairs<String, JSONValue?> = [:])
      -> (String, CallArguments<Tensor>)
    {
      (
        name,
        CallArguments(
          positional,
          keywords: keywords.compactMap { pair in pair.value.map { .init(name: pair.key, value: .value($0)) } })
      )
    }
    func input(_ place: Int) throws -> Argument<Tensor> {
      guard inputs.indices.contains(place) else {
        throw H5ConvError(.badData, "\(inputs.count) inputs where '\(node.operation)' takes more")
      }
      return inputs[place]
    }
    let name = node.operation
    switch name {
    case "AddN": return call("add_n", [.list(inputs)])
    case "BiasAdd": return call("bias_add", inputs, ["data_format": node.text("data_format").map { .string($0) }])
    case "LeakyRelu": return call("leaky_relu", inputs, ["alpha": node.float("alpha").map { .double($0) }])
    case "Mean", "Sum", "Max", "Min", "Prod", "All", "Any":
      return call(name, inputs, ["keepdims": .bool(node.flag("keep_dims"))])
    case "ArgMax", "ArgMin", "ExpandDims": return call(plain(name), inputs)
    case "Squeeze":
      let axes = node.ints("squeeze_dims") ?? []
      return call("squeeze", inputs, ["axis": axes.isEmpty ? nil : .array(axes.map { .int($0) })])
    case "ConcatV2": return call("concat", [.list(Array(inputs.dropLast())), try input(inputs.count - 1)])
    case "Pack": return call("stack", [.list(inputs)], ["axis": .int(node.int("axis") ?? 0)])
    case "Unpack":
      return call("unstack", inputs, ["axis": .int(node.int("axis") ?? 0), "num": node.int("num").map { .int($0) }])
    case "Split":
      return call("split", [try input(1), .value(.int(node.int("num_split") ?? 1)), try input(0)])
    case "SplitV": return call("split", inputs)
    case "StridedSlice": return call("getitem", [try input(0), .value(try key(inputs))])
    case "Pad": return call("pad", inputs)
    case "PadV2": return call("pad", [try input(0), try input(1), .value("constant"), try input(2)])
    case "MirrorPad": return call("pad", inputs, ["mode": node.text("mode").map { .string($0) }])
    case "GatherV2":
      if node.int("batch_dims") ?? 0 != 0 {
        throw H5ConvError(.unsupported, "'GatherV2' with batch_dims is not supported")
      }
      return call("gather", inputs)
    case "ReverseV2": return call("reverse", inputs)
    case "Cumsum":
      return call(
        "cumsum", inputs, ["exclusive": .bool(node.flag("exclusive")), "reverse": .bool(node.flag("reverse"))])
    case "OneHot":
      guard try input(2).value?.number == 1, try input(3).value?.number == 0 else {
        throw H5ConvError(.unsupported, "'OneHot' with other values than 1 and 0 is not supported")
      }
      return call("one_hot", [try input(0), try input(1)], ["axis": node.int("axis").map { .int($0) }])
    case "Cast": return call("cast", inputs, ["dtype": node.type("DstT").map { .string($0) }])
    case "MatMul", "BatchMatMul", "BatchMatMulV2":
      return call(
        "matmul", inputs,
        [
          "transpose_a": .bool(node.flag("transpose_a") || node.flag("adj_x")),
          "transpose_b": .bool(node.flag("transpose_b") || node.flag("adj_y")),
        ])
    case "MaxPool", "AvgPool":
      func list(_ name: String) -> JSONValue? { node.ints(name).map { .array($0.map { .int($0) }) } }
      return call(
        name == "MaxPool" ? "max_pool" : "avg_pool", inputs,
        [
          "ksize": list("ksize"), "strides": list("strides"), "padding": node.text("padding").map { .string($0) },
          "data_format": node.text("data_format").map { .string($0) },
        ])
    case "DepthToSpace", "SpaceToDepth":
      return call(
        plain(name), inputs,
        [
          "block_size": node.int("block_size").map { .int($0) },
          "data_format": node.text("data_format").map { .string($0) },
        ])
    default: return call(TensorFlowNode.plainNames[name] ?? plain(name), inputs)
    }
  }

  private func plain(_ name: String) -> String { OperationTable.plainName(name) }

  /// What stands between the brackets of `x[…]`, from the three lists and five masks of a StridedSlice.
  private func key<Tensor>(_ inputs: [Argument<Tensor>]) throws -> JSONValue {
    let lists = inputs.dropFirst().map { $0.value.map(ConfigReader.unwrapped)?.array?.compactMap(\.integer) ?? [] }
    guard lists.count == 3, lists[0].count == lists[1].count, lists[1].count == lists[2].count, lists[0].count <= 32
    else { throw H5ConvError(.unsupported, "'StridedSlice' with tensors as places is not supported") }
    func has(_ mask: String, _ place: Int) -> Bool { (node.int(mask) ?? 0) >> place & 1 == 1 }
    return .array(
      lists[0].indices.map { place -> JSONValue in
        if has("ellipsis_mask", place) { return ["class_name": "__ellipsis__"] }
        if has("new_axis_mask", place) { return .null }
        if has("shrink_axis_mask", place) { return .int(lists[0][place]) }
        return [
          "start": has("begin_mask", place) ? .null : .int(lists[0][place]),
          "stop": has("end_mask", place) ? .null : .int(lists[1][place]), "step": .int(lists[2][place]),
        ]
      })
  }
}
