import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors
import Testing

@Suite("Configs that no layer of sequences can have")
struct BadSequenceConfigTests {
  @Test(arguments: [
    BadConfig("LSTM", #"{}"#, "units"), BadConfig("LSTM", #"{"units": 0}"#, "units"),
    BadConfig("LSTM", #"{"units": 1099511627776}"#, "units"),
    BadConfig("LSTM", #"{"units": 2, "return_sequences": "yes"}"#, "return_sequences"),
    BadConfig("LSTM", #"{"units": 2, "activation": "glu"}"#, "activation", .unsupported),
    BadConfig("GRU", #"{"units": 2, "reset_after": 3}"#, "reset_after"),
    BadConfig("GRU", #"{"units": 2, "recurrent_activation": "mine"}"#, "recurrent_activation", .unsupported),
    BadConfig("SimpleRNN", #"{"units": 1.5}"#, "units"), BadConfig("RNN", #"{}"#, "cell"),
    BadConfig("RNN", #"{"cell": {"class_name": "MyCell", "config": {}}}"#, "cell", .unsupported),
    BadConfig("RNN", #"{"cell": {"class_name": "StackedRNNCells", "config": {"cells": []}}}"#, "cell"),
    BadConfig("RNN", #"{"cell": {"class_name": "LSTMCell", "config": {"units": -1}}}"#, "units"),
    BadConfig("Bidirectional", #"{}"#, "layer"),
    BadConfig("Bidirectional", #"{"merge_mode": "max"}"#, "merge_mode"),
    BadConfig("Bidirectional", #"{"layer": {"class_name": "Dense", "config": {"units": 2}}}"#, "layer", .unsupported),
    BadConfig(
      "Bidirectional",
      #"""
      {"layer": {"class_name": "GRU", "config": {"units": 2}}, "backward_layer": {"class_name": "GRU", "config": {"units": 2}}}
      """#, "backward_layer"),
    BadConfig("TimeDistributed", #"{"layer": 3}"#, "layer"),
    BadConfig(
      "TimeDistributed", #"{"layer": {"class_name": "Sequential", "config": {"layers": []}}}"#, "layer", .unsupported),
    BadConfig("ConvLSTM2D", #"{"filters": 2}"#, "kernel_size"),
    BadConfig("ConvLSTM2D", #"{"filters": 2, "kernel_size": 2, "padding": "causal"}"#, "padding"),
    BadConfig("ConvLSTM2D", #"{"filters": 2, "kernel_size": 2, "strides": 2, "dilation_rate": 2}"#, "strides"),
    BadConfig("ConvLSTM3D", #"{"filters": 2, "kernel_size": [2, 2]}"#, "kernel_size"),
    BadConfig("ConvLSTM3D", #"{"filters": 2, "kernel_size": 1048576}"#, "kernel_size", .limit),
    BadConfig("Embedding", #"{"output_dim": 2}"#, "input_dim"),
    BadConfig("Embedding", #"{"input_dim": 2, "output_dim": -2}"#, "output_dim"),
    BadConfig("Masking", #"{"mask_value": "none"}"#, "mask_value"),
    BadConfig("MultiHeadAttention", #"{"key_dim": 2}"#, "num_heads"),
    BadConfig("MultiHeadAttention", #"{"num_heads": 2, "key_dim": 0}"#, "key_dim"),
    BadConfig("MultiHeadAttention", #"{"num_heads": 2, "key_dim": 2, "output_shape": [0]}"#, "output_shape"),
    BadConfig(
      "GroupedQueryAttention", #"{"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2}"#, "num_query_heads"),
    BadConfig("Attention", #"{"score_mode": "best"}"#, "score_mode"),
    BadConfig("EinsumDense", #"{"equation": "ab,bc", "output_shape": 2}"#, "equation"),
    BadConfig("EinsumDense", #"{"equation": "aa,ab->ab", "output_shape": 2}"#, "equation", .unsupported),
    BadConfig("EinsumDense", #"{"equation": "ab,bcd->ac", "output_shape": 2}"#, "equation"),
    BadConfig("EinsumDense", #"{"equation": "ab,bc->ac", "output_shape": -2}"#, "output_shape"),
    BadConfig("EinsumDense", #"{"equation": "ab,bc->ac", "output_shape": 2, "bias_axes": "x"}"#, "bias_axes"),
    BadConfig("Dot", #"{"axes": [1, 2, 3]}"#, "axes"), BadConfig("LayerNormalization", #"{"axis": []}"#, "axis"),
    BadConfig("GroupNormalization", #"{"groups": 0}"#, "groups"),
    BadConfig("SpectralNormalization", #"{"layer": {"class_name": "Dense", "config": {}}}"#, "units"),
    BadConfig("Discretization", #"{}"#, "bin_boundaries", .unsupported),
    BadConfig("Discretization", #"{"bin_boundaries": [2, 1]}"#, "bin_boundaries"),
    BadConfig("CategoryEncoding", #"{"num_tokens": 0}"#, "num_tokens"),
    BadConfig("IntegerLookup", #"{"vocabulary": null}"#, "vocabulary", .unsupported),
    BadConfig("IntegerLookup", #"{"vocabulary": [1], "num_oov_indices": -1}"#, "num_oov_indices"),
    BadConfig("IntegerLookup", #"{"vocabulary": [1], "invert": true, "output_mode": "count"}"#, "output_mode"),
    BadConfig("AutoContrast", #"{"value_range": [3, 3]}"#, "value_range"),
    BadConfig("ContrastLimitedAdaptiveHistogramEqualization", #"{"tile_grid_size": [0, 8]}"#, "tile_grid_size"),
    BadConfig(
      "ContrastLimitedAdaptiveHistogramEqualization", #"{"tile_grid_size": [4096, 4096]}"#, "tile_grid_size", .limit),
    BadConfig("Pipeline", #"{"layers": {}}"#, "layers"),
    BadConfig("STFTSpectrogram", #"{"mode": "power"}"#, "mode"),
    BadConfig("STFTSpectrogram", #"{"frame_length": 8, "frame_step": 9}"#, "frame_step"),
    BadConfig("STFTSpectrogram", #"{"frame_length": 8, "fft_length": 7}"#, "fft_length"),
    BadConfig("MelSpectrogram", #"{"fft_length": 1000000}"#, "fft_length"),
    BadConfig("MelSpectrogram", #"{"window": "kaiser"}"#, "window"),
    BadConfig("MelSpectrogram", #"{"fft_length": 8, "window": [1, 2]}"#, "window"),
    BadConfig("MelSpectrogram", #"{"min_freq": 9000}"#, "min_freq"),
    BadConfig("CategoryEncoding", #"{"num_tokens": 3, "output_mode": "int"}"#, "output_mode"),
    BadConfig("LayerScale", #"{}"#, "projection_dim"), BadConfig("CustomScaleLayer", #"{}"#, "scale"),
    BadConfig("Softmax", #"{"axis": null}"#, "axis", .unsupported), BadConfig("TFOpLambda", #"{}"#, "function"),
    BadConfig("TFOpLambda", #"{"function": "signal.fft"}"#, "function", .unsupported),
  ])
  func refused(_ bad: BadConfig) throws {
    let error = try #require(throws: H5ConvError.self) { try layer(bad.className, bad.config) }
    #expect(error.kind == bad.kind)
    #expect(error.what.hasPrefix(bad.field), "\(error)")
    #expect(error.place == "layer 'l' of class \(bad.className)")
  }

  @Test(arguments: [
    "StringLookup", "TextVectorization", "Hashing", "HashedCrossing", "MaxNumBoundingBoxes", "Lambda",
  ])
  func refusedByName(_ className: String) throws {
    let error = try #require(throws: H5ConvError.self) { try layer(className, "{}") }
    #expect(error.kind == .unsupported)
    #expect(error.what.contains(className))
  }
}

/// An operation with arguments that it cannot have.
struct BadCall: CustomTestStringConvertible, Sendable {
  let function: String
  let keywords: [(String, JSONValue)]
  let input: PartialShape
  let kind: H5ConvError.Kind
  var testDescription: String { "\(function) \(keywords) of \(input)" }

  init(
    _ function: String, _ keywords: [(String, JSONValue)], _ input: PartialShape = [nil, 4, 6],
    _ kind: H5ConvError.Kind = .badData
  ) {
    (self.function, self.keywords, self.input, self.kind) = (function, keywords, input, kind)
  }
}

@Suite("Operations with arguments that they cannot have")
struct BadCallTests {
  @Test(arguments: [
    BadCall("reshape", [("shape", [-1, -1])]), BadCall("reshape", [("shape", [2, "x"])]),
    BadCall("reshape", [("shape", [7, 5])], [2, 3, 4]), BadCall("reshape", [], [2], .unsupported),
    BadCall("transpose", [("perm", [0, 0, 1])]), BadCall("transpose", [("perm", [0, 1])]),
    BadCall("expand_dims", [("axis", 9)]), BadCall("squeeze", [("axis", 1)]), BadCall("squeeze", [("axis", -9)]),
    BadCall("split", [("num_or_size_splits", 0), ("axis", 1)]),
    BadCall("split", [("num_or_size_splits", 3), ("axis", 1)]),
    BadCall("split", [("num_or_size_splits", [9, 9]), ("axis", 1)]),
    BadCall("split", [("num_or_size_splits", [-1, 9_223_372_036_854_775_807]), ("axis", 1)]),
    BadCall("tile", [("multiples", [1, -1, 1])], [nil, 4, 6], .unsupported),
    BadCall("tile", [("multiples", [1])], [nil, 4, 6], .unsupported),
    BadCall("tile", [("multiples", [1, 1_048_576, 1])], [nil, 1 << 50, 6], .limit),
    BadCall("repeat", [("repeats", 0), ("axis", 1)], [nil, 4, 6], .unsupported),
    BadCall("broadcast_to", [("shape", [2, 5, 6])]), BadCall("math.reduce_mean", [("axis", 3)]),
    BadCall("math.reduce_mean", [("axis", [1, 1])]), BadCall("math.reduce_mean", [("axis", "all")]),
    BadCall("norm", [("ord", 2), ("axis", [1, 2])], [nil, 4, 6], .unsupported), BadCall("math.argmax", [("axis", 5)]),
    BadCall("math.add", []), BadCall("math.add", [("y", [1, 2, 3])]),
    BadCall("math.add", [("y", [[1, 2], [3]])], [nil, 2], .unsupported),
    BadCall("math.add", [("y", "text")], [nil, 2], .unsupported),
    BadCall("linalg.matmul", [("b", [[1, 2], [3, 4]])]),
    BadCall("linalg.matmul", [("b", [1, 2])], [nil, 2], .unsupported),
    BadCall("tensordot", [("b", [[1], [2]]), ("axes", 9)]), BadCall("tensordot", [("b", [[1], [2]]), ("axes", 1)]),
    BadCall("einsum", [], [nil, 2], .unsupported),
    BadCall("image.resize", [("size", [2, 2])], [nil, 4, 6], .unsupported),
    BadCall("image.resize", [("size", [0, 2])], [nil, 4, 6, 3], .unsupported),
    BadCall("image.resize", [("size", [2, 2]), ("method", "magic")], [nil, 4, 6, 3], .unsupported),
    BadCall("compat.v1.pad", [("paddings", [[1, 1]])]),
    BadCall("compat.v1.pad", [("paddings", [[-1, 1]])], [3], .unsupported),
    BadCall("slice", [("begin", [0, 9, 0]), ("size", [-1, -1, -1])]),
    BadCall("slice", [("begin", [0, 2, 0]), ("size", [-1, 3, -1])]),
    BadCall("cast", [("dtype", "string")], [nil, 4], .unsupported),
    BadCall("one_hot", [("depth", 0)], [nil], .unsupported),
    BadCall("math.l2_normalize", [("axis", 7)]), BadCall("nn.softmax", [("axis", 7)]),
    BadCall("__operators__.getitem", [("slice_spec", [9, 9, 9, 9])]),
    BadCall("__operators__.getitem", [("slice_spec", [["start": nil, "stop": nil, "step": 0]])]),
    BadCall("__operators__.getitem", [("slice_spec", [["start": nil, "stop": nil, "step": nil], 4])]),
    BadCall("__operators__.getitem", [("slice_spec", ["first"])], [nil, 4], .unsupported),
  ])
  func refused(_ bad: BadCall) throws {
    let config: JSONObject = ["function": .string(bad.function)]
    let error = try #require(throws: H5ConvError.self) {
      let node = try LayerRegistry.layer("TFOpLambda", ConfigReader(config, at: "op", generation: 2))
      let call = CallArguments<Int>(
        [.tensor(0)], keywords: bad.keywords.map { KeywordArgument(name: $0.0, value: .value($0.1)) })
      _ = try node.applied(to: call).outputShapes(for: [bad.input])
    }
    #expect(error.kind == bad.kind, "\(error)")
  }

  /// Python's slices beyond the ends of an axis.
  @Test(
    arguments: [
      ([-9, 9, 1], 4), ([3, 1, -1], 2), ([nil, nil, -3], 2), ([nil, -9, -1], 4), ([9, nil, -1], 4), ([2, 2, 1], 0),
      ([Int.min, Int.max, Int.max], 1),
    ] as [([Int?], Int)])
  func slices(_ range: [Int?], _ count: Int) throws {
    let node = try LayerRegistry.layer(
      "SlicingOpLambda", ConfigReader(["function": "__operators__.getitem"], at: "op", generation: 2))
    let ends = range.map { $0.map(JSONValue.int) ?? .null }
    let spec: JSONValue = [["start": ends[0], "stop": ends[1], "step": ends[2]]]
    let call = CallArguments<Int>([.tensor(0)], keywords: [KeywordArgument(name: "slice_spec", value: .value(spec))])
    #expect(try node.applied(to: call).outputShapes(for: [[4, 3]]) == [[count, 3]])
  }
}
