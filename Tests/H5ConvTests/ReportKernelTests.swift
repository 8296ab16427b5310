import H5Conv
import H5ConvGraph
import H5ConvTensors
import H5ConvVisualization
import TestSupport
import Testing

/// The kernel that the page shows of a layer computes what Keras computed with the layer.
@Suite("Kernels that are made of several weights")
struct ReportKernelTests {
  private func kernel(
    _ fixture: ModelFixture, _ layer: String
  ) throws -> (model: Model, shape: [Int], values: [Float]) {
    let model = try Model(contentsOf: fixture.path)
    let taps = try model.slice(outputs: [layer]).taps
    let kernels = ReportKernels(model, taps)
    let whole = try #require(kernels.whole(taps[0]))
    return (model, whole.shape, whole.values)
  }

  private func bias(_ model: Model, _ layer: String) throws -> [Float] {
    let number = try #require(model.graph.layers.firstIndex { $0.name == layer })
    return try model.weights.tensor(layer: number, "bias").values
  }

  private func expectEqual(_ computed: [Float], _ golden: Tensor) {
    #expect(computed.count == golden.count)
    #expect(zip(computed, golden.values).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func separable() throws {
    let fixture = try ModelFixture("k3_separable")
    let (model, shape, weights) = try kernel(fixture, "sep_valid_s2_m2_d1_k3")
    #expect(shape == [3, 3, 2, 3])
    let bias = try bias(model, "sep_valid_s2_m2_d1_k3")
    let (x, golden) = (try #require(fixture.inputs["x"]), try #require(fixture.golden["sep_valid_s2_m2_d1_k3"]))
    let (values, size) = (x.values, x.shape)
    var computed: [Float] = []
    for example in 0..<size[0] {
      for row in 0..<golden.shape[1] {
        for column in 0..<golden.shape[2] {
          for filter in 0..<3 {
            var sum = bias[filter]
            for place in 0..<18 {
              let (ky, kx, input) = (place / 6, place / 2 % 3, place % 2)
              let at = ((example * size[1] + 2 * row + ky) * size[2] + 2 * column + kx) * 2 + input
              sum += values[at] * weights[place * 3 + filter]
            }
            computed.append(sum)
          }
        }
      }
    }
    expectEqual(computed, golden)
  }

  @Test func transposed() throws {
    let fixture = try ModelFixture("k3_transpose_1d")
    let (model, shape, weights) = try kernel(fixture, "tr_valid_k2_s3")
    #expect(shape == [1, 2, 3, 2])
    let bias = try bias(model, "tr_valid_k2_s3")
    let (x, golden) = (try #require(fixture.inputs["x"]), try #require(fixture.golden["tr_valid_k2_s3"]))
    let (values, length) = (x.values, golden.shape[1])
    var computed = (0..<golden.count).map { bias[$0 % 2] }
    for example in 0..<x.shape[0] {
      for cell in 0..<x.shape[1] {
        for place in 0..<6 {
          let (k, input) = (place / 3, place % 3)
          for filter in 0..<2 {
            computed[(example * length + 3 * cell + k) * 2 + filter] +=
              values[(example * x.shape[1] + cell) * 3 + input] * weights[place * 2 + filter]
          }
        }
      }
    }
    expectEqual(computed, golden)
  }
}
