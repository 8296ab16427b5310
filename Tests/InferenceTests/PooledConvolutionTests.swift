import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvTensors
import TestSupport
import Testing

/// A convolution by 3 × 3 windows, and a maximum behind it.
struct PooledConvolution: CustomTestStringConvertible, Sendable {
  /// Axes: images, height, width, channels.
  var input = [2, 32, 36, 32]
  var filters = 24
  var activation = "relu"
  var pool = [2, 2]
  var strides = [2, 2]
  var padding = "valid"
  /// Whether one operation computes both.
  var isJoined = true

  var testDescription: String { "\(input) by \(filters), \(activation), pool \(pool), strides \(strides), \(padding)" }

  static let all = [
    PooledConvolution(), PooledConvolution(activation: "linear"), PooledConvolution(activation: "relu6"),
    // Tiles that lie only in part in the image, and cells that no window has.
    PooledConvolution(input: [3, 37, 31, 17], filters: 33), PooledConvolution(input: [4, 15, 15, 64], filters: 40),
    PooledConvolution(padding: "same"),
    PooledConvolution(input: [1, 31, 36, 32], padding: "same", isJoined: false),
    PooledConvolution(pool: [3, 3], isJoined: false), PooledConvolution(strides: [1, 1], isJoined: false),
    PooledConvolution(activation: "elu", isJoined: false), PooledConvolution(activation: "leaky_relu", isJoined: false),
    // Summed over taps.
    PooledConvolution(input: [1, 16, 16, 3], isJoined: false),
  ]
}

@Suite("A convolution with the maximum behind it") struct PooledConvolutionTests {
  private func layer(_ className: String, _ name: String, _ config: JSONObject) -> JSONValue {
    ["class_name": .string(className), "name": .string(name), "config": .object(config)]
  }

  @Test(arguments: PooledConvolution.all) func isTheMaximumOfItsResults(_ test: PooledConvolution) throws {
    var noise = Noise(11)
    let input = try noise.tensor(test.input)
    let weights = [
      "kernel": try noise.tensor([3, 3, test.input[3], test.filters]), "bias": try noise.tensor([test.filters]),
    ]
    func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .int($0) }) }
    let convolution = layer(
      "Conv2D", "conv",
      JSONObject([
        "filters": .int(test.filters), "kernel_size": numbers([3, 3]), "padding": "same",
        "activation": .string(test.activation),
      ]))
    let pool = layer(
      "MaxPooling2D", "pool",
      JSONObject([
        "pool_size": numbers(test.pool), "strides": numbers(test.strides), "padding": .string(test.padding),
      ]))

    let expected = try run([pool], on: run([convolution], on: input, weights: weights))
    let found = try run([convolution, pool], on: input, weights: weights)
    #expect(found.shape == expected.shape && found.values == expected.values)

    let graph = try graph([convolution, pool], input: test.input)
    func steps(_ wanted: [TensorID], isExact: Bool = false) throws -> Int {
      try Plan(graph, wanted: wanted, inputShapes: [test.input], isExact: isExact) { _, name in
        guard let tensor = weights[name] else { throw MissingWeight(name: name) }
        return tensor
      }.stepCount
    }
    #expect(try steps(graph.outputs) == (test.isJoined ? 1 : 2))
    // Whoever wants the convolution's own results gets them.
    #expect(try steps([TensorID(call: 1, output: 0)] + graph.outputs) == 2)
    #expect(try steps(graph.outputs, isExact: true) == 2)
  }
}
