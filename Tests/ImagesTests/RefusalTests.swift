import Glibc
import H5ConvDiagnostics
import H5ConvImages
import TestSupport
import Testing

struct Refusal: CustomTestStringConvertible, Sendable {
  let file: String
  let kind: H5ConvError.Kind
  let says: String
  var testDescription: String { file }

  init(_ file: String, _ kind: H5ConvError.Kind, _ says: String) {
    (self.file, self.kind, self.says) = (file, kind, says)
  }
}

@Suite("What is no good picture is refused, and why is said")
struct RefusalTests {
  @Test(arguments: [
    Refusal("missing.png", .cannotRead, "no such file"),
    Refusal("", .cannotRead, "folder"),
    Refusal("/dev/null", .cannotRead, "not a regular file"),
    Refusal("empty.png", .badData, "empty"),
    Refusal("text.png", .badData, "not an image"),
    Refusal("truncated.png", .badData, "unexpected end of file"),
    Refusal("truncated.jpg", .badData, "Premature end of JPEG file"),
    Refusal("bad-crc.png", .badData, "CRC error"),
    Refusal("bad-data.png", .badData, "damaged PNG image"),
    Refusal("bad-crc-text.png", .badData, "CRC error"),
    Refusal("bomb.png", .limit, "100000 × 100000"),
    Refusal("bomb.jpg", .limit, "65000 × 65000"),
    Refusal("precision12.jpg", .unsupported, "precision 12"),
    Refusal("gif.png", .unsupported, "GIF images are not supported: convert it to PNG or JPEG"),
    Refusal("webp.png", .unsupported, "WebP images are not supported: convert it to PNG or JPEG"),
    Refusal("bmp.png", .unsupported, "BMP"),
    Refusal("tiff.png", .unsupported, "TIFF"),
    Refusal("avif.png", .unsupported, "AVIF"),
  ])
  func file(_ refusal: Refusal) throws {
    let path = refusal.file.hasPrefix("/") ? refusal.file : picture(refusal.file)
    let error = try #require(throws: H5ConvError.self) { try Raster.load(path: path, as: .rgb) }
    #expect(error.kind == refusal.kind)
    #expect(error.description.contains(refusal.says), "\(error)")
    #expect(error.file == path)
  }

  @Test func pipeIsNotWaitedFor() throws {
    let path = "/tmp/h5conv-images-test-\(getpid()).fifo"
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    let error = try #require(throws: H5ConvError.self) { try Raster.load(path: path, as: .rgb) }
    #expect(error.kind == .cannotRead)
  }

  @Test(arguments: ["rgb8.png", "ycc-420.jpg"]) func pixelLimit(_ file: String) throws {
    let image = try DecodedImage.load(path: picture(file))
    let count = image.width * image.height
    _ = try DecodedImage.load(path: picture(file), maxPixels: count)
    let error = try #require(throws: H5ConvError.self) {
      try DecodedImage.load(path: picture(file), maxPixels: count - 1)
    }
    #expect(error.kind == .limit)
  }

  @Test(arguments: ["rgb8.png", "interlaced-rgb8.png", "palette4.png", "ycc-420.jpg", "progressive.jpg", "ycck.jpg"])
  func everyTruncation(_ file: String) throws {
    let whole = bytes(of: file)
    for count in 0..<whole.count {
      #expect(throws: H5ConvError.self, "\(count) bytes") { try DecodedImage.decode(Array(whole[..<count])) }
    }
  }

  /// Whatever a byte is changed to, decoding ends, with a picture or with an error.
  @Test(arguments: ["rgb8.png", "palette8-trns.png", "gamma-exif.png", "ycc-420.jpg", "progressive.jpg", "exif6.jpg"])
  func everyByteChanged(_ file: String) throws {
    let whole = bytes(of: file)
    for position in whole.indices {
      for flip in [0x01, 0x80, 0xFF] as [UInt8] {
        var damaged = whole
        damaged[position] ^= flip
        do { _ = try DecodedImage.decode(damaged, maxPixels: 100_000).raster(as: .rgb) } catch is H5ConvError {}
      }
    }
  }
}
