import H5ConvDiagnostics

extension JSONValue {
  /// The value as JSON text, on one line or (`pretty`) indented by two spaces.
  ///
  /// NaN and the infinities, which JSON does not have, are written as null.
  package func text(pretty: Bool = false) -> String {
    var text = ""
    write(to: &text, indent: pretty ? 0 : nil)
    return text
  }

  /// The value as Python's `json` writes and reads it: `NaN`, `Infinity` and `-Infinity` stand for themselves.
  package var pythonText: String {
    var text = ""
    write(to: &text, indent: nil, isPython: true)
    return text
  }

  private func write(to text: inout String, indent: Int?, isPython: Bool = false) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .int(let number): text += String(number)
    case .double(let number) where isPython && !number.isFinite:
      text += number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    case .double(let number): text += JSONValue.text(of: number)
    case .string(let string): JSONValue.quote(string, to: &text)
    case .array(let items):
      // Lists of numbers (shapes, indices) read better on one line.
      let short = items.allSatisfy { $0.array == nil && $0.object == nil }
      JSONValue.list(items, "[", "]", to: &text, indent: short ? nil : indent, spaced: indent != nil) {
        $0.write(to: &$1, indent: $2, isPython: isPython)
      }
    case .object(let object):
      JSONValue.list(object.members, "{", "}", to: &text, indent: indent, spaced: indent != nil) {
        JSONValue.quote($0.key, to: &$1)
        $1 += indent == nil ? ":" : ": "
        $0.value.write(to: &$1, indent: $2, isPython: isPython)
      }
    }
  }

  private static func list<Item>(
    _ items: [Item], _ open: String, _ close: String, to text: inout String, indent: Int?, spaced: Bool,
    _ write: (Item, inout String, Int?) -> Void
  ) {
    text += open
    for (place, item) in items.enumerated() {
      if place > 0 { text += spaced && indent == nil ? ", " : "," }
      if let indent { text += "\n" + String(repeating: "  ", count: indent + 1) }
      write(item, &text, indent.map { $0 + 1 })
    }
    if let indent, !items.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  private static func text(of number: Double) -> String {
    guard number.isFinite else { return "null" }
    if let integer = Int(exactly: number), integer.magnitude < 1 << 53 { return String(integer) + ".0" }
    return "\(number)"
  }

  private static func quote(_ string: String, to text: inout String) {
    text += "\""
    defer { text += "\"" }
    // Most texts are names and numbers, or pictures in base 64, and stand as they are.
    let plain = string.utf8.allSatisfy {
      (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    if plain {
      text += string
      return
    }
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.isHiddenControl:
        for unit in String(scalar).utf16 {
          let code = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - code.count) + code
        }
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
