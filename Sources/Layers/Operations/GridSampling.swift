import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension NeuralFunctions {
  /// ResizeBilinear, ResizeNearestNeighbor and ResizeBicubic of (batch, height, width, channels), as nodes of a TensorFlow graph.
  ///
  /// Before `half_pixel_centers` cell i of n out of m stood at i·m/n, or with `align_corners` at i·(m − 1)/(n − 1); TensorFlow
  /// 1.14 and 1.15 still do so. Source: `tensorflow/core/kernels/image/image_resizer_state.h`.
  static func resize(_ node: NodeDefinition, _ inputs: [Argument<Int>]) throws -> TensorFunction {
    guard inputs.count == 2, let image = inputs[0].tensor,
      let size = inputs[1].value.map(ConfigReader.unwrapped)?.array?.compactMap(\.integer), size.count == 2,
      size.allSatisfy({ (1...sizeLimit).contains($0) })
    else { throw H5ConvError(.unsupported, "'\(node.operation)' without a height and a width is not supported") }
    if node.flag("half_pixel_centers") {
      let method = ["ResizeBilinear": "bilinear", "ResizeNearestNeighbor": "nearest"][node.operation] ?? "bicubic"
      return try resize(
        OperationCall(
          "resize",
          CallArguments(
            [.tensor(image), inputs[1]], keywords: [.init(name: "method", value: .value(.string(method)))]),
          config: nil))
    }
    guard node.operation != "ResizeBicubic" else {
      throw H5ConvError(.unsupported, "'ResizeBicubic' without half_pixel_centers is not supported")
    }
    let grid = GridSampling(
      isNearest: node.operation == "ResizeNearestNeighbor", alignsCorners: node.flag("align_corners"))
    @Sendable func shape(_ input: PartialShape) throws -> PartialShape {
      guard input.rank == 4 else { throw H5ConvError(.unsupported, "images of shape \(input) are not supported") }
      return [input[0], size[0], size[1], input[3]]
    }
    return TensorFunction([.input(image)], shapes: { [try shape($0[0])] }) { values, lowering in
      let given = values[0].shape
      guard given.allSatisfy({ $0 > 0 }) else { throw H5ConvError(.badData, "an image of shape \(given)") }
      // Rows: weights (height, given height) times (batch, given height, width · channels).
      let rows = lowering.emit(.reshape, values, shape: [given[0], given[1], try elementCount(given[2...])])
      let tall = lowering.emit(
        .tensor(.matrixProduct(transposingSecond: false)),
        [try grid.weights(size[0], of: given[1], in: &lowering), rows],
        shape: [given[0], size[0], rows.shape[2]])
      let columns = lowering.emit(
        .reshape, [tall], shape: [try elementCount([given[0], size[0]][...]), given[2], given[3]])
      let result = lowering.emit(
        .tensor(.matrixProduct(transposingSecond: false)),
        [try grid.weights(size[1], of: given[2], in: &lowering), columns],
        shape: [columns.shape[0], size[1], given[3]])
      return [lowering.emit(.reshape, [result], shape: [given[0], size[0], size[1], given[3]])]
    }
  }
}

/// Where the cells of a resized axis look, without half-pixel centres.
private struct GridSampling {
  let isNearest: Bool
  let alignsCorners: Bool

  /// (1, count, length): how much each of `count` new cells has of each of `length` old ones.
  func weights(_ count: Int, of length: Int, in lowering: inout Lowering) throws -> Value {
    guard count <= 1 << 12, length <= 1 << 12 else {
      throw H5ConvError(.limit, "an axis of \(length) resized to \(count)")
    }
    let scale =
      alignsCorners && count > 1 ? Float(length - 1) / Float(count - 1) : Float(length) / Float(count)
    var weights = Array(repeating: Float(0), count: count * length)
    for cell in 0..<count {
      let place = Float(cell) * scale
      if isNearest {
        let nearest = alignsCorners ? place.rounded(.toNearestOrAwayFromZero) : place.rounded(.down)
        weights[cell * length + min(Int(nearest), length - 1)] = 1
      } else {
        let low = min(Int(place), length - 1)
        let share = place - Float(low)
        weights[cell * length + low] += 1 - share
        weights[cell * length + min(low + 1, length - 1)] += share
      }
    }
    return lowering.emit(.parameter(.constant(weights, shape: [1, count, length])), [], shape: [1, count, length])
  }
}
