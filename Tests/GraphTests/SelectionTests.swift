import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import TestSupport
import Testing

/// The graph of a model config as tf.keras writes it.
func graph(_ config: JSONValue, version: String = "2.15.0") throws -> Graph {
  try Graph(try ArchitectureReader.read(config, kerasVersion: version))
}

private let conv: KeyValuePairs<String, JSONValue> = ["filters": 2, "kernel_size": [1, 1]]

/// input, block1_conv1, block1_conv2, block1_pool, inner (a, b), block2_conv1, sum, and a shared layer's second call.
private func sample() throws -> Graph {
  let inner = ModelText.functional(
    [
      ModelText.input("inner_x", [nil, 4, 4, 2]),
      ModelText.layer("Conv2D", "a_conv", conv, inbound: [[("inner_x", 0, 0)]]),
      ModelText.layer("ReLU", "b", inbound: [[("a_conv", 0, 0)]]),
    ], inputs: [("inner_x", 0, 0)], outputs: [("b", 0, 0), ("a_conv", 0, 0)])
  return try graph(
    ModelText.functional(
      [
        ModelText.input("image", [nil, 8, 8, 2]),
        ModelText.layer("Conv2D", "block1_conv1", conv, inbound: [[("image", 0, 0)], [("block1_conv1", 0, 0)]]),
        ModelText.layer("DepthwiseConv2D", "block1_dw", ["kernel_size": [1, 1]], inbound: [[("block1_conv1", 1, 0)]]),
        ModelText.layer("MaxPooling2D", "block1_pool", ["pool_size": [2, 2]], inbound: [[("block1_dw", 0, 0)]]),
        ModelText.nested(inner, "inner", inbound: [[("block1_pool", 0, 0)]]),
        ModelText.layer("Add", "we[i]rd*", inbound: [[("inner", 1, 0), ("inner", 1, 1)]]),
        ModelText.layer("Flatten", "flat", inbound: [[("we[i]rd*", 0, 0)]]),
      ], inputs: [("image", 0, 0)], outputs: [("flat", 0, 0), ("inner", 1, 1)]))
}

@Suite("Layers chosen by patterns")
struct SelectionTests {
  @Test func everything() throws {
    #expect(
      try sample().taps.map(\.key) == [
        "image", "block1_conv1", "block1_conv1@1", "block1_dw", "block1_pool", "inner/a_conv", "inner/b", "inner",
        "inner:1",
        "we[i]rd*", "flat",
      ])
  }

  @Test(arguments: [
    (["flat"], ["flat"]), (["image"], ["image"]), (["inner"], ["inner"]), (["inner:1"], ["inner:1"]),
    (["block1_conv1@1"], ["block1_conv1@1"]), (["inner/b"], ["inner/b"]),
    (["block?_conv*"], ["block1_conv1", "block1_conv1@1"]), (["*_pool"], ["block1_pool"]),
    (["block1_[cd]*1"], ["block1_conv1", "block1_conv1@1"]),
    (["a_*"], ["inner/a_conv"]), (["inner/*"], ["inner/a_conv", "inner/b"]), (["b"], ["inner/b"]),
    // A name that reads like a pattern is first of all a name.
    (["we[i]rd*"], ["we[i]rd*"]),
    (["type:Conv2D"], ["block1_conv1", "block1_conv1@1", "inner/a_conv"]),
    (["type:*Conv2D"], ["block1_conv1", "block1_conv1@1", "block1_dw", "inner/a_conv"]),
    (["type:Functional"], ["inner", "inner:1"]), (["type:Conv2D", "!inner/*"], ["block1_conv1", "block1_conv1@1"]),
    (["#0"], ["image"]), (["#3"], ["block1_dw"]), (["#3..5"], ["block1_dw", "block1_pool", "inner/a_conv"]),
    (["#7"], ["inner", "inner:1"]), (["#8..99"], ["we[i]rd*", "flat"]),
    (["@outputs"], ["flat", "inner:1"]),
    (
      ["*"],
      [
        "block1_conv1", "block1_conv1@1", "block1_dw", "block1_pool", "inner/a_conv", "inner/b", "inner", "inner:1",
        "we[i]rd*", "flat",
      ]
    ),
    (["*", "!type:*Conv2D", "!inner*"], ["block1_pool", "we[i]rd*", "flat"]),
    ([], ["block1_conv1", "block1_conv1@1", "block1_dw", "inner/a_conv"]),
    (["!block1_dw"], ["block1_conv1", "block1_conv1@1", "inner/a_conv"]),
    (["flat", "block1_pool"], ["flat", "block1_pool"]),
    (
      ["flat", "#3..9", "flat"],
      ["flat", "block1_dw", "block1_pool", "inner/a_conv", "inner/b", "inner", "inner:1", "we[i]rd*"]
    ),
  ])
  func patterns(_ patterns: [String], _ keys: [String]) throws {
    #expect(try sample().select(patterns).map(\.key) == keys)
  }

  @Test(arguments: [
    ("block1_cnv1", "block1_conv1"), ("BLOCK1_POOL", "block1_pool"), ("flatten", "flat"), ("inner/a", "inner/b"),
    ("type:Dense", ""),
    ("#99", ""), ("#-1", ""), ("#5..3", ""), ("#1.3", ""), ("#", ""), ("#x", ""), ("", ""), ("nothing*", ""),
    ("inner/absent", "inner"),
  ])
  func unknown(_ pattern: String, _ nearest: String) throws {
    let graph = try sample()
    let error = try #require(throws: H5ConvError.self) { try graph.select([pattern]) }
    #expect(error.kind == .usage)
    #expect(error.what.contains("'\(pattern)'"), "\(error)")
    #expect(error.remedy?.contains(nearest) == true, "\(error)")
  }

  @Test(arguments: [["flat", "!flat"], ["*", "!*", "!image"], ["!type:*Conv2D"]]) func nothingLeft(_ patterns: [String])
    throws
  {
    let graph = try sample()
    let error = try #require(throws: H5ConvError.self) { try graph.select(patterns) }
    #expect(error.kind == .usage)
  }

  @Test func unknownExclusion() throws {
    let graph = try sample()
    #expect(throws: H5ConvError.self) { try graph.select(["*", "!absent"]) }
  }

  @Test func noConvolutions() throws {
    let graph = try graph(
      ModelText.sequential([ModelText.input("x", [nil, 3]), ModelText.layer("Dense", "d", ["units": 2])]))
    let error = try #require(throws: H5ConvError.self) { try graph.select([]) }
    #expect(error.kind == .usage)
    #expect(error.description.contains("no convolution layers"))
  }

  @Test(arguments: [("kernl", ["kernel"]), ("aaa", ["aab"]), ("", ["x"])]) func nearest(
    _ text: String, _ expected: [String]
  ) {
    #expect(["kernel", "aab", "bias", "x"].nearest(to: text, count: 1) == expected)
  }
}
