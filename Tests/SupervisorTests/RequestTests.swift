import H5ConvSupervisor
import Testing

@Suite("Requests of a worker")
struct RequestTests {
  @Test(arguments: [
    Request.progress, .rename(from: "a/.t", to: "out put.h5", replaces: false),
    .rename(from: "ä", to: "b", replaces: true),
    .makeFolder("folder"), .crash(pages: 12_345),
  ])
  func areReadAsTheyWereSent(_ request: Request) { #expect(Request(request.bytes) == request) }

  @Test(arguments: ["", "\0", "X\0", "P", "P\0x\0", "R\0a\0", "R\0a\0b", "M\0", "F\0a\0b\0c\0"])
  func othersAreRefused(_ text: String) { #expect(Request(Array(text.utf8)) == nil) }

  @Test func damagedTextIsRefused() { #expect(Request([UInt8(ascii: "M"), 0, 0xff, 0]) == nil) }
}

@Suite("Names that a worker may ask for")
struct OutputTests {
  @Test(arguments: [
    (Job.Output.file("a.h5"), "a.h5", true), (.file("a.h5"), "b.h5", false), (.file("../x/a.h5"), "../x/a.h5", true),
    (.file("a.h5"), "../a.h5", false), (.none, "a.h5", false),
    (.folder("out"), "out", true), (.folder("out"), "out/a.png", true), (.folder("out/"), "out/x/a.png", true),
    (.folder("out"), "outer", false), (.folder("out"), "out/../a", false), (.folder("out"), "a", false),
    (.folder("../out"), "../out/a.png", true), (.folder("/"), "/etc", false),
    (.folders(beginning: "viz-"), "viz-a-b", true), (.folders(beginning: "viz-"), "viz-a-b/c.png", true),
    (.folders(beginning: "viz-"), "a", false), (.folders(beginning: "viz-"), "viz-/../../a", false),
    (.folders(beginning: "viz-"), "/viz-a", false),
  ])
  func areThoseOfItsJob(_ output: Job.Output, _ path: String, _ isAllowed: Bool) {
    #expect(output.allows(path) == isAllowed)
  }
}
