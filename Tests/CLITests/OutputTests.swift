import Foundation
import H5ConvConfig
import H5ConvHDF5
import H5ConvTensors
import TestSupport
import Testing

@Suite("h5conv inspect")
struct InspectTests {
  private func inspect(_ arguments: String...) throws -> JSONValue {
    let run = try Program.run(["inspect", "--json"] + arguments)
    try #require(run.code == 0, "\(run)")
    #expect(run.errors == "")
    return try run.json()
  }

  /// The JSON of every fixture is as its schema says, and has Keras' numbers.
  @Test(arguments: ModelFixture.names) func everyModel(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let json = try inspect(fixture.path)
    #expect(try JSONSchema(named: "inspect").problems(json) == [])
    for field in ["total_params", "trainable_params", "non_trainable_params", "keras_version"] {
      #expect(
        json[field] == fixture.facts[field] || field == "keras_version" && name.hasPrefix("tfk_seq_list"), "\(field)")
    }
    let layers = try #require(json["layers"]?.array)
    #expect(layers.map { $0["name"] } == fixture.facts["layers"]?.array?.map { $0["name"] })
    #expect(layers.map { $0["class"] } == fixture.facts["layers"]?.array?.map { $0["class"] })
    #expect(layers.map { $0["params"] } == fixture.facts["layers"]?.array?.map { $0["params"] })
    #expect(json["format"] == "legacy-h5")
    #expect(json["backend"] == "tensorflow")
  }

  @Test(arguments: [
    ModelFixture.path("tfk_tutorial"), ModelFixture.path("k3_own_code"), Fixtures.path("hdf5/keras3.weights.h5"),
    Fixtures.path("hdf5/model_weights_only.h5"),
  ])
  func weights(_ path: String) throws {
    let json = try inspect(path, "--weights")
    #expect(try JSONSchema(named: "inspect").problems(json) == [])
    let weights = try #require(json["weights"]?.array)
    #expect(!weights.isEmpty)
    let elements = weights.reduce(0) { $0 + ($1["shape"]?.array ?? []).reduce(1) { $0 * ($1.integer ?? 0) } }
    #expect(elements == json["total_params"]?.integer)
  }

  @Test(arguments: [("keras3.weights", "keras3-weights"), ("model_weights_only", "legacy-weights")])
  func weightsOnly(_ name: String, _ format: String) throws {
    let json = try inspect(Fixtures.path("hdf5/\(name).h5"))
    #expect(try JSONSchema(named: "inspect").problems(json) == [])
    #expect(json["format"]?.string == format)
    #expect(json["warnings"]?.array?.isEmpty == false)
    #expect(json["total_params"] == 8)
  }

  @Test func whatTheFieldsSay() throws {
    let json = try inspect(tutorial)
    let layer = try #require(json["layers"]?.array?.first { $0["name"] == "block0_conv2" })
    #expect(layer["class"] == "Conv2D")
    #expect(layer["params"] == 2320)
    #expect(layer["output_shape"]?.array?.first == JSONValue.null)
    #expect(layer["inbound"]?.array?.count == 1)
    #expect(layer["supported"] == true)
    let outputs = try #require(
      try inspect(ModelFixture.path("tfk_two_outputs"))["layers"]?.array?.first { $0["name"] == "backbone" })
    #expect(outputs["output_shape"] == [[nil, 2, 2, 2], [nil, 5, 5, 3]])
  }

  @Test func summaryForPeople() throws {
    let run = try Program.run(["inspect", tutorial])
    #expect(run.code == 0 && run.errors == "")
    for text in ["conv2d_1", "448", "block0_conv2", "2,320", "Conv2D", "Total params", "tensorflow"] {
      #expect(run.output.contains(text), "\(text)")
    }
  }

  @Test func columns() throws {
    let json = try inspect(tutorial, "--columns", "all")
    #expect(try JSONSchema(named: "inspect").problems(json) == [])
    let layer = try #require(json["layers"]?.array?.first { $0["name"] == "block0_conv2" })
    #expect(layer["receptive_field"]?["whole"] == false)
    #expect(layer["macs"]?.integer ?? 0 > 0)
    #expect(json["total_macs"]?.integer ?? 0 > layer["macs"]?.integer ?? 0)
    #expect(try inspect(tutorial)["layers"]?.array?.first?["macs"] == nil)
    let run = try Program.run(["inspect", tutorial, "--columns", "receptive-field,stride"])
    #expect(run.code == 0 && run.output.contains("Receptive Field") && !run.output.contains("MACs"))
    #expect(try Program.run(["inspect", tutorial, "--columns", "weather"]).code == 64)
  }

  @Test(arguments: ["svg", "dot", "mmd"]) func graph(_ kind: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.\(kind)")
    let run = try Program.run(["inspect", tutorial, "--graph", path])
    #expect(run.code == 0, "\(run)")
    let text = String(decoding: contents(of: path), as: UTF8.self)
    #expect(text.contains("block0_conv2") && text.contains("2,320 params"))
    #expect(try Program.run(["inspect", tutorial, "--graph", path]).code == 73)
    #expect(try Program.run(["inspect", tutorial, "--graph", folder.file("model.png")]).code == 64)
    #expect(folder.names == ["model.\(kind)"])
  }

  @Test func unsupportedLayersAreWarnedOf() throws {
    let json = try inspect(ModelFixture.path("k3_own_code"))
    let warnings = (json["warnings"]?.array ?? []).compactMap(\.string)
    for text in ["Swirl", "Lambda"] { #expect(warnings.contains { $0.contains(text) }, "\(text)") }
  }

  @Test(arguments: ["links", "storage", "types", "attributes", "not_a_model"]) func tree(_ name: String) throws {
    let run = try Program.run(["inspect", "--tree", Fixtures.path("hdf5/\(name).h5")])
    #expect(run.code == 0, "\(run)")
    #expect(!run.output.isEmpty)
    // Cycles end.
    #expect(run.output.utf8.count < 10_000)
  }
}

@Suite("h5conv predict")
struct PredictTests {
  private let folder: TemporaryFolder
  private let model = ModelFixture.path("k3_sequential")

  init() throws { folder = try TemporaryFolder() }

  /// The fixture's inputs as a `.npy`.
  private func array() throws -> String {
    if folder.names.contains("x.npy") { return folder.file("x.npy") }
    let input = try #require(try ModelFixture("k3_sequential").inputs["x"])
    if folder.names.contains("x.npy") { return folder.file("x.npy") }
    let writer = try NPYWriter(folder.file("x.npy"), shape: input.shape)
    try writer.append(input)
    return folder.file("x.npy")
  }

  @Test func sameAsKeras() throws {
    let run = try Program.run(["predict", model, try array(), "--json", "--top", "3"])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "predict").problems(json) == [])
    let results = try #require(json["results"]?.array)
    let golden = try #require(try ModelFixture("k3_sequential").golden["probabilities"])
    #expect(results.count == golden.shape[0])
    for (example, result) in results.enumerated() {
      #expect(result["preprocess"]?.string?.isEmpty == false)
      #expect(result["input"]?.string?.contains("x.npy") == true)
      let row = Array(golden.values[example * 3..<(example + 1) * 3])
      let predictions = try #require(result["predictions"]?.array)
      // Best first.
      #expect(predictions.map { $0["index"]?.integer } == row.indices.sorted { row[$0] > row[$1] })
      for prediction in predictions {
        let score = try #require(prediction["score"]?.number)
        #expect(abs(score - Double(row[try #require(prediction["index"]?.integer)])) < 1e-5)
        #expect(prediction["label"] == JSONValue.null)
      }
    }
  }

  @Test(arguments: [
    "cat\ndog\nbird\n", "[\"cat\", \"dog\", \"bird\"]", "{\"0\": \"cat\", \"1\": [\"n0\", \"dog\"], \"2\": \"bird\"}",
  ])
  func labels(_ text: String) throws {
    let labels = try folder.write("labels", Array(text.utf8))
    let run = try Program.run(["predict", model, try array(), "--json", "--labels", labels, "--top", "2"])
    try #require(run.code == 0, "\(run)")
    let results = try #require(try run.json()["results"]?.array)
    for result in results {
      let predictions = try #require(result["predictions"]?.array)
      #expect(predictions.count == 2)
      for prediction in predictions {
        #expect(prediction["label"]?.string == ["cat", "dog", "bird"][try #require(prediction["index"]?.integer)])
      }
    }
    let plain = try Program.run(["predict", model, try array(), "--labels", labels])
    #expect(plain.output.contains("dog"))
    #expect(plain.errors.contains("preprocess: "))
    #expect(try Program.run(["predict", model, try array(), "--quiet"]).errors == "")
  }

  @Test func picturesOfAFolder() throws {
    for name in ["rgb8.png", "grey8.png", "rgb.jpg"] { _ = try folder.write(name, contents(of: picture(name))) }
    _ = try folder.write("notes.txt", [1])
    let run = try Program.run(["predict", model, folder.path, "--json"])
    try #require(run.code == 0, "\(run)")
    let inputs = try run.json()["results"]?.array?.compactMap {
      $0["input"]?.string?.split(separator: "/").last.map(String.init)
    }
    #expect(inputs == ["grey8.png", "rgb.jpg", "rgb8.png"])
  }
}

@Suite("h5conv extract")
struct ExtractTests {
  @Test func beforeActivation() throws {
    let folder = try TemporaryFolder()
    func run(_ side: String) throws -> [Float] {
      let output = folder.file(side + ".npy")
      let run = try Program.run(
        ["extract", tutorial, picture("rgb8.png"), "-l", "conv2d_1", "--at", side, "-o", output, "--json"])
      try #require(run.code == 0, "\(run)")
      #expect(try run.json()["at"]?.string == side && JSONSchema(named: "extract").problems(try run.json()) == [])
      return try ArrayFile.npy(output).values
    }
    let (before, after) = (try run("pre"), try run("post"))
    #expect(before.contains { $0 < 0 } && before.map { max($0, 0) } == after)
    #expect(try Program.run(["extract", tutorial, picture("rgb8.png"), "--at", "mid", "-o", "a.npy"]).code == 64)
  }

  @Test(arguments: ["npz", "h5"]) func pictures(_ kind: String) throws {
    let folder = try TemporaryFolder()
    let output = folder.file("a." + kind)
    let run = try Program.run(
      ["extract", tutorial, picture("rgb8.png"), picture("grey8.png"), "-l", "conv2d_1,block0_conv2", "-o", output])
    try #require(run.code == 0, "\(run)")
    #expect(run.output == "")
    #expect(run.errors.contains("preprocess: "))
    #expect(folder.names == ["a." + kind])
    if kind == "npz" {
      let arrays = try ArrayFile.npz(output)
      #expect(arrays.map(\.name) == ["conv2d_1", "block0_conv2"])
      #expect(arrays.allSatisfy { $0.tensor.shape[0] == 2 })
    } else {
      let root = try File.open(output).root
      #expect(try root.dataset("conv2d_1")?.shape[0] == 2)
      #expect(try root.memberNames() == ["block0_conv2", "conv2d_1"])
    }
    // Again: refused; with --force: the same bytes.
    let before = contents(of: output)
    #expect(try Program.run(["extract", tutorial, picture("rgb8.png"), "-o", output]).code == 73)
    #expect(contents(of: output) == before)
    let again = try Program.run(
      [
        "extract", tutorial, picture("rgb8.png"), picture("grey8.png"), "-l", "conv2d_1", "-l", "block0_conv2", "-o",
        output, "--force", "--quiet",
      ])
    #expect(again.code == 0 && again.errors == "", "\(again)")
    #expect(contents(of: output) == before)
  }
}

@Suite("h5conv viz")
struct VizTests {
  @Test func manifest() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(["viz", tutorial, picture("rgb8.png"), "-o", folder.file("out"), "--json"])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    let schema = try JSONSchema(named: "viz-manifest")
    #expect(schema.problems(json) == [])
    let stored = try JSONParser.parse(contents(of: folder.file("out/manifest.json")))
    #expect(schema.problems(stored) == [])
    #expect(stored == json)
    let layers = try #require(json["layers"]?.array)
    // By default all convolutions of the model.
    let convolutions = try ModelFixture("tfk_tutorial").facts["layers"]?.array?.filter {
      $0["class"]?.string?.contains("Conv") == true
    }
    #expect(layers.map { $0["name"] } == convolutions?.map { $0["name"] })
    for file in layers.flatMap({ $0["files"]?.array ?? [] }) {
      let path = try #require(file["path"]?.string)
      #expect(contents(of: folder.file("out/" + path)).starts(with: [0x89, 0x50, 0x4e, 0x47]), "\(path)")
    }
    #expect(!contents(of: folder.file("out/index.html")).isEmpty)
    #expect(contents(of: folder.file("out/report.html")).starts(with: Array("<!doctype html>".utf8)))
    #expect(folder.names == ["out"])
  }

  /// --at pre shows the sums, which relu would cut; --top-channels only the strongest, which the manifest names.
  @Test func strongestBeforeActivation() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run([
      "viz", tutorial, picture("rgb8.png"), "-l", "block1_conv1", "--at", "pre", "--top-channels", "5", "--by", "mean",
      "-o", folder.file("out"), "--json", "--quiet",
    ])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "viz-manifest").problems(json) == [])
    let layer = try #require(json["layers"]?.array?.first)
    #expect(layer["at"] == "pre" && layer["channels"] == 32)
    #expect(try #require(layer["min"]?.number) < 0)
    #expect(layer["channel_indices"]?.array?.count == 5)
    #expect(layer["files"]?.array?.allSatisfy { $0["columns"] == 5 } == true)
  }

  @Test(arguments: ["svg,pdf,apng", "png,svg", "apng"]) func formats(_ formats: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program.run([
      "viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1,block1_conv1", "--format", formats, "--style", "grid", "-o",
      folder.file("out"), "--json", "--quiet",
    ])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "viz-manifest").problems(json) == [])
    let wanted = formats.split(separator: ",").map(String.init)
    let layers = try #require(json["layers"]?.array)
    let figures = layers.flatMap { $0["figures"]?.array ?? [] }
    let files = layers.flatMap { $0["files"]?.array ?? [] } + figures + (json["animation"].map { [$0] } ?? [])
    #expect(files.count == (wanted.contains("png") ? 2 : 0) + figures.count + (wanted.contains("apng") ? 1 : 0))
    #expect(figures.count == 2 * wanted.count { ["svg", "pdf"].contains($0) })
    let sheet = String(decoding: contents(of: folder.file("out/index.html")), as: UTF8.self)
    for path in files.compactMap({ $0["path"]?.string }) {
      #expect(!contents(of: folder.file("out/" + path)).isEmpty, "\(path)")
      #expect(sheet.contains("href=\"./\(path)\""))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).count == files.count + 3)
  }

  @Test func kernels() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run([
      "viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1,block1_conv1,block1_pool1", "--kernels", "-o",
      folder.file("out"), "--json", "--quiet",
    ])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "viz-manifest").problems(json) == [])
    let kernels = try #require(json["kernels"]?.array)
    #expect(kernels.map { $0["layer"]?.string } == ["conv2d_1", "block1_conv1"])
    #expect(kernels.map { $0["style"]?.string } == ["colors", "matrix"])
    #expect(kernels.map { $0["columns"]?.integer } == [16, 32])
    let sheet = String(decoding: contents(of: folder.file("out/index.html")), as: UTF8.self)
    for path in kernels.compactMap({ $0["path"]?.string }) {
      #expect(!contents(of: folder.file("out/" + path)).isEmpty && sheet.contains(path), "\(path)")
    }
  }

  /// --explain adds a picture for each method and layer, and says in the manifest what it shows.
  @Test func explanations() throws {
    let folder = try TemporaryFolder()
    let labels = try folder.write("labels.txt", Array("cat\nDog <b>\n".utf8))
    let arguments = [
      "viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1", "--labels", labels, "-o", folder.file("out"),
    ]
    let run = try Program.run(
      arguments + ["--explain", "layercam:block1_conv?,ig", "--class", "dog <b>", "--json", "--quiet"])
    try #require(run.code == 0, "\(run)")
    let json = try run.json()
    #expect(try JSONSchema(named: "viz-manifest").problems(json) == [])
    let explanations = try #require(json["explanations"]?.array)
    #expect(explanations.map { $0["method"]?.string } == ["layercam", "layercam", "ig"])
    #expect(explanations.map { $0["layer"]?.string } == ["block1_conv1", "block1_conv2", nil])
    #expect(explanations.allSatisfy { $0["class"] == 1 && $0["label"] == "Dog <b>" })
    #expect(explanations[0]["completeness_gap"]?.isNull == true && explanations[2]["completeness_gap"]?.number != nil)
    for explanation in explanations {
      let path = try #require(explanation["path"]?.string)
      #expect(contents(of: folder.file("out/" + path)).starts(with: [0x89, 0x50, 0x4e, 0x47]), "\(path)")
    }
    let sheet = String(decoding: contents(of: folder.file("out/index.html")), as: UTF8.self)
    #expect(sheet.contains("Dog &lt;b&gt;") && !sheet.contains("<b>)"))
  }

  @Test(arguments: [
    (["--explain", "nonsense"], "gradcam"), (["--explain", "gradcam:nowhere"], "nearest"),
    (["--explain", "gradcam:dense_?"], "feature maps"),
    (["--explain", "ig:conv2d_1"], "input"), (["--explain", "gradcam", "--class", "cat"], "--labels"),
    (["--explain", "gradcam", "--class", "99999"], "no class 99999"), (["--class", "1"], "--explain"),
  ])
  func wrongExplanations(_ options: [String], says: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(["viz", tutorial, picture("rgb8.png"), "-o", folder.file("out")] + options)
    #expect(run.code == 64 && run.errors.contains(says), "\(run)")
    #expect(folder.names == [])
  }

  /// -o FILE.html writes the page and nothing else, of all pictures.
  @Test func pageOnly() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("page.html")
    let arguments = ["viz", tutorial, picture("rgb8.png"), picture("grey8.png"), "-l", "conv2d_1", "-o", path]
    let run = try Program.run(arguments)
    try #require(run.code == 0, "\(run)")
    #expect(folder.names == ["page.html"])
    let html = String(decoding: contents(of: path), as: UTF8.self)
    let data = try #require(
      html.components(separatedBy: "id=\"data\">").last?.components(separatedBy: "</script>").first)
    let json = try JSONParser.parse(data)
    #expect(try JSONSchema(named: "report").problems(json) == [])
    #expect(json["runs"]?.array?.count == 2)
    // Where the command is typed, it says so.
    #expect(json["command"]?.string?.hasPrefix("h5conv viz") == true)
    #expect(try Program.run(arguments).code == 73)
    #expect(try Program.run(arguments + ["--force", "--quiet"]).code == 0)
    #expect(try Program.run(arguments + ["--json"]).code == 64)
    #expect(try Program.run(arguments + ["--force", "--max-html", "nothing"]).code == 64)
  }

  @Test func severalPictures() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(
      [
        "viz", tutorial, picture("rgb8.png"), picture("grey8.png"), "-l", "conv2d_1", "-o", folder.file("out"),
        "--style", "grid", "--quiet",
      ])
    try #require(run.code == 0, "\(run)")
    #expect(run.errors == "")
    for name in ["rgb8", "grey8"] {
      #expect(!contents(of: folder.file("out/\(name)/manifest.json")).isEmpty, "\(name)")
    }
  }

  /// Nothing is left behind, not even the folder that the folders of a batch would stand in.
  @Test func batchThatDoesNotFit() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(["viz", tutorial, Fixtures.path("arrays/cube_fortran.npy"), "-o", folder.file("out")])
    #expect(run.code == 64)
    #expect(folder.names == [])
  }

  @Test func withoutOutput() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(["viz", tutorial, picture("rgb8.png"), "-l", "conv2d_1"], in: folder)
    #expect(run.code == 0, "\(run)")
    #expect(folder.names == ["viz-tfk_tutorial-rgb8"])
  }
}

@Suite("Help and version")
struct HelpTests {
  @Test(arguments: [
    [], ["--help"], ["inspect", "--help"], ["viz", "--help"], ["predict", "-h"], ["extract", "--help"],
    ["diff", "--help"], ["check", "--help"],
    ["help", "viz"],
  ])
  func help(_ arguments: [String]) throws {
    let run = try Program.run(arguments)
    #expect(run.code == 0, "\(run)")
    #expect(run.output.contains("USAGE: h5conv"))
    #expect(run.errors == "")
  }

  @Test func version() throws {
    let run = try Program.run(["--version"])
    #expect(run.code == 0)
    #expect(run.output.hasPrefix("h5conv "))
  }
}

@Suite("The validator of the schemas")
struct SchemaTests {
  private static let schema: JSONValue = [
    "type": "object", "required": ["a"], "additionalProperties": false,
    "properties": [
      "a": ["$ref": "#/$defs/count"],
      "b": ["type": "array", "items": ["enum": ["x", nil]], "minItems": 1, "uniqueItems": true],
      "c": ["anyOf": [["type": "string", "pattern": "^z"], ["type": ["number", "null"]]]],
      "d": ["oneOf": [["type": "integer"], ["type": "number", "maximum": 5]]], "e": ["const": 1], "f": true, "g": false,
    ],
    "$defs": ["count": ["type": "integer", "minimum": 0]],
  ]

  @Test(
    arguments: [
      ["a": 0], ["a": 1, "b": ["x", nil]], ["a": 1, "c": "zebra"], ["a": 1, "c": 1.5], ["a": 1, "c": nil],
      ["a": 1, "d": 7],
      ["a": 1, "d": 2.5], ["a": 1, "e": 1], ["a": 2.0, "f": [[:]]],
    ] as [JSONValue])
  func valid(_ value: JSONValue) { #expect(JSONSchema(SchemaTests.schema).problems(value) == []) }

  @Test(
    arguments: [
      ([], "$"), ([:], "'a' is missing"), (["a": -1], "below"), (["a": 1.5], "integer"), (["a": "1"], "$.a"),
      (["a": 1, "b": []], "items"),
      (["a": 1, "b": ["y"]], "$.b[0]"), (["a": 1, "b": ["x", "x"]], "twice"), (["a": 1, "c": "ant"], "0 of 2"),
      (["a": 1, "c": true], "0 of 2"),
      (["a": 1, "d": 3], "2 of 2"), (["a": 1, "d": 7.5], "0 of 2"), (["a": 1, "e": 2], "is not 1"),
      (["a": 1, "g": 1], "nothing is allowed"),
      (["a": 1, "h": 1], "$.h"),
    ] as [(JSONValue, String)])
  func invalid(_ value: JSONValue, _ says: String) {
    #expect(JSONSchema(SchemaTests.schema).problems(value).contains { $0.contains(says) })
  }

  @Test func unknownKeywords() { #expect(!JSONSchema(["maxLength": 3]).problems("a").isEmpty) }
}
