import Glibc

/// A value that one thread at a time may use, behind a lock of the C library.
///
/// Swift's `Mutex` would do; but where threads wait for each other it locks and unlocks in a library that no sanitizer looks into
/// (`_MutexHandle._lockSlow`), and the thread sanitizer takes what the lock guards for a race.
///
/// `@unchecked Sendable`: both pointers are set once, and the value behind the first is reached in ``withLock(_:)`` alone.
package final class Locked<Value>: @unchecked Sendable {
  private let value: UnsafeMutablePointer<Value>
  private let lock: UnsafeMutablePointer<pthread_mutex_t>

  package init(_ value: sending Value) {
    self.value = .allocate(capacity: 1)
    self.value.initialize(to: value)
    lock = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Calls `body` with the value while no other thread has it; must not be called in `body` again.
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return try body(&value.pointee)
  }
}
