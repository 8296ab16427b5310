import CKernels
import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import H5ConvTensors
import TestSupport

/// A small generator whose numbers are the same everywhere.
struct Noise: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// A tensor of numbers between −1 and 1.
  mutating func tensor(_ shape: [Int]) throws -> Tensor {
    try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &self) })
  }
}

/// A model of layers behind each other for inputs of the shape `input`, whose first axis may have any size.
func graph(_ layers: [JSONValue], input: [Int]) throws -> Graph {
  let shape: [Int?] = [nil] + input.dropFirst().map { $0 }
  let config = ModelText.sequential([ModelText.input("x", shape)] + layers)
  return try Graph(try ArchitectureReader.read(config, kerasVersion: "3.0.0"))
}

/// Runs layers behind each other on one input, with weights by their names, without a file.
func run(
  _ layers: [JSONValue], on input: Tensor, weights: [String: Tensor] = [:], threads: Int = 2
) throws -> Tensor {
  try run(graph(layers, input: input.shape), on: [input], weights: weights, threads: threads)
}

func run(_ graph: Graph, on inputs: [Tensor], weights: [String: Tensor] = [:], threads: Int = 2) throws -> Tensor {
  let plan = try Plan(graph, wanted: graph.outputs, inputShapes: inputs.map(\.shape)) { layer, name in
    guard let tensor = weights["\(graph.layers[layer].name)/\(name)"] ?? weights[name] else {
      throw MissingWeight(name: name)
    }
    return tensor
  }
  return try plan.run(inputs, threads: Threads(threads))[0]
}

struct MissingWeight: Error { let name: String }

/// Places of a tensor's elements by their indices along the axes.
struct Indexed {
  let shape: [Int]
  let values: [Float]

  init(_ tensor: Tensor) { (shape, values) = (tensor.shape, tensor.values) }

  subscript(_ place: Int...) -> Double {
    Double(values[zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 }])
  }
}

/// The largest |a − b| / max(1, |b|max).
func difference(_ a: Tensor, _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  let scale = b.reduce(1) { max($0, abs($1)) }
  return zip(a.values, b).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
}

/// The loops of every instruction set that this processor has, the portable ones first.
func kernelVariants() -> [UnsafePointer<h5k_kernels>] {
  var variants: [UnsafePointer<h5k_kernels>] = []
  while let next = h5k_variant(variants.count) { variants.append(next) }
  return variants
}
