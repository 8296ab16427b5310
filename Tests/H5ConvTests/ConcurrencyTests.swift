import H5Conv
import H5ConvTensors
import TestSupport
import Testing

/// The library in many tasks at once; meant to be run with `swift test --sanitize thread` too.
@Suite("Many tasks at once")
struct ConcurrencyTests {
  private static let names = ["tfk_tutorial", "k3_nested_deep", "k3_nested_twice", "k3_adaptive_2d"]

  private func outputs(of model: Model) throws -> [[Float]] {
    let inputs = try model.inputs.map { input in
      let shape = input.shape.map { $0 ?? 1 }
      return try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0 % 17) / 17 })
    }
    return try model.slice(outputs: ["@outputs"]).run(inputs).map { $0.tensor.withUnsafeElements { Array($0) } }
  }

  @Test func openingAndRunning() async throws {
    let expected = try ConcurrencyTests.names.map { try outputs(of: Model(contentsOf: ModelFixture.path($0))) }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for turn in 0..<64 {
        let place = turn % ConcurrencyTests.names.count
        group.addTask {
          try outputs(of: Model(contentsOf: ModelFixture.path(ConcurrencyTests.names[place]))) == expected[place]
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func sharingOneModel() async throws {
    let model = try Model(contentsOf: ModelFixture.path("tfk_tutorial"))
    let expected = try outputs(of: model)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<64 { group.addTask { try outputs(of: model) == expected } }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func inspectingCheckingAndConverting() async throws {
    let folder = try TemporaryFolder()
    let expected = try Inspection(contentsOf: ModelFixture.path("tfk_tutorial")).text(weights: true)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for turn in 0..<32 {
        group.addTask {
          let path = ModelFixture.path("tfk_tutorial")
          switch turn % 3 {
          case 0: return try Inspection(contentsOf: path).text(weights: true) == expected
          case 1: return try ModelCheck(contentsOf: path).isGood
          default:
            let copy = folder.file("\(turn).\(turn % 2 == 0 ? "keras" : "h5")")
            _ = try convertModel(at: path, to: copy)
            return try ModelDiff(path, copy).verdict == .same
          }
        }
      }
      for try await isGood in group { #expect(isGood) }
    }
  }
}
