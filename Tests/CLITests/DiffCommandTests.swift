import H5ConvConfig
import TestSupport
import Testing

private func container(_ name: String) -> String { Fixtures.path("containers/" + name) }
private func hdf5(_ name: String) -> String { Fixtures.path("hdf5/\(name).h5") }

@Suite("h5conv diff")
struct DiffCommandTests {
  @Test(arguments: [
    ([container("k315_image.keras"), container("tfk221_image.h5")], 0, "same: 16 layers, 24 weights"),
    ([container("k315_image.json"), container("tfk221_image.h5")], 0, "has no weights"),
    ([container("k315_image.weights.h5"), container("tfk221_image.h5")], 0, "has no architecture"),
    ([ModelFixture.path("k3_compiled"), ModelFixture.path("tfk_compiled")], 1, "different: 6 of 7 weights"),
    ([ModelFixture.path("k3_compiled"), ModelFixture.path("tfk_compiled"), "--atol", "10"], 0, "same"),
    ([container("k315_image.keras"), container("k315_sequential.keras"), "--rows", "3"], 1, "more"),
    ([container("k315_image.json"), container("k315_image.weights.h5")], 2, "cannot tell"),
    ([hdf5("model"), hdf5("model_declared_only")], 2, "cannot tell"),
    (
      [
        ModelFixture.path("k3_nested"), ModelFixture.path("tfk_nested"), "--input", Fixtures.path("images/rgb8.png"),
      ], 0, "compute the same"
    ),
  ])
  func answers(_ arguments: [String], _ code: Int, _ says: String) throws {
    let run = try Program.run(["diff"] + arguments)
    #expect(run.code == code, "\(run)")
    #expect(run.output.contains(says), "\(run)")
    #expect(run.errorLines.allSatisfy { $0.hasPrefix("preprocess: ") }, "\(run)")
    let json = try Program.run(["diff", "--json"] + arguments)
    #expect(json.code == code)
    let value = try json.json()
    #expect(try JSONSchema(named: "diff").problems(value) == [])
    #expect(value["same"]?.bool == (code == 0))
    let quiet = try Program.run(["diff", "--quiet"] + arguments)
    #expect(quiet.code == code && quiet.output == "" && quiet.errors == "", "\(quiet)")
  }

  @Test func fields() throws {
    let run = try Program.run(
      ["diff", "--json", ModelFixture.path("k3_compiled"), ModelFixture.path("tfk_compiled")])
    let weights = try #require(try run.json()["weights"]?.array)
    #expect(weights.count == 7)
    #expect(weights.filter { $0["equal"] == true }.count == 1)
    for weight in weights where weight["equal"] == false {
      #expect(try #require(weight["max_abs"]?.number) > 0)
      #expect(weight["shape_a"] == weight["shape_b"])
    }
  }

  /// Files that cannot be compared at all keep their own exit codes.
  @Test(arguments: [
    (["~/absent.h5", tutorial], 66, "no such file"), ([tutorial, "~/absent.h5"], 66, "no such file"),
    ([tutorial, "~/text.h5"], 65, "not a Keras model"), ([tutorial, hdf5("not_a_model")], 65, "not a Keras model"),
    ([tutorial, hdf5("model_bad_json")], 65, "model_config"),
    ([tutorial, tutorial, "--atol", "-1"], 64, "--atol"), ([tutorial, tutorial, "--rtol", "nan"], 64, "--rtol"),
    ([tutorial], 64, "<b>"), ([tutorial, tutorial, "--rows", "0"], 64, "--rows"),
    (
      [
        container("k315_image.json"), container("k315_image.keras"), "--input", picture("rgb8.png"),
      ], 64, "need an architecture and weights"
    ),
    ([tutorial, tutorial, "--input", "~/absent.png"], 66, "absent.png"),
  ])
  func errors(_ arguments: [String], _ code: Int, _ says: String) throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("text.h5", Array("not a model\n".utf8))
    let run = try Program.run(
      ["diff"] + arguments.map { $0.hasPrefix("~") ? folder.path + $0.dropFirst() : $0 })
    #expect(run.code == code, "\(run)")
    #expect(run.output == "")
    try #require(run.errorLines.count == 1, "\(run)")
    #expect(run.errorLines[0].hasPrefix("h5conv: ") && run.errorLines[0].contains(says), "\(run)")
  }
}
