import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

/// A maximum over windows of cells around which zeros were laid.
struct PaddedPool: CustomTestStringConvertible, Sendable {
  var activation = "relu"
  /// Cells above, below, to the left and to the right.
  var pad = [1, 1, 1, 1]
  var window = [3, 3]
  var strides = [2, 2]
  var padding = "valid"

  var testDescription: String { "\(activation), pad \(pad), window \(window), strides \(strides), \(padding)" }

  static let all =
    ["relu", "relu6", "linear", "leaky_relu"].flatMap { activation in
      [
        PaddedPool(activation: activation), PaddedPool(activation: activation, pad: [0, 1, 0, 1]),
        // Windows that cover zeros alone.
        PaddedPool(activation: activation, pad: [3, 3, 2, 4], window: [2, 2], strides: [1, 1]),
        PaddedPool(activation: activation, pad: [1, 2, 0, 3], window: [2, 5], strides: [3, 2]),
        PaddedPool(activation: activation, window: [2, 2], padding: "same"),
      ]
    }
}

@Suite("Padding before a maximum") struct PaddedPoolTests {
  private func layer(_ className: String, _ name: String, _ config: JSONObject) -> JSONValue {
    ["class_name": .string(className), "name": .string(name), "config": .object(config)]
  }

  @Test(arguments: PaddedPool.all) func isTheMaximumOfPaddedCells(_ test: PaddedPool) throws {
    var noise = Noise(7)
    let input = try noise.tensor([2, 8, 9, 3])
    let weights = ["kernel": try noise.tensor([1, 1, 3, 5]), "bias": try noise.tensor([5])]
    func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .int($0) }) }
    let convolution = layer(
      "Conv2D", "conv",
      JSONObject([
        "filters": .int(5), "kernel_size": numbers([1, 1]), "activation": .string(test.activation),
      ]))
    let pad = layer(
      "ZeroPadding2D", "pad",
      JSONObject([
        "padding": .array([numbers(Array(test.pad[..<2])), numbers(Array(test.pad[2...]))])
      ]))
    let pool = layer(
      "MaxPooling2D", "pool",
      JSONObject([
        "pool_size": numbers(test.window), "strides": numbers(test.strides), "padding": .string(test.padding),
      ]))

    let padded = try run([convolution, pad], on: input, weights: weights)
    let expected = try run([pool], on: padded)
    let found = try run([convolution, pad, pool], on: input, weights: weights)
    #expect(found.shape == expected.shape && found.values == expected.values)
    if test.activation == "linear" { #expect(found.values.contains(0)) }
  }
}
