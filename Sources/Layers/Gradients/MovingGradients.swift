extension Operation {
  /// The gradients of inputs whose elements were only moved, left out or repeated.
  func movedGradients(_ x: [Value], _ gradient: Value, in lowering: inout Lowering) -> [Value?] {
    let shape = x[0].shape
    switch self {
    case .concatenate(let axis):
      var place = 0
      return x.map { input in
        var start = input.shape.map { _ in 0 }
        start[axis] = place
        place += input.shape[axis]
        return lowering.emit(.slice(start: start), [gradient], shape: input.shape)
      }
    case .reshape: return [lowering.emit(.reshape, [gradient], shape: shape)]
    case .transpose(let axes):
      let inverse = axes.indices.map { axes.firstIndex(of: $0) ?? $0 }
      return [lowering.emit(.transpose(axes: inverse), [gradient], shape: shape)]
    case .pad(let before, _): return [lowering.emit(.slice(start: before), [gradient], shape: shape)]
    case .slice(let start): return [lowering.emit(.pad(before: start, value: 0), [gradient], shape: shape)]
    case .repeatElements(let times):
      let split = zip(shape, times).flatMap { [$0, $1] }
      let copies = lowering.emit(.reshape, [gradient], shape: split)
      let sum = lowering.sum(copies, along: split.indices.filter { $0 % 2 == 1 && split[$0] != 1 })
      return [lowering.emit(.reshape, [sum], shape: shape)]
    default: return x.map { _ in nil }
    }
  }
}

extension Lowering {
  /// The gradient of `shape` whose cells `places` along `axis` were taken: each gets the sum of its copies' gradients.
  mutating func scattered(_ gradient: Value, to shape: [Int], axis: Int, places: [Int]) -> Value {
    // A cell without a copy takes a zero that stands behind the gradient; the n-th copies of all cells are added in round n.
    var after = gradient.shape
    after[axis] += 1
    let padded = emit(.pad(before: after.map { _ in 0 }, value: 0), [gradient], shape: after)
    var copies = Array(repeating: [Int](), count: shape[axis])
    for (copy, place) in places.enumerated() { copies[place].append(copy) }
    let rounds = max(1, copies.map(\.count).max() ?? 1)
    let parts = (0..<rounds).map { round in
      let sources = copies.map { round < $0.count ? $0[round] : places.count }
      return emit(.tensor(.take(axis: axis, places: sources)), [padded], shape: shape)
    }
    return parts.dropFirst().reduce(parts[0]) { emit(.binary(.add), [$0, $1], shape: shape) }
  }
}
