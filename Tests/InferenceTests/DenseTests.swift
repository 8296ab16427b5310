import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

@Suite("A dense layer for few rows") struct DenseTests {
  /// Kernels that are read in several parts, in one, and whose last part is short.
  @Test(arguments: [[1, 9000, 130], [2, 9001, 67], [1, 100, 33], [2, 70, 9000], [1, 1, 5]])
  func isTheSumInAnyNumberOfThreads(_ sizes: [Int]) throws {
    let (rows, inner, units) = (sizes[0], sizes[1], sizes[2])
    var noise = Noise(3)
    let input = try noise.tensor([rows, inner])
    let (kernel, bias) = (try noise.tensor([inner, units]), try noise.tensor([units]))
    let layer: JSONValue = [
      "class_name": "Dense", "name": "dense", "config": .object(JSONObject(["units": .int(units)])),
    ]
    let results = try [1, 2, 3, 7].map {
      try run([layer], on: input, weights: ["kernel": kernel, "bias": bias], threads: $0)
    }

    #expect(results.allSatisfy { $0.values == results[0].values })
    let (x, w, b) = (Indexed(input), Indexed(kernel), Indexed(bias))
    let expected = (0..<rows).flatMap { row in
      (0..<units).map { unit in (0..<inner).reduce(b[unit]) { $0 + x[row, $1] * w[$1, unit] } }
    }
    #expect(results[0].shape == [rows, units] && difference(results[0], expected) < 5e-6)
  }
}
