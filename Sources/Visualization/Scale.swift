import H5ConvDiagnostics

/// How activations become the 256 steps of a colour map.
package enum Scale: Sendable, Equatable {
  /// Each channel by its own mean and population standard deviation: 64 (a − mean) / std + 128, clipped to 0…255 and
  /// truncated. The formula of F. Chollet's tutorial, in float32, to the byte.
  case zscore
  /// Each channel from its own minimum to its own maximum. Shows structure, hides strength.
  case channel
  /// All channels from the layer's minimum, or 0 when nothing is negative, to the layer's maximum.
  case layer
  /// All channels from −m to +m, where m is the layer's greatest magnitude; 0 is the middle.
  case signed
  /// All channels from the layer's 1st to its 99th percentile; what lies outside is clipped.
  case robust
  /// All channels from `low` to `high`; what lies outside is clipped.
  case raw(low: Double, high: Double)

  /// Percentiles that ``robust`` shows.
  package static let robustPercentiles = (low: 1.0, high: 99.0)

  /// Reads `zscore`, `channel`, `layer`, `signed`, `robust` or `raw:LO,HI`.
  ///
  /// - Throws: ``H5ConvError`` of kind `usage`.
  package init(parsing text: String) throws {
    switch text {
    case "zscore": self = .zscore
    case "channel": self = .channel
    case "layer": self = .layer
    case "signed": self = .signed
    case "robust": self = .robust
    default:
      guard text.hasPrefix("raw:") else {
        throw H5ConvError(
          .usage, "there is no scale '\(text)'", remedy: "use zscore, channel, layer, signed, robust or raw:LO,HI")
      }
      let numbers = text.dropFirst(4).split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
      guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low.isFinite, high.isFinite, low < high
      else {
        throw H5ConvError(
          .usage, "'\(text)' does not give a range", remedy: "give two numbers, the lower first, as raw:0,255")
      }
      self = .raw(low: low, high: high)
    }
  }

  /// The scale as ``init(parsing:)`` reads it.
  package var name: String {
    switch self {
    case .zscore: "zscore"
    case .channel: "channel"
    case .layer: "layer"
    case .signed: "signed"
    case .robust: "robust"
    case .raw(let low, let high): "raw:\(Scale.short(low)),\(Scale.short(high))"
    }
  }

  /// The shortest text that reads as `value`.
  private static func short(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// The scale in a few words, for captions.
  package var explanation: String {
    switch self {
    case .zscore: "z-score, each channel by its own mean and std"
    case .channel: "each channel from its own min to its own max"
    case .layer: "one range for the layer"
    case .signed: "one range for the layer, 0 in the middle"
    case .robust: "one range for the layer, 1st to 99th percentile"
    case .raw(let low, let high): "fixed range \(low.inCaption(6)) to \(high.inCaption(6))"
    }
  }
}
