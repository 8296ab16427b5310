extension String {
  /// The text with C0, C1, bidirectional and other invisible control characters written as `\u{…}`.
  ///
  /// Names in a model file are written by strangers; shown as they are, they could move the cursor, recolour the
  /// terminal or reorder the line.
  package var escapedForTerminal: String {
    guard unicodeScalars.contains(where: \.isHiddenControl) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isHiddenControl {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// Whether the scalar is a control (C0, C1, DEL), a bidirectional control, a line or paragraph separator, a zero-width or otherwise
  /// invisible character, or a tag.
  package var isHiddenControl: Bool {
    switch value {
    case 0..<0x20, 0x7f...0x9f, 0xad, 0x61c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff,
      0xfff9...0xfffb, 0xe0000...0xe007f:
      true
    default: false
    }
  }
}
