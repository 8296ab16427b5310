#if canImport(Glibc)
  import Glibc
#endif

extension Double {
  /// The number in at most `digits` significant figures, as C's `%g` writes it.
  func inFigures(_ digits: Int) -> String { format("%.\(digits)g", self) }

  /// The number in at most `digits` significant figures, with a true minus sign, and without one before zero.
  package func inCaption(_ digits: Int) -> String {
    self < 0 ? "−" + (-self).inFigures(digits) : magnitude.inFigures(digits)
  }

  /// The number with `digits` places after the point.
  func inPlaces(_ digits: Int) -> String { format("%.\(digits)f", self) }
}

private func format(_ pattern: String, _ value: Double) -> String {
  if value.isNaN { return "NaN" }
  var buffer = [CChar](repeating: 0, count: 400)
  _ = withVaList([value]) { vsnprintf(&buffer, buffer.count, pattern, $0) }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Sizes joined as in (1, 224, 224, 64).
func shapeText(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
