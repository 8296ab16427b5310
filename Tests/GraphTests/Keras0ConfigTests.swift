import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import TestSupport
import Testing

/// What real models of Keras 0.3 compute is in ContainerTests; here is what nobody saved.
@Suite("Configs of Keras 0.3")
struct Keras0ConfigTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The model of JSON with `'` for `"`.
  private func read(_ text: String) throws -> ModelFile {
    let json = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\"")
    return try ModelFile(path: folder.write("model.json", json.utf8))
  }

  private let dense = "{'name':'Dense','custom_name':'dense','output_dim':2,'input_dim':3,'activation':'linear'}"

  /// Layers that Keras 0.3 gave one name are told apart.
  @Test func names() throws {
    let file = try read("{'name':'Sequential','layers':[\(dense),\(dense.replacing("3", with: "2")),\(dense)]}")
    let names = try #require(try file.architecture?.get()).layers.map(\.name)
    #expect(names == ["dense_input", "dense", "dense_1", "dense_2"])
    #expect(file.container == .architecture)
  }

  /// A layer that h5conv does not know keeps its name, and those behind it can be shown.
  @Test func unknownLayer() throws {
    let file = try read("{'name':'Sequential','layers':[\(dense),{'name':'Siamese','custom_name':'twins'}]}")
    let graph = try Graph(try #require(try file.architecture?.get()))
    #expect(graph.layers.map(\.className) == ["InputLayer", "Dense", "Siamese"])
    #expect(throws: H5ConvError.self) { try graph.layers[2].kind.get() }
  }

  @Test(arguments: [
    "{'name':'Sequential'}", "{'name':'Sequential','layers':3}", "{'name':'Graph'}",
    "{'name':'Graph','node_config':[],'nodes':[]}", "{'name':'Dense','layers':[]}", "{'name':5,'layers':[]}",
  ])
  func otherForms(_ text: String) throws {
    let error = try #require(throws: H5ConvError.self) { try read(text) }
    #expect(error.kind == .badData && error.reason == .notAModel, "\(error)")
  }

  /// Graphs that lead nowhere are errors with a place.
  @Test(arguments: [
    "'node_config':[{'name':'a','input':'nobody'}],'nodes':{'a':DENSE},'output_config':[{'name':'o','input':'a'}]",
    "'node_config':[{'name':'a','input':'x'}],'nodes':{'a':DENSE},'output_config':[{'name':'o','input':'nobody'}]",
    "'node_config':[{'name':'a','input':'a'}],'nodes':{'a':DENSE},'output_config':[{'name':'o','input':'a'}]",
    "'node_config':[{'name':'a','input':'x'},{'name':'a','input':'x'}],'nodes':{'a':DENSE},'output_config':[]",
    "'node_config':[{'name':'a','inputs':[1,{}]}],'nodes':{'a':null},'output_config':[{'name':'o','input':'a'}]",
    "'node_config':[{'name':'a','input':'x'}],'nodes':{},'output_config':[{'name':'o','input':'a'}]",
  ])
  func brokenGraphs(_ parts: String) throws {
    let nodes = parts.replacing("DENSE", with: dense)
    let file = try read("{'name':'Graph','input_config':[{'name':'x','input_shape':[3]}],\(nodes)}")
    let error = #expect(throws: H5ConvError.self) {
      let graph = try Graph(try #require(try file.architecture?.get()))
      for layer in graph.layers { _ = try layer.kind.get() }
      for call in graph.calls { _ = try call.applied.get() }
    }
    #expect([.badData, .unsupported].contains(error?.kind), "\(error?.description ?? "")")
  }
}
