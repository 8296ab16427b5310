import Foundation
package import H5ConvConfig
package import H5ConvTensors

/// A model that real Keras saved, with the output of every layer: `Tests/Fixtures/models/README.md`.
package struct ModelFixture: Sendable {
  package let name: String
  /// Inputs by the names of the input layers.
  package let inputs: [String: Tensor]
  /// Outputs by the names of results.
  package let golden: [String: Tensor]
  /// What Keras says about the model.
  package let facts: JSONValue

  package init(_ name: String) throws {
    self.name = name
    var inputs: [String: Tensor] = [:]
    var golden: [String: Tensor] = [:]
    for (key, tensor) in try ArrayFile.npz(ModelFixture.path(name, "npz")) {
      if key.hasPrefix("input:") { inputs[String(key.dropFirst(6))] = tensor } else { golden[key] = tensor }
    }
    (self.inputs, self.golden) = (inputs, golden)
    facts = try JSONParser.parse(contents(of: ModelFixture.path(name, "json")))
  }

  /// The `.h5` file.
  package var path: String { ModelFixture.path(name) }

  package static func path(_ name: String, _ ending: String = "h5") -> String {
    Fixtures.path("models/\(name).\(ending)")
  }

  /// Names of all fixtures, sorted.
  package static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("models"))) ?? [])
    .filter { $0.hasSuffix(".h5") }.map { String($0.dropLast(3)) }.sorted()

  /// Layers that Keras runs only with the user's own Python, or that come after one.
  package var notRunnable: Set<String> { Set(facts["not_runnable"]?.array?.compactMap(\.string) ?? []) }
}
