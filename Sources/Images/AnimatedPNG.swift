import H5ConvDiagnostics

/// Pictures one after the other in one file (APNG; PNG 3rd edition, 2025, section 11.3.4): viewers that know no animation show the first.
package struct AnimatedPNG: Sendable {
  private var frames = 0
  /// Number of the next chunk of an animation.
  private var sequence = 0
  private var head: [UInt8] = []
  private var body: [UInt8] = []
  private var header: [UInt8] = []
  /// Milliseconds for which a picture is shown.
  private let duration: Int
  private let size: (width: Int, height: Int)

  package init(duration: Int, width: Int, height: Int) {
    self.duration = min(max(duration, 1), 65_535)
    size = (width, height)
  }

  /// Adds a picture, a PNG file of ``PNGPicture`` with the size and the colours of the first.
  ///
  /// - Throws: ``H5ConvError`` of kind `internalFault` when it has others.
  package mutating func add(_ png: [UInt8]) throws {
    let picture = try PNGChunks(png)
    let own = picture.chunks.first.map { Array($0.data) } ?? []
    if frames == 0 {
      header = own
      head = picture.chunks.dropFirst().filter { $0.type != "IDAT" && $0.type != "IEND" }
        .flatMap { PNGChunks.chunk($0.type, $0.data) }
    }
    guard own == header else { throw H5ConvError(.internalFault, "pictures of several sizes in an animation") }
    // The whole canvas, replaced.
    var control = PNGChunks.word(sequence) + PNGChunks.word(size.width) + PNGChunks.word(size.height)
    control += PNGChunks.word(0) + PNGChunks.word(0)
    control += [UInt8(duration >> 8), UInt8(duration & 0xff)] + PNGChunks.word(1000).suffix(2) + [0, 0]
    body += PNGChunks.chunk("fcTL", control)
    sequence += 1
    if frames == 0 {
      body += PNGChunks.chunk("IDAT", picture.pixels)
    } else {
      body += PNGChunks.chunk("fdAT", PNGChunks.word(sequence) + picture.pixels)
      sequence += 1
    }
    frames += 1
  }

  /// The file; it goes round for ever.
  package var bytes: [UInt8] {
    PNGChunks.signature + PNGChunks.chunk("IHDR", header)
      + PNGChunks.chunk("acTL", PNGChunks.word(frames) + PNGChunks.word(0)) + head + body + PNGChunks.chunk("IEND", [])
  }
}
