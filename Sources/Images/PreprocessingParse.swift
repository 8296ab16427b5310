import H5ConvDiagnostics

extension Preprocessing {
  /// The preprocessing that `text` names: `none`, `rescale`, `tf`, `caffe`, `torch`, or `mean:R,G,B,std:R,G,B` on samples
  /// 0…255, with one or three numbers after each word.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage` when it names none, a number is not finite, or a deviation is zero.
  package static func parse(_ text: String) throws -> Preprocessing {
    switch text {
    case "none": return .none
    case "rescale": return .rescale
    case "tf": return .tf
    case "caffe": return .caffe
    case "torch": return .torch
    default: return try parseCustom(text)
    }
  }

  private static func parseCustom(_ text: String) throws -> Preprocessing {
    let usage = "use none, rescale, tf, caffe, torch or mean:R,G,B,std:R,G,B"
    guard text.hasPrefix("mean:"), let (mean, std) = halves(text.dropFirst(5)) else {
      throw H5ConvError(.usage, "unknown preprocessing “\(text)”", remedy: usage)
    }
    let parsed = (mean: try numbers(mean, of: "mean"), std: try numbers(std, of: "std"))
    guard !parsed.std.contains(0) else {
      throw H5ConvError(.usage, "a std of 0 in “\(text)”", remedy: "give deviations other than 0")
    }
    return .custom(mean: parsed.mean, std: parsed.std)
  }

  /// What stands before and after `,std:`.
  private static func halves(_ text: Substring) -> (Substring, Substring)? {
    let word = ",std:"
    var rest = text
    while !rest.isEmpty {
      if rest.hasPrefix(word) { return (text[..<rest.startIndex], rest.dropFirst(word.count)) }
      rest = rest.dropFirst()
    }
    return nil
  }

  private static func numbers(_ text: Substring, of what: String) throws -> [Float] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Float($0) }.filter(\.isFinite)
    guard numbers.count == parts.count, parts.count == 1 || parts.count == 3 else {
      throw H5ConvError(.usage, "“\(text)” is no \(what)", remedy: "give one number or three, with commas between")
    }
    return numbers
  }
}
