import CSandbox
import Foundation
import Glibc
import TestSupport
import Testing

/// Confines this process to `readable` and to making files in `folder`, and leaves it with 0 if `holds` says so.
private func confined(_ folder: String, reading readable: String, _ holds: () -> Bool) -> Never {
  let (a, b) = (strdup(readable), strdup(folder))
  let grants = [
    h5c_grant(path: UnsafePointer(a), access: Int32(H5C_READ_FILES.rawValue)),
    h5c_grant(path: UnsafePointer(b), access: Int32(H5C_MAKE_FILES.rawValue)),
  ]
  let result = h5c_confine(grants, grants.count)
  guard result.seccomp != 0, result.no_new_privileges != 0 else { _exit(3) }
  _exit(holds() ? 0 : 1)
}

private func opens(_ path: String, _ flags: Int32 = O_RDONLY) -> Bool {
  let descriptor = open(path, flags, 0o600)
  if descriptor >= 0 { close(descriptor) }
  return descriptor >= 0
}

/// Whether this kernel confines files.
private let hasLandlock = h5c_landlock_version() > 0

/// Each in a process of its own, since nothing is given back.
@Suite("A confined process")
struct ConfinementTests {
  @Test(.enabled(if: hasLandlock)) func readsWhatItWasGivenAndNothingElse() async {
    await #expect(processExitsWith: .success) {
      let folder = NSTemporaryDirectory()
      confined(folder, reading: "/etc/hostname") {
        (opens("/etc/hostname") || errno == ENOENT) && !opens("/etc/passwd") && !opens("/proc/self/maps")
          && opendir("/etc") == nil
      }
    }
  }

  @Test(.enabled(if: hasLandlock)) func writesOnlyIntoItsFolder() async {
    await #expect(processExitsWith: .success) {
      let folder = NSTemporaryDirectory() + "h5conv-tests-" + UUID().uuidString
      mkdir(folder, 0o700)
      confined(folder, reading: "/etc/hostname") {
        let file = folder + "/a"
        let outside = folder + "-outside"
        return opens(file, O_WRONLY | O_CREAT) && !opens(outside, O_WRONLY | O_CREAT)
          && !opens("/etc/hostname", O_WRONLY)
          && rename(file, outside) != 0 && mkdir(outside, 0o700) != 0 && symlink("/etc", folder + "/link") != 0
          && unlink(file) == 0
      }
    }
  }

  @Test func startsNoProgramsAndReachesNobody() async {
    await #expect(processExitsWith: .success) {
      confined("/nowhere", reading: "/nowhere") {
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        return posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil) != 0
          && execv("/bin/true", arguments) != 0
          && socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) < 0 && socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) < 0
          && kill(getppid(), 0) != 0
      }
    }
  }

  @Test func getsNoMemoryToRunCodeFrom() async {
    await #expect(processExitsWith: .success) {
      confined("/nowhere", reading: "/nowhere") {
        mmap(nil, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
          && mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
      }
    }
  }

  @Test func startsThreads() async {
    await #expect(processExitsWith: .success) {
      confined("/nowhere", reading: "/nowhere") {
        var thread = pthread_t()
        return pthread_create(&thread, nil, { _ in nil }, nil) == 0 && pthread_join(thread, nil) == 0
      }
    }
  }

  @Test func limitsAreSet() async {
    await #expect(processExitsWith: .success) {
      var limits = h5c_limits(address_space: 1 << 33, file_size: 4096, processor_seconds: 100, open_files: 32)
      guard h5c_set_limits(&limits) == 0 else { _exit(2) }
      let isRefused = mmap(nil, 1 << 34, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED
      _exit(isRefused ? 0 : 1)
    }
  }
}
