import H5ConvConfig
import TestSupport
import Testing

@Suite("h5conv check")
struct CheckCommandTests {
  @Test(arguments: [
    (ModelFixture.path("tfk_nested"), 0), (Fixtures.path("containers/k122_zoo.h5"), nil),
    (Fixtures.path("containers/k315_image.keras"), 0), (Fixtures.path("containers/k315_sequential.unzipped"), 0),
    (Fixtures.path("containers/k315_sequence.sharded.weights.json"), 0), (Fixtures.path("hdf5/links.h5"), 1),
    (Fixtures.path("hdf5/model_bad_json.h5"), 1), (Fixtures.path("hdf5/model_wrong_shape.h5"), 1),
    (Fixtures.path("hdf5/model_control_names.h5"), nil), (picture("rgb8.png"), 1),
  ])
  func answers(_ file: String, _ code: Int?) throws {
    let run = try Program.run(["check", "--json", file])
    #expect(run.code == code ?? Int(run.code) && run.code <= 1, "\(run)")
    #expect(run.errors == "")
    let json = try run.json()
    #expect(try JSONSchema(named: "check").problems(json) == [])
    #expect(json["good"]?.bool == (run.code == 0))
    let findings = try #require(json["findings"]?.array)
    #expect(findings.contains { $0["severity"] == "error" } == (run.code == 1))
    let plain = try Program.run(["check", file])
    #expect(plain.code == run.code)
    // A heading for each severity that there is, a line for each finding, and their counts.
    let headings = Set(findings.compactMap { $0["severity"]?.string }).count
    #expect(plain.output.split(separator: "\n").count == findings.count + headings + 1, "\(plain)")
    #expect(!plain.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    let quiet = try Program.run(["check", "--quiet", file])
    #expect(quiet.code == run.code && quiet.output == "" && quiet.errors == "")
  }

  @Test(arguments: [
    (["~/absent.h5"], 66, "no such file"), (["/dev/null"], 66, "not a regular file"),
    ([tutorial, "--architecture", "~/absent.json"], 66, "absent.json"), ([], 64, "<file>"),
  ])
  func errors(_ arguments: [String], _ code: Int, _ says: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(["check"] + arguments.map { $0.hasPrefix("~") ? folder.path + $0.dropFirst() : $0 })
    #expect(run.code == code && run.output == "", "\(run)")
    try #require(run.errorLines.count == 1, "\(run)")
    #expect(run.errorLines[0].hasPrefix("h5conv: ") && run.errorLines[0].contains(says), "\(run)")
  }

  @Test func architectureBeside() throws {
    let run = try Program.run([
      "check", "--json", Fixtures.path("containers/k315_image.weights.h5"), "--architecture",
      Fixtures.path("containers/k315_image.json"),
    ])
    #expect(run.code == 0, "\(run)")
    #expect(try run.json()["findings"]?.array?.contains { $0["code"] == "no_architecture" } == false)
  }
}
