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

  /// Every input of a Keras 2 call repeats its arguments by name, and has others here: all of them would be written with each.
  @Test(arguments: [20, 2000]) func argumentsByName(_ count: Int) throws {
    let calls: [JSONValue] = (0..<count / 2).map { input in
      ["x", 0, 0, ["k\(input)_0": 1, "k\(input)_1": 1]]
    }
    var layer = try #require(ModelText.layer("Add", "add").object)
    layer["inbound_nodes"] = [.array(calls)]
    let model = ModelText.functional(
      [ModelText.input("x", [nil, 2]), .object(layer)], inputs: [("x", 0, 0)], outputs: [("add", 0, 0)])
    if count <= 1000 {
      #expect(try ArchitectureReader.read(model, kerasVersion: "2.15.0").layers.count == 2)
    } else {
      let error = try #require(throws: H5ConvError.self) { try ArchitectureReader.read(model, kerasVersion: "2.15.0") }
      #expect(error.kind == .limit)
    }
  }

  /// Each of 20,000 models in a row is dissolved in the time that its own layers take; so are those that are nothing but their input.
  @Test(arguments: [true, false]) func manyModelsDissolved(_ isEmpty: Bool) throws {
    let count = 20_000
    let leaf = ModelText.layer("ReLU", "relu", inbound: [[("in", 0, 0)]])
    let inner = ModelText.functional(
      [ModelText.input("in", [nil, 2])] + (isEmpty ? [] : [leaf]), inputs: [("in", 0, 0)],
      outputs: [(isEmpty ? "in" : "relu", 0, 0)])
    let models = (0..<count).map {
      ModelText.nested(inner, "m\($0)", inbound: [[($0 == 0 ? "x" : "m\($0 - 1)", $0 == 0 ? 0 : 1, 0)]])
    }
    let last = ModelText.layer("ReLU", "last", inbound: [[("m\(count - 1)", 1, 0)]])
    let model = ModelText.functional(
      [ModelText.input("x", [nil, 2])] + models + [last], inputs: [("x", 0, 0)], outputs: [("last", 0, 0)])
    let architecture = try ArchitectureReader.read(model, kerasVersion: "2.15.0")
    let (inlined, names) = architecture.inlined(Set((0..<count).map { ["m\($0)"] }))
    #expect(inlined.layers.count == (isEmpty ? 2 : count + 2))
    #expect(names.count == inlined.layers.count && names[["last"]] == "last")
    let source = try #require(inlined.layers.last?.calls.first?.inputs.first)
    #expect(source.layer == (isEmpty ? "x" : "m\(count - 1)_relu") && source.call == 0, "\(source)")
    if !isEmpty { #expect(names[["m0", "relu"]] == "relu" && names[["m1", "relu"]] == "m1_relu") }
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
