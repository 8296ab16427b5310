import CSandbox
import Glibc

/// How much a worker may take.
///
/// What is not given follows from the size of the inputs.
package struct Limits: Sendable {
  /// Bytes of address space.
  package var memory: Int?
  /// Seconds for all of the work.
  package var seconds: Int?

  package init(memory: Int? = nil, seconds: Int? = nil) {
    self.memory = memory
    self.seconds = seconds
  }
}

/// The limits of one job.
struct JobLimits {
  /// Bytes of address space.
  let memory: Int
  /// Bytes of one file that is written; 0 for no limit: activations of many pictures may be of any size.
  let fileSize: Int
  /// Seconds until the model is open, or all is done where it is not run.
  let opening: Int
  /// Seconds from one sign of progress to the next, where a model is run; nil when the whole is limited.
  let step: Int?

  static let gibibyte = 1 << 30
  /// A large model on a slow disk is read faster than this, in bytes per second.
  private static let slowest = 4 << 20

  init(_ limits: Limits, for job: Job) {
    let bytes = job.inputs.reduce(0) { $0 &+ JobLimits.size(ofInput: $1) }
    memory = limits.memory ?? (job.runsModel ? 4 : 2) * JobLimits.gibibyte + 6 * bytes
    fileSize = job.runsModel ? 0 : 2 * JobLimits.gibibyte + 8 * bytes
    let reading = 30 + bytes / JobLimits.slowest
    opening = limits.seconds ?? reading
    step = limits.seconds == nil && job.runsModel ? reading + 300 : nil
  }

  /// As the kernel is told.
  ///
  /// Threads count processor time together.
  var forProcess: h5c_limits {
    h5c_limits(
      address_space: UInt64(memory), file_size: UInt64(fileSize),
      processor_seconds: step == nil ? UInt64(opening) * 64 : 0, open_files: 4096)
  }

  /// Bytes of the file `path`, or of the largest in the folder.
  private static func size(ofInput path: String) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { return 0 }
    let most = 1 << 42
    guard status.st_mode & S_IFMT == S_IFDIR else { return min(most, max(0, Int(status.st_size))) }
    // The largest, of a model's parts or of pictures: they are read one after the other.
    guard let folder = opendir(path) else { return 0 }
    defer { closedir(folder) }
    var largest = 0
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      largest = max(largest, min(most, Int(status.st_size)))
    }
    return largest
  }
}
