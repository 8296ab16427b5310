import TestSupport
import Testing

@Suite("--exact")
struct ExactTests {
  /// Every command that runs a model takes it.
  @Test(arguments: [
    ["predict", tutorial, picture("rgb8.png")], ["viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1", "-o", "maps"],
    ["extract", tutorial, picture("rgb8.png"), "-o", "maps.npz"],
    ["diff", tutorial, tutorial, "--input", picture("rgb8.png")],
  ])
  func isTaken(_ arguments: [String]) throws {
    let run = try Program.run(arguments + ["--exact"], in: try TemporaryFolder())
    #expect(run.code == 0, "\(run)")
  }
}
