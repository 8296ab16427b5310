import H5ConvDiagnostics
import H5ConvTensors
import H5ConvVisualization
import Testing

/// A layer of Tests/Fixtures/viz/scales.json.
struct ScaleCase: Decodable, CustomTestStringConvertible {
  let activations: Activations
  let flat: [Int]
  let min: Double
  let max: Double
  let mean: Double
  let std: Double
  let zeroFraction: Double
  let robust: [Double]
  let digests: [String: String]

  enum Keys: String, CodingKey {
    case flat, min, max, mean, std, robust, digests
    case zeroFraction = "zero_fraction"
  }

  init(from decoder: any Decoder) throws {
    activations = try Activations(from: decoder)
    let fields = try decoder.container(keyedBy: Keys.self)
    flat = try fields.decode([Int].self, forKey: .flat)
    min = try fields.decode(Double.self, forKey: .min)
    max = try fields.decode(Double.self, forKey: .max)
    mean = try fields.decode(Double.self, forKey: .mean)
    std = try fields.decode(Double.self, forKey: .std)
    zeroFraction = try fields.decode(Double.self, forKey: .zeroFraction)
    robust = try fields.decode([Double].self, forKey: .robust)
    digests = try fields.decode([String: String].self, forKey: .digests)
  }

  var testDescription: String {
    "\(activations.height)×\(activations.width)×\(activations.channels) \(activations.distribution)"
  }

  static let all: [ScaleCase] = (try? fixture("scales.json")) ?? []
}

@Suite struct ScaleTests {
  @Test func theFixturesAreThere() { #expect(ScaleCase.all.count == 78) }

  @Test(arguments: ScaleCase.all)
  func indicesAreThoseOfNumPyAndMatplotlib(_ layer: ScaleCase) throws {
    let maps = try layer.activations.maps()
    for (name, digest) in layer.digests {
      let quantized = QuantizedMaps(maps, scale: try Scale(parsing: name))
      #expect(fnv(quantized.indices) == digest, "\(name)")
      #expect(quantized.flatChannels == layer.flat, "\(name)")
    }
  }

  @Test(arguments: ScaleCase.all)
  func statisticsAreThoseOfNumPyInFloat64(_ layer: ScaleCase) throws {
    let statistics = LayerStatistics(try layer.activations.maps())
    #expect(statistics.minimum == layer.min)
    #expect(statistics.maximum == layer.max)
    #expect(abs(statistics.mean - layer.mean) <= 1e-12 * abs(layer.mean))
    #expect(abs(statistics.standardDeviation - layer.std) <= 1e-9 * layer.std)
    #expect(abs(statistics.zeroFraction - layer.zeroFraction) <= 1e-15)
    #expect(statistics.flatChannels == layer.flat)
    #expect(statistics.channelCount == layer.activations.channels)
    #expect(statistics.isFinite)
  }

  @Test(arguments: ScaleCase.all)
  func theRobustRangeIsNumPysPercentiles(_ layer: ScaleCase) throws {
    let range = try #require(QuantizedMaps(try layer.activations.maps(), scale: .robust).range)
    let expected = layer.robust[0] < layer.robust[1] ? layer.robust : [layer.min, layer.max]
    #expect([range.lowerBound, range.upperBound] == expected)
  }

  @Test(arguments: [Scale.zscore, .channel, .layer, .robust, .signed, .raw(low: -1, high: 1)])
  func constantChannelsAreFlatUnderEveryScale(_ scale: Scale) throws {
    // The mean of 49 times 0.1 in float32 is not 0.1, so NumPy would stretch its own rounding error over the colour map.
    let values: [Float] = (0..<49).flatMap { [0.1, Float($0), -7, 0] as [Float] }
    let quantized = QuantizedMaps(try feature(7, 7, 4, values), scale: scale)
    #expect(quantized.flatChannels == [0, 2, 3])
    for channel in [0, 2, 3] {
      #expect(Set(quantized.indices[channel * 49..<(channel + 1) * 49]).count == 1)
    }
  }

  @Test func aDeviationThatVanishesInFloat32IsFlatAndZero() throws {
    let quantized = QuantizedMaps(try feature(2, 2, 1, [0, 1e-30, 2e-30, 3e-30]), scale: .zscore)
    #expect(quantized.indices == [0, 0, 0, 0])
    #expect(quantized.flatChannels == [0])
  }

  @Test(arguments: [Scale.zscore, .channel, .layer, .robust, .signed, .raw(low: 0, high: 8)])
  func valuesThatAreNotFiniteNeitherTrapNorSpoilTheOthers(_ scale: Scale) throws {
    let finite: [Float] = [0, 1, 2, 3, 4, 5, 6, 7]
    let maps = try feature(3, 4, 1, finite + [.nan, .infinity, -.infinity, .nan])
    let quantized = QuantizedMaps(maps, scale: scale)
    let alone = QuantizedMaps(try feature(2, 4, 1, finite), scale: scale)
    #expect(Array(quantized.indices[..<8]) == alone.indices)
    #expect(Array(quantized.indices[8...]) == [0, 255, 0, 0])
    let statistics = LayerStatistics(maps)
    #expect((statistics.nanCount, statistics.infinityCount) == (2, 2))
    #expect((statistics.minimum, statistics.maximum, statistics.mean) == (0, 7, 3.5))
    #expect(statistics.zeroFraction == 1.0 / 12.0)
  }

  @Test(arguments: [Scale.zscore, .channel, .layer, .robust, .signed, .raw(low: 0, high: 8)])
  func aLayerWithoutAnyFiniteValueIsFlat(_ scale: Scale) throws {
    let maps = try feature(1, 2, 2, [.nan, .nan, .infinity, -.infinity])
    #expect(QuantizedMaps(maps, scale: scale).flatChannels == [0, 1])
    let statistics = LayerStatistics(maps)
    #expect(statistics.minimum.isNaN && statistics.maximum.isNaN && statistics.mean.isNaN)
  }

  @Test(arguments: [Scale.channel, .layer, .raw(low: -3.5e38, high: 3.5e38)])
  func rangesWiderThanAFloatHoldTheirOrder(_ scale: Scale) throws {
    let values: [Float] = [-3e38, -1e38, 0, 1e38, 3e38]
    let indices = QuantizedMaps(try feature(1, 5, 1, values), scale: scale).indices
    #expect(indices == indices.sorted() && Set(indices).count == 5)
  }

  @Test func zeroIsTheMiddleOfTheSignedScale() throws {
    let quantized = QuantizedMaps(try feature(1, 4, 1, [-2, 0, 1, 2]), scale: .signed)
    #expect(quantized.indices == [0, 128, 192, 255])
    #expect(quantized.range == -2...2)
  }

  @Test func theLayersScaleBeginsAtZeroUnlessSomethingIsNegative() throws {
    #expect(QuantizedMaps(try feature(1, 2, 1, [3, 6]), scale: .layer).range == 0...6)
    #expect(QuantizedMaps(try feature(1, 2, 1, [-3, 6]), scale: .layer).range == -3...6)
  }

  @Test(arguments: ["zscore", "channel", "layer", "signed", "robust", "raw:-1.5,2", "raw:0,1e-09"])
  func namesAreReadAsTheyAreWritten(_ text: String) throws { #expect(try Scale(parsing: text).name == text) }

  @Test(arguments: ["", "minmax", "raw", "raw:", "raw:1", "raw:2,1", "raw:1,1", "raw:a,b", "raw:0,inf", "raw:1,2,3"])
  func otherNamesAreRefused(_ text: String) {
    #expect { try Scale(parsing: text) } throws: { ($0 as? H5ConvError)?.kind == .usage }
  }

  @Test(arguments: [[4, 4], [1, 4, 4, 2], [0, 4, 4]])
  func onlyStacksOfMapsAreTaken(_ shape: [Int]) throws {
    let tensor = try Tensor(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
    #expect {
      try FeatureMaps(index: 0, name: "dense", className: "Dense", shape: shape, tensor: tensor)
    } throws: {
      ($0 as? H5ConvError)?.kind == .unsupported
    }
  }
}
