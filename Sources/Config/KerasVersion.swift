/// A version of Keras, as far as what files say changed its meaning from one to the next.
package struct KerasVersion: Sendable, Comparable, CustomStringConvertible {
  package let major: Int
  package let minor: Int

  package init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }

  /// The newest of generation `major`, for files that do not tell.
  package static func newest(of major: Int) -> KerasVersion { KerasVersion(major, .max) }

  /// `2.4.0-tf`, `3.15.1`; nil when it does not begin with two numbers.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 2)
    guard let major = parts.first.flatMap({ Int($0) }) else { return nil }
    self.init(major, parts.count > 1 ? Int(parts[1]) ?? .max : .max)
  }

  package var description: String { "\(major).\(minor)" }

  package static func < (a: KerasVersion, b: KerasVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}
