import H5ConvDiagnostics
import H5ConvFiles

/// The bytes of part of a file, read one after the other through a small buffer, or skipped.
struct FileBytes: Sendable {
  let window: FileWindow
  /// Number of bytes.
  let count: Int
  /// Where the next byte is.
  private(set) var place: Int
  private var buffer: [UInt8] = []
  private var bufferStart = 0

  init(_ window: FileWindow, count: Int, from place: Int = 0) {
    self.window = window
    self.count = count
    self.place = place
  }

  /// The next byte; nil at the end.
  mutating func next() throws -> UInt8? {
    guard place < count else { return nil }
    if place < bufferStart || place >= bufferStart + buffer.count {
      buffer = try window.file.bytes(at: window.offset + place, count: min(1 << 14, count - place))
      bufferStart = place
    }
    defer { place += 1 }
    return buffer[place - bufferStart]
  }

  /// Steps over the next `length` bytes; nil when there are fewer.
  mutating func skip(_ length: Int) -> Pickle.Span? {
    guard length >= 0, length <= count - place else { return nil }
    defer { place += length }
    return Pickle.Span(offset: place, count: length)
  }

  /// The bytes in `span`, which lies within.
  func read(_ span: Pickle.Span) throws -> [UInt8] {
    try window.file.bytes(at: window.offset + span.offset, count: span.count)
  }
}
