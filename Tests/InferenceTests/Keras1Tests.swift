import Foundation
import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

/// Layers that only Keras 1 had, against naive loops over their formulas.
@Suite("Dense layers of Keras 1")
struct Keras1Tests {
  @Test func maxout() throws {
    var noise = Noise(5)
    let (input, kernel, bias) = (try noise.tensor([2, 3]), try noise.tensor([4, 3, 5]), try noise.tensor([4, 5]))
    let result = try run(
      [ModelText.layer("MaxoutDense", "m", ["output_dim": 5, "nb_feature": 4, "bias": true])], on: input,
      weights: ["kernel": kernel, "bias": bias])
    let (x, w, b) = (Indexed(input), Indexed(kernel), Indexed(bias))
    let expected = (0..<2).flatMap { row in
      (0..<5).map { unit in
        (0..<4).map { piece in (0..<3).reduce(b[piece, unit]) { $0 + x[row, $1] * w[piece, $1, unit] } }.max() ?? 0
      }
    }
    #expect(difference(result, expected) < 1e-5)
  }

  @Test func highway() throws {
    var noise = Noise(6)
    let input = try noise.tensor([2, 3])
    let (kernel, carry) = (try noise.tensor([3, 3]), try noise.tensor([3, 3]))
    let (bias, carryBias) = (try noise.tensor([3]), try noise.tensor([3]))
    let result = try run(
      [ModelText.layer("Highway", "h", ["activation": "relu"])], on: input,
      weights: ["kernel": kernel, "carry_kernel": carry, "bias": bias, "carry_bias": carryBias])
    func product(_ row: Int, _ unit: Int, _ kernel: Tensor, _ bias: Tensor) -> Double {
      (0..<3).reduce(Indexed(bias)[unit]) { $0 + Indexed(input)[row, $1] * Indexed(kernel)[$1, unit] }
    }
    let expected = (0..<2).flatMap { row in
      (0..<3).map { unit in
        let gate = Double(sigmoid(Float(product(row, unit, carry, carryBias))))
        return gate * max(0, product(row, unit, kernel, bias)) + (1 - gate) * Indexed(input)[row, unit]
      }
    }
    #expect(difference(result, expected) < 1e-5)
  }

  private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
}
