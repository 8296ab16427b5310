import H5ConvDiagnostics
import H5ConvImages
import Testing

@Suite struct PNGPictureTests {
  @Test func eachKindSaysWhatItsPixelsAre() throws {
    let grey = try #require(
      PNGFile(try PNGPicture(kind: .grey, width: 3, height: 2, pixels: [0, 1, 2, 3, 4, 255]).encoded()))
    #expect(grey.chunk("IHDR") == [0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0])
    #expect(grey.indices == [0, 1, 2, 3, 4, 255])
    #expect(grey.chunk("PLTE").isEmpty && grey.chunk("pHYs").isEmpty)
    let rgb = try #require(
      PNGFile(try PNGPicture(kind: .rgb, width: 1, height: 2, pixels: [1, 2, 3, 4, 5, 6]).encoded()))
    #expect(rgb.chunk("IHDR") == [0, 0, 0, 1, 0, 0, 0, 2, 8, 2, 0, 0, 0])
  }

  @Test func textThatIsNotASCIIIsKept() throws {
    let picture = PNGPicture(
      kind: .grey, width: 1, height: 1, pixels: [7],
      texts: [.init("Title", "层 σ"), .init("Software", "h5conv"), .init("Comment", "")])
    let file = try #require(PNGFile(try picture.encoded()))
    #expect(file.texts == ["Title": "层 σ", "Software": "h5conv", "Comment": ""])
    #expect(file.chunks.map(\.type) == ["IHDR", "iTXt", "tEXt", "tEXt", "IDAT", "IEND"])
  }

  @Test(arguments: [(0, 1, 0), (1, 0, 0), (2, 2, 3), (2, 2, 5), (1 << 31, 1, 1), (Int.max, 2, 1), (-1, -1, 1)])
  func sizesThatDoNotAgreeAreRefused(_ width: Int, _ height: Int, _ bytes: Int) {
    let pixels = [UInt8](repeating: 0, count: bytes)
    for kind in [PNGPicture.Kind.grey, .rgb] {
      #expect(throws: H5ConvError.self) {
        try PNGPicture(kind: kind, width: width, height: height, pixels: pixels).encoded()
      }
    }
  }

  @Test func aPaletteHas256Colours() {
    #expect(throws: H5ConvError.self) {
      try PNGPicture(kind: .palette([1, 2, 3]), width: 1, height: 1, pixels: [0]).encoded()
    }
  }
}
