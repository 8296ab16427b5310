import Glibc
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  func map(_ input: Tensor, _ function: ElementFunction, _ threads: Threads) throws -> Tensor {
    let function = function.closure
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        threads.forEachRange(input.count, least: 1 << 13) { range in
          for place in range { target[place] = function(source[place]) }
        }
      }
    }
  }

  func combine(_ a: Tensor, _ b: Tensor, _ function: ElementCombination, _ threads: Threads) throws -> Tensor {
    let function = function.closure
    return try broadcast(a, b, threads) { target, a, b, count, stepA, stepB in
      for place in 0..<count { target[place] = function(a[place * Int(stepA)], b[place * Int(stepB)]) }
    }
  }

  /// `yes` where `condition` is not 0, else `no`.
  func select(_ condition: Tensor, _ yes: Tensor, _ no: Tensor) throws -> Tensor {
    let shape = output.shape
    let steps = try [condition, yes, no].map { try Broadcast.steps(of: $0.shape, in: shape) }
    return try Tensor(shape: shape) { target in
      condition.withUnsafeElements { condition in
        yes.withUnsafeElements { yes in
          no.withUnsafeElements { no in
            var places = [0, 0, 0]
            for number in target.indices {
              var rest = number
              places = [0, 0, 0]
              for axis in shape.indices.reversed() {
                let (next, index) = rest.quotientAndRemainder(dividingBy: shape[axis])
                for operand in 0..<3 { places[operand] += index * steps[operand][axis] }
                rest = next
              }
              target[number] = condition[places[0]] != 0 ? yes[places[1]] : no[places[2]]
            }
          }
        }
      }
    }
  }

  func bucketize(_ input: Tensor, _ boundaries: [Float]) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      input.withUnsafeElements { source in
        for place in source.indices {
          var (low, high) = (0, boundaries.count)
          while low < high {
            let middle = (low + high) / 2
            if boundaries[middle] <= source[place] { low = middle + 1 } else { high = middle }
          }
          target[place] = Float(low)
        }
      }
    }
  }
}

/// 0 and 1 as comparisons give them.
private func flag(_ value: Bool) -> Float { value ? 1 : 0 }

extension ElementFunction {
  fileprivate var closure: @Sendable (Float) -> Float {
    switch self {
    case .absolute: { abs($0) }
    case .negative: { -$0 }
    case .square: { $0 * $0 }
    case .squareRoot: { $0.squareRoot() }
    case .reciprocalRoot: { 1 / $0.squareRoot() }
    case .reciprocal: { 1 / $0 }
    case .exponential: { exp($0) }
    case .exponentialMinusOne: { expm1($0) }
    case .logarithm: { log($0) }
    case .logarithmOnePlus: { log1p($0) }
    case .logarithm2: { log2($0) }
    case .logarithm10: { log10($0) }
    case .sine: { sin($0) }
    case .cosine: { cos($0) }
    case .tangent: { tan($0) }
    case .arcsine: { asin($0) }
    case .arccosine: { acos($0) }
    case .arctangent: { atan($0) }
    case .hyperbolicSine: { sinh($0) }
    case .hyperbolicCosine: { cosh($0) }
    case .inverseHyperbolicTangent: { atanh($0) }
    case .errorFunction: { erf($0) }
    case .floor: { $0.rounded(.down) }
    case .ceiling: { $0.rounded(.up) }
    case .round: { $0.rounded(.toNearestOrEven) }
    case .truncate: { $0.rounded(.towardZero) }
    case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .isTrue: { flag($0 != 0) }
    case .not: { flag($0 == 0) }
    case .isNaN: { flag($0.isNaN) }
    case .isFinite: { flag($0.isFinite) }
    case .isInfinite: { flag($0.isInfinite) }
    case .inverseHyperbolicSine: { asinh($0) }
    case .inverseHyperbolicCosine: { acosh($0) }
    case .errorFunctionComplement: { erfc($0) }
    case .exponential2: { exp2($0) }
    case .cubeRoot: { cbrt($0) }
    case .cardinalSine: { $0 == 0 ? 1 : sin(.pi * $0) / (.pi * $0) }
    case .isSignSet: { flag($0.sign == .minus) }
    case .isPositiveInfinity: { flag($0 == .infinity) }
    case .isNegativeInfinity: { flag($0 == -.infinity) }
    }
  }
}

extension ElementCombination {
  fileprivate var closure: @Sendable (Float, Float) -> Float {
    switch self {
    case .power: { pow($0, $1) }
    case .floorDivide: { ($0 / $1).rounded(.down) }
    // The sign of the divisor, as in Python.
    case .remainder: { $0 - $1 * ($0 / $1).rounded(.down) }
    case .squaredDifference: { ($0 - $1) * ($0 - $1) }
    case .arctangent2: { atan2($0, $1) }
    case .divideOrZero: { $1 == 0 ? 0 : $0 / $1 }
    case .equal: { flag($0 == $1) }
    case .notEqual: { flag($0 != $1) }
    case .greater: { flag($0 > $1) }
    case .greaterOrEqual: { flag($0 >= $1) }
    case .less: { flag($0 < $1) }
    case .lessOrEqual: { flag($0 <= $1) }
    case .and: { flag($0 != 0 && $1 != 0) }
    case .or: { flag($0 != 0 || $1 != 0) }
    case .exclusiveOr: { flag(($0 != 0) != ($1 != 0)) }
    case .hypotenuse: { hypot($0, $1) }
    case .logarithmOfSum: { $0 == $1 ? $0 + log(2) : max($0, $1) + log1p(exp(-abs($0 - $1))) }
    case .logarithm2OfSum: { $0 == $1 ? $0 + 1 : max($0, $1) + log2(1 + exp2(-abs($0 - $1))) }
    // The sign of the dividend, as in C.
    case .truncatedRemainder: { fmod($0, $1) }
    case .step: { $0.isNaN ? $0 : $0 < 0 ? 0 : $0 == 0 ? $1 : 1 }
    case .timesLogarithm: { $0 == 0 ? 0 : $0 * log($1) }
    case .timesOrZero: { $1 == 0 ? 0 : $0 * $1 }
    case .maximumNumber: { $0.isNaN ? $1 : $1.isNaN ? $0 : max($0, $1) }
    case .minimumNumber: { $0.isNaN ? $1 : $1.isNaN ? $0 : min($0, $1) }
    }
  }
}
