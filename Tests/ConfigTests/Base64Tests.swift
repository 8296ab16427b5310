import H5ConvConfig
import Testing

@Suite("Base64")
struct Base64Tests {
  /// The examples of RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9v\nYmE=", "fooba"),
    ("Zm9vYmFy", "foobar"),
  ])
  func examples(_ text: String, _ meaning: String) {
    #expect(bytesOfBase64(text) == Array(meaning.utf8))
    #expect(base64(Array(meaning.utf8)) == text.utf8.filter { $0 != UInt8(ascii: "\n") })
  }

  @Test func otherText() { #expect(bytesOfBase64("a-b") == nil) }

  @Test func allDigits() { #expect(bytesOfBase64("+/+/") == [0xfb, 0xff, 0xbf]) }
}
