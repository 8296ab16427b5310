import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import TestSupport
import Testing

@Suite("Graphs that grow without end are refused", .timeLimit(.minutes(1)))
struct HostileGraphTests {
  /// Models that each call the next one twice: 2⁴⁵ calls in a few kilobytes; the innermost has no layer but its input.
  @Test(arguments: [true, false]) func everyModelTwice(_ isEmpty: Bool) throws {
    let input = ModelText.input("x", [nil, 2])
    let leaf = ModelText.layer("ReLU", "relu", inbound: [[("x", 0, 0)]])
    var model = ModelText.functional(
      isEmpty ? [input] : [input, leaf], inputs: [("x", 0, 0)], outputs: [(isEmpty ? "x" : "relu", 0, 0)])
    for _ in 0..<45 {
      let inner = ModelText.nested(model, "inner", inbound: [[("x", 0, 0)], [("inner", 1, 0)]])
      model = ModelText.functional([input, inner], inputs: [("x", 0, 0)], outputs: [("inner", 2, 0)])
    }
    let architecture = try ArchitectureReader.read(model, kerasVersion: "2.15.0")
    let error = try #require(throws: H5ConvError.self) { try Graph(architecture) }
    #expect(error.kind == .limit)
  }

  /// A name of a megabyte that is in the file once, and in the key of each of 5,000 calls.
  @Test func longNameCalledOften() throws {
    let name = String(repeating: "n", count: 1 << 20)
    let calls = Array(repeating: [("x", 0, 0)], count: 5000)
    let model = ModelText.functional(
      [ModelText.input("x", [nil, 2]), ModelText.layer("ReLU", name, inbound: calls)], inputs: [("x", 0, 0)],
      outputs: [(name, 0, 0)])
    let error = try #require(throws: H5ConvError.self) {
      try Graph(try ArchitectureReader.read(model, kerasVersion: "2.15.0"))
    }
    #expect(error.kind == .limit)
  }

  @Test func manyModelsWithoutNames() throws {
    let inner: JSONValue = ["class_name": "Sequential", "config": [ModelText.layer("ReLU", "relu")]]
    let layers =
      [ModelText.layer("Flatten", "first", ["batch_input_shape": [nil, 2]])] + Array(repeating: inner, count: 60_000)
    let architecture = try ArchitectureReader.read(
      ["class_name": "Sequential", "config": .array(layers)], kerasVersion: "2.1.0")
    #expect(architecture.layers.last?.name == "sequential_60000")
  }
}
