import CKernels

/// How many threads a run may use, and the loop that uses them.
package struct Threads: Sendable {
  /// Number of threads, at least 1.
  package let count: Int

  /// - Parameter count: number of threads; nil for one per processor that this process may use.
  package init(_ count: Int? = nil) {
    self.count = min(64, max(1, count ?? Threads.available))
  }

  /// Processors that this process may use.
  package static let available = h5k_processors()

  /// Calls `body` with 0 ..< `items`, spread over the threads; returns when all are done.
  ///
  /// `body` is called from several threads at once: what it writes for different items must not overlap.
  package func forEach(_ items: Int, _ body: (Int) -> Void) {
    guard items > 1, count > 1 else {
      for item in 0..<max(0, items) { body(item) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var body = body
      withUnsafeMutablePointer(to: &body) { pointer in
        h5k_parallel(
          items, count,
          { context, item in context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(item) }, pointer)
      }
    }
  }

  /// Splits 0 ..< `total` into consecutive ranges of nearly equal length, as many for each thread, none shorter than `least`.
  package func forEachRange(_ total: Int, least: Int, _ body: (Range<Int>) -> Void) {
    guard total > 0 else { return }
    let most = min(4 * count, max(1, total / max(1, least)))
    let parts = most < count ? most : most / count * count
    forEach(parts) { part in body(part * total / parts..<(part + 1) * total / parts) }
  }
}
