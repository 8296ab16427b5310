/// A zip archive of stored members whose headers can say what they like.
package struct RawZip {
  /// A member, and where its headers lie about it.
  package struct Member {
    package var name: String
    package var bytes: [UInt8]
    package var flags = 0
    package var method = 0
    package var checksum: UInt32?
    package var size: Int?
    package var packedSize: Int?
    /// Where the directory says that it begins.
    package var offset: Int?

    package init(_ name: String, _ bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }

    package init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

    /// The member with one field changed.
    package func with<Value>(_ field: WritableKeyPath<Member, Value>, _ value: Value) -> Member {
      var copy = self
      copy[keyPath: field] = value
      return copy
    }
  }

  /// The archive's bytes (APPNOTE.TXT 4.3).
  package static func bytes(_ members: [Member]) -> [UInt8] {
    var body: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let name = Array(member.name.utf8)
      let (size, packed) = (member.size ?? member.bytes.count, member.packedSize ?? member.bytes.count)
      let sizes = number(Int(member.checksum ?? checksum(member.bytes)), 4) + number(packed, 4) + number(size, 4)
      let common = number(20, 2) + number(member.flags, 2) + number(member.method, 2) + [0, 0, 33, 0] + sizes
      directory += number(0x0201_4b50, 4) + number(20, 2) + common + number(name.count, 2)
      directory += number(0, 12) + number(member.offset ?? body.count, 4) + name
      body += number(0x0403_4b50, 4) + common + number(name.count, 2) + number(0, 2) + name + member.bytes
    }
    let counts = number(members.count, 2) + number(members.count, 2)
    return body + directory + number(0x0605_4b50, 4) + number(0, 4) + counts + number(directory.count, 4)
      + number(body.count, 4) + number(0, 2)
  }

  private static func number(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }

  /// CRC-32.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
    }
  }
}
