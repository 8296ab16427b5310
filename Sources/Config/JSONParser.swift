import H5ConvDiagnostics

/// Reads JSON as Python writes it (`NaN`, `Infinity`, `-Infinity` are accepted), with limits.
///
/// Hostile text cannot trap, recurse without bound or be ambiguous: depth and size are capped, duplicate keys are refused,
/// numbers that no Int or Double holds become errors.
package struct JSONParser {
  /// Caps on what is read.
  package struct Limits: Sendable {
    /// Bytes of text.
    package var bytes = 256 << 20
    /// Nesting of lists and objects.
    package var depth = 200
    /// Values of all kinds, those in lists and objects among them: each takes far more memory than its text.
    package var values = 2_000_000

    package init() {}
  }

  private let text: [UInt8]
  private let limits: Limits
  private var place = 0
  private var depth = 0
  private var values = 0

  private init(_ text: [UInt8], limits: Limits) {
    self.text = text
    self.limits = limits
  }

  /// The value that `text` (UTF-8) holds.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` naming the byte offset, or `limit`.
  package static func parse(_ text: [UInt8], limits: Limits = Limits()) throws -> JSONValue {
    guard text.count <= limits.bytes else {
      throw H5ConvError(.limit, "JSON text of \(text.count) bytes, more than the \(limits.bytes) that are read")
    }
    var parser = JSONParser(text, limits: limits)
    parser.skipSpace()
    let value = try parser.value()
    parser.skipSpace()
    guard parser.place == text.count else { throw parser.error("more text after the end of the JSON value") }
    return value
  }

  /// The value that `text` holds.
  package static func parse(_ text: String, limits: Limits = Limits()) throws -> JSONValue {
    try parse(Array(text.utf8), limits: limits)
  }

  private func error(_ what: String) -> H5ConvError {
    H5ConvError(.badData, "JSON cannot be read, \(what)", at: "byte \(place)", reason: .damagedConfig)
  }

  private var byte: UInt8? { place < text.count ? text[place] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
  }

  private mutating func take(_ literal: StaticString) -> Bool {
    let matches = literal.withUTF8Buffer { text[place...].starts(with: $0) }
    if matches { place += literal.utf8CodeUnitCount }
    return matches
  }

  private mutating func value() throws -> JSONValue {
    values += 1
    guard values <= limits.values else {
      throw H5ConvError(.limit, "JSON of more than \(limits.values) values", at: "byte \(place)")
    }
    switch byte {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "N") where take("NaN"): return .double(.nan)
    case UInt8(ascii: "I") where take("Infinity"): return .double(.infinity)
    case UInt8(ascii: "-") where take("-Infinity"): return .double(-.infinity)
    case nil: throw error("the text ends early")
    case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
      return try number()
    default: throw error("a value was expected")
    }
  }

  private mutating func nested(_ body: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else {
      throw H5ConvError(.limit, "JSON nested deeper than \(limits.depth) levels", at: "byte \(place)")
    }
    return try body(&self)
  }

  private mutating func object() throws -> JSONValue {
    place += 1
    var object = JSONObject()
    skipSpace()
    if byte == UInt8(ascii: "}") {
      place += 1
      return .object(object)
    }
    while true {
      skipSpace()
      guard byte == UInt8(ascii: "\"") else { throw error("a key in quotes was expected") }
      let key = try string()
      skipSpace()
      guard byte == UInt8(ascii: ":") else { throw error("a colon was expected after the key") }
      place += 1
      skipSpace()
      let start = place
      let value = try value()
      guard object.add(key, value) else {
        place = start
        throw error("the key '\(key)' stands twice in one object")
      }
      skipSpace()
      switch byte {
      case UInt8(ascii: ","): place += 1
      case UInt8(ascii: "}"):
        place += 1
        return .object(object)
      default: throw error("a comma or } was expected")
      }
    }
  }

  private mutating func array() throws -> JSONValue {
    place += 1
    var items: [JSONValue] = []
    skipSpace()
    if byte == UInt8(ascii: "]") {
      place += 1
      return .array(items)
    }
    while true {
      skipSpace()
      items.append(try value())
      skipSpace()
      switch byte {
      case UInt8(ascii: ","): place += 1
      case UInt8(ascii: "]"):
        place += 1
        return .array(items)
      default: throw error("a comma or ] was expected")
      }
    }
  }

  private mutating func number() throws -> JSONValue {
    let start = place
    var isInteger = true
    if byte == UInt8(ascii: "-") { place += 1 }
    loop: while let byte {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        isInteger = false
      default: break loop
      }
      place += 1
    }
    guard place - start <= 400, let last = text[start..<place].last,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last)
    else { throw error("a malformed number") }
    let digits = String(decoding: text[start..<place], as: UTF8.self)
    if isInteger, let number = Int(digits) { return .int(number) }
    guard let number = Double(digits) else { throw error("a malformed number") }
    return .double(number)
  }

  private mutating func string() throws -> String {
    place += 1
    let start = place
    while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
    if byte == UInt8(ascii: "\"") {
      defer { place += 1 }
      return String(decoding: text[start..<place], as: UTF8.self)
    }
    var bytes = Array(text[start..<place])
    while true {
      guard let byte else { throw error("the text ends inside a string") }
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<0x20: throw error("a control character inside a string")
      default: bytes.append(byte)
      }
    }
  }

  private mutating func escape(into bytes: inout [UInt8]) throws {
    guard let kind = byte else { throw error("the text ends inside a string") }
    place += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(kind)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0c)
    case UInt8(ascii: "n"): bytes.append(0x0a)
    case UInt8(ascii: "r"): bytes.append(0x0d)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xd800..<0xdc00).contains(code), take("\\u") {
        let low = try hexadecimal()
        code = (0xdc00..<0xe000).contains(low) ? 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00) : 0xfffd
      }
      bytes.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{fffd}").utf8)
    default: throw error("an unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard place + 4 <= text.count else { throw error("a malformed \\u escape") }
    let digits = String(decoding: text[place..<place + 4], as: UTF8.self)
    guard digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16) else {
      throw error("a malformed \\u escape")
    }
    place += 4
    return code
  }
}
