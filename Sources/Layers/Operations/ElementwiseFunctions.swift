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
    "isfinite": .isFinite, "isinf": .isInfinite, "trunc": .truncate, "fabs": .absolute, "rint": .round,
    "arcsinh": .inverseHyperbolicSine, "asinh": .inverseHyperbolicSine, "arccosh": .inverseHyperbolicCosine,
    "acosh": .inverseHyperbolicCosine, "erfc": .errorFunctionComplement, "exp2": .exponential2, "cbrt": .cubeRoot,
    "sinc": .cardinalSine, "signbit": .isSignSet, "isposinf": .isPositiveInfinity, "isneginf": .isNegativeInfinity,
  ]

  static let binary: [String: BinaryOperation] = [
    "add": .add, "subtract": .subtract, "sub": .subtract, "multiply": .multiply, "mul": .multiply, "divide": .divide,
    "truediv": .divide, "truedivide": .divide, "realdiv": .divide, "maximum": .maximum, "minimum": .minimum,
    "adjustbrightness": .add,
  ]

  static let combinations: [String: ElementCombination] = [
    "power": .power, "pow": .power, "floordivide": .floorDivide, "floordiv": .floorDivide, "mod": .remainder,
    "floormod": .remainder, "remainder": .remainder, "squareddifference": .squaredDifference, "arctan2": .arctangent2,
    "atan2": .arctangent2, "dividenonan": .divideOrZero, "equal": .equal, "notequal": .notEqual, "greater": .greater,
    "greaterequal": .greaterOrEqual, "less": .less, "lessequal": .lessOrEqual, "logicaland": .and, "logicalor": .or,
    "logicalxor": .exclusiveOr, "hypot": .hypotenuse, "logaddexp": .logarithmOfSum, "logaddexp2": .logarithm2OfSum,
    "fmod": .truncatedRemainder, "truncatemod": .truncatedRemainder, "heaviside": .step, "xlogy": .timesLogarithm,
    "multiplynonan": .timesOrZero, "fmax": .maximumNumber, "fmin": .minimumNumber,
  ]

  static let activations = [
    "relu", "relu6", "sigmoid", "tanh", "softplus", "softsign", "silu", "swish", "gelu", "leakyrelu", "elu", "selu",
    "celu",
    "hardsigmoid", "hardsilu", "hardswish", "mish", "hardtanh", "tanhshrink", "softshrink", "hardshrink", "logsigmoid",
    "squareplus", "sparseplus", "sparsesigmoid", "threshold",
  ]

  static func map(_ call: OperationCall, _ function: ElementFunction) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "x")], .map(function)) { $0[0] }
  }

  /// To the nearest whole number, of two the even one.
  static func round(_ call: OperationCall) throws -> TensorFunction {
    if try call.int("decimals", at: 1) ?? 0 != 0 { throw call.unsupported("to decimals") }
    return try map(call, .round)
  }

  private static func pair(_ call: OperationCall) throws -> [Operand] {
    [try call.operand(0, "x", "x1", "image"), try call.operand(1, "y", "x2", "delta")]
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

  /// Degrees and radians.
  static func scaled(_ call: OperationCall, by factor: Float) throws -> TensorFunction {
    TensorFunction([try call.operand(0, "x")], shapes: { [$0[0]] }) { values, lowering in
      [lowering.scaled(values[0], by: factor)]
    }
  }

  /// Numbers in place of NaN and the infinities.
  static func finite(_ call: OperationCall) throws -> TensorFunction {
    let largest = Double(Float.greatestFiniteMagnitude)
    let replacements: [(ElementFunction, Float)] = [
      (.isNaN, Float(try call.number("nan") ?? 0)), (.isPositiveInfinity, Float(try call.number("posinf") ?? largest)),
      (.isNegativeInfinity, Float(try call.number("neginf") ?? -largest)),
    ]
    return TensorFunction([try call.operand(0, "x")], shapes: { [$0[0]] }) { values, lowering in
      [
        try replacements.reduce(values[0]) { value, replacement in
          let isOdd = lowering.map(value, replacement.0)
          return try lowering.select(isOdd, lowering.number(replacement.1), value)
        }
      ]
    }
  }

  /// a · sigmoid(b), where a and b are the halves of an axis.
  static func gatedLinearUnit(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis") ?? -1
    return halves(try call.operand(0, "x"), axis: axis) { first, second, lowering in
      let gate = lowering.emit(.activation(.sigmoid), [second], shape: second.shape)
      return try lowering.binary(.multiply, first, gate)
    }
  }

  private static func halves(
    _ operand: Operand, axis: Int, _ join: @escaping @Sendable (Value, Value, inout Lowering) throws -> Value
  ) -> TensorFunction {
    TensorFunction(
      [operand],
      shapes: { shapes in
        var shape = shapes[0]
        let place = try normalized(axis: axis, rank: shape.rank)
        if let length = shape[place], length % 2 != 0 {
          throw H5ConvError(.badData, "an axis of \(length) has no halves")
        }
        shape[place] = shape[place].map { $0 / 2 }
        return [shape]
      }
    ) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      let half = values[0].shape[place] / 2
      let first = lowering.part(values[0], axis: place, from: 0, count: half)
      let second = lowering.part(values[0], axis: place, from: half, count: half)
      return [try join(first, second, &lowering)]
    }
  }

  /// `sparsemax` over the last axis.
  static func sparsemax(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis") ?? -1
    return TensorFunction(
      [try call.operand(0, "x", "logits")],
      shapes: { shapes in
        guard try normalized(axis: axis, rank: shapes[0].rank) == shapes[0].rank - 1 else {
          throw H5ConvError(.unsupported, "sparsemax over another axis than the last is not supported")
        }
        return [shapes[0]]
      }
    ) { values, lowering in [lowering.emit(.sparsemax, values, shape: values[0].shape)] }
  }

  /// The positive parts of x and of −x, one behind the other.
  static func concatenatedReLU(_ call: OperationCall) throws -> TensorFunction {
    let axis = try call.int("axis", at: 1) ?? -1
    return TensorFunction(
      [try call.operand(0, "features")],
      shapes: { shapes in
        var shape = shapes[0]
        let place = try normalized(axis: axis, rank: shape.rank)
        shape[place] = shape[place].map { $0 * 2 }
        return [shape]
      }
    ) { values, lowering in
      let place = try normalized(axis: axis, rank: values[0].shape.count)
      let relu = Operation.activation(.relu(negativeSlope: 0, maximum: .infinity, threshold: 0))
      let parts = [values[0], lowering.scaled(values[0], by: -1)].map {
        lowering.emit(relu, [$0], shape: $0.shape)
      }
      var shape = values[0].shape
      shape[place] *= 2
      return [lowering.emit(.concatenate(axis: place), parts, shape: shape)]
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
    case "threshold":
      return .threshold(try number("threshold", or: 0), value: try number("default_value", or: 0))
    case "sparsesigmoid": return .sparseSigmoid
    default:
      guard let activation = Activation.named(call.name, generation: 3) else { throw call.unsupported("") }
      return activation
    }
  }
}
