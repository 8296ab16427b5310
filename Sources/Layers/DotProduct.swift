import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// The sum of products of two tensors along one axis of each, example by example.
struct DotProduct: Layer {
  private let axes: [Int]
  private let normalizes: Bool
  private let epsilon: Float

  init(_ config: ConfigReader) throws {
    axes = try config.ints("axes")
    guard (1...2).contains(axes.count) else { throw config.error("axes", "\(axes) are not one axis or two") }
    normalizes = try config.bool("normalize", default: false)
    epsilon = config.generation < 3 ? 1e-12 : 1e-14
  }

  private func places(_ inputs: [PartialShape]) throws -> [Int] {
    guard inputs.count == 2, inputs.allSatisfy({ $0.rank >= 2 }) else {
      throw H5ConvError(.badData, "\(inputs.map(\.description)) where two inputs with features were expected")
    }
    let places = [
      try normalized(axis: axes[0], rank: inputs[0].rank),
      try normalized(axis: axes[axes.count - 1], rank: inputs[1].rank),
    ]
    guard !places.contains(0) else { throw H5ConvError(.badData, "a product along the batch axis") }
    if let a = inputs[0][places[0]], let b = inputs[1][places[1]], a != b {
      throw H5ConvError(.badData, "inputs of shapes \(inputs[0]) and \(inputs[1]) along the axes \(places)")
    }
    return places
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let places = try places(inputs)
    var (a, b) = (inputs[0].sizes, inputs[1].sizes)
    a.remove(at: places[0])
    b.remove(at: places[1])
    let sizes = a + b.dropFirst()
    return [PartialShape(sizes.count == 1 ? sizes + [1] : sizes)]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = try knownOutputShape(for: inputs)
    let places = try places(inputs.map { PartialShape($0.shape) })
    let moved = zip(inputs, places).map { input, place -> Value in
      var value = input
      if normalizes {
        value = lowering.emit(
          .tensor(.standardize(.length, axes: [place], epsilon: epsilon)), [value], shape: value.shape)
      }
      // (batch, the other axes, the one that is summed over)
      let others = (1..<value.shape.count).filter { $0 != place }
      let axes = [0] + others + [place]
      let turned = lowering.emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
      let rows = others.reduce(1) { $0 * value.shape[$1] }
      return lowering.emit(.reshape, [turned], shape: [value.shape[0], rows, value.shape[place]])
    }
    let product = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: true)), moved,
      shape: [moved[0].shape[0], moved[0].shape[1], moved[1].shape[1]])
    return [lowering.emit(.reshape, [product], shape: shape)]
  }
}
