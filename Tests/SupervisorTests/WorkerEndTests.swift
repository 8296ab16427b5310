import CSandbox
import Glibc
import Testing

/// In a process of its own, since it forks.
@Suite("The end of a worker")
struct WorkerEndTests {
  /// Its descriptors are closed before its end is told, which may come while the supervisor looks for it.
  @Test func isSeenWhenTheSignalIsGone() async {
    await #expect(processExitsWith: .success) {
      var worker = h5c_worker()
      guard h5c_start_worker(&worker, 0) == 0 else { _exit(2) }
      if worker.process == 0 { _exit(7) }
      var information = siginfo_t()
      while waitid(P_PID, id_t(worker.process), &information, WEXITED | WNOWAIT) != 0 {}
      close(worker.control)
      close(worker.errors)
      (worker.control, worker.errors) = (-1, -1)
      // As large as a signalfd_siginfo; another thread of the tests may have got the signal.
      var signal = [UInt8](repeating: 0, count: 128)
      _ = read(worker.signals, &signal, signal.count)
      var buffer = [CChar](repeating: 0, count: 256)
      let event = h5c_next_event(&worker, &buffer, buffer.count, 10)
      _exit(event.kind == H5C_ENDED && event.value == 7 << 8 ? 0 : 1)
    }
  }
}
