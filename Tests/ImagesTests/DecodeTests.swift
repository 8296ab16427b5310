import H5ConvDiagnostics
import H5ConvImages
import Testing

/// A line of decoded.txt: what Keras and Pillow make of a file.
struct DecodedCase: CustomTestStringConvertible, Sendable {
  let file, mode, rgb, grey: String
  let width, height: Int
  var testDescription: String { file }

  /// libjpeg's decoders agree to the bit within libjpeg-turbo; other libjpegs may differ by one.
  var tolerance: Int { file.hasSuffix(".jpg") ? 1 : 0 }

  static let all = table("decoded").compactMap { line -> DecodedCase? in
    guard line.count == 6, let width = Int(line[2]), let height = Int(line[3]) else { return nil }
    return DecodedCase(file: line[0], mode: line[1], rgb: line[4], grey: line[5], width: width, height: height)
  }
}

@Suite("Decoding gives what keras.utils.load_img gives")
struct DecodeTests {
  @Test func tableIsThere() { #expect(DecodedCase.all.count == 43) }

  @Test(arguments: DecodedCase.all) func rgb(_ expected: DecodedCase) throws {
    let raster = try Raster.load(path: picture(expected.file), as: .rgb)
    #expect([raster.width, raster.height, raster.channels] == [expected.width, expected.height, 3])
    let difference = try #require(largestDifference(raster.pixels, unhexed(expected.rgb)))
    #expect(difference <= expected.tolerance)
  }

  @Test(arguments: DecodedCase.all.filter { $0.grey != "-" }) func grey(_ expected: DecodedCase) throws {
    let raster = try Raster.load(path: picture(expected.file), as: .grey)
    #expect([raster.width, raster.height, raster.channels] == [expected.width, expected.height, 1])
    let difference = try #require(largestDifference(raster.pixels, unhexed(expected.grey)))
    #expect(difference <= expected.tolerance)
  }

  /// Pillow reads 16-bit grey with alpha as RGBA, having no such mode; we keep LA.
  @Test(arguments: DecodedCase.all) func mode(_ expected: DecodedCase) throws {
    let mode = try DecodedImage.load(path: picture(expected.file)).mode.rawValue
    #expect(mode == (expected.file == "grey-alpha16.png" ? "LA" : expected.mode))
  }

  /// Cameras pad, and tools append; Pillow reads such files, too.
  @Test func bytesAroundTheEndAreHarmless() throws {
    let whole = bytes(of: "ycc-420.jpg")
    let expected = try DecodedImage.decode(whole).samples
    #expect(try DecodedImage.decode(whole + noise(100)).samples == expected)
    #expect(try DecodedImage.decode(whole.dropLast(2) + [0, 0, 0] + whole.suffix(2)).samples == expected)
    let png = bytes(of: "rgb8.png")
    #expect(try DecodedImage.decode(png + noise(100)).samples == DecodedImage.decode(png).samples)
  }

  @Test func grey16DoesNotFitGrey() throws {
    let error = #expect(throws: H5ConvError.self) { try Raster.load(path: picture("grey16.png"), as: .grey) }
    #expect(error?.kind == .unsupported)
    #expect(error?.description.contains("16-bit grey") == true)
  }
}

@Suite("EXIF orientation")
struct OrientationTests {
  @Test(arguments: 1...8) func reported(_ orientation: Int) throws {
    #expect(try DecodedImage.load(path: picture("exif\(orientation).jpg")).exifOrientation.rawValue == orientation)
  }

  @Test func reportedOfPNG() throws {
    #expect(try DecodedImage.load(path: picture("gamma-exif.png")).exifOrientation == .turnedLeft)
  }

  @Test func uprightWithoutTag() throws {
    #expect(try DecodedImage.load(path: picture("ycc-420.jpg")).exifOrientation == .upright)
  }

  @Test(arguments: table("oriented")) func applied(_ line: [String]) throws {
    let raster = try Raster.load(path: picture(line[0]), as: .rgb, applyOrientation: true)
    #expect([raster.width, raster.height] == [Int(line[1]), Int(line[2])])
    let difference = try #require(largestDifference(raster.pixels, unhexed(line[3])))
    #expect(difference <= (line[0].hasSuffix(".jpg") ? 1 : 0))
  }
}
