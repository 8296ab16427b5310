import Foundation
import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

/// A command that must fail: its exit code, and what its only line on stderr says.
struct Failure: CustomTestStringConvertible, Sendable {
  let name: String
  let arguments: [String]
  let code: Int32
  let says: [String]
  var testDescription: String { "\(name): \(code)" }

  init(_ name: String, _ arguments: [String], _ code: Int32, _ says: String...) {
    (self.name, self.arguments, self.code, self.says) = (name, arguments, code, says)
  }
}

private func hdf5(_ name: String) -> String { Fixtures.path("hdf5/\(name).h5") }

@Suite("Errors are one line that says what is wrong, where, and what to do")
struct ErrorTests {
  /// Files that the commands are given, made anew for each case; `~` in arguments is the folder.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    _ = try folder.write("empty.h5", [])
    let whole = contents(of: tutorial)
    _ = try folder.write("truncated.h5", whole[..<(whole.count / 2)])
    _ = try folder.write("text.h5", Array("not a model\n".utf8))
    _ = try folder.write("page.h5", Array("<!DOCTYPE html><html>".utf8))
    _ = try folder.write("pointer.h5", Array("version https://git-lfs.github.com/spec/v1\n".utf8))
    _ = try folder.write("model.keras", Array("PK\u{3}\u{4}".utf8) + Array(repeating: 0, count: 100))
    _ = try folder.write("model.json", Array("{\"class_name\": \"Sequential\"}".utf8))
    _ = try folder.write("existing.npz", [1, 2, 3])
    _ = try folder.write("labels.txt", Array("cat\ndog\nbird\n".utf8))
    try FileManager.default.createDirectory(atPath: folder.file("nothing-in-it"), withIntermediateDirectories: false)
    try FileManager.default.createDirectory(atPath: folder.file("results"), withIntermediateDirectories: false)
    _ = try folder.write("results/mine.txt", [1])
    return folder
  }

  /// What is wrong with the model file is said alike by every command.
  static let badModels: [(file: String, code: Int32, says: [String])] = [
    ("~/absent.h5", 66, ["no such file"]), ("~", 66, ["is a folder"]), ("/dev/null", 66, ["not a regular file"]),
    ("~/empty.h5", 65, ["empty"]), ("~/truncated.h5", 65, ["cut short", "of 664032 bytes"]),
    ("~/text.h5", 65, ["not a Keras model"]), ("~/page.h5", 65, ["web page"]),
    ("~/pointer.h5", 65, ["Git LFS", "git lfs pull"]),
    ("~/model.keras", 65, ["archive is damaged"]), ("~/model.json", 65, ["class_name and config"]),
    (hdf5("not_a_model"), 65, ["not a Keras model"]), (hdf5("model_bad_json"), 65, ["model_config", "byte"]),
    (hdf5("model_empty_json"), 65, ["class_name"]),
  ]

  @Test(
    arguments: badModels,
    [
      ["inspect", "MODEL"], ["predict", "MODEL", picture("rgb8.png")],
      ["extract", "MODEL", picture("rgb8.png"), "-o", "a.npz"], ["viz", "MODEL", picture("rgb8.png"), "-o", "a"],
      ["convert", "MODEL", "a.keras"], ["slice", "MODEL", "--outputs", "*", "-o", "a.h5"],
    ])
  func models(_ model: (file: String, code: Int32, says: [String]), _ command: [String]) throws {
    let failure = Failure(model.file, command.map { $0 == "MODEL" ? model.file : $0 }, model.code)
    try check(failure, says: model.says, file: model.file)
  }

  @Test(arguments: [hdf5("model_weights_only"), hdf5("keras3.weights")], ["predict", "extract", "viz"])
  func weightsOnly(_ model: String, _ command: String) throws {
    let failure = Failure(
      "",
      [command, model, picture("rgb8.png")] + (command == "predict" ? [] : ["-o", command == "viz" ? "a" : "a.npz"]), 65
    )
    try check(failure, says: ["weights but no architecture", "model.save"], file: model)
  }

  @Test(arguments: [
    Failure("corrupt picture", ["predict", tutorial, picture("bad-data.png")], 65, "bad-data.png"),
    Failure("truncated picture", ["extract", tutorial, picture("truncated.jpg"), "-o", "a.npz"], 65, "truncated.jpg"),
    Failure("empty picture", ["viz", tutorial, picture("empty.png"), "-o", "a"], 65, "empty.png"),
    Failure("other format", ["predict", tutorial, picture("webp.png")], 69, "WebP", "convert it to PNG or JPEG"),
    Failure("enormous picture", ["predict", tutorial, picture("bomb.png")], 75, "100000"),
    Failure("no picture", ["predict", tutorial, "~/absent.png"], 66, "absent.png"),
    Failure("folder without pictures", ["predict", tutorial, "~/nothing-in-it"], 66, "no PNG or JPEG"),
    Failure(
      "wrong input shape", ["extract", tutorial, Fixtures.path("arrays/cube_fortran.npy"), "-o", "a.npz"], 64,
      "(1, 2, 3, 4)", "(None, 32, 32, 3)"),
    Failure("wrong rank", ["extract", tutorial, Fixtures.path("arrays/vector.npy"), "-o", "a.npz"], 64, "(5,)"),
    Failure("wrong size", ["predict", tutorial, picture("rgb8.png"), "--size", "64x64"], 64, "32×32", "64×64"),
    Failure("size that is none", ["predict", tutorial, picture("rgb8.png"), "--size", "64"], 64, "WIDTHxHEIGHT"),
    Failure(
      "unknown preprocessing", ["predict", tutorial, picture("rgb8.png"), "--preprocess", "magic"], 64, "magic", "caffe"
    ),
    Failure("unknown resize", ["predict", tutorial, picture("rgb8.png"), "--resize", "squash"], 64, "squash"),
    Failure(
      "unknown interpolation", ["predict", tutorial, picture("rgb8.png"), "--interpolation", "cubist"], 64, "cubist"),
    Failure(
      "unknown layer", ["extract", tutorial, picture("rgb8.png"), "-l", "blok0_conv2", "-o", "a.npz"], 64,
      "'blok0_conv2'", "nearest", "block0_conv2"),
    Failure(
      "unknown class", ["viz", tutorial, picture("rgb8.png"), "-l", "type:Conv9D", "-o", "a"], 64, "'type:Conv9D'"),
    Failure(
      "output exists", ["extract", tutorial, picture("rgb8.png"), "-o", "~/existing.npz"], 73, "existing.npz", "--force"
    ),
    Failure(
      "output folder exists", ["viz", tutorial, picture("rgb8.png"), "-o", "~/results"], 73, "results", "--force"),
    Failure(
      "no folder for the output", ["extract", tutorial, picture("rgb8.png"), "-o", "~/absent/a.npz"], 73, "absent"),
    Failure("no folder for the folder", ["viz", tutorial, picture("rgb8.png"), "-o", "~/absent/a"], 73, "absent"),
    Failure("output of no kind", ["extract", tutorial, picture("rgb8.png"), "-o", "~/a.txt"], 64, ".npz, .h5 or .npy"),
    Failure(
      "several layers in one array", ["extract", tutorial, picture("rgb8.png"), "-o", "~/a.npy"], 64, "one array"),
    Failure(
      "unsupported layer", ["extract", ModelFixture.path("k3_own_code"), "~/x.npy", "-l", "after", "-o", "~/a.npz"], 69,
      "'swirl'", "Swirl",
      "layers above it can still be run"),
    Failure("several inputs", ["predict", ModelFixture.path("k3_multi"), picture("rgb8.png")], 64, "2 inputs", ".npz"),
    Failure(
      "labels that do not fit", ["predict", tutorial, picture("rgb8.png"), "--labels", "~/labels.txt"], 64, "labels"),
    Failure("no labels", ["predict", tutorial, picture("rgb8.png"), "--labels", "~/absent.txt"], 66, "absent.txt"),
    Failure(
      "soft link", ["extract", hdf5("model_soft_group"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65, "soft link"),
    Failure(
      "external weight", ["extract", hdf5("model_external_weight"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65,
      "external link"),
    Failure(
      "weight of exabytes", ["extract", hdf5("model_huge_weight"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65, "dense"),
    Failure(
      "weight that is not stored", ["extract", hdf5("model_declared_only"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65,
      "0 bytes"),
    Failure(
      "weight of another shape", ["extract", hdf5("model_wrong_shape"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65,
      "dense", "(2, 3)"),
    Failure(
      "weight that is missing", ["extract", hdf5("model_missing_weight"), "~/v.npy", "-l", "*", "-o", "~/a.npz"], 65,
      "dense"),
    Failure("target exists", ["convert", tutorial, "~/existing.npz"], 73, "existing.npz", "--force"),
    Failure(
      "part exists", ["slice", tutorial, "--outputs", "*", "-o", "~/existing.npz"], 73, "existing.npz", "--force"),
    Failure("target of no kind", ["convert", tutorial, "~/model.onnx"], 64, "model.onnx", ".keras", "--to"),
    Failure("unknown kind", ["convert", tutorial, "~/a.h5", "--to", "onnx"], 64, "onnx", "keras3-weights"),
    Failure("part of no kind", ["slice", tutorial, "--outputs", "*", "-o", "~/a.pb"], 64, "a.pb"),
    Failure("unknown dtype", ["convert", tutorial, "~/a.keras", "--dtype", "float8"], 64, "float8", "bfloat16"),
    Failure("unknown compression", ["convert", tutorial, "~/a.keras", "--compress", "zstd"], 64, "zstd", "gzip"),
    Failure("compression of no level", ["convert", tutorial, "~/a.keras", "--compress", "gzip:12"], 64, "12"),
    Failure("no folder for the target", ["convert", tutorial, "~/absent/a.keras"], 73, "absent"),
    Failure("target that nobody can write", ["convert", tutorial, "/proc/a.keras"], 73, "/proc/a.keras"),
    Failure("no such output", ["slice", tutorial, "--outputs", "blok0_conv2", "-o", "~/a.h5"], 64, "block0_conv2"),
    Failure(
      "no such layer to begin at", ["slice", tutorial, "--from", "absent", "-o", "~/a.h5"], 64, "'absent'"),
    Failure(
      "a cut that is passed by",
      ["slice", ModelFixture.path("k3_multi"), "--outputs", "first", "--from", "conv", "-o", "~/a.h5"], 64, "'numbers'",
      "--from"),
    Failure(
      "weights that need an architecture",
      ["convert", Fixtures.path("containers/tfk221_image.legacy.h5"), "~/a.keras"], 65, "--architecture"),
    Failure(
      "source with an external weight", ["convert", hdf5("model_external_weight"), "~/a.keras"], 65, "external link"),
    Failure("source with a weight that is missing", ["convert", hdf5("model_missing_weight"), "~/a.npz"], 65, "dense"),
    Failure("unknown option", ["inspect", tutorial, "--absent"], 64, "--absent", "--help"),
    Failure("unknown command", ["dance"], 64, "dance"),
    Failure("no arguments", ["predict"], 64, "<model>"),
    Failure("no model", ["extract", "-o", "a.npz"], 64, "<model>"),
    Failure("threads out of range", ["predict", tutorial, picture("rgb8.png"), "--threads", "0"], 64, "--threads"),
    Failure("sample of nothing", ["predict", tutorial, picture("rgb8.png"), "--sample", "0"], 64, "--sample"),
    Failure("top of nothing", ["predict", tutorial, picture("rgb8.png"), "--top", "0"], 64, "--top"),
    Failure("unknown scale", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--scale", "loud"], 64, "loud"),
    Failure("unknown format", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--format", "png,bmp"], 64, "'bmp'"),
    Failure("unknown style", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--style", "cubism"], 64, "cubism"),
    Failure("unknown colours", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--colormap", "jet9"], 64, "jet9"),
    Failure("columns out of range", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--columns", "0"], 64),
    Failure("cell out of range", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--cell", "-1"], 64),
    Failure("gap out of range", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--gap", "-1"], 64),
    Failure("dpi out of range", ["viz", tutorial, picture("rgb8.png"), "-o", "~/a", "--dpi", "0"], 64),
    Failure("tree with JSON", ["inspect", tutorial, "--tree", "--json"], 64, "--tree"),
    Failure("tree of text", ["inspect", "~/text.h5", "--tree"], 65, "text.h5"),
  ])
  func others(_ failure: Failure) throws { try check(failure, says: failure.says, file: nil) }

  private func check(_ failure: Failure, says: [String], file: String?) throws {
    let folder = try folder()
    func array(_ name: String, _ shape: [Int]) throws {
      let header =
        "{'descr': '|u1', 'fortran_order': False, 'shape': (\(shape.map(String.init).joined(separator: ", "))), }\n"
      let length = [UInt8(header.utf8.count), 0]
      _ = try folder.write(
        name,
        [0x93] + Array("NUMPY\u{1}\0".utf8) + length + Array(header.utf8)
          + Array(repeating: 1, count: shape.reduce(1, *)))
    }
    try array("x.npy", [1, 6, 6, 3])
    try array("v.npy", [1, 3])
    let before = folder.names
    func filled(_ text: String) -> String { text.hasPrefix("~") ? folder.path + text.dropFirst() : text }
    let run = try Program.run(failure.arguments.map(filled), in: folder)
    #expect(run.code == failure.code, "\(run)")
    #expect(run.output == "", "\(run)")
    // What was applied may be told before what went wrong.
    let lines = run.errorLines.filter { !$0.hasPrefix("preprocess: ") }
    try #require(lines.count == 1, "\(run)")
    #expect(lines[0].hasPrefix("h5conv: "))
    for text in says { #expect(lines[0].contains(text), "\(run)") }
    if let file { #expect(lines[0].hasPrefix("h5conv: \(filled(file)): "), "\(run)") }
    // Nothing half-written is left.
    #expect(folder.names == before)
    #expect(contents(of: folder.file("existing.npz")) == [1, 2, 3])
  }

  /// Names in a file are written by strangers: they must not reach the terminal as control characters.
  @Test(arguments: [["inspect"], ["inspect", "--json"], ["inspect", "--tree"], ["inspect", "--weights"]])
  func controlCharacters(_ command: [String]) throws {
    let run = try Program.run(command + [hdf5("model_control_names")])
    #expect(run.code == 0, "\(run)")
    for text in [run.output, run.errors] {
      #expect(
        text.unicodeScalars.allSatisfy {
          $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7f && !(0x202a...0x202e).contains($0.value)
        })
    }
  }

  /// A list of thousands of names is no line that anybody reads.
  @Test func thousandsOfNames() throws {
    let folder = try TemporaryFolder()
    let one = NPYHeader.bytes(shape: [1], type: "<f4") + [0, 0, 0, 0]
    let path = try folder.write("in.npz", RawZip.bytes((0..<3000).map { RawZip.Member("i\($0).npy", one) }))
    let run = try Program.run(["predict", tutorial, path])
    #expect(run.code == 64 && run.errorLines.count == 1 && run.errors.utf8.count < 3000, "\(run)")
    #expect(run.errors.contains("i0, i1") && run.errors.contains("i2999): name the arrays"), "\(run)")
  }

  /// One bit of a file's structures changed, at places where libhdf5 itself runs into the weeds.
  @Test(arguments: [902, 2079, 2101]) func damagedStructures(_ position: Int) throws {
    let folder = try TemporaryFolder()
    var bytes = contents(of: hdf5("model"))
    bytes[position] ^= 1 << (position % 8)
    let path = try folder.write("damaged.h5", bytes)
    // libhdf5 1.10 crashes on some: that too is one line and an exit code.
    let run = try Program.run(["inspect", path])
    #expect([0, 65, 70].contains(run.code), "\(run)")
    #expect(run.code == 0 || run.errorLines.count == 1, "\(run)")
  }

  /// One weight that cannot be read hides none of the others, in text and in JSON.
  @Test(arguments: ["model_huge_weight", "model_declared_only"]) func unreadableWeights(_ name: String) throws {
    let text = try Program.run(["inspect", "--weights", hdf5(name)])
    #expect(text.code == 0 && text.output.contains("unreadable"), "\(text)")
    let run = try Program.run(["inspect", "--weights", "--json", hdf5(name)])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "inspect").problems(json) == [])
    let weights = try #require(json["weights"]?.array)
    #expect(weights.map { $0["error"] != nil } == [true, false])
    #expect(weights[0]["min"] == JSONValue.null && weights[1]["min"]?.number != nil)
  }

  @Test func absurdSizesAreOnlyWarnedOf() throws {
    let run = try Program.run(["inspect", hdf5("model_huge_units")])
    #expect([0, 65, 75].contains(run.code), "\(run)")
  }
}
