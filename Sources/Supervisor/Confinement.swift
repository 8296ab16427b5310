import Glibc

/// What keeps a worker from doing more than its work.
package struct Confinement: Sendable {
  /// The version of Landlock's interface; 0 where the kernel has none.
  package let landlock: Int
  /// Whether a filter of system calls is in force.
  package let hasSeccomp: Bool
  /// Whether programs that it could start would get no more rights.
  package let hasNoNewPrivileges: Bool
  /// Bytes of address space that it may take.
  package let memory: Int
  /// Seconds that it may take.
  package let seconds: Int

  /// Whether a file that the job does not name cannot be opened, tried out on the program itself.
  package var refusesOtherFiles: Bool {
    let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 { close(descriptor) }
    return descriptor < 0
  }

  /// Whether the network cannot be reached, tried out.
  package var refusesSockets: Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if descriptor >= 0 { close(descriptor) }
    return descriptor < 0
  }

  /// Whether no program can be started, tried out with one that does nothing.
  package var refusesPrograms: Bool {
    var process: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    defer { free(arguments[0]) }
    guard posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil) == 0 else { return true }
    waitpid(process, nil, 0)
    return false
  }
}
