/// What a worker says to its supervisor.
///
/// Only requests about names are answered, with the number of a system error or 0.
package enum Request: Equatable, Sendable {
  /// The work goes on.
  case progress
  /// Give a finished result its name.
  case rename(from: String, to: String, replaces: Bool)
  /// It crashes; the process has so many pages of address space.
  case crash(pages: Int)
  /// Make a folder for results.
  case makeFolder(String)

  /// A letter and the fields, each ended by a zero.
  package var bytes: [UInt8] {
    switch self {
    case .progress: Request.bytes("P")
    case .rename(let from, let to, let replaces): Request.bytes(replaces ? "F" : "R", from, to)
    case .crash(let pages): Request.bytes("C", "\(pages) ")
    case .makeFolder(let path): Request.bytes("M", path)
    }
  }

  /// nil when the bytes are no request.
  package init?(_ bytes: [UInt8]) {
    // As /proc/self/statm has it, from a handler that can do no more than copy it.
    if bytes.starts(with: [UInt8(ascii: "C"), 0]) {
      guard let pages = Int(String(decoding: bytes.dropFirst(2).prefix { $0 > 0x20 }, as: UTF8.self)) else {
        return nil
      }
      self = .crash(pages: pages)
      return
    }
    guard bytes.last == 0 else { return nil }
    let fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
      String(validating: $0, as: UTF8.self)
    }
    switch (fields.first ?? nil, fields.count) {
    case ("P", 1): self = .progress
    case (let kind?, 3) where kind == "F" || kind == "R":
      guard let from = fields[1], let to = fields[2] else { return nil }
      self = .rename(from: from, to: to, replaces: kind == "F")
    case ("M", 2):
      guard let path = fields[1] else { return nil }
      self = .makeFolder(path)
    default: return nil
    }
  }

  private static func bytes(_ fields: String...) -> [UInt8] { fields.flatMap { Array($0.utf8) + [0] } }
}
