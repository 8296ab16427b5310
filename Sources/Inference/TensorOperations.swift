import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  func compute(_ operation: TensorOperation, _ inputs: [Tensor], _ threads: Threads) throws -> Tensor {
    switch operation {
    case .recurrence(let recurrence): return try recur(recurrence, inputs, threads)
    case .convolutionalRecurrence(let recurrence, let window): return try recur(recurrence, window, inputs, threads)
    case .matrixProduct(let isTransposed):
      return try matrixProduct(inputs[0], inputs[1], transposingSecond: isTransposed, threads)
    case .rows: return try rows(of: inputs[1], inputs[0])
    case .standardize(let kind, let axes, let epsilon):
      return try standardize(inputs[0], kind, axes, epsilon, threads)
    case .reduce(let reduction, let axes): return try reduce(inputs[0], reduction, axes, threads)
    case .map(let function): return try map(inputs[0], function, threads)
    case .combine(let function): return try combine(inputs[0], inputs[1], function, threads)
    case .select: return try select(inputs[0], inputs[1], inputs[2])
    case .take(let axis, let places): return try take(inputs[0], axis, places)
    case .oneHot: return try oneHot(inputs[0])
    case .bucketize(let boundaries): return try bucketize(inputs[0], boundaries)
    case .cumulate(let axis, let isProduct): return try cumulate(inputs[0], axis, isProduct: isProduct)
    case .sort(let axis, let isDescending, let givesPlaces):
      return try sort(inputs[0], axis, isDescending: isDescending, givesPlaces: givesPlaces)
    case .takeAlong(let axis): return try takeAlong(inputs[0], inputs[1], axis)
    case .equalizeTiles(let tiles): return try equalize(inputs[0], tiles, threads)
    case .recolor(let change): return try recolor(inputs[0], change, threads)
    case .placeOfExtreme(let axis, let isLargest): return try placeOfExtreme(inputs[0], axis, isLargest: isLargest)
    }
  }
}
