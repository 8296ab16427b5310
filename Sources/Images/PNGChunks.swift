import H5ConvDiagnostics
import H5ConvFiles

/// The chunks that a PNG file of our own is made of.
package struct PNGChunks: Sendable {
  package static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  package let chunks: [(type: String, data: ArraySlice<UInt8>)]

  /// - Throws: ``H5ConvError`` of kind `internalFault` when `png` is no PNG file.
  package init(_ png: [UInt8]) throws {
    var chunks: [(type: String, data: ArraySlice<UInt8>)] = []
    var place = PNGChunks.signature.count
    while place + 12 <= png.count {
      let size = png[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard size <= png.count - place - 12 else { break }
      let type = String(decoding: png[place + 4..<place + 8], as: UTF8.self)
      chunks.append((type, png[place + 8..<place + 8 + size]))
      place += 12 + size
    }
    guard png.starts(with: PNGChunks.signature), place == png.count else {
      throw H5ConvError(.internalFault, "a picture of our own is damaged")
    }
    self.chunks = chunks
  }

  /// The compressed rows.
  package var pixels: [UInt8] { chunks.filter { $0.type == "IDAT" }.flatMap(\.data) }

  /// A chunk with its length and check sum.
  static func chunk(_ type: String, _ data: some Collection<UInt8>) -> [UInt8] {
    let content = Array(type.utf8) + data
    return word(data.count) + content + word(Int(checksum(of: content)))
  }

  /// Four bytes, the highest first.
  static func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
}
