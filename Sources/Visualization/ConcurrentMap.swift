import CKernels
import Synchronization

/// `body` of each of `items`, in order, computed by up to `threads` threads of the process's pool.
///
/// - Throws: What `body` throws for the earliest item that fails.
package func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], threads: Int, _ body: @escaping @Sendable (Item) throws -> Result
) throws -> [Result] {
  guard threads > 1, items.count > 1 else { return try items.map(body) }
  let results = Mutex<[(index: Int, result: Swift.Result<Result, any Error>)]>([])
  var compute: (Int) -> Void = { index in
    let result = Swift.Result { try body(items[index]) }
    results.withLock { $0.append((index, result)) }
  }
  withUnsafeMutablePointer(to: &compute) { pointer in
    h5k_parallel(
      items.count, threads,
      { context, index in context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(index) }, pointer)
  }
  return try results.withLock { $0 }.sorted { $0.index < $1.index }.map { try $0.result.get() }
}
