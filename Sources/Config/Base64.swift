/// The bytes of base64 text (RFC 4648), white space ignored; nil for other text.
///
/// Foundation's costs every start of the program some milliseconds.
package func bytesOfBase64(_ text: String) -> [UInt8]? {
  var bytes: [UInt8] = []
  var bits: UInt32 = 0
  var count: UInt32 = 0
  for character in text.utf8 {
    guard let value = digit(character) else {
      if [0x0a, 0x0d, 0x20, UInt8(ascii: "=")].contains(character) { continue }
      return nil
    }
    bits = bits << 6 | value
    count += 6
    if count >= 8 {
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
    }
  }
  return bytes
}

/// `bytes` as base64 text (RFC 4648), in ASCII, without line breaks.
package func base64(_ bytes: [UInt8]) -> [UInt8] {
  let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  return [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text, count in
    bytes.withUnsafeBufferPointer { bytes in
      digits.withUnsafeBufferPointer { digits in
        for start in stride(from: 0, to: bytes.count, by: 3) {
          let length = min(3, bytes.count - start)
          var bits: UInt32 = 0
          for place in 0..<3 { bits = bits << 8 | (place < length ? UInt32(bytes[start + place]) : 0) }
          for place in 0..<4 {
            // One byte makes two digits, two make three.
            let isDigit = place <= length
            text[count + place] = isDigit ? digits[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "=")
          }
          count += 4
        }
      }
    }
  }
}

private func digit(_ character: UInt8) -> UInt32? {
  switch character {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
  case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}
