import Dispatch
import Synchronization

/// `body` of each of `items`, in order, computed by up to `threads` threads, the first of them the caller's.
///
/// - Throws: What `body` throws for the earliest item that fails.
func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], threads: Int, _ body: @Sendable (Item) throws -> Result
) throws -> [Result] {
  let workers = min(max(threads, 1), items.count)
  guard workers > 1 else { return try items.map(body) }
  let next = Atomic(0)
  let results = Mutex<[(index: Int, result: Swift.Result<Result, any Error>)]>([])
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < items.count else { return }
      let result = Swift.Result { try body(items[index]) }
      results.withLock { $0.append((index, result)) }
    }
  }
  return try results.withLock { $0 }.sorted { $0.index < $1.index }.map { try $0.result.get() }
}
