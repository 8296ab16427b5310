import H5ConvConfig
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import TestSupport
import Testing

private func footprint(_ layers: [JSONValue], input: [Int?] = [nil, 32, 32, 3]) throws -> (Graph, Footprint) {
  let config = ModelText.sequential([ModelText.input("x", input)] + layers)
  let graph = try Graph(ArchitectureReader.read(config, kerasVersion: "2.15.0"))
  return (graph, Footprint(graph))
}

/// A convolution, and what is known of its result from pencil and paper: start, stride and size of the field along the height, MACs.
struct HandComputed: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let layers: [JSONValue]
  let start: Double
  let stride: Double
  let size: Double
  let operations: Int
  var isBound = false
}

private func layer(_ className: String, _ fields: KeyValuePairs<String, JSONValue>) -> JSONValue {
  ModelText.layer(
    className, "\(className.lowercased())_\(fields.map { "\($0.key)\($0.value.text())" }.joined())", fields)
}

@Suite("What layers cost and see")
struct FootprintTests {
  @Test(arguments: [
    // 30·30 places, 4 filters, 3·3·3 taps.
    HandComputed(
      testDescription: "valid", layers: [layer("Conv2D", ["filters": 4, "kernel_size": 3])], start: 0, stride: 1,
      size: 3, operations: 30 * 30 * 4 * 27),
    HandComputed(
      testDescription: "same", layers: [layer("Conv2D", ["filters": 4, "kernel_size": 3, "padding": "same"])],
      start: -1, stride: 1, size: 3, operations: 32 * 32 * 4 * 27),
    // TensorFlow pads an even input for stride 2 behind only.
    HandComputed(
      testDescription: "strides",
      layers: [layer("Conv2D", ["filters": 4, "kernel_size": 3, "padding": "same", "strides": 2])], start: 0, stride: 2,
      size: 3, operations: 16 * 16 * 4 * 27),
    HandComputed(
      testDescription: "dilation",
      layers: [layer("Conv2D", ["filters": 2, "kernel_size": 3, "dilation_rate": 4])], start: 0, stride: 1, size: 9,
      operations: 24 * 24 * 2 * 27),
    HandComputed(
      testDescription: "groups", layers: [layer("Conv2D", ["filters": 6, "kernel_size": 1, "groups": 3])], start: 0,
      stride: 1, size: 1, operations: 32 * 32 * 6),
    HandComputed(
      testDescription: "depthwise",
      layers: [layer("DepthwiseConv2D", ["kernel_size": 5, "depth_multiplier": 2])], start: 0, stride: 1, size: 5,
      operations: 28 * 28 * 6 * 25),
    HandComputed(
      testDescription: "separable", layers: [layer("SeparableConv2D", ["filters": 8, "kernel_size": 3])], start: 0,
      stride: 1, size: 3, operations: 30 * 30 * (3 * 9 + 3 * 8)),
    HandComputed(
      testDescription: "padded and pooled",
      layers: [
        layer("ZeroPadding2D", ["padding": 3]), layer("Conv2D", ["filters": 1, "kernel_size": 7, "strides": 2]),
        layer("MaxPooling2D", ["pool_size": 3, "strides": 2]),
      ], start: -3, stride: 4, size: 11, operations: 16 * 16 * 147),
    HandComputed(
      testDescription: "cropped", layers: [layer("Cropping2D", ["cropping": [[2, 1], [0, 0]]])], start: 2, stride: 1,
      size: 1, operations: 0),
    // Two pixels of the result for each of the input; both of them see it, so that the bound is one and a half.
    HandComputed(
      testDescription: "repeated", layers: [layer("UpSampling2D", ["size": 2])], start: -0.5, stride: 0.5, size: 1.5,
      operations: 0, isBound: true),
    HandComputed(
      testDescription: "pooled and repeated",
      layers: [
        layer("AveragePooling2D", ["pool_size": 4]), layer("BatchNormalization", [:]), layer("ReLU", [:]),
        layer("UpSampling2D", ["size": 4]),
      ], start: -3, stride: 1, size: 7, operations: 0, isBound: true),
    HandComputed(
      testDescription: "transposed",
      layers: [layer("Conv2DTranspose", ["filters": 5, "kernel_size": 2, "strides": 2])], start: -0.5, stride: 0.5,
      size: 1.5, operations: 32 * 32 * 3 * 4 * 5, isBound: true),
  ])
  func byHand(_ expected: HandComputed) throws {
    let (graph, footprint) = try footprint(expected.layers)
    let last = try #require(footprint.calls.last ?? nil)
    let reach = try #require(last.reaches.first ?? nil)
    #expect(reach.axis == 1)
    #expect(reach.start == expected.start)
    #expect(reach.stride == expected.stride)
    #expect(reach.size == expected.size)
    #expect(reach.isBound == expected.isBound)
    #expect(footprint.multiplyAccumulates == expected.operations)
    #expect(footprint.calls.count == graph.calls.count)
    #expect(!footprint.isAssumed)
  }

  /// VGG16, from Araujo, Norris, Sim 2019 (and keras.applications' shapes at 224 × 224): fields after each convolution and pooling.
  @Test func vgg16() throws {
    var layers: [JSONValue] = []
    for (block, (count, filters)) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].enumerated() {
      for number in 1...count {
        layers.append(
          ModelText.layer(
            "Conv2D", "block\(block)_conv\(number)",
            ["filters": .int(filters), "kernel_size": 3, "padding": "same", "activation": "relu"]))
      }
      layers.append(ModelText.layer("MaxPooling2D", "block\(block)_pool", ["pool_size": 2, "strides": 2]))
    }
    layers += [
      ModelText.layer("Flatten", "flatten"), ModelText.layer("Dense", "fc1", ["units": 4096]),
      ModelText.layer("Dense", "fc2", ["units": 4096]), ModelText.layer("Dense", "predictions", ["units": 1000]),
    ]
    let (_, footprint) = try footprint(layers, input: [nil, 224, 224, 3])
    let known = footprint.calls.compactMap { $0 }
    let sizes = known.dropFirst().prefix(18).compactMap { $0.reaches[0]?.size }
    #expect(sizes == [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212])
    let strides = known.dropFirst().prefix(18).compactMap { $0.reaches[1]?.stride }
    #expect(strides == [1, 1, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 32])
    // 15.35 G in the convolutions, 0.12 G in the dense layers: Simonyan and Zisserman's network has 138,357,544 parameters and is
    // published with 15.5 G multiply-adds.
    #expect(known.prefix(19).reduce(0) { $0 + ($1.multiplyAccumulates ?? 0) } == 15_346_630_656)
    #expect(footprint.multiplyAccumulates == 15_346_630_656 + 25088 * 4096 + 4096 * 4096 + 4096 * 1000)
    #expect(known.last?.reaches.first == .some(.some(.whole)))
    #expect(known[1].memory == 224 * 224 * 64 * 4)
  }

  /// A squeeze-and-excitation block: each element sees its own window, and the whole picture through the factor.
  @Test func gate() throws {
    let config = ModelText.functional(
      [
        ModelText.input("x", [nil, 16, 16, 4]),
        ModelText.layer(
          "Conv2D", "conv", ["filters": 4, "kernel_size": 3, "padding": "same"], inbound: [[("x", 0, 0)]]),
        ModelText.layer("GlobalAveragePooling2D", "squeeze", inbound: [[("conv", 0, 0)]]),
        ModelText.layer("Reshape", "reshape", ["target_shape": [1, 1, 4]], inbound: [[("squeeze", 0, 0)]]),
        ModelText.layer("Conv2D", "excite", ["filters": 4, "kernel_size": 1], inbound: [[("reshape", 0, 0)]]),
        ModelText.layer("Multiply", "gate", inbound: [[("conv", 0, 0), ("excite", 0, 0)]]),
      ], inputs: [("x", 0, 0)], outputs: [("gate", 0, 0)])
    let graph = try Graph(ArchitectureReader.read(config, kerasVersion: "2.15.0"))
    let calls = Footprint(graph).calls
    let reaches = Dictionary(uniqueKeysWithValues: zip(graph.calls.map(\.key), calls.map { $0?.reaches.first ?? nil }))
    #expect(reaches["squeeze"] == .some(.some(.whole)))
    #expect(reaches["excite"] == .some(.some(.whole)))
    let gate = try #require(reaches["gate"] ?? nil)
    #expect(gate.size == 3 && gate.axis == 1 && gate.isGated)
  }

  /// What the input decides is not known; fields are, whatever the size.
  @Test func openSizes() throws {
    let (_, footprint) = try footprint(
      [layer("Conv2D", ["filters": 4, "kernel_size": 5, "strides": 2])], input: [nil, nil, nil, 3])
    #expect(footprint.isAssumed)
    #expect(footprint.calls.last??.reaches.first??.size == 5)
    #expect(footprint.calls.last??.reaches.first??.stride == 2)
  }

  /// Channels in front: the axes of the fields are those behind them.
  @Test func channelsFirst() throws {
    let (_, footprint) = try footprint(
      [layer("Conv2D", ["filters": 4, "kernel_size": 3, "data_format": "channels_first"])], input: [nil, 3, 20, 10])
    #expect(footprint.calls.last??.reaches.map { $0?.axis } == [2, 3])
    #expect(footprint.calls.last??.reaches.map { $0?.size } == [3, 3])
    #expect(footprint.multiplyAccumulates == 18 * 8 * 4 * 27)
  }
}
