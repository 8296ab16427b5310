import H5ConvDiagnostics

extension ElementFunction {
  /// f′(x); nil where it is 0 everywhere.
  func derivative(_ x: Value, _ y: Value, in lowering: inout Lowering) throws -> Value? {
    switch self {
    case .absolute: return lowering.map(x, .sign)
    case .negative: return lowering.filled(with: -1, shape: x.shape)
    case .square: return lowering.scaled(x, by: 2)
    case .squareRoot: return lowering.scaled(lowering.map(y, .reciprocal), by: 0.5)
    case .reciprocalRoot: return lowering.scaled(lowering.times(y, lowering.map(y, .square)), by: -0.5)
    case .reciprocal: return lowering.scaled(lowering.map(y, .square), by: -1)
    case .exponential: return y
    case .exponentialMinusOne: return lowering.scaled(y, by: 1, plus: 1)
    case .exponential2: return lowering.scaled(y, by: 0.693_147_2)
    case .logarithm: return lowering.map(x, .reciprocal)
    case .logarithm2: return lowering.scaled(lowering.map(x, .reciprocal), by: 1.442_695)
    case .logarithm10: return lowering.scaled(lowering.map(x, .reciprocal), by: 0.434_294_5)
    case .logarithmOnePlus: return lowering.map(lowering.scaled(x, by: 1, plus: 1), .reciprocal)
    case .sine: return lowering.map(x, .cosine)
    case .cosine: return lowering.scaled(lowering.map(x, .sine), by: -1)
    case .tangent: return lowering.scaled(lowering.map(y, .square), by: 1, plus: 1)
    case .arctangent:
      return lowering.map(lowering.scaled(lowering.map(x, .square), by: 1, plus: 1), .reciprocal)
    case .hyperbolicSine: return lowering.map(x, .hyperbolicCosine)
    case .hyperbolicCosine: return lowering.map(x, .hyperbolicSine)
    case .errorFunction:
      // 2/√π · e^(−x²)
      let power = lowering.map(lowering.scaled(lowering.map(x, .square), by: -1), .exponential)
      return lowering.scaled(power, by: 1.128_379_2)
    case .floor, .ceiling, .round, .truncate, .sign, .isTrue, .not, .isNaN, .isFinite, .isInfinite, .isSignSet,
      .isPositiveInfinity, .isNegativeInfinity:
      return nil
    default: throw H5ConvError.noDerivative(of: "the function '\(self)'")
    }
  }
}

extension ElementCombination {
  /// The gradients of both inputs, which were broadcast.
  func gradients(_ x: [Value], _ y: Value, _ gradient: Value, in lowering: inout Lowering) throws -> [Value?] {
    let (a, b) = (x[0], x[1])
    switch self {
    case .power:
      // b a^(b − 1) and aᵇ ln a, which is 0 where a is not positive, as in TensorFlow.
      let less = lowering.combined(.power, a, lowering.scaled(b, by: 1, plus: -1))
      let first = lowering.times(gradient, lowering.times(less, b))
      let isPositive = lowering.combined(.greater, a, lowering.filled(with: 0, shape: a.shape))
      let logarithm = lowering.kept(lowering.map(a, .logarithm), where: isPositive)
      let second = lowering.times(gradient, lowering.times(y, logarithm))
      return [lowering.unbroadcast(first, to: a.shape), lowering.unbroadcast(second, to: b.shape)]
    case .squaredDifference:
      let first = lowering.times(gradient, lowering.scaled(lowering.difference(a, b), by: 2))
      let second = lowering.scaled(first, by: -1)
      return [lowering.unbroadcast(first, to: a.shape), lowering.unbroadcast(second, to: b.shape)]
    case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .and, .or, .exclusiveOr, .floorDivide,
      .step:
      return [nil, nil]
    default: throw H5ConvError.noDerivative(of: "the function '\(self)'")
    }
  }
}
