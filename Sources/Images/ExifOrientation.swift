/// How a camera was held, by the EXIF tag 0x0112; the raw values are the tag's.
package enum ExifOrientation: Int, Sendable, CaseIterable {
  /// As it should be shown; also when the file has no tag.
  case upright = 1
  /// To be mirrored left to right.
  case mirrored = 2
  /// To be turned by 180°.
  case upsideDown = 3
  /// To be mirrored top to bottom.
  case flipped = 4
  /// To be mirrored on the diagonal from the top left.
  case transposed = 5
  /// To be turned by 90° clockwise.
  case turnedLeft = 6
  /// To be mirrored on the diagonal from the top right.
  case transversed = 7
  /// To be turned by 90° counterclockwise.
  case turnedRight = 8

  /// Whether the picture shown has width and height exchanged.
  package var swapsAxes: Bool { rawValue >= 5 }

  /// The orientation that the file `bytes` gives, `upright` when it gives none or a wrong one.
  init(in bytes: [UInt8], kind: ImageKind) {
    let block = kind == .png ? exifBlock(ofPNG: bytes) : exifBlock(ofJPEG: bytes)
    self = block.flatMap { TIFFBlock(bytes: $0) }?.orientation.flatMap { ExifOrientation(rawValue: $0) } ?? .upright
  }
}

/// The TIFF block of the first `Exif` segment (APP1) of a JPEG.
private func exifBlock(ofJPEG bytes: [UInt8]) -> ArraySlice<UInt8>? {
  var position = 2
  while position + 4 <= bytes.count, bytes[position] == 0xFF {
    let marker = bytes[position + 1]
    if marker == 0xFF {  // A fill byte.
      position += 1
      continue
    }
    guard marker != 0xDA, marker != 0xD9 else { return nil }  // Scan data, or the end.
    let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
    guard length >= 2, position + 2 + length <= bytes.count else { return nil }
    let content = bytes[(position + 4)..<(position + 2 + length)]
    if marker == 0xE1, content.starts(with: Array("Exif\0\0".utf8)) { return content.dropFirst(6) }
    position += 2 + length
  }
  return nil
}

/// The TIFF block of the `eXIf` chunk of a PNG.
private func exifBlock(ofPNG bytes: [UInt8]) -> ArraySlice<UInt8>? {
  var position = 8
  while position + 12 <= bytes.count {
    let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - position - 12 else { return nil }
    let content = bytes[(position + 8)..<(position + 8 + length)]
    if bytes[(position + 4)..<(position + 8)].elementsEqual("eXIf".utf8) { return content }
    position += 12 + length
  }
  return nil
}

/// The first directory of a TIFF structure (Exif 2.3, §4.5), read with every offset checked.
private struct TIFFBlock {
  let bytes: ArraySlice<UInt8>
  let bigEndian: Bool

  init?(bytes: ArraySlice<UInt8>) {
    if bytes.starts(with: [0x49, 0x49, 0x2A, 0x00]) {
      bigEndian = false
    } else if bytes.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
      bigEndian = true
    } else {
      return nil
    }
    self.bytes = bytes
  }

  /// The value of tag 0x0112, when it is there as one SHORT.
  var orientation: Int? {
    guard let directory = number(at: 4, size: 4), let entries = number(at: directory, size: 2) else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, size: 2) else { return nil }
      if tag == 0x0112 {
        guard number(at: start + 2, size: 2) == 3, number(at: start + 4, size: 4) == 1 else { return nil }
        return number(at: start + 8, size: 2)
      }
    }
    return nil
  }

  private func number(at offset: Int, size: Int) -> Int? {
    guard offset <= bytes.count - size else { return nil }
    let field = bytes.dropFirst(offset).prefix(size)
    return bigEndian ? field.reduce(0) { $0 << 8 | Int($1) } : field.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
