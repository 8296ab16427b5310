import CHDF5Window
import Glibc
import H5ConvDiagnostics

/// Reads texts of variable length from the global heap of a file.
///
/// Source: HDF5 File Format Specification 3.0, III.E "Disk Format: Level 1E - Global Heap".
struct GlobalHeap {
  /// Objects of collections that are looked at for the texts of one attribute: Keras' have one for each text.
  private static let objectLimit = 1 << 20

  /// An object by its collection and number.
  private struct Place: Hashable {
    let collection: UInt64
    let object: UInt32
  }

  private let window: h5c_window_place
  private var objects: [Place: (offset: Int, size: Int)] = [:]
  private var collections: Set<UInt64> = []
  private var objectCount = 0

  init(_ window: h5c_window_place) { self.window = window }

  /// The texts at `places`.
  ///
  /// - Parameter owner: what has them, for messages.
  /// - Throws: ``H5ConvError`` of kind `badData` when they are not there, or take more bytes than the file has.
  mutating func texts(at places: [h5c_text_place], _ owner: String) throws(H5ConvError) -> [String] {
    let total = places.reduce(0) { $0 + Int($1.length) }
    guard total <= window.length else {
      throw H5ConvError(
        .badData, "\(owner) holds \(total) bytes of text, more than the file", remedy: "do not trust the file")
    }
    var texts: [String] = []
    texts.reserveCapacity(places.count)
    for place in places { texts.append(try text(at: place, owner)) }
    return texts
  }

  private mutating func text(at place: h5c_text_place, _ owner: String) throws(H5ConvError) -> String {
    // No text at all is collection 0.
    guard place.length > 0, place.collection > 0 else { return "" }
    if collections.insert(place.collection).inserted { try look(at: place.collection, owner) }
    guard let object = objects[Place(collection: place.collection, object: place.object)],
      place.length <= object.size
    else { throw damaged(owner) }
    let bytes = try bytes(at: object.offset, count: Int(place.length), owner)
    // As C has it, a text ends at the first zero.
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Notes where the objects of the collection at `address` are.
  private mutating func look(at address: UInt64, _ owner: String) throws(H5ConvError) {
    guard let start = Int(exactly: address) else { throw damaged(owner) }
    let head = try bytes(at: start, count: 16, owner)
    let size = number(head, at: 8, bytes: 8)
    guard head.starts(with: Array("GCOL".utf8)), size <= window.length, start <= Int(window.length) - size else {
      throw damaged(owner)
    }
    var piece = Piece()
    var place = 16
    while place + 16 <= size {
      if !piece.holds(place, 16) {
        piece = Piece(
          start: place,
          bytes: try bytes(at: start + place, count: min(piece.bytes.isEmpty ? 1 << 12 : 1 << 16, size - place), owner))
      }
      let number = UInt32(self.number(piece.bytes, at: place - piece.start, bytes: 2))
      let length = self.number(piece.bytes, at: place - piece.start + 8, bytes: 8)
      // Object 0 is what is free, up to the end.
      if number == 0 { return }
      objectCount += 1
      guard length <= size - place - 16, objectCount <= GlobalHeap.objectLimit else { throw damaged(owner) }
      objects[Place(collection: address, object: number)] = (start + place + 16, length)
      place += 16 + (length + 7) / 8 * 8
    }
  }

  /// Bytes of a collection that were read at once.
  private struct Piece {
    var start = 0
    var bytes: [UInt8] = []

    func holds(_ place: Int, _ count: Int) -> Bool { place >= start && place - start + count <= bytes.count }
  }

  /// The little-endian number in `count` bytes; those that no Int holds are the largest, which fits nothing.
  private func number(_ bytes: [UInt8], at place: Int, bytes count: Int) -> Int {
    Int(clamping: bytes[place..<place + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func bytes(at place: Int, count: Int, _ owner: String) throws(H5ConvError) -> [UInt8] {
    guard place >= 0, count >= 0, count <= window.length, place <= Int(window.length) - count else {
      throw damaged(owner)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes {
        pread(
          window.descriptor, $0.baseAddress.map { $0 + done }, count - done, off_t(window.offset) + off_t(place + done))
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw damaged(owner) }
      done += got
    }
    return bytes
  }

  private func damaged(_ owner: String) -> H5ConvError {
    H5ConvError(
      .badData, "the text of \(owner) is not where the file says", remedy: "the file is damaged; get it again")
  }
}
