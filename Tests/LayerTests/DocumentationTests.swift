import Foundation
import H5ConvConfig
import H5ConvLayers
import TestSupport
import Testing

/// docs/layers.md against the registry and against Keras' own lists (`tools/make_name_lists.py`).
@Suite("The page of layers and operations")
struct DocumentationTests {
  /// The words in backticks below each heading.
  private static let sections: [String: Set<String>] = {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/layers.md").standardized.path
    var sections: [String: Set<String>] = [:]
    for section in String(decoding: contents(of: path), as: UTF8.self).components(separatedBy: "\n## ").dropFirst() {
      let lines = section.split(separator: "\n", omittingEmptySubsequences: false)
      // Names are in tables and lists; what stands in sentences is explanation.
      let rows = lines.dropFirst().filter { $0.hasPrefix("| ") || $0.hasPrefix("`") }
      let words = rows.flatMap { $0.split(separator: "`", omittingEmptySubsequences: false).enumerated() }
      sections[String(lines[0])] = Set(words.filter { $0.offset % 2 == 1 }.map { String($0.element) })
    }
    return sections
  }()

  private func section(_ title: String) throws -> Set<String> { try #require(DocumentationTests.sections[title]) }

  private func plain(_ names: Set<String>) -> Set<String> {
    Set(names.map { $0.filter { $0 != "_" }.lowercased() })
  }

  private func keras(_ list: String) throws -> Set<String> {
    let names = try JSONParser.parse(contents(of: Fixtures.path("keras_names.json")))
    return Set(try #require(names[list]?.array).compactMap(\.string))
  }

  @Test func layers() throws {
    #expect(try section("Layers that are computed") == LayerRegistry.classNames)
    #expect(try section("Layers that are refused") == LayerRegistry.refusedClassNames)
  }

  @Test func operations() throws {
    #expect(plain(try section("Operations that are computed")) == LayerRegistry.operationNames)
    #expect(try section("Nodes of TensorFlow graphs that are computed") == LayerRegistry.nodeNames)
    #expect(try section("Operations of Keras that are refused").filter(LayerRegistry.isOperation) == [])
  }

  /// Every layer that Keras has is computed, refused with a reason, or a cell inside another.
  @Test(arguments: ["keras.layers", "tf_keras.layers"]) func nothingIsMissing(_ list: String) throws {
    let known = LayerRegistry.classNames.union(LayerRegistry.refusedClassNames)
    let cells: Set = ["SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"]
    #expect(try keras(list).subtracting(known).subtracting(cells) == [])
  }

  @Test func everyFunctionIsTold() throws {
    // The classes of these functions have other names.
    let otherNames: Set = ["layer_normalization", "rms_normalization"]
    let untold = try keras("keras.ops").filter { !LayerRegistry.isOperation($0) }
    #expect(untold.subtracting(otherNames) == (try section("Operations of Keras that are refused")))
  }
}
