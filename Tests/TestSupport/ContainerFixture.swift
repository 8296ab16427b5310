import H5ConvConfig
package import H5ConvTensors

/// A small network in a file of one container and one version of Keras: `Tests/Fixtures/containers/README.md`.
package struct ContainerFixture: Sendable, CustomStringConvertible {
  package let file: String
  package let network: String
  /// The container as ``H5Conv`` calls it: `legacy-h5`, `keras`.
  package let format: String
  /// How far the writer's own outputs are from the golden ones, at most.
  package let tolerance: Double
  /// The path of what a file of weights needs beside it.
  package let architecture: String?
  package let hasOptimizerState: Bool
  private let golden: String?
  /// The file's names of inputs, where they are not the golden's.
  private let inputNames: [String: String]

  private init?(_ line: JSONValue) {
    guard let file = line["file"]?.string, let network = line["network"]?.string, let format = line["format"]?.string
    else { return nil }
    (self.file, self.network, self.format) = (file, network, format)
    tolerance = line["tolerance"]?.number ?? 0
    architecture = line["architecture"]?.string.map { Fixtures.path("containers/\($0)") }
    hasOptimizerState = line["optimizer_state"]?.bool ?? false
    golden = line["golden"]?.string
    inputNames = (line["inputs"]?.object?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.string }
  }

  package var path: String { Fixtures.path("containers/\(file)") }
  package var description: String { file }

  /// Inputs by the file's names of them, and outputs by the names of results; nil where Keras computes nothing.
  package func goldenArrays() throws -> (inputs: [String: Tensor], outputs: [String: Tensor])? {
    guard let golden else { return nil }
    var inputs: [String: Tensor] = [:]
    var outputs: [String: Tensor] = [:]
    for (key, tensor) in try ArrayFile.npz(Fixtures.path("containers/\(golden)")) {
      guard key.hasPrefix("input:") else {
        outputs[key] = tensor
        continue
      }
      let name = String(key.dropFirst("input:".count))
      inputs[inputNames[name] ?? name] = tensor
    }
    return (inputs, outputs)
  }

  /// Every file of the index.
  package static let all: [ContainerFixture] = {
    let index = try? JSONParser.parse(contents(of: Fixtures.path("containers/index.json")))
    return (index?["files"]?.array ?? []).compactMap(ContainerFixture.init)
  }()

  /// Those of which Keras computed the outputs.
  package static let computed = all.filter { $0.golden != nil }

  /// The fixture in the file of that name.
  package static func named(_ file: String) -> ContainerFixture? { all.first { $0.file == file } }
}
