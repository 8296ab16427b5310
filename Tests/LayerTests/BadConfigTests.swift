import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors
import TestSupport
import Testing

/// The layer that a config describes.
func layer(_ className: String, _ config: String) throws -> any Layer {
  try LayerRegistry.layer(
    className,
    ConfigReader(
      try JSONParser.parse(config).object ?? JSONObject(), at: "layer 'l' of class \(className)", generation: 3))
}

/// A config that no layer can have, and what the refusal says.
struct BadConfig: CustomTestStringConvertible, Sendable {
  let className: String
  let config: String
  let field: String
  let kind: H5ConvError.Kind
  var testDescription: String { "\(className): \(field)" }

  init(_ className: String, _ config: String, _ field: String, _ kind: H5ConvError.Kind = .badData) {
    (self.className, self.config, self.field, self.kind) = (className, config, field, kind)
  }
}

@Suite("Configs that no layer can have")
struct BadConfigTests {
  @Test(arguments: [
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [3, 3], "strides": [0, 1]}"#, "strides"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [3, 3], "strides": [-1, 1]}"#, "strides"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [3, 3], "strides": [1, 1, 1]}"#, "strides"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [3, 3], "dilation_rate": 0}"#, "dilation_rate"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [3, 3], "strides": 2, "dilation_rate": 2}"#, "strides"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [0, 3]}"#, "kernel_size"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": [1099511627776, 3]}"#, "kernel_size"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": "3"}"#, "kernel_size"),
    BadConfig("Conv2D", #"{"filters": 2}"#, "kernel_size"), BadConfig("Conv2D", #"{"kernel_size": 3}"#, "filters"),
    BadConfig("Conv2D", #"{"filters": 0, "kernel_size": 3}"#, "filters"),
    BadConfig("Conv2D", #"{"filters": -1, "kernel_size": 3}"#, "filters"),
    BadConfig("Conv2D", #"{"filters": 1.5, "kernel_size": 3}"#, "filters"),
    BadConfig("Conv2D", #"{"filters": 3, "kernel_size": 3, "groups": 2}"#, "filters"),
    BadConfig("Conv2D", #"{"filters": 3, "kernel_size": 3, "groups": 0}"#, "groups"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "padding": "around"}"#, "padding"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "padding": "causal"}"#, "padding"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "data_format": "sideways"}"#, "data_format"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "use_bias": "yes"}"#, "use_bias"),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "activation": "my_function"}"#, "activation", .unsupported),
    BadConfig("Conv2D", #"{"filters": 2, "kernel_size": 3, "activation": 7}"#, "activation"),
    BadConfig("DepthwiseConv2D", #"{"kernel_size": 3, "depth_multiplier": 0}"#, "depth_multiplier"),
    BadConfig("SeparableConv2D", #"{"filters": 2, "kernel_size": 3, "depth_multiplier": -1}"#, "depth_multiplier"),
    BadConfig(
      "Conv2DTranspose", #"{"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 2}"#, "output_padding"),
    BadConfig("Conv2DTranspose", #"{"filters": 2, "kernel_size": 3, "output_padding": -1}"#, "output_padding"),
    BadConfig("Conv1D", #"{"filters": 2, "kernel_size": 3, "strides": 0}"#, "strides"),
    BadConfig("Conv1D", #"{"filters": 2, "kernel_size": [3, 3]}"#, "kernel_size"),
    BadConfig("Conv1D", #"{"filters": -2, "kernel_size": 3}"#, "filters"),
    BadConfig("Conv1D", #"{"filters": 3, "kernel_size": 3, "groups": 2}"#, "filters"),
    BadConfig("Conv1D", #"{"filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": 2}"#, "strides"),
    BadConfig("Conv1D", #"{"filters": 2, "kernel_size": 3, "padding": "causally"}"#, "padding"),
    BadConfig("Conv3D", #"{"filters": 2, "kernel_size": [3, 3]}"#, "kernel_size"),
    BadConfig("Conv3D", #"{"filters": 2, "kernel_size": 3, "strides": [1, 1, 0]}"#, "strides"),
    BadConfig(
      "Conv3D", #"{"filters": 2, "kernel_size": 3, "strides": [1, 1, 2], "dilation_rate": [2, 1, 1]}"#, "strides"),
    BadConfig("Conv3D", #"{"filters": 2, "kernel_size": 3, "padding": "causal"}"#, "padding"),
    BadConfig("Conv3D", #"{"filters": 9223372036854775807, "kernel_size": 3}"#, "filters"),
    BadConfig("DepthwiseConv1D", #"{"kernel_size": 3, "padding": "causal"}"#, "padding"),
    BadConfig("DepthwiseConv1D", #"{"kernel_size": 3, "depth_multiplier": -1}"#, "depth_multiplier"),
    BadConfig("SeparableConv1D", #"{"filters": 0, "kernel_size": 3}"#, "filters"),
    BadConfig("Conv1DTranspose", #"{"filters": 2, "kernel_size": 3, "padding": "causal"}"#, "padding"),
    BadConfig(
      "Conv1DTranspose", #"{"filters": 2, "kernel_size": 3, "strides": 3, "output_padding": 3}"#, "output_padding"),
    BadConfig("Conv3DTranspose", #"{"filters": 2, "kernel_size": 3, "output_padding": [0, 0]}"#, "output_padding"),
    BadConfig("LocallyConnected1D", #"{"filters": 2, "kernel_size": 3, "padding": "same"}"#, "padding"),
    BadConfig("LocallyConnected1D", #"{"filters": 2, "kernel_size": 3, "strides": 0}"#, "strides"),
    BadConfig("LocallyConnected2D", #"{"filters": 2, "kernel_size": 3, "implementation": 4}"#, "implementation"),
    BadConfig(
      "LocallyConnected2D", #"{"filters": 2, "kernel_size": 3, "implementation": 2, "padding": "causal"}"#, "padding"),
    BadConfig("Dense", #"{"units": -3}"#, "units"), BadConfig("Dense", #"{"units": 0}"#, "units"),
    BadConfig("Dense", #"{}"#, "units"),
    BadConfig("MaxPooling2D", #"{"pool_size": 0}"#, "pool_size"),
    BadConfig("MaxPooling2D", #"{"pool_size": 2, "strides": 0}"#, "strides"),
    BadConfig("AveragePooling2D", #"{"pool_size": [2, 2, 2]}"#, "pool_size"),
    BadConfig("AveragePooling2D", #"{"pool_size": 2, "padding": "causal"}"#, "padding"),
    BadConfig("MaxPooling1D", #"{"pool_size": 2, "strides": -2}"#, "strides"),
    BadConfig("AveragePooling1D", #"{"pool_size": 2, "padding": "causal"}"#, "padding"),
    BadConfig("MaxPooling3D", #"{"pool_size": [2, 2]}"#, "pool_size"), BadConfig("MaxPooling3D", #"{}"#, "pool_size"),
    BadConfig("AdaptiveMaxPooling2D", #"{"output_size": 0}"#, "output_size"),
    BadConfig("AdaptiveAveragePooling3D", #"{"output_size": [1, 2]}"#, "output_size"),
    BadConfig("AdaptiveAveragePooling1D", #"{}"#, "output_size"),
    BadConfig("GlobalMaxPooling1D", #"{"data_format": 1}"#, "data_format"),
    BadConfig("BatchNormalization", #"{"axis": [1, 2]}"#, "axis", .unsupported),
    BadConfig("BatchNormalization", #"{"epsilon": "small"}"#, "epsilon"),
    BadConfig("Normalization", #"{"mean": 1}"#, "mean"), BadConfig("Rescaling", #"{"scale": "big"}"#, "scale"),
    BadConfig("Rescaling", #"{}"#, "scale"),
    BadConfig("Reshape", #"{"target_shape": [-1, -1]}"#, "target_shape"),
    BadConfig("Reshape", #"{"target_shape": [-2]}"#, "target_shape"),
    BadConfig("Reshape", #"{"target_shape": [1125899906842624]}"#, "target_shape"),
    BadConfig("Permute", #"{"dims": [1, 1]}"#, "dims"),
    BadConfig("Permute", #"{"dims": [0, 1]}"#, "dims"), BadConfig("Permute", #"{"dims": [2]}"#, "dims"),
    BadConfig("RepeatVector", #"{"n": 0}"#, "n"),
    BadConfig("ZeroPadding2D", #"{"padding": -1}"#, "padding"),
    BadConfig("ZeroPadding2D", #"{"padding": [1, 2, 3]}"#, "padding"),
    BadConfig("ZeroPadding2D", #"{"padding": 0.5}"#, "padding"),
    BadConfig("Cropping2D", #"{"cropping": "all"}"#, "cropping"),
    BadConfig("ZeroPadding1D", #"{"padding": [1, 2, 3]}"#, "padding"),
    BadConfig("ZeroPadding3D", #"{"padding": [1, 2]}"#, "padding"),
    BadConfig("ZeroPadding3D", #"{"padding": [[1, 2], [1, 2], [1, -2]]}"#, "padding"),
    BadConfig("Cropping1D", #"{"cropping": 1e300}"#, "cropping"), BadConfig("Cropping3D", #"{}"#, "cropping"),
    BadConfig("UpSampling1D", #"{"size": [2, 2]}"#, "size"), BadConfig("UpSampling3D", #"{"size": [2, 2, 0]}"#, "size"),
    BadConfig("UpSampling2D", #"{"size": 0}"#, "size"),
    BadConfig("RandomCrop", #"{"height": 2, "width": -1}"#, "width"),
    BadConfig("UpSampling2D", #"{"size": 2, "interpolation": "magic"}"#, "interpolation", .unsupported),
    BadConfig("Resizing", #"{"height": 0, "width": 2}"#, "height"), BadConfig("Resizing", #"{"height": 2}"#, "width"),
    BadConfig(
      "Resizing", #"{"height": 2, "width": 2, "pad_to_aspect_ratio": true, "fill_mode": "edge"}"#, "fill_mode",
      .unsupported),
    BadConfig("Concatenate", #"{"axis": "last"}"#, "axis"),
    BadConfig("Activation", #"{"activation": "unheard_of"}"#, "activation", .unsupported),
    BadConfig("InputLayer", #"{"batch_shape": [null, -3]}"#, "batch_shape"),
    BadConfig("InputLayer", #"{"batch_shape": "any"}"#, "batch_shape"),
    BadConfig("ReLU", #"{"max_value": "six"}"#, "max_value"), BadConfig("LeakyReLU", #"{"alpha": []}"#, "alpha"),
  ])
  func refused(_ bad: BadConfig) throws {
    let error = try #require(throws: H5ConvError.self) { try layer(bad.className, bad.config) }
    #expect(error.kind == bad.kind)
    #expect(error.what.hasPrefix(bad.field), "\(error)")
    #expect(error.place == "layer 'l' of class \(bad.className)")
  }

  @Test func unknownClass() throws {
    let error = try #require(throws: H5ConvError.self) { try layer("Mystery", #"{}"#) }
    #expect(error.kind == .unsupported)
    #expect(error.description.contains("Mystery"))
    #expect(!LayerRegistry.isSupported("Mystery"))
  }
}

/// A layer that is good by itself, and inputs that do not fit it.
struct BadInput: CustomTestStringConvertible, Sendable {
  let className: String
  let config: String
  let inputs: [PartialShape]
  let says: String
  var testDescription: String { "\(className): \(says)" }

  init(_ className: String, _ config: String, _ inputs: [PartialShape], _ says: String) {
    (self.className, self.config, self.inputs, self.says) = (className, config, inputs, says)
  }
}

@Suite("Inputs that do not fit a layer")
struct BadInputTests {
  @Test(arguments: [
    BadInput("Conv2D", #"{"filters": 2, "kernel_size": 5}"#, [[nil, 4, 8, 3]], "a window of 5 on an axis of 4"),
    BadInput(
      "Conv2D", #"{"filters": 2, "kernel_size": 3, "dilation_rate": 2}"#, [[nil, 4, 8, 3]],
      "a window of 5 on an axis of 4"),
    BadInput("Conv2D", #"{"filters": 2, "kernel_size": 3}"#, [[nil, 4, 8]], "4 axes were expected"),
    BadInput("Conv2D", #"{"filters": 2, "kernel_size": 3}"#, [], "0 inputs where one"),
    BadInput("Conv2D", #"{"filters": 2, "kernel_size": 3}"#, [[nil, 4, 8, 3], [nil, 4, 8, 3]], "2 inputs where one"),
    BadInput("Conv2D", #"{"filters": 2, "kernel_size": 3, "groups": 2}"#, [[nil, 4, 8, 3]], "3 input channels"),
    BadInput("MaxPooling2D", #"{"pool_size": 3}"#, [[nil, 2, 8, 3]], "a window of 3 on an axis of 2"),
    BadInput("GlobalMaxPooling2D", #"{}"#, [[nil, 3]], "4 axes"),
    BadInput("Conv1D", #"{"filters": 2, "kernel_size": 5}"#, [[nil, 4, 3]], "a window of 5 on an axis of 4"),
    BadInput("Conv1D", #"{"filters": 2, "kernel_size": 5}"#, [[nil, 4]], "3 axes were expected"),
    BadInput("Conv1D", #"{"filters": 2, "kernel_size": 3, "groups": 2}"#, [[nil, 8, 3]], "3 input channels"),
    BadInput("Conv3D", #"{"filters": 2, "kernel_size": 3}"#, [[nil, 4, 4, 2, 3]], "a window of 3 on an axis of 2"),
    BadInput("Conv3D", #"{"filters": 2, "kernel_size": 3}"#, [[nil, 4, 8, 3]], "5 axes were expected"),
    BadInput(
      "LocallyConnected1D", #"{"filters": 2, "kernel_size": 3}"#, [[nil, 2, 3]], "a window of 3 on an axis of 2"),
    BadInput("AveragePooling3D", #"{"pool_size": 2}"#, [[nil, 1, 8, 8, 3]], "a window of 2 on an axis of 1"),
    BadInput("GlobalAveragePooling1D", #"{}"#, [[nil, 3, 3, 3]], "3 axes"),
    BadInput("AdaptiveMaxPooling1D", #"{"output_size": 2}"#, [[nil, 0, 3]], "an axis of 0"),
    BadInput("Cropping3D", #"{"cropping": 1}"#, [[nil, 4, 2, 4, 3]], "leaves nothing"),
    BadInput("Cropping1D", #"{"cropping": [3, 1]}"#, [[nil, 4, 3]], "leaves nothing"),
    BadInput("Dense", #"{"units": 2}"#, [[nil]], "without features"),
    BadInput("Add", #"{}"#, [[nil, 3]], "1 inputs"),
    BadInput("Add", #"{}"#, [[nil, 3], [nil, 4]], "(None, 3) and (None, 4)"),
    BadInput("Subtract", #"{}"#, [[nil, 3], [nil, 3], [nil, 3]], "3 inputs where two"),
    BadInput("Concatenate", #"{}"#, [[nil, 3], [nil, 3, 1]], "different ranks"),
    BadInput("Concatenate", #"{}"#, [[nil, 3, 1], [nil, 4, 1]], "along axis -1"),
    BadInput("Concatenate", #"{}"#, [], "different ranks"),
    BadInput("Concatenate", #"{"axis": 5}"#, [[nil, 3], [nil, 3]], "axis 5"),
    BadInput("BatchNormalization", #"{"axis": 4}"#, [[nil, 3]], "axis 4"),
    BadInput("Softmax", #"{"axis": -3}"#, [[nil, 3]], "axis -3"),
    BadInput("Reshape", #"{"target_shape": [5]}"#, [[nil, 2, 3]], "cannot be reshaped"),
    BadInput("Reshape", #"{"target_shape": [4, -1]}"#, [[nil, 2, 3]], "cannot be reshaped"),
    BadInput("Permute", #"{"dims": [2, 1]}"#, [[nil, 3]], "axes"),
    BadInput("RepeatVector", #"{"n": 2}"#, [[nil, 3, 3]], "2 axes"),
    BadInput("Cropping2D", #"{"cropping": 2}"#, [[nil, 4, 8, 3]], "leaves nothing"),
    BadInput("Rescaling", #"{"scale": [1, 2]}"#, [[nil, 4, 4, 3]], "2 scales or offsets"),
    BadInput("Flatten", #"{}"#, [[]], "batch axis"),
  ])
  func refused(_ bad: BadInput) throws {
    let layer = try layer(bad.className, bad.config)
    let error = try #require(throws: H5ConvError.self) { try layer.outputShapes(for: bad.inputs) }
    #expect(error.kind == .badData)
    #expect(error.what.contains(bad.says), "\(error)")
  }
}

@Suite("Shapes and weights of layers")
struct ShapeTests {
  @Test(
    arguments: [
      ("Conv2D", #"{"filters": 5, "kernel_size": [3, 2]}"#, [nil, 8, 9, 3], [nil, 6, 8, 5]),
      (
        "Conv2D", #"{"filters": 5, "kernel_size": 3, "padding": "same", "strides": 2}"#, [nil, 7, 8, 3], [nil, 4, 4, 5]
      ),
      ("Conv2D", #"{"filters": 5, "kernel_size": 3}"#, [nil, nil, 9, 3], [nil, nil, 7, 5]),
      (
        "Conv2D", #"{"filters": 5, "kernel_size": 3, "data_format": "channels_first"}"#, [nil, 3, 8, 9], [nil, 5, 6, 7]
      ),
      // Keras 1's names.
      ("Convolution2D", #"{"filters": 5, "kernel_size": 3, "dim_ordering": "th"}"#, [nil, 3, 8, 9], [nil, 5, 6, 7]),
      ("Conv1D", #"{"filters": 5, "kernel_size": 3, "padding": "causal", "strides": 2}"#, [nil, 7, 3], [nil, 4, 5]),
      ("AtrousConvolution1D", #"{"filters": 5, "kernel_size": 3, "dilation_rate": 2}"#, [nil, 7, 3], [nil, 3, 5]),
      ("Conv3D", #"{"filters": 5, "kernel_size": [1, 2, 3]}"#, [nil, 4, nil, 6, 3], [nil, 4, nil, 4, 5]),
      (
        "Convolution3D", #"{"filters": 5, "kernel_size": 2, "dim_ordering": "th"}"#, [nil, 3, 4, 5, 6],
        [nil, 5, 3, 4, 5]
      ),
      ("Deconvolution2D", #"{"filters": 5, "kernel_size": 2, "strides": 2}"#, [nil, 4, 5, 3], [nil, 8, 10, 5]),
      ("UpSampling3D", #"{"size": [1, 2, 3]}"#, [nil, 4, nil, 6, 3], [nil, 4, nil, 18, 3]),
      ("AdaptiveMaxPooling2D", #"{"output_size": [2, 3]}"#, [nil, nil, 5, 3], [nil, 2, 3, 3]),
      (
        "GlobalMaxPooling3D", #"{"keepdims": true, "data_format": "channels_first"}"#, [nil, 3, 5, 5, 5],
        [nil, 3, 1, 1, 1]
      ),
      ("RandomCrop", #"{"height": 4, "width": 6}"#, [nil, nil, nil, 3], [nil, 4, 6, 3]),
      ("Flatten", #"{}"#, [nil, 2, 3, 4], [nil, 24]), ("Flatten", #"{}"#, [nil, nil, 3], [nil, nil]),
      ("Flatten", #"{}"#, [nil], [nil, 1]),
      ("Reshape", #"{"target_shape": [-1, 4]}"#, [nil, 2, 6], [nil, 3, 4]),
      ("Reshape", #"{"target_shape": [-1]}"#, [nil, nil, 6], [nil, nil]),
      ("GlobalAveragePooling2D", #"{"keepdims": true}"#, [nil, 5, 5, 3], [nil, 1, 1, 3]),
      ("RandomFlip", #"{"mode": "horizontal"}"#, [nil, 5, 5, 3], [nil, 5, 5, 3]),
      ("Dropout", #"{"rate": 0.5}"#, [nil, 7], [nil, 7]),
    ] as [(String, String, PartialShape, PartialShape)])
  func shapes(_ className: String, _ config: String, _ input: PartialShape, _ output: PartialShape) throws {
    #expect(try layer(className, config).outputShapes(for: [input]) == [output])
  }

  @Test(
    arguments: [
      ("Conv1D", #"{"filters": 4, "kernel_size": 3, "groups": 2}"#, [nil, 4, 6], ["kernel (3, 3, 4)", "bias (4,)"]),
      ("DepthwiseConv1D", #"{"kernel_size": 3}"#, [nil, 4, 6], ["depthwise_kernel (3, 6, 1)", "bias (6,)"]),
      (
        "SeparableConv1D", #"{"filters": 5, "kernel_size": 3, "depth_multiplier": 2}"#, [nil, 4, 6],
        ["depthwise_kernel (3, 6, 2)", "pointwise_kernel (1, 12, 5)", "bias (5,)"]
      ),
      (
        "Conv3D", #"{"filters": 4, "kernel_size": [3, 2, 1]}"#, [nil, 4, 4, 4, nil],
        ["kernel (3, 2, 1, None, 4)", "bias (4,)"]
      ),
      (
        "Conv3DTranspose", #"{"filters": 4, "kernel_size": 2}"#, [nil, 4, 4, 4, 6],
        ["kernel (2, 2, 2, 4, 6)", "bias (4,)"]
      ),
      ("LocallyConnected1D", #"{"filters": 4, "kernel_size": 3}"#, [nil, 5, 6], ["kernel (3, 18, 4)", "bias (3, 4)"]),
      (
        "LocallyConnected1D", #"{"filters": 4, "kernel_size": 3}"#, [nil, nil, 6],
        ["kernel (None, 18, 4)", "bias (None, 4)"]
      ),
    ] as [(String, String, PartialShape, [String])])
  func weightsOfOtherRanks(_ className: String, _ config: String, _ input: PartialShape, _ expected: [String]) throws {
    let specs = try layer(className, config).weights(for: [input])
    #expect(specs.map { "\($0.name) \($0.shape)" } == expected)
  }

  @Test(
    arguments: [
      ("Conv2D", #"{"filters": 4, "kernel_size": [3, 2], "groups": 2}"#, ["kernel (3, 2, 3, 4)", "bias (4,)"]),
      ("Conv2D", #"{"filters": 4, "kernel_size": 1, "use_bias": false}"#, ["kernel (1, 1, 6, 4)"]),
      (
        "DepthwiseConv2D", #"{"kernel_size": 3, "depth_multiplier": 2}"#,
        ["depthwise_kernel (3, 3, 6, 2)", "bias (12,)"]
      ),
      (
        "SeparableConv2D", #"{"filters": 5, "kernel_size": 3}"#,
        ["depthwise_kernel (3, 3, 6, 1)", "pointwise_kernel (1, 1, 6, 5)", "bias (5,)"]
      ),
      ("Conv2DTranspose", #"{"filters": 5, "kernel_size": 3}"#, ["kernel (3, 3, 5, 6)", "bias (5,)"]),
      (
        "LocallyConnected2D", #"{"filters": 2, "kernel_size": [3, 2], "strides": 2}"#,
        ["kernel (2, 36, 2)", "bias (1, 2, 2)"]
      ),
      ("BatchNormalization", #"{}"#, ["gamma (6,)", "beta (6,)", "moving_mean (6,)", "moving_variance (6,)"]),
      (
        "BatchNormalization", #"{"axis": [1], "scale": false}"#,
        ["beta (4,)", "moving_mean (4,)", "moving_variance (4,)"]
      ),
      ("PReLU", #"{"shared_axes": [1, 2]}"#, ["alpha (1, 1, 6)"]),
      ("Dense", #"{"units": 3}"#, ["kernel (6, 3)", "bias (3,)"]),
      ("Normalization", #"{}"#, ["mean (6,)", "variance (6,)", "count ()"]), ("Flatten", #"{}"#, []),
    ] as [(String, String, [String])])
  func weights(_ className: String, _ config: String, _ expected: [String]) throws {
    let specs = try layer(className, config).weights(for: [[nil, 4, 5, 6]])
    #expect(specs.map { "\($0.name) \($0.shape)" } == expected)
    #expect(
      specs.allSatisfy {
        $0.isTrainable != ["moving_mean", "moving_variance", "mean", "variance", "count"].contains($0.name)
      })
  }
}
