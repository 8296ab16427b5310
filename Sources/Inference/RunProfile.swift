import CKernels
import H5ConvLayers
import H5ConvTensors
import Synchronization

/// How long the operations of plans took, summed over their runs.
package final class RunProfile: Sendable {
  /// An operation, with what was fused into it.
  package struct Line: Sendable {
    /// The layer, as results are keyed.
    package let layer: String
    /// What was computed, and how.
    package let method: String
    package fileprivate(set) var runs = 0
    package fileprivate(set) var seconds = 0.0
    /// Of the fastest run.
    package fileprivate(set) var leastSeconds = Double.infinity
    /// Additions and multiplications of the sums as they are defined; nil where there are none.
    package fileprivate(set) var operations: Double?
  }

  private struct Key: Hashable {
    let place: Int
    let layer: String
    let method: String
  }

  private struct State {
    var lines: [Key: Line] = [:]
    var threads = 1
  }
  private let state = Mutex(State())

  package init() {}

  /// In execution order.
  package var lines: [Line] {
    state.withLock { state in
      state.lines.sorted { ($0.key.place, $0.key.layer) < ($1.key.place, $1.key.layer) }.map(\.value)
    }
  }

  /// The number of threads that the last run used.
  package var threads: Threads { Threads(state.withLock(\.threads)) }

  func time(_ step: PlanStep, at place: Int, _ threads: Threads, _ body: () throws -> Tensor) rethrows -> Tensor {
    let start = ContinuousClock.now
    let result = try body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    let key = Key(place: place, layer: step.layer, method: step.method)
    state.withLock { state in
      state.threads = threads.count
      var line = state.lines[key] ?? Line(layer: key.layer, method: key.method)
      line.runs += 1
      let taken = Double(seconds) + Double(attoseconds) * 1e-18
      line.seconds += taken
      line.leastSeconds = min(line.leastSeconds, taken)
      if let operations = step.operations { line.operations = (line.operations ?? 0) + operations }
      state.lines[key] = line
    }
    return result
  }

  /// Additions and multiplications a second of matrix products that stay in the first-level cache, on so many threads at once.
  package static func measuredPeak(_ threads: Threads) throws -> Double {
    let loops = PlanStep.loops
    let (rows, inner, columns, repeats) = (2 * loops.rows, 192, loops.panel, 400)
    let matrix = try Tensor(shape: [rows * inner + inner * columns]) { $0.initialize(repeating: 1) }
    var best = 0.0
    for _ in 0..<8 {
      let start = ContinuousClock.now
      try matrix.withUnsafeElements { matrix in
        guard let base = matrix.baseAddress else { return }
        _ = try Tensor(shape: [threads.count, rows, columns]) { target in
          guard let target = target.baseAddress else { return }
          threads.forEach(threads.count) { thread in
            for _ in 0..<repeats {
              loops.multiply(
                target + thread * rows * columns, columns, base, inner, rows, inner, base + rows * inner, columns, 0, 1,
                nil, nil,
                h5k_activation(function: H5K_LINEAR, a: 0, b: 0, c: 0))
            }
          }
        }
      }
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      let operations = Double(2 * rows * inner * columns * repeats * threads.count)
      best = max(best, operations / max(1e-9, Double(seconds) + Double(attoseconds) * 1e-18))
    }
    return best
  }
}

extension PlanStep {
  /// What is computed, and how.
  var method: String {
    switch operation {
    case .convolution:
      guard let convolution, case .winograd(let tile, _) = convolution.method else { return "convolution" }
      return "convolution, Winograd \(tile)×\(tile)\(convolution.pools ? ", maximum" : "")"
    case .depthwiseConvolution: return "depthwise convolution"
    case .transposedConvolution: return "transposed convolution"
    case .tensor(let operation): return PlanStep.name(of: operation)
    default: return PlanStep.name(of: operation)
    }
  }

  /// The name of an enumeration's case.
  private static func name(of value: some Any) -> String {
    let text = String(describing: value)
    return String(text.prefix { $0.isLetter })
  }

  /// Additions and multiplications of the sums as they are defined; nil where there are none.
  var operations: Double? {
    switch operation {
    case .convolution:
      convolution.map {
        2 * Double($0.shape.pixels * $0.shape.taps * $0.shape.groupChannels) * Double($0.shape.filters)
      }
    case .depthwiseConvolution(let window, _, _, _):
      2 * window.size.map(Double.init).reduce(1, *) * output.shape.map(Double.init).reduce(1, *)
    case .dense: dense.map { 2 * Double($0.inner) * output.shape.map(Double.init).reduce(1, *) }
    default: nil
    }
  }
}
