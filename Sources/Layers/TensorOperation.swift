/// What the engine can do with tensors of any rank.
package enum TensorOperation: Sendable, Equatable {
  /// A recurrent layer over time.
  ///
  /// Inputs: x · kernel (batch, time, gates · units), the recurrent kernel (units, gates · units), the bias that is added to the
  /// recurrent product (gates · units) if there is one, the initial states (batch, units), the mask (batch, time).
  /// Result: (batch, outputs and states, units).
  case recurrence(Recurrence)
  /// The same with convolutions in place of both products.
  ///
  /// Inputs: x (batch, time, depth, height, width, channels), the kernel (depth, height, width, channels, gates · units), the
  /// recurrent kernel, the bias, the initial states, the mask. Result: (batch, outputs and states, depth · height · width · units).
  case convolutionalRecurrence(Recurrence, Convolution3D)
  /// a · b over the last two axes (a · bᵀ when the second is transposed); the axes before them are broadcast.
  case matrixProduct(transposingSecond: Bool)
  /// The rows of the second input, (rows, columns), that the first names.
  case rows
  /// Elements moved and scaled so that along `axes` they have mean 0 and variance 1, or a root mean square or length of 1.
  case standardize(Standardization, axes: [Int], epsilon: Float)
  /// One number for all elements along `axes`.
  case reduce(AxisReduction, axes: [Int])
  /// A function of one element.
  case map(ElementFunction)
  /// A function of two elements; the inputs are broadcast by NumPy's rule.
  case combine(ElementCombination)
  /// The second input where the first is not 0, else the third; broadcast to the result's shape.
  case select
  /// The places `places` along `axis`, in that order.
  case take(axis: Int, places: [Int])
  /// A new last axis with 1 at the place that the element names, else 0.
  case oneHot
  /// How many of the boundaries, which ascend, are not above the element.
  case bucketize([Float])
  /// The sum or product of the elements up to each along `axis`.
  case cumulate(axis: Int, isProduct: Bool)
  /// The place of the largest or smallest element along `axis`, the first of equal ones.
  case placeOfExtreme(axis: Int, isLargest: Bool)
  /// The elements in order along `axis`, or the places where they were; equal ones stay in their order.
  case sort(axis: Int, isDescending: Bool, givesPlaces: Bool)
  /// The elements of the first input that the second names along `axis`; the other axes are alike.
  case takeAlong(axis: Int)
  /// Pixels of three channels in other terms.
  case recolor(ColorChange)
  /// Grey levels from 0 to 255 of (batch, height, width, channels), each replaced by the share of what is darker around it.
  case equalizeTiles(TileEqualization)
}

/// Adaptive equalization of histograms of limited contrast: the image in tiles, whose histograms are equalized, and between their
/// centres the mean of the nearest four, by distance.
package struct TileEqualization: Sendable, Equatable {
  /// Tiles along height and width.
  package var grid: [Int]
  /// How much more than the mean a level may have before the rest is shared among all; 0 or less: no limit.
  package var clipLimit: Float
}

/// From one way to describe colours to another, each channel from 0 to 1.
package enum ColorChange: Sendable, Equatable { case hsvFromRGB, rgbFromHSV }

/// A recurrent cell as it is run over time.
package struct Recurrence: Sendable, Equatable {
  package var cell: RecurrentKind
  /// Elements of a state; filters for a convolutional cell.
  package var units: Int
  package var activation: Activation
  package var recurrentActivation: Activation
  /// The input has a bias that is added to the recurrent product.
  package var hasRecurrentBias: Bool
  package var hasInitialStates: Bool
  /// The last input is a mask: steps where it is 0 keep the states.
  package var hasMask: Bool
  /// Whether the output of a masked step is 0 rather than the one before.
  package var zeroesMasked: Bool
  /// Whether the result holds the outputs of all steps rather than the last.
  package var keepsSequence: Bool
  /// Whether the last states follow the outputs.
  package var appendsStates: Bool
}

package enum RecurrentKind: Sendable, Equatable {
  /// h = f(xW + b + hU)
  case simple
  /// Gates z, r, h.
  case gru(resetsAfter: Bool)
  /// Gates i, f, c, o.
  case lstm

  package var gates: Int {
    switch self {
    case .simple: 1
    case .gru: 3
    case .lstm: 4
    }
  }

  package var stateCount: Int { self == .lstm ? 2 : 1 }
}

/// The window of a convolution over three axes, and the sizes of what it makes.
package struct Convolution3D: Sendable, Equatable {
  package var size: [Int]
  package var strides: [Int]
  package var dilation: [Int]
  package var before: [Int]
  package var outputSize: [Int]
}

package enum Standardization: Sendable, Equatable {
  /// (x − mean)/√(variance + ε)
  case variance
  /// x/√(variance + ε)
  case varianceOnly
  /// x/√(mean of x² + ε)
  case rootMeanSquare
  /// x/√(max(sum of x², ε))
  case length
}

package enum AxisReduction: Sendable, Equatable { case sum, mean, maximum, minimum, product, any, all, variance }

/// Functions of one element that are not activations.
package enum ElementFunction: Sendable, Equatable {
  case absolute, negative, square, squareRoot, reciprocalRoot, reciprocal, exponential, exponentialMinusOne, logarithm
  case logarithmOnePlus, logarithm2, logarithm10, sine, cosine, tangent, arcsine, arccosine, arctangent, hyperbolicSine
  case hyperbolicCosine, inverseHyperbolicTangent, errorFunction, floor, ceiling, round, truncate, sign, isTrue, not
  case isNaN, isFinite, isInfinite, inverseHyperbolicSine, inverseHyperbolicCosine, errorFunctionComplement
  case exponential2, cubeRoot, cardinalSine, isSignSet, isPositiveInfinity, isNegativeInfinity
}

/// Functions of two elements that are not ``BinaryOperation``s; comparisons give 1 or 0.
package enum ElementCombination: Sendable, Equatable {
  case power, floorDivide, remainder, squaredDifference, arctangent2, divideOrZero
  case equal, notEqual, greater, greaterOrEqual, less, lessOrEqual, and, or, exclusiveOr
  case hypotenuse, logarithmOfSum, logarithm2OfSum, truncatedRemainder, step, timesLogarithm, timesOrZero
  /// The larger or smaller of both, the other one where one is NaN.
  case maximumNumber, minimumNumber
}
