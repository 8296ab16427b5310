import H5ConvDiagnostics
package import H5ConvLayers

/// A weight that a layer of the architecture should have in its top-level layer's group.
package struct ExpectedWeight: Sendable {
  /// Names from the top-level layer down to the owner: `["block_a", "conv"]`.
  package let owner: [String]
  package let spec: WeightSpec
  /// Whether the owner, all models around it and the weight itself are trainable.
  package let isTrainable: Bool

  package init(owner: [String], spec: WeightSpec, isTrainable: Bool) {
    self.owner = owner
    self.spec = spec
    self.isTrainable = isTrainable
  }
}

/// Pairs the weights that a layer should have with those that its group lists.
///
/// Keras lists trainable weights before the others, by flags that the file may contradict, and its names carry prefixes that
/// depend on the version. So names decide where they can, the order where they cannot, and shapes must agree either way.
package struct WeightMatcher {
  private let expected: [ExpectedWeight]
  fileprivate let stored: [Stored]

  fileprivate struct Stored {
    let name: String
    let components: [String]
    let last: String
  }

  /// For each expected weight the name of the stored one.
  ///
  /// - Parameters:
  ///   - expected: the weights in the order of the layers.
  ///   - stored: `weight_names` of the group.
  ///   - shapeFits: whether the dataset of that name has the expected shape.
  /// - Throws: `H5ConvError` of kind `badData` listing what was expected and what was found.
  package static func match(
    _ expected: [ExpectedWeight], _ stored: [String], shapeFits: (String, WeightSpec) throws -> Bool
  ) throws -> [String] {
    let matcher = WeightMatcher(expected: expected, stored: stored.map(Stored.init))
    if let names = matcher.byOrder(requiringOwner: true) ?? matcher.byName() ?? matcher.byOrder(requiringOwner: false) {
      return names
    }
    if expected.count == stored.count {
      for order in [matcher.kerasOrder, Array(expected.indices)] {
        if try zip(order, stored).allSatisfy({ try shapeFits($1, expected[$0].spec) }) {
          return matcher.names(in: order)
        }
      }
    }
    let wanted = expected.map { ($0.owner.dropFirst() + [$0.spec.name]).joined(separator: "/") }
    throw H5ConvError(
      .badData,
      "the weights in the file do not fit the layer: expected \(list(wanted)), found \(list(stored))",
      at: expected.first.map { "layer '\($0.owner[0])'" })
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(6).joined(separator: ", ") + (names.count > 6 ? ", …" : "")
    return "\(names.count) (\(shown))"
  }

  /// Trainable weights first, otherwise in the order of the layers.
  private var kerasOrder: [Int] {
    expected.indices.filter { expected[$0].isTrainable } + expected.indices.filter { !expected[$0].isTrainable }
  }

  private func names(in order: [Int]) -> [String] {
    var names = Array(repeating: "", count: expected.count)
    for (place, item) in order.enumerated() { names[item] = stored[place].name }
    return names
  }

  private func byOrder(requiringOwner: Bool) -> [String]? {
    guard expected.count == stored.count else { return nil }
    for order in [kerasOrder, Array(expected.indices)] {
      let fits = zip(order, stored).allSatisfy { item, found in
        let weight = expected[item]
        return WeightMatcher.isNamed(weight.spec, found.last)
          && (!requiringOwner || weight.owner.count == 1 || weight.owner.last.map(found.components.contains) == true)
      }
      if fits { return names(in: order) }
    }
    return nil
  }

  /// Pairs by the weight's own name and as many of its owners' names as the stored path has.
  private func byName() -> [String]? {
    var taken = Set<Int>()
    var result: [String] = []
    for weight in expected {
      let scores = stored.indices.compactMap { place -> (place: Int, score: Int)? in
        guard !taken.contains(place), WeightMatcher.isNamed(weight.spec, stored[place].last) else { return nil }
        return (place, weight.owner.reversed().prefix { stored[place].components.contains($0) }.count)
      }
      guard let best = scores.map(\.score).max(), best > 0 || weight.owner.count == 1 else { return nil }
      let winners = scores.filter { $0.score == best }
      guard winners.count == 1 else { return nil }
      taken.insert(winners[0].place)
      result.append(stored[winners[0].place].name)
    }
    return result
  }

  /// Whether `last` is the weight's name: exactly, behind a prefix (`conv_1_W`), or with a counter (`kernel_1`).
  private static func isNamed(_ spec: WeightSpec, _ last: String) -> Bool {
    if spec.isNamed(last) { return true }
    if ([spec.name] + spec.aliases).contains(where: { last.hasSuffix("_" + $0) && !isOtherName(last) }) { return true }
    guard let cut = last.lastIndex(of: "_"), last[last.index(after: cut)...].allSatisfy(\.isNumber) else {
      return false
    }
    return spec.isNamed(String(last[..<cut]))
  }

  /// Names that end like another weight's name: a `depthwise_kernel` is no `kernel` unless the layer says so.
  private static func isOtherName(_ last: String) -> Bool {
    ["depthwise_kernel", "pointwise_kernel", "recurrent_kernel", "moving_mean", "running_mean"].contains(last)
  }
}

extension WeightMatcher.Stored {
  init(_ name: String) {
    self.name = name
    var components = name.split(separator: "/").map(String.init)
    if let last = components.popLast() {
      components.append(last.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? last)
    }
    self.components = components
    last = components.last ?? ""
  }
}
