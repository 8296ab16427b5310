import H5ConvConfig
import H5ConvDiagnostics
import TestSupport
import Testing

@Suite("JSON as Python writes it")
struct JSONParserTests {
  @Test(
    arguments: [
      ("null", .null), ("true", true), ("false", false), ("0", 0), ("-1", -1), ("-0", 0), ("1.5", 1.5),
      ("-2e3", -2000.0),
      ("1E+2", 100.0), ("1e-2", 0.01), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
      ("9223372036854775808", 9223372036854775808.0), ("1e308", 1e308), ("\"\"", ""), ("\"a\"", "a"), ("[]", []),
      ("{}", [:]),
      (" \t\r\n[ 1 , 2 ]\n", [1, 2]), ("{\"a\": [1, {\"b\": null}]}", ["a": [1, ["b": nil]]]),
      ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"), ("\"\\u00e4\\u2713\"", "ä✓"), ("\"ä✓\"", "ä✓"),
      ("\"\\ud83d\\ude00\"", "😀"), ("\"\\u0000\"", "\0"), ("Infinity", .double(.infinity)),
      ("-Infinity", .double(-.infinity)),
      ("[Infinity, 1]", [.double(.infinity), 1]),
    ] as [(String, JSONValue)])
  func read(_ text: String, _ value: JSONValue) throws { #expect(try JSONParser.parse(text) == value) }

  @Test func notANumber() throws { #expect(try JSONParser.parse("[NaN]").array?.first?.number?.isNaN == true) }

  /// A surrogate without its other half has no scalar.
  @Test(arguments: ["\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ude00\\ud83d\""])
  func halfSurrogates(_ text: String) throws {
    let string = try #require(try JSONParser.parse(text).string)
    #expect(string.unicodeScalars.contains("\u{fffd}"))
  }

  @Test func numberOfValues() throws {
    var limits = JSONParser.Limits()
    limits.values = 4
    #expect(try JSONParser.parse("[1, [2]]", limits: limits) == [1, [2]])
    let error = try #require(throws: H5ConvError.self) { try JSONParser.parse("[1, [2, 3]]", limits: limits) }
    #expect(error.kind == .limit)
    // The size alone is no limit: these five megabytes would take a hundred times as much.
    let text = "[" + String(repeating: "{},", count: 2_000_000) + "0]"
    #expect(throws: H5ConvError.self) { try JSONParser.parse(text) }
  }

  /// Overflowing numbers are no reason to trap; Python reads 1e999 as infinity.
  @Test(arguments: ["1e999", "-1e999", "1e-999", "123456789012345678901234567890"]) func hugeNumbers(_ text: String)
    throws
  {
    let value = try JSONParser.parse(text)
    #expect(value.number != nil)
    #expect(value.integer == nil || value.number == 0)
  }

  @Test(arguments: [
    "", " ", "nul", "tru", "Nan", "+1", "-", ".5", "1.", "1e", "1e+", "--1", "1-2", "1.2.3", "0x10", "[", "]", "[1",
    "[1,", "[1,]",
    "[,]", "[1 2]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:2}", "{\"a\" 1}",
    "'a'", "\"",
    "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "\"\\u+123\"", "\"a\nb\"", "\"\\n\tb\"", "1 2", "[] []",
    "nullnull",
    "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}", "\u{feff}1", "/* */ 1",
  ])
  func refused(_ text: String) throws {
    let error = try #require(throws: H5ConvError.self) { try JSONParser.parse(text) }
    #expect(error.kind == .badData)
    #expect(error.place?.hasPrefix("byte ") == true, "\(error)")
  }

  @Test func duplicateKeyIsNamed() throws {
    let error = try #require(throws: H5ConvError.self) { try JSONParser.parse("{\"units\": 1, \"units\": 2}") }
    #expect(error.description.contains("'units'"))
  }

  private func nested(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }

  @Test func depth() throws {
    _ = try JSONParser.parse(nested(200))
    for depth in [201, 100_000] {
      let error = try #require(throws: H5ConvError.self) { try JSONParser.parse(nested(depth)) }
      #expect(error.kind == .limit)
    }
    let objects = String(repeating: "{\"a\":", count: 100_000)
    #expect(throws: H5ConvError.self) { try JSONParser.parse(objects) }
  }

  @Test func size() throws {
    var limits = JSONParser.Limits()
    limits.bytes = 4
    _ = try JSONParser.parse("1234", limits: limits)
    let error = try #require(throws: H5ConvError.self) { try JSONParser.parse("12345", limits: limits) }
    #expect(error.kind == .limit)
  }

  private let sample = """
    {"class_name": "Sequential", "config": {"name": "m\\u00e4", "layers": [{"class_name": "Dense", "config": {"units": 3, \
    "rate": 0.5e-1, "activation": null, "trainable": true, "axis": [-1, NaN, -Infinity], "x": "\\ud83d\\ude00"}}]}}
    """

  @Test func everyTruncation() throws {
    let text = Array(sample.utf8)
    _ = try JSONParser.parse(text)
    for count in text.indices {
      #expect(throws: H5ConvError.self, "\(count) bytes") { try JSONParser.parse(Array(text[..<count])) }
    }
  }

  @Test func everyByteChanged() {
    let text = Array(sample.utf8)
    for place in text.indices {
      for byte: UInt8 in [0, 0x22, 0x5c, 0x7b, 0x80, 0xc3, 0xff] {
        var damaged = text
        damaged[place] = byte
        do { _ = try JSONParser.parse(damaged) } catch { #expect(error is H5ConvError) }
      }
    }
  }

  /// Bytes that are no UTF-8 become replacement characters, as Python's `errors='replace'` does.
  @Test func notUTF8() throws {
    let text = try JSONParser.parse([0x22, 0x61, 0xff, 0x62, 0x22]).string
    #expect(text == "a\u{fffd}b")
  }
}

@Suite("JSON that is written")
struct JSONWriterTests {
  static let values: [JSONValue] = [
    nil, true, 0, -1, 1.5, 1.0, -0.0, 1e300, .double(.leastNonzeroMagnitude), 0.1, .int(.max), "", "ä✓😀",
    "quote \" back \\ slash /", "\u{0}\u{1f}\n\t\u{7f}", [], [:],
    [1, [2, []], [:]], ["a": 1, "b": ["c": [nil, false]]], "\u{202e}hidden\u{200b}",
  ]

  @Test(arguments: values) func roundTrip(_ value: JSONValue) throws {
    #expect(try JSONParser.parse(value.text()) == value)
    #expect(try JSONParser.parse(value.text(pretty: true)) == value)
  }

  @Test(
    arguments: [
      ([1, 2], "[1,2]"), (["b": 1, "a": [:]], "{\"b\":1,\"a\":{}}"), (1.0, "1.0"), (.double(.nan), "null"),
      (.double(-.infinity), "null"), ("a\u{1b}[0m\u{202e}", "\"a\\u001b[0m\\u202e\""), (1e22, "1e+22"),
      (.double(-0x1p63), "-9.223372036854776e+18"), ("\u{e0041}", "\"\\udb40\\udc41\""),
    ] as [(JSONValue, String)])
  func text(_ value: JSONValue, _ text: String) { #expect(value.text() == text) }

  @Test func keepsTheOrderOfKeys() throws {
    let text = "{\"z\":1,\"a\":2,\"m\":3}"
    #expect(try JSONParser.parse(text).text() == text)
  }

  @Test func objectsAreEqualInAnyOrder() throws {
    #expect(try JSONParser.parse("{\"a\":1,\"b\":2}") == JSONParser.parse("{\"b\":2,\"a\":1}"))
    #expect(try JSONParser.parse("{\"a\":1}") != JSONParser.parse("{\"a\":1,\"b\":2}"))
  }

  @Test func membersAreRemoved() {
    var object = JSONObject(["a": 1, "b": 2, "c": 3])
    object["b"] = nil
    object["c"] = 4
    #expect(object.keys == ["a", "c"])
    #expect(object["c"] == 4)
    #expect(object["b"] == nil)
  }
}
