import H5ConvConfig
import TestSupport
import Testing

private func container(_ name: String) -> String { Fixtures.path("containers/" + name) }

@Suite("h5conv convert and h5conv slice")
struct ConvertCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The format that `inspect` finds in a file.
  private func format(_ name: String) throws -> String? {
    try Program.run(["inspect", "--json", folder.file(name)]).json()["format"]?.string
  }

  @Test(arguments: [
    ("a.h5", [], "legacy-h5"), ("a.keras", [], "keras"), ("a.weights.h5", [], "keras3-weights"), ("a.npz", [], "npz"),
    ("a.safetensors", [], "safetensors"), ("a.h5", ["--to", "legacy-weights"], "legacy-weights"),
    ("a.bin", ["--to", "keras"], "keras"),
    ("a.h5", ["--dtype", "float16", "--compress", "gzip"], "legacy-h5"),
    ("a.keras", ["--dtype", "bfloat16", "--compress", "gzip:9"], "keras"),
  ])
  func kinds(_ name: String, _ options: [String], _ expected: String) throws {
    let run = try Program.run(["convert", tutorial, name] + options, in: folder)
    #expect(run.code == 0 && run.output == "", "\(run)")
    #expect(run.errorLines.last == "\(name): written as \(expected)", "\(run)")
    #expect(folder.names == [name])
    #expect(try format(name) == expected)
  }

  /// What was changed and what Keras will not read is told, each with its layer.
  @Test func tells() throws {
    let repaired = try Program.run(["convert", container("k225_recurrent.h5"), "new.keras"], in: folder)
    #expect(repaired.code == 0)
    #expect(
      repaired.errorLines.contains { $0.hasPrefix("changed: lstm: ") && $0.contains("1.2") }, "\(repaired)")
    let custom = try Program.run(["convert", ModelFixture.path("k3_own_code"), "own.keras"], in: folder)
    #expect(custom.code == 0)
    #expect(custom.errorLines.contains { $0.hasPrefix("warning: swirl: ") }, "\(custom)")
    let state = try Program.run(["convert", container("tfk221_image.h5"), "state.keras"], in: folder)
    #expect(state.errorLines.contains { $0.hasPrefix("warning: ") && $0.contains("optimizer") }, "\(state)")
  }

  @Test func quietAndForce() throws {
    _ = try folder.write("a.keras", [1, 2, 3])
    let refused = try Program.run(["convert", tutorial, "a.keras"], in: folder)
    #expect(refused.code == 73 && contents(of: folder.file("a.keras")) == [1, 2, 3])
    let run = try Program.run(["convert", tutorial, "a.keras", "--force", "--quiet"], in: folder)
    #expect(run.code == 0 && run.output == "" && run.errors == "", "\(run)")
    #expect(try format("a.keras") == "keras")
  }

  @Test func architectureBeside() throws {
    let run = try Program.run(
      ["convert", container("tfk221_image.legacy.h5"), "a.keras", "--architecture", container("tfk221_image.json")],
      in: folder)
    #expect(run.code == 0, "\(run)")
    let same = try Program.run(["diff", folder.file("a.keras"), container("tfk221_image.h5")])
    #expect(same.code == 0, "\(same)")
  }

  @Test(arguments: [
    (["--outputs", "conv2d_1,block0_conv2"], ["conv2d_1", "block0_conv2"]), (["-l", "block0_conv?"], nil),
    (["--outputs", "conv2d_1", "--prefix", "my_"], ["my_conv2d_1"]),
    (["--from", "block0_conv2", "-l", "block0_conv2"], ["block0_conv2"]),
  ])
  func parts(_ options: [String], _ outputs: [String]?) throws {
    let run = try Program.run(["slice", tutorial, "-o", "part.h5"] + options, in: folder)
    #expect(run.code == 0 && run.output == "", "\(run)")
    #expect(run.errorLines == ["part.h5: written as legacy-h5"])
    let json = try Program.run(["inspect", "--json", folder.file("part.h5")]).json()
    let names = json["outputs"]?.array?.compactMap(\.string)
    #expect(names?.isEmpty == false)
    if let outputs { #expect(names == outputs) }
  }

  /// A tail without named outputs ends where the model does.
  @Test func tail() throws {
    let run = try Program.run(["slice", tutorial, "--from", "block0_conv2", "-o", "tail.keras"], in: folder)
    #expect(run.code == 0, "\(run)")
    let (tail, whole) = (
      try Program.run(["inspect", "--json", folder.file("tail.keras")]).json(),
      try Program.run(["inspect", "--json", tutorial]).json()
    )
    #expect(tail["outputs"] == whole["outputs"])
    #expect(tail["inputs"]?.array?.first?["name"] == "block0_conv2_input")
  }
}
