import Glibc
import TestSupport
import Testing

/// The path of the picture `name`.
func picture(_ name: String) -> String { Fixtures.path("images/\(name)") }

/// The bytes of the picture `name`.
func bytes(of name: String) -> [UInt8] {
  guard let file = fopen(picture(name), "rb") else { return [] }
  defer { fclose(file) }
  var content: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&block, 1, block.count, file)
    if count == 0 { return content }
    content += block[..<count]
  }
}

/// The lines of the table `name`, split at spaces.
func table(_ name: String) -> [[String]] {
  String(decoding: bytes(of: "\(name).txt"), as: UTF8.self)
    .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
}

/// The bytes that `text` writes in hexadecimal.
func unhexed(_ text: String) throws -> [UInt8] {
  let digits = try text.utf8.map { try #require(Character(UnicodeScalar($0)).hexDigitValue) }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The same numbers as `noise` in tools/make_image_fixtures.py.
func noise(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(($0 * 1_103_515_245 + 12345) >> 16 & 255) } }

/// The largest difference between two samples at the same place; nil when the counts differ.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int? {
  a.count == b.count ? zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 : nil
}
