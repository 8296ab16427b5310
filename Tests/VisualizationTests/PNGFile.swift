import Glibc

/// A PNG file taken apart: as much of the format as the pictures use (8-bit palette, no filter, no interlace).
struct PNGFile {
  private(set) var chunks: [(type: String, data: [UInt8])] = []

  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return nil }
    var position = 8
    while position + 12 <= bytes.count {
      let size = PNGFile.word(bytes[position...])
      guard position + 12 + size <= bytes.count else { return nil }
      let type = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
      chunks.append((type, Array(bytes[position + 8..<position + 8 + size])))
      position += 12 + size
    }
    guard position == bytes.count, chunks.first?.type == "IHDR", chunks.last?.type == "IEND" else { return nil }
  }

  func chunk(_ type: String) -> [UInt8] { chunks.first { $0.type == type }?.data ?? [] }

  var width: Int { PNGFile.word(chunk("IHDR")[0...]) }
  var height: Int { PNGFile.word(chunk("IHDR")[4...]) }

  /// Text chunks by keyword.
  var texts: [String: String] {
    chunks.filter { $0.type == "tEXt" || $0.type == "iTXt" }.reduce(into: [:]) { texts, chunk in
      let parts = chunk.data.split(separator: 0, omittingEmptySubsequences: false)
      texts[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[parts.count - 1], as: UTF8.self)
    }
  }

  /// The palette indices as rows; nil when the picture is not what this reader knows.
  var indices: [UInt8]? {
    typealias Uncompress =
      @convention(c) (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt>?, UnsafePointer<UInt8>?, UInt) -> CInt
    // zlib is in the process because libpng is.
    guard let symbol = dlsym(nil, "uncompress") else { return nil }
    let uncompress = unsafeBitCast(symbol, to: Uncompress.self)
    let data = chunks.filter { $0.type == "IDAT" }.flatMap(\.data)
    var size = UInt((width + 1) * height)
    var rows = [UInt8](repeating: 0, count: Int(size))
    guard uncompress(&rows, &size, data, UInt(data.count)) == 0, Int(size) == rows.count else { return nil }
    var result: [UInt8] = []
    for start in stride(from: 0, to: rows.count, by: width + 1) {
      guard rows[start] == 0 else { return nil }
      result += rows[start + 1...start + width]
    }
    return result
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> Int { bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) } }
}
