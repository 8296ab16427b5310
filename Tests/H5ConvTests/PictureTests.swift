import H5Conv
import H5ConvConfig
import H5ConvImages
import H5ConvInference
import TestSupport
import Testing

func picture(_ name: String) -> String { Fixtures.path("images/\(name)") }

/// Writes a model that begins with the layers `names` (convolutions, but for `class:name`), and opens it.
func model(
  _ folder: TemporaryFolder, _ names: [String], input: [Int?] = [nil, 8, 8, 3],
  config: KeyValuePairs<String, JSONValue> = [:]
) throws -> Model {
  let layers = names.map { name -> JSONValue in
    let parts = name.split(separator: ":").map(String.init)
    guard parts.count == 2 else {
      var fields = JSONObject(["filters": 1, "kernel_size": 1])
      for (key, value) in config { fields[key] = value }
      fields["name"] = .string(name)
      return ["class_name": "Conv2D", "name": .string(name), "config": .object(fields)]
    }
    return ModelText.layer(parts[0], parts[1], ["scale": 0.5, "pool_size": 1])
  }
  let path = folder.file("model.h5")
  try ModelText.write(ModelText.sequential([ModelText.input("x", input)] + layers), to: path)
  return try Model(contentsOf: path)
}

@Suite("How pictures become inputs")
struct PictureTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// The samples of a picture as NumPy got them from Pillow, (height, width, channels).
  private func decoded(_ name: String) throws -> (width: Int, height: Int, rgb: [Float], grey: [Float]) {
    let lines = String(decoding: contents(of: Fixtures.path("images/decoded.txt")), as: UTF8.self).split(
      separator: "\n")
    let fields = try #require(lines.map { $0.split(separator: " ") }.first { $0[0] == name })
    func samples(_ text: Substring) -> [Float] {
      let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
      return stride(from: 0, to: digits.count - 1, by: 2).map { Float(digits[$0] << 4 | digits[$0 + 1]) }
    }
    return (try #require(Int(fields[2])), try #require(Int(fields[3])), samples(fields[4]), samples(fields[5]))
  }

  @Test(arguments: [
    (["block1_conv1", "block2_conv1"], "caffe", "VGG"),
    (["block1_conv1", "block2_sepconv1", "block2_conv1"], "tf", "Xception"),
    (["conv1_conv", "conv2_block1_1_conv", "conv2_block1_add"], "caffe", "ResNet"),
    (["conv1_conv", "conv2_block1_preact_bn"], "tf", "ResNetV2"),
    (["conv2_block1_0_bn", "conv2_block1_concat"], "torch", "DenseNet"),
    (["Conv1", "expanded_conv_depthwise"], "tf", "MobileNetV2"),
    (["conv1", "conv_dw_1", "conv_pw_1"], "tf", "MobileNet"), (["mixed0", "mixed10"], "tf", "InceptionV3"),
    (["conv1", "conv2"], "none", "nothing in the model tells"),
    // What the model does itself needs not be done before.
    (["Rescaling:rescaling", "block1_conv1", "block2_conv1"], "none", "'rescaling'"),
    (["MaxPooling2D:pool", "Rescaling:scale", "conv1"], "none", "'scale'"),
    (["block1_conv1", "Rescaling:late", "block2_conv1"], "caffe", "VGG"),
  ])
  func automaticPreprocessing(_ layers: [String], _ name: String, _ reason: String) throws {
    let choice = try model(folder, layers).choosePreprocessing("auto")
    #expect(choice.preprocessing == (try Preprocessing.parse(name)))
    #expect(choice.reason.hasPrefix("auto: ") && choice.reason.contains(reason), "\(choice.reason)")
  }

  @Test(arguments: ["none", "rescale", "tf", "caffe", "torch", "mean:1,2,3,std:4,5,6"]) func askedFor(_ name: String)
    throws
  {
    let choice = try model(folder, ["block1_conv1", "block2_conv1"]).choosePreprocessing(name)
    #expect(choice.preprocessing == (try Preprocessing.parse(name)))
    #expect(choice.reason == "as asked for")
  }

  /// In its own size and without preprocessing the tensor is the picture.
  @Test(
    arguments: ["rgb8.png", "grey8.png", "rgba8.png", "palette8.png", "grey-alpha8.png"],
    ["channels_last", "channels_first"])
  func pixels(_ name: String, _ format: String) throws {
    let golden = try decoded(name)
    let isFirst = format == "channels_first"
    let model = try model(
      folder, ["conv"], input: isFirst ? [nil, 3, nil, nil] : [nil, nil, nil, 3],
      config: ["data_format": .string(format)])
    let image = try model.prepare(image: picture(name))
    #expect((image.width, image.height) == (golden.width, golden.height))
    let tensor = isFirst ? try image.tensor.transposed([0, 2, 3, 1]) : image.tensor
    #expect(tensor.shape == [1, golden.height, golden.width, 3])
    #expect(tensor.values == golden.rgb)
    #expect(image.preprocess.hasPrefix("none: x, 0…255 (auto: "))
  }

  /// A network with one channel sees the grey of a colour photo, one with three channels a grey photo in all of them.
  @Test(arguments: ["rgb8.png", "grey8.png", "rgb.jpg", "grey.jpg"]) func greyAndColour(_ name: String) throws {
    let golden = try decoded(name)
    let grey = try model(folder, ["conv"], input: [nil, nil, nil, 1]).prepare(image: picture(name)).tensor
    #expect(grey.shape == [1, golden.height, golden.width, 1])
    if !golden.grey.isEmpty { #expect(grey.values == golden.grey) }
    let other = try TemporaryFolder()
    let colour = try model(other, ["conv"]).prepare(image: picture(name)).tensor
    #expect(colour.shape == [1, 8, 8, 3])
    guard name.hasPrefix("grey") else { return }
    let values = colour.values
    for pixel in stride(from: 0, to: values.count, by: 3) {
      #expect(values[pixel] == values[pixel + 1] && values[pixel] == values[pixel + 2])
    }
  }

  @Test(
    arguments: [
      ("rescale", 1 / 255, 0), ("tf", 1 / 127.5, -1), ("mean:10,std:2", 0.5, -5),
    ] as [(String, Float, Float)])
  func preprocessing(_ name: String, _ scale: Float, _ offset: Float) throws {
    let golden = try decoded("rgb8.png")
    var options = ImageOptions()
    options.preprocess = name
    let tensor = try model(folder, ["conv"], input: [nil, nil, nil, 3]).prepare(image: picture("rgb8.png"), options)
      .tensor
    #expect(zip(tensor.values, golden.rgb).allSatisfy { abs($0 - ($1 * scale + offset)) < 1e-5 })
  }

  @Test func sizeOfAFlexibleNetwork() throws {
    let model = try model(folder, ["conv"], input: [nil, nil, nil, 3])
    var options = ImageOptions()
    options.size = (width: 5, height: 7)
    let image = try model.prepare(image: picture("rgb8.png"), options)
    #expect(image.tensor.shape == [1, 7, 5, 3])
    #expect((image.width, image.height) == (5, 7))
    #expect(image.preprocess.contains("5×7"))
  }

  @Test(arguments: [("resize", "squash"), ("interpolation", "cubist"), ("preprocess", "magic"), ("size", "")])
  func badOptions(_ option: String, _ value: String) throws {
    let model = try model(folder, ["conv"])
    var options = ImageOptions()
    switch option {
    case "resize": options.resize = value
    case "interpolation": options.interpolation = value
    case "preprocess": options.preprocess = value
    default: options.size = (width: 9, height: 8)
    }
    let error = try #require(throws: H5ConvError.self) { try model.prepare(image: picture("rgb8.png"), options) }
    #expect(error.kind == .usage)
  }

  @Test(arguments: [[nil, 8, 8, 2], [nil, 8, 8, 4]] as [[Int?]]) func otherChannels(_ input: [Int?]) throws {
    let model = try model(folder, ["conv"], input: input)
    let error = try #require(throws: H5ConvError.self) { try model.prepare(image: picture("rgb8.png")) }
    #expect(error.kind == .usage)
    #expect(error.description.contains("channels"))
  }

  @Test(arguments: ["k3_multi", "tfk_dense"]) func noPictureFits(_ name: String) throws {
    let model = try Model(contentsOf: ModelFixture.path(name))
    let error = try #require(throws: H5ConvError.self) { try model.prepare(image: picture("rgb8.png")) }
    #expect(error.kind == .usage)
    #expect(error.file == model.path)
  }

  @Test(arguments: [
    ("bad-data.png", H5ConvError.Kind.badData), ("absent.png", .cannotRead), ("webp.png", .unsupported),
    ("bomb.png", .limit),
  ])
  func badPictures(_ name: String, _ kind: H5ConvError.Kind) throws {
    let model = try model(folder, ["conv"])
    let error = try #require(throws: H5ConvError.self) { try model.prepare(image: picture(name)) }
    #expect(error.kind == kind)
    #expect(error.file == picture(name))
  }
}
