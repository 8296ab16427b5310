import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Operations that compute each element of the result from one element of each operand.
enum ElementwiseFunctions {
  static let unary: [String: ElementFunction] = [
    "abs": .absolute, "absolute": .absolute, "neg": .negative, "negative": .negative, "square": .square,
    "sqrt": .squareRoot, "rsqrt": .reciprocalRoot, "reciprocal": .reciprocal, "exp": .exponential,
    "expm1": .exponentialMinusOne, "log": .logarithm, "log1p": .logarithmOnePlus, "log2": .logarithm2,
    "log10": .logarithm10, "sin": .sine, "cos": .cosine, "tan": .tangent, "asin": .arcsine, "arcsin": .arcsine,
    "acos": .arccosine, "arccos": .arccosine, "atan": .arctangent, "arctan": .arctangent, "sinh": .hyperbolicSine,
    "cosh": .hyperbolicCosine, "atanh": .inverseHyperbolicTangent, "arctanh": .inverseHyperbolicTangent,
    "erf": .errorFunction, "floor": .floor, "ceil": .ceiling, "sign": .sign, "logicalnot": .not, "isnan": .isNaN,
    "isfinite": .isFinite, "isinf": .isInfinite, "trunc": .truncate,
  ]

  static let binary: [String: BinaryOperation] = [
    "add": .add, "subtract": .subtract, "sub": .subtract, "multiply": .multiply, "mul": .multiply, "divide": .divide,
    "truediv": .divide, "truedivide": .divide, "realdiv": .divide, "maximum": .maximum, "minimum": .minimum,
  ]

  static let combinations: [String: ElementCombination] = [
    "power": .power, "pow": .power, "floordivide": .floorDivide, "floordiv": .floorDivide, "mod": .remainder,
    "floormod": .remainder, "remainder": .remainder, "squareddifference": .squaredDifference, "arctan2": .arctangent2,
    "atan2": .arctangent2, "dividenonan": .divideOrZero, "equal": .equal, "notequal": .notEqual, "greater": .greater,
    "greaterequal": .greaterOrEqual, "less": .less, "lessequal": .lessOrEqual, "logicaland": .and, "logicalor": .or,
    "logicalxor": .exclusiveOr,
  ]

  static let activations = [
    "relu", "relu6", "sigmoid", "tanh", "softplus", "softsign", "silu", "swish", "gelu", "leakyrelu", "elu", "selu",
    "celu",
    "hardsigmoid", "hardsilu", "hardswish", "mish", "hardtanh", "tanhshrink", "softshrink", "hardshrink", "logsigmoid",
    "squareplus", "sparseplus", "sparsesigmoid",
  ]

  static func map(_ call: OperationCall, _ function: ElementFunction) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "x")], .map(function)) { $0[0] }
  }

  private static func pair(_ call: OperationCall) throws -> [Operand] {
    [try call.operand(0, "x", "x1"), try call.operand(1, "y", "x2")]
  }

  static func binary(_ call: OperationCall, _ operation: BinaryOperation) throws -> TensorFunction {
    fold(try pair(call), operation)
  }

  /// All operands of a list added.
  static func sum(_ call: OperationCall) throws -> TensorFunction { fold(try call.operands(0, "inputs"), .add) }

  static func fold(_ operands: [Operand], _ operation: BinaryOperation) -> TensorFunction {
    TensorFunction(operands, shapes: { [try Merging.numpyBroadcast($0)] }) { values, lowering in
      [
        try values.dropFirst().reduce(values[0]) { left, right in
          let shape = try Merging.numpyBroadcast([PartialShape(left.shape), PartialShape(right.shape)])
          return lowering.emit(.binary(operation), [left, right], shape: try TensorFunction.known(shape))
        }
      ]
    }
  }

  static func combine(_ call: OperationCall, _ function: ElementCombination) throws -> TensorFunction {
    TensorFunction(try pair(call), .combine(function)) { try Merging.numpyBroadcast($0) }
  }

  static func select(_ call: OperationCall) throws -> TensorFunction {
    TensorFunction(
      [try call.operand(0, "condition"), try call.operand(1, "x", "x1"), try call.operand(2, "y", "x2")], .select
    ) { try Merging.numpyBroadcast($0) }
  }

  static func clip(_ call: OperationCall) throws -> TensorFunction {
    let operands = [
      try call.operand(0, "x", "t"), try call.operand(1, "x_min", "clip_value_min"),
      try call.operand(2, "x_max", "clip_value_max"),
    ]
    return TensorFunction(operands, shapes: { [try Merging.numpyBroadcast($0)] }) { values, lowering in
      let shape = try TensorFunction.known(try Merging.numpyBroadcast(values.map { PartialShape($0.shape) }))
      let above = lowering.emit(.binary(.maximum), [values[0], values[1]], shape: shape)
      return [lowering.emit(.binary(.minimum), [above, values[2]], shape: shape)]
    }
  }

  static func same(_ call: OperationCall) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "x", "input", "variable")], shapes: { [$0[0]] }) { values, _ in [values[0]] }
  }

  static func filled(_ call: OperationCall, _ number: Float) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "x", "input")], shapes: { [$0[0]] }) { values, lowering in
      // A comparison of x with itself would be wrong for NaN.
      let nothing = lowering.number(0)
      let shape = values[0].shape
      let isAnything = lowering.emit(.tensor(.combine(.and)), [values[0], nothing], shape: shape)
      return [lowering.emit(.scale(by: 1, plus: number), [isAnything], shape: shape)]
    }
  }

  /// Whole numbers are cut towards 0, truth values are 0 and 1; everything is computed in float32.
  static func cast(_ call: OperationCall) throws -> TensorFunction {
    let operand = try call.operand(0, "x")
    switch call.text("dtype", at: 1) ?? "float32" {
    case "float16", "bfloat16", "float32", "float64": return try same(call)
    case "int32", "int64": return TensorFunction([operand], .map(.truncate)) { $0[0] }
    case "bool": return TensorFunction([operand], .map(.isTrue)) { $0[0] }
    case let other: throw call.unsupported("to \(other)")
    }
  }

  static func activate(_ call: OperationCall) throws -> TensorFunction {
    let activation = try activation(call)
    return TensorFunction([try call.operand(0, "x", "features")], shapes: { [$0[0]] }) { values, lowering in
      [try lowering.activate(values[0], activation)]
    }
  }

  private static func activation(_ call: OperationCall) throws -> Activation {
    func number(_ names: String..., or fallback: Double) throws -> Float {
      for name in names { if let found = try call.number(name) { return Float(found) } }
      return Float(fallback)
    }
    switch call.name {
    case "gelu": return .gelu(approximate: try call.flag("approximate"))
    case "leakyrelu":
      let slope = try number("negative_slope", "alpha", or: 0.2)
      return .relu(negativeSlope: slope, maximum: .infinity, threshold: 0)
    case "elu": return .elu(alpha: try number("alpha", or: 1))
    case "celu": return .celu(alpha: try number("alpha", or: 1))
    case "softshrink": return .softShrink(threshold: try number("threshold", or: 0.5))
    case "hardshrink": return .hardShrink(threshold: try number("threshold", or: 0.5))
    case "squareplus": return .squareplus(b: try number("b", or: 4))
    case "silu", "swish":
      if let beta = try call.number("beta"), beta != 1 { throw call.unsupported("with another beta than 1") }
      return .silu
    case "hardsigmoid": return .hardSigmoid(slope: 1 / 6)
    case "hardsilu", "hardswish": return .hardSilu
    case "hardtanh": return .hardTanh
    case "tanhshrink": return .tanhShrink
    case "logsigmoid": return .logSigmoid
    case "sparseplus": return .sparsePlus
    case "sparsesigmoid": return .sparseSigmoid
    default:
      guard let activation = Activation.named(call.name, generation: 3) else { throw call.unsupported("") }
      return activation
    }
  }
}
