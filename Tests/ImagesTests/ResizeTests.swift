import H5ConvDiagnostics
import H5ConvImages
import Testing

/// A line of resized.txt: what Pillow makes of noise of one size at another size.
struct ResizeCase: CustomTestStringConvertible, Sendable {
  let mode, interpolation, expected: String
  let channels, width, height, newWidth, newHeight: Int
  var testDescription: String {
    "\(mode) \(interpolation) \(width)×\(height)×\(channels) → \(newWidth)×\(newHeight)"
  }

  static let all = table("resized").compactMap { line -> ResizeCase? in
    let numbers = line.dropFirst(2).dropLast().compactMap { Int($0) }
    guard line.count == 8, numbers.count == 5 else { return nil }
    return ResizeCase(
      mode: line[0], interpolation: line[1], expected: line[7], channels: numbers[0], width: numbers[1],
      height: numbers[2], newWidth: numbers[3], newHeight: numbers[4])
  }
}

@Suite("Resizing gives what Pillow gives")
struct ResizeTests {
  @Test func tableIsThere() { #expect(ResizeCase.all.count == 364) }

  @Test(arguments: ResizeCase.all) func resized(_ expected: ResizeCase) throws {
    let source = try noisy(expected.width, expected.height, expected.channels)
    let result = try source.resized(
      width: expected.newWidth, height: expected.newHeight, mode: ResizeMode(named: expected.mode),
      interpolation: Interpolation(named: expected.interpolation))
    #expect([result.width, result.height] == [expected.newWidth, expected.newHeight])
    #expect(result.channels == expected.channels)
    #expect(try largestDifference(result.pixels, unhexed(expected.expected)) == 0)
  }

  /// The indices are read off a row whose pixels hold their own position, 8 bits in each channel.
  @Test(arguments: table("nearest")) func nearestIndices(_ line: [String]) throws {
    let numbers = line.dropLast().compactMap { Int($0) }
    let (count, first, last) = (numbers[0], numbers[1], numbers[2])
    let row = try Raster(
      width: count, height: 1, channels: 3,
      pixels: (0..<count).flatMap { [UInt8($0 & 255), UInt8($0 >> 8 & 255), UInt8($0 >> 16)] })
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for target in first...last {
      let pixels = try row.resized(width: target, height: 1).pixels
      for start in stride(from: 0, to: pixels.count, by: 3) {
        let index = Int(pixels[start]) | Int(pixels[start + 1]) << 8 | Int(pixels[start + 2]) << 16
        hash = (hash ^ UInt64(index)) &* 0x100_0000_01B3
      }
    }
    #expect(hash == UInt64(line[3], radix: 16))
  }

  @Test(arguments: [(0, 5), (5, 0), (-1, 5), (Int.min, Int.max)]) func sizeMustBePositive(_ size: (Int, Int)) throws {
    #expect(try kind { try noisy(4, 4, 3).resized(width: size.0, height: size.1) } == .usage)
  }

  @Test(arguments: [(65_536, 1), (1, Int.max), (20_000, 20_000)]) func sizeIsLimited(_ size: (Int, Int)) throws {
    #expect(try kind { try noisy(4, 4, 3).resized(width: size.0, height: size.1) } == .limit)
  }

  @Test func namesAreSaid() throws {
    let error = try #require(throws: H5ConvError.self) { try Interpolation(named: "cubic") }
    #expect(error.description.contains("nearest, box, bilinear, hamming, bicubic, lanczos"))
    #expect(throws: H5ConvError.self) { try ResizeMode(named: "fit") }
  }

  @Test func rasterMustBeFilled() {
    #expect(throws: H5ConvError.self) { try Raster(width: 2, height: 2, channels: 3, pixels: [0]) }
    #expect(throws: H5ConvError.self) { try Raster(width: 2, height: 2, channels: 2, pixels: noise(8)) }
    #expect(throws: H5ConvError.self) { try Raster(width: Int.max, height: 2, channels: 1, pixels: []) }
  }

  private func noisy(_ width: Int, _ height: Int, _ channels: Int) throws -> Raster {
    try Raster(width: width, height: height, channels: channels, pixels: noise(width * height * channels))
  }

  private func kind(_ body: () throws -> Raster) throws -> H5ConvError.Kind {
    try #require(throws: H5ConvError.self) { try body() }.kind
  }
}
