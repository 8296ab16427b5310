import H5Conv
import H5ConvConfig
import H5ConvModelFiles
import H5ConvTesting
import TestSupport
import Testing

/// A line of `Tests/Fixtures/containers/index.json`: a file that real Keras of some age wrote.
struct ContainerFixture: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let file: String
  let facts: JSONValue

  private init(_ facts: JSONValue) {
    self.facts = facts
    file = facts["file"]?.string ?? ""
    testDescription = file
  }

  static let all: [ContainerFixture] = {
    let index = try? JSONParser.parse(contents(of: path("index.json")))
    return (index?["files"]?.array ?? []).map(ContainerFixture.init)
  }()

  /// Those that have expected outputs.
  static let computed = all.filter { $0.facts["golden"]?.string != nil }

  private static func path(_ name: String) -> String { Fixtures.path("containers/" + name) }

  var path: String { ContainerFixture.path(file) }
  var architecture: String? { facts["architecture"]?.string.map(ContainerFixture.path) }
  var tolerance: Double { facts["tolerance"]?.number ?? 0 }

  /// The inputs by the names that they have in this file, and the expected outputs by the names of results.
  func tensors() throws -> (inputs: [String: Tensor], golden: [String: Tensor]) {
    var inputs: [String: Tensor] = [:]
    var golden: [String: Tensor] = [:]
    for (key, tensor) in try ArrayFile.npz(ContainerFixture.path(try #require(facts["golden"]?.string))) {
      if key.hasPrefix("input:") {
        let name = String(key.dropFirst("input:".count))
        inputs[facts["inputs"]?[name]?.string ?? name] = tensor
      } else {
        golden[key] = tensor
      }
    }
    return (inputs, golden)
  }
}

@Suite("Every container of every Keras")
struct ContainerTests {
  @Test func thereAreFixtures() { #expect(ContainerFixture.computed.count > 80) }

  @Test(arguments: ContainerFixture.all) func format(_ fixture: ContainerFixture) throws {
    #expect(try ModelFile(path: fixture.path).container.rawValue == fixture.facts["format"]?.string)
  }

  @Test(arguments: ContainerFixture.computed) func outputs(_ fixture: ContainerFixture) throws {
    let model = try Model(contentsOf: fixture.path, architecture: fixture.architecture)
    let (inputs, golden) = try fixture.tensors()
    let given = try model.inputs.map { try #require(inputs[$0.name], "input \($0.name)") }
    let report = try compareActivations(model, golden, on: given, tolerance: fixture.tolerance)
    #expect(report.isMatch, "\(report)")
    #expect(report.comparedCount == golden.count)
  }
}
