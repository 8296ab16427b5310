/// Names for the files of layers: the place in the order of execution, then the name, as `03_block1_conv2`.
package enum PictureNames {
  /// Greatest length of a name, in bytes, without the suffix that says what the file holds.
  package static let longest = 120

  /// One name for each of `layers`, in order, all different even where case is not told apart.
  ///
  /// Bytes other than ASCII letters, digits and `._-@+=,` become `%XX`, as does a leading dot, so that different names stay
  /// different and none of them leads out of its folder. What is too long is cut and ends in a check sum of the whole.
  package static func make(for layers: [(index: Int, name: String)]) -> [String] {
    let digits = max(2, layers.map { String($0.index).count }.max() ?? 2)
    var taken: Set<String> = []
    return layers.map { layer in
      let number = String(layer.index)
      let prefix = String(repeating: "0", count: max(0, digits - number.count)) + number + "_"
      let whole = prefix + escaped(layer.name)
      var name = whole.utf8.count <= longest ? whole : cut(whole, ending: "~" + checkSum(layer.name))
      var copy = 2
      while !taken.insert(name.lowercased()).inserted {
        name = cut(whole, ending: "~\(copy)")
        copy += 1
      }
      return name
    }
  }

  private static func escaped(_ name: String) -> String {
    var text = ""
    for (i, byte) in name.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: ".") where i == 0: text += "%2E"
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: ","):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += percentEscape(byte)
      }
    }
    return text
  }

  /// `text`, which is ASCII, cut so that it has at most ``longest`` bytes with `ending` behind it.
  private static func cut(_ text: String, ending: String) -> String {
    String(text.prefix(longest - ending.utf8.count)) + ending
  }

  /// FNV-1a, 64 bits, in hexadecimal.
  private static func checkSum(_ text: String) -> String {
    String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
  }
}

/// `%` and two hexadecimal digits.
func percentEscape(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return "%" + (digits.count == 1 ? "0" : "") + digits
}
