import H5ConvGraph
import H5ConvLayers
import H5ConvTensors

/// Weights from a formula, the same as in tools/fixtures/applications.py, which tells it.
struct SeededWeights {
  let graph: Graph

  /// The weight `name` of layer number `layer`; `shape` is what the plan expects.
  func tensor(layer: Int, _ name: String) throws -> Tensor {
    let layer = graph.layers[layer]
    guard let number = layer.weights.firstIndex(where: { $0.name == name }),
      let shape = layer.weights[number].shape.known
    else { throw Missing(name: name) }
    let numbers = SeededWeights.uniform("\(layer.name)/\(number)", count: shape.reduce(1, *))
    return try Tensor(shape: shape, values: numbers.map(scaled(name, layer.className, shape)))
  }

  struct Missing: Error { let name: String }

  private func scaled(_ name: String, _ className: String, _ shape: [Int]) -> (Float) -> Float {
    if name.contains("variance") { return { 1 + 0.5 * $0 } }
    if name == "gamma" { return { 1 + 0.3 * $0 } }
    if name == "count" { return { _ in 7 } }
    if shape.count < 2 { return { 0.1 * $0 } }
    let isDepthwise = name.contains("depthwise")
    let inputs = (isDepthwise ? shape.prefix(2) : shape.dropLast()).reduce(1, *)
    let scale = Float((3 / Double(inputs)).squareRoot())
    return { scale * $0 }
  }

  /// `count` numbers in [−1, 1) that depend on `key` alone.
  static func uniform(_ key: String, count: Int) -> [Float] {
    let seed = key.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return (0..<count).map { place in
      var x = UInt32(truncatingIfNeeded: place) &* 0x9E37_79B9 &+ seed
      x ^= x >> 16
      x &*= 0x85EB_CA6B
      x ^= x >> 13
      x &*= 0xC2B2_AE35
      x ^= x >> 16
      return Float(x >> 8) / Float(1 << 23) - 1
    }
  }
}
