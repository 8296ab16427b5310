import H5ConvDiagnostics
import H5ConvImages
import H5ConvTensors
import Testing

@Suite("Preprocessing gives what Keras gives, to the bit")
struct PreprocessingTests {
  @Test func tableIsThere() { #expect(table("preprocessed").count == 14) }

  @Test(arguments: table("preprocessed")) func equalsKeras(_ line: [String]) throws {
    let raster = try Raster(width: 16, height: 16, channels: 3, pixels: noise(16 * 16 * 3))
    let first = line[1] == "first"
    let tensor = try Preprocessing.parse(line[0]).apply(raster, channelsFirst: first)
    #expect(tensor.shape == (first ? [1, 3, 16, 16] : [1, 16, 16, 3]))
    let bytes = try unhexed(line[2])
    let expected = stride(from: 0, to: bytes.count, by: 4).map { start in
      bytes[start..<(start + 4)].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    }
    #expect(tensor.values.map(\.bitPattern) == expected)
  }

  @Test(arguments: [
    ("none", [0, 51, 255] as [Float]), ("rescale", [0, 0.2, 1]), ("tf", [-1, -0.6, 1]),
    ("mean:51,std:51", [-1, 0, 4]),
  ])
  func grey(_ text: String, _ expected: [Float]) throws {
    let raster = try Raster(width: 3, height: 1, channels: 1, pixels: [0, 51, 255])
    for channelsFirst in [false, true] {
      let tensor = try Preprocessing.parse(text).apply(raster, channelsFirst: channelsFirst)
      #expect(tensor.shape == (channelsFirst ? [1, 1, 1, 3] : [1, 1, 3, 1]))
      #expect(zip(tensor.values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test(arguments: ["caffe", "torch", "mean:1,2,3,std:1", "mean:1,std:1,2,3"])
  func greyIsTooLittle(_ text: String) throws {
    let raster = try Raster(width: 1, height: 1, channels: 1, pixels: [7])
    let error = try #require(throws: H5ConvError.self) {
      try Preprocessing.parse(text).apply(raster, channelsFirst: false)
    }
    #expect(error.kind == .usage)
  }

  @Test(arguments: [
    "", "TF", "mean:", "mean:1,2,3", "mean:1,2,std:1", "mean:1,std:1,2,3,4", "mean:1,std:0", "mean:1,std:nan",
    "mean:inf,std:1", "mean:1,std:1e-60", "mean:1,,2,std:1", "mean:a,std:1", "std:1,mean:1", "mean:1,std:",
  ])
  func nonsense(_ text: String) throws {
    #expect(try #require(throws: H5ConvError.self) { try Preprocessing.parse(text) }.kind == .usage)
  }

  @Test func parsed() throws {
    #expect(try Preprocessing.parse("mean:1,2.5,-3,std:4") == .custom(mean: [1, 2.5, -3], std: [4]))
  }

  @Test func described() throws {
    #expect(Preprocessing.tf.description == "tf: x / 127.5 − 1")
    #expect(try Preprocessing.parse("mean:1,2,3,std:4").description == "custom: (x − (1.0, 2.0, 3.0)) / 4.0")
  }
}
