import Foundation
import H5ConvConfig
import H5ConvGraph
import H5ConvInference
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

/// The smallest network of each family of keras.applications, as tf_keras and as Keras 3 describe it: `tools/make_application_fixtures.py`.
@Suite("keras.applications")
struct ApplicationTests {
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("applications"))) ?? [])
    .filter { $0.hasSuffix(".npz") }.map { String($0.dropLast(4)) }.sorted()

  private struct Fixture {
    let graph: Graph
    /// Names and output shapes of the layers.
    let layers: [(name: String, shape: [Int?])]
    let size: Int
    let places: [Int]
    let values: [Float]
    let largest: [Float]

    init(_ name: String) throws {
      let arrays = Dictionary(
        uniqueKeysWithValues: try ArrayFile.npz(Fixtures.path("applications/\(name).npz")).map { ($0.name, $0.tensor) })
      func numbers(_ key: String) throws -> [Float] { try #require(arrays[key]).values }
      func json(_ key: String) throws -> JSONValue { try JSONParser.parse(try numbers(key).map { UInt8($0) }) }
      graph = try Graph(ArchitectureReader.read(try json("architecture"), kerasVersion: nil))
      layers = try #require(try json("layers").array).map { item in
        (try #require(item.array?.first?.string), try #require(item.array?.last?.array).map(\.integer))
      }
      size = Int(try numbers("size")[0])
      (places, values, largest) = (try numbers("places").map { Int($0) }, try numbers("values"), try numbers("largest"))
    }
  }

  @Test func thereAreFixtures() { #expect(!ApplicationTests.names.isEmpty) }

  /// Some elements of every layer; one layer after the other, so that nothing is joined, and all in one run.
  @Test(arguments: names, [false, true]) func everyLayer(_ name: String, _ isExact: Bool) throws {
    let fixture = try Fixture(name)
    let weights = SeededWeights(graph: fixture.graph)
    let taps = Dictionary(fixture.graph.taps.map { ($0.key, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    // Of the plan that joins layers only what stands after them can be seen.
    let wanted = isExact ? Array(fixture.layers.indices) : [fixture.layers.count / 2, fixture.layers.count - 1]
    let pixels = SeededWeights.uniform("picture", count: fixture.size * fixture.size * 3).map { ($0 + 1) * 127.5 }
    let plan = try Plan(
      fixture.graph, wanted: try wanted.map { try #require(taps[fixture.layers[$0].name]) },
      inputShapes: [[1, fixture.size, fixture.size, 3]], isExact: isExact, weights: weights.tensor)
    let results = try plan.run(
      [try Tensor(shape: [1, fixture.size, fixture.size, 3], values: pixels)], threads: Threads(2))
    let count = fixture.places.count / fixture.layers.count
    for (layer, result) in zip(wanted, results) {
      let (key, shape) = fixture.layers[layer]
      #expect(fixture.graph.shape(of: try #require(taps[key]))?.sizes == shape, "\(key)")
      for place in layer * count..<(layer + 1) * count {
        let difference = abs(result.values[fixture.places[place]] - fixture.values[place])
        #expect(difference <= 1e-4 * max(1, fixture.largest[layer]), "\(key)")
      }
    }
  }
}
