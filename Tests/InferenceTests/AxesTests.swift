import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

/// All orders of 0 ..< count.
private func orders(_ count: Int) -> [[Int]] {
  if count == 0 { return [[]] }
  return orders(count - 1).flatMap { order in
    (0...order.count).map { place in Array(order[..<place]) + [count - 1] + Array(order[place...]) }
  }
}

/// Positions of a tensor of `shape`, in row-major order.
private func positions(_ shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { list, size in list.flatMap { place in (0..<size).map { place + [$0] } } }
}

private func offset(_ place: [Int], _ shape: [Int]) -> Int { zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 } }

@Suite("Transpositions against a naive loop")
struct TransposeTests {
  @Test(arguments: [
    [5], [3, 4], [1, 7], [3, 1, 4], [2, 3, 4], [17, 33], [2, 35, 18], [2, 3, 1, 4], [2, 3, 4, 5], [1, 5, 1, 3],
    [2, 1, 3, 2, 2], [2, 0, 3],
  ])
  func everyOrder(_ shape: [Int]) throws {
    var noise = Noise(5)
    let tensor = try noise.tensor(shape)
    let values = tensor.values
    for order in orders(shape.count) {
      let target = order.map { shape[$0] }
      let expected = positions(target).map { place -> Float in
        var source = place
        for (axis, from) in order.enumerated() { source[from] = place[axis] }
        return values[offset(source, shape)]
      }
      for threads in [1, 3] {
        let result = try tensor.transposed(order, Threads(threads))
        #expect(result.shape == target)
        #expect(result.values == expected, "\(order)")
      }
    }
  }
}

@Suite("Two inputs combined, broadcast as NumPy does")
struct BroadcastTests {
  private func merge(_ className: String, _ inputs: [Tensor]) throws -> Tensor {
    let names = inputs.indices.map { "x\($0)" }
    let layers = zip(names, inputs).map { ModelText.input($0, [nil] + $1.shape.dropFirst().map { $0 }) }
    let config = ModelText.functional(
      layers + [ModelText.layer(className, "m", inbound: [names.map { ($0, 0, 0) }])], inputs: names.map { ($0, 0, 0) },
      outputs: [("m", 0, 0)])
    return try run(try Graph(try ArchitectureReader.read(config, kerasVersion: "2.15.0")), on: inputs)
  }

  private static let shapes: [[[Int]]] = [
    [[2, 3], [2, 3]], [[2, 3], [2, 1]], [[2, 1], [2, 3]], [[2, 3, 4, 5], [2, 3, 4, 5]], [[2, 3, 4, 5], [2, 1, 1, 5]],
    [[2, 3, 4, 5], [2, 3, 1, 1]], [[2, 3, 4, 5], [2, 3, 4, 1]], [[2, 1, 4, 1], [2, 3, 1, 5]],
    [[2, 1, 1, 1], [2, 3, 4, 5]],
    [[2, 3, 4, 5], [2, 5]], [[2, 5], [2, 3, 4, 5]], [[2, 4, 5], [2, 3, 1, 5]], [[1, 70, 70, 9], [1, 1, 70, 9]],
  ]

  @Test(arguments: shapes, ["Add", "Subtract", "Multiply", "Maximum", "Minimum"])
  func pairs(_ shapes: [[Int]], _ className: String) throws {
    var noise = Noise(6)
    let inputs = try shapes.map { try noise.tensor($0) }
    let output = try merge(className, inputs)
    // A lower rank gets axes of 1 behind the batch.
    let rank = shapes.map(\.count).max() ?? 0
    let aligned = shapes.map { [$0[0]] + Array(repeating: 1, count: rank - $0.count) + $0.dropFirst() }
    let target = (0..<rank).map { axis in aligned.map { $0[axis] }.max() ?? 0 }
    let values = inputs.map(\.values)
    let expected = positions(target).map { place -> Float in
      let (a, b) = (0..<2).map { input in
        values[input][offset(zip(place, aligned[input]).map { $1 == 1 ? 0 : $0 }, aligned[input])]
      }.pair
      switch className {
      case "Add": return a + b
      case "Subtract": return a - b
      case "Multiply": return a * b
      case "Maximum": return max(a, b)
      default: return min(a, b)
      }
    }
    #expect(output.shape == target)
    #expect(output.values == expected)
  }
}

extension [Float] {
  fileprivate var pair: (Float, Float) { (self[0], self[1]) }
}

@Suite("Layers that move elements, against naive loops")
struct MovingTests {
  @Test(arguments: [[1, 1], [2, 1], [1, 3], [2, 3]], [[1, 3, 4, 2], [2, 1, 1, 5], [1, 5, 2, 1]])
  func upsampling(_ factors: [Int], _ shape: [Int]) throws {
    var noise = Noise(7)
    let image = try noise.tensor(shape)
    let output = try run([ModelText.layer("UpSampling2D", "u", ["size": .array(factors.map { .int($0) })])], on: image)
    let target = [shape[0], shape[1] * factors[0], shape[2] * factors[1], shape[3]]
    let values = image.values
    #expect(output.shape == target)
    #expect(
      output.values
        == positions(target).map { values[offset([$0[0], $0[1] / factors[0], $0[2] / factors[1], $0[3]], shape)] })
  }

  @Test(arguments: [[0, 0, 0, 0], [1, 0, 0, 0], [0, 2, 1, 0], [1, 1, 2, 2]], ["channels_last", "channels_first"])
  func paddingAndCropping(_ borders: [Int], _ format: String) throws {
    var noise = Noise(8)
    let shape = [2, 5, 6, 3]
    let image = try noise.tensor(shape)
    let sizes: JSONValue = [[.int(borders[0]), .int(borders[1])], [.int(borders[2]), .int(borders[3])]]
    let first = format == "channels_last" ? 1 : 2
    let padded = try run(
      [ModelText.layer("ZeroPadding2D", "p", ["padding": sizes, "data_format": .string(format)])], on: image)
    var target = shape
    target[first] += borders[0] + borders[1]
    target[first + 1] += borders[2] + borders[3]
    let values = image.values
    #expect(padded.shape == target)
    #expect(
      padded.values
        == positions(target).map { place in
          var from = place
          from[first] -= borders[0]
          from[first + 1] -= borders[2]
          return zip(from, shape).allSatisfy { (0..<$1).contains($0) } ? values[offset(from, shape)] : 0
        })
    // Cropping takes away what padding added.
    let cropped = try run(
      [ModelText.layer("Cropping2D", "c", ["cropping": sizes, "data_format": .string(format)])], on: padded)
    #expect(cropped.shape == shape)
    #expect(cropped.values == values)
  }
}
