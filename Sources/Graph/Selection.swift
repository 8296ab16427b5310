import Glibc
import H5ConvDiagnostics

extension Graph {
  /// The taps that `patterns` choose, each once, in the order of the patterns and within one in execution order.
  ///
  /// A pattern is an exact key, a glob (`block?_conv*`, which also looks at the last part of a nested name), `type:Conv2D`, `#3`
  /// or `#2..5` (execution order, from 0), `@outputs`, `*` (all but input layers), or any of these behind `!`, which takes its
  /// taps away again. No patterns, or only `!` ones, begin with the convolution layers.
  /// - Throws: `H5ConvError` of kind `usage` for a pattern that chooses nothing, naming the nearest keys.
  package func select(_ patterns: [String]) throws -> [Tap] {
    let taps = taps
    var chosen: [Tap] = []
    let includes = patterns.filter { !$0.hasPrefix("!") }
    if includes.isEmpty { chosen = taps.filter(\.isConvolution) }
    if includes.isEmpty, chosen.isEmpty {
      // What would be convolutions may be inside a layer that is not understood.
      for layer in layers { _ = try layer.kind.get() }
      throw H5ConvError(
        .usage, "the model has no convolution layers", remedy: "choose layers with --layers; '*' stands for all of them"
      )
    }
    for pattern in includes {
      let matches = try self.taps(in: taps, matching: pattern)
      let known = Set(chosen.map(\.key))
      chosen += matches.filter { !known.contains($0.key) }
    }
    for pattern in patterns where pattern.hasPrefix("!") {
      let excluded = Set(try self.taps(in: taps, matching: String(pattern.dropFirst())).map(\.key))
      chosen.removeAll { excluded.contains($0.key) }
    }
    if chosen.isEmpty {
      throw H5ConvError(.usage, "the patterns '\(patterns.joined(separator: ","))' leave no layer")
    }
    return chosen
  }

  private func taps(in taps: [Tap], matching pattern: String) throws -> [Tap] {
    let matches = matches(in: taps, pattern)
    guard matches.isEmpty else { return matches }
    if pattern.hasPrefix("#"), let last = taps.last {
      throw H5ConvError(.usage, "no layer matches '\(pattern)'", remedy: "the layers are #0 to #\(last.index)")
    }
    let nearest = taps.map(\.key).nearest(to: pattern, count: 3)
    throw H5ConvError(
      .usage, "no layer matches '\(pattern)'",
      remedy: nearest.isEmpty ? nil : "the nearest names are \(nearest.joined(separator: ", "))")
  }

  private func matches(in taps: [Tap], _ pattern: String) -> [Tap] {
    if let exact = taps.first(where: { $0.key == pattern }) { return [exact] }
    if pattern == "*" { return taps.filter { !$0.isInput } }
    if pattern == "@outputs" {
      let last = Dictionary(taps.map { ($0.tensor, $0) }, uniquingKeysWith: { $1 })
      return outputs.compactMap { last[$0] }
    }
    if pattern.hasPrefix("type:") {
      let wanted = String(pattern.dropFirst(5))
      return taps.filter { Graph.glob(wanted, $0.className) }
    }
    if let range = Graph.indices(pattern) { return taps.filter { range.contains($0.index) } }
    return taps.filter { tap in
      Graph.glob(pattern, tap.key) || tap.key.split(separator: "/").last.map { Graph.glob(pattern, String($0)) } == true
    }
  }

  /// `#3` or `#2..5`.
  private static func indices(_ pattern: String) -> ClosedRange<Int>? {
    guard pattern.hasPrefix("#") else { return nil }
    let text = pattern.dropFirst()
    if let number = Int(text) { return number >= 0 ? number...number : nil }
    let ends = text.split(separator: ".", omittingEmptySubsequences: false)
    guard ends.count == 3, ends[1].isEmpty, let first = Int(ends[0]), let last = Int(ends[2]), 0 <= first, first <= last
    else { return nil }
    return first...last
  }

  private static func glob(_ pattern: String, _ name: String) -> Bool { fnmatch(pattern, name, 0) == 0 }
}

extension Tap {
  /// Whether the layer is some convolution: what `viz` and `extract` take by default.
  package var isConvolution: Bool { className.lowercased().contains("conv") }
}

extension [String] {
  /// The `count` elements that differ least from `text` by insertions, deletions and substitutions.
  package func nearest(to text: String, count: Int) -> [String] {
    let wanted = Array<Character>(text.lowercased().prefix(200))
    let scored = prefix(20_000).enumerated().map { place, name in
      (name: name, score: editDistance(wanted, Array<Character>(name.lowercased().prefix(200))), place: place)
    }
    return scored.sorted { ($0.score, $0.place) < ($1.score, $1.place) }.prefix(count).map(\.name)
  }
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substitution = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
