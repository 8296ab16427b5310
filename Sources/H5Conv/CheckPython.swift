import H5ConvConfig
import H5ConvModelFiles

/// Compiled Python in a config: found and described, never run.
struct PythonCode {
  /// The layer whose config holds it.
  let layer: String
  /// Identifiers in it, each once: what a marshalled code object holds as texts.
  let names: [String]

  /// All compiled code in `root`, which may be anywhere: in a Lambda, in a wrapped one, in an activation.
  static func all(in root: JSONValue) -> [PythonCode] {
    var found: [PythonCode] = []
    var pending: [(value: JSONValue, layer: String)] = [(root, "model")]
    while let (value, layer) = pending.popLast() {
      if let text = code(in: value) {
        found.append(PythonCode(layer: layer, names: names(in: bytes(text))))
        continue
      }
      if let items = value.array { pending += items.reversed().map { ($0, layer) } }
      guard let object = value.object else { continue }
      let name = object["config"]?["name"]?.string ?? object["name"]?.string ?? layer
      let isLambda = object["class_name"] == "Lambda"
      if isLambda, let text = object["config"]?["function"]?.array?.first?.string {
        // The first versions wrote it without base64.
        found.append(PythonCode(layer: name, names: names(in: bytes(text))))
        continue
      }
      pending += object.members.reversed().map { ($0.value, name) }
    }
    return found
  }

  /// Functions of Lambda layers that are names, with their layers: their code is not in the file.
  static func named(in entries: [ConfigEntry]) -> [(layer: String, function: String)] {
    entries.compactMap { entry in
      guard entry.className == "Lambda", let function = entry.config["function"] else { return nil }
      let name = function.string ?? (function["class_name"] == "function" ? function["config"]?.string : nil)
      return name.map { (entry.name, $0) }
    }
  }

  /// The text of marshalled code: `{"class_name": "__lambda__", …}`, or `[code, defaults, closure]`.
  private static func code(in value: JSONValue) -> String? {
    if value["class_name"] == "__lambda__" {
      let config = value["config"]
      return config?["code"]?.string ?? config?["value"]?.array?.first?.string ?? ""
    }
    guard let items = value.array, items.count == 3, let text = items[0].string, text.utf8.count > 40 else {
      return nil
    }
    return isCode(bytes(text)) ? text : nil
  }

  /// Whether it begins as marshal writes a code object: `c`, with or without a flag.
  private static func isCode(_ bytes: [UInt8]) -> Bool { bytes.first.map { $0 & 0x7f == UInt8(ascii: "c") } ?? false }

  private static func names(in code: [UInt8]) -> [String] {
    var names: [String] = []
    var place = 0
    while place + 5 < code.count, names.count < 12 {
      let start: Int
      let length: Int
      switch code[place] & 0x7f {
      case UInt8(ascii: "z"), UInt8(ascii: "Z"): (start, length) = (place + 2, Int(code[place + 1]))
      case UInt8(ascii: "a"), UInt8(ascii: "A"), UInt8(ascii: "t"), UInt8(ascii: "u"):
        let isShort = code[place + 2] == 0 && code[place + 3] == 0 && code[place + 4] == 0
        (start, length) = (place + 5, isShort ? Int(code[place + 1]) : 0)
      default: (start, length) = (place, 0)
      }
      guard (2...64).contains(length), start + length <= code.count,
        code[start..<start + length].allSatisfy(isOfIdentifier)
      else {
        place += 1
        continue
      }
      let name = String(decoding: code[start..<start + length], as: UTF8.self)
      if !names.contains(name) { names.append(name) }
      place = start + length
    }
    return names
  }

  private static func isOfIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// The bytes of base64 text; of other text its characters.
  private static func bytes(_ text: String) -> [UInt8] {
    bytesOfBase64(text) ?? text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
  }
}
