import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvInference
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

@Suite("Weights of other shapes than the layer's")
struct WrongWeightTests {
  private func graph(_ example: LayerExample) throws -> Graph {
    var config = try #require(try JSONParser.parse(example.config).object)
    config["name"] = "l"
    config["trainable"] = true
    let names = example.inputs.indices.map { "x\($0)" }
    let inputs = zip(names, example.inputs).map { ModelText.input($0, [nil] + $1.dropFirst().map { $0 }) }
    let calls: [JSONValue] = names.map { [.string($0), 0, 0, [:]] }
    let layer: JSONValue = [
      "class_name": .string(example.className), "name": "l", "config": .object(config),
      "inbound_nodes": [.array(calls)],
    ]
    let model = ModelText.functional(
      inputs + [layer], inputs: names.map { ($0, 0, 0) }, outputs: [("l", 0, 0)])
    return try Graph(try ArchitectureReader.read(model, kerasVersion: "2.15.0"))
  }

  /// Each weight in turn: the error has the layer, the weight and both shapes.
  @Test(arguments: LayerExample.all) func refused(_ example: LayerExample) throws {
    // Attention by heads is called with keywords, its weights are tested with its file.
    if example.className == "InputLayer" || example.className.hasSuffix("HeadAttention")
      || example.className.hasSuffix("QueryAttention")
    {
      return
    }
    let graph = try graph(example)
    let layer = try #require(graph.layers.first { $0.name == "l" })
    for wrong in layer.weights {
      var isRead = false
      var error: H5ConvError?
      do {
        _ = try Plan(graph, wanted: graph.outputs, inputShapes: example.inputs) { number, name in
          let spec = try #require(graph.layers[number].weights.first { $0.name == name })
          isRead = isRead || name == wrong.name
          let shape = name == wrong.name ? [3, 1, 1, 1, 1, 1, 2] : try #require(spec.shape.known)
          return try Tensor(shape: shape, values: Array(repeating: 0.5, count: shape.reduce(1, *)))
        }
      } catch let thrown as H5ConvError { error = thrown }
      #expect((error != nil) == isRead, "\(wrong.name)")
      // Weights that inference does without are not read.
      guard let error else { continue }
      #expect(error.kind == .badData)
      let text = error.description
      #expect(text.contains("'l'") && text.contains("'\(wrong.name)'"), "\(text)")
      #expect(text.contains("(3, 1, 1, 1, 1, 1, 2)") && text.contains("\(wrong.shape)"), "\(text)")
    }
  }
}
