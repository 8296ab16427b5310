import CSandbox
import Glibc
import H5ConvDiagnostics
import H5ConvFiles
import Synchronization

/// The process that works, as seen from inside.
///
/// Without one (in a library, in tests) every call here does nothing.
package enum Worker {
  /// Where messages to the user go: stderr, which in a worker is not descriptor 2.
  package static var messages: Int32 { messageDescriptor.load(ordering: .relaxed) }

  /// What the kernel lets the worker do; nil when it is not confined.
  package static var confinement: Confinement? { state.withLock { $0 } }

  /// Keeps `value` until the process ends, which frees all that it has at once instead of piece by piece.
  package static func keep(_ value: some Sendable) { kept.withLock { $0.append(value) } }

  private static let kept = Mutex<[any Sendable]>([])
  private static let messageDescriptor = Atomic<Int32>(2)
  private static let control = Atomic<Int32>(-1)
  private static let state = Mutex<Confinement?>(nil)

  /// Tells the supervisor that the work goes on.
  package static func progresses() {
    let descriptor = control.load(ordering: .relaxed)
    if descriptor >= 0 { _ = send(Request.progress, to: descriptor) }
  }

  /// Begins the work: from here on only what `job` names can be read, and only `staging` be written to.
  ///
  /// - Returns: the number of a system error, or 0.
  static func begin(_ worker: h5c_worker, _ job: Job, staging: String?, _ limits: JobLimits?) -> Int32 {
    messageDescriptor.store(worker.errors, ordering: .relaxed)
    control.store(worker.control, ordering: .relaxed)
    if let staging { Results.use(SupervisedStaging(folder: staging, control: worker.control)) }
    guard let limits else { return 0 }
    for name in Worker.misleading { unsetenv(name) }
    var numbers = limits.forProcess
    let code = h5c_set_limits(&numbers)
    guard code == 0 else { return code }
    let confinement = confine(job, staging: staging, limits)
    state.withLock { $0 = confinement }
    return 0
  }

  /// Variables by which an environment could change what libraries do here: plug-ins of HDF5 above all.
  private static let misleading = [
    "HDF5_PLUGIN_PATH", "HDF5_PLUGIN_PRELOAD", "HDF5_DRIVER", "HDF5_VOL_CONNECTOR", "HDF5_USE_FILE_LOCKING",
    "HDF5_DEBUG",
    "HDF5_DISABLE_VERSION_CHECK", "HDF5_EXT_PREFIX", "HDF5_VDS_PREFIX", "HDF5_NOCLEANUP", "HDF5_PREFIX",
    "LD_PRELOAD", "LD_LIBRARY_PATH", "OPENBLAS_VERBOSE", "OPENBLAS_CORETYPE", "FREETYPE_PROPERTIES",
  ]

  private static func confine(_ job: Job, staging: String?, _ limits: JobLimits) -> Confinement {
    let reading = Int32(H5C_READ_FILES.rawValue | H5C_LIST_FOLDERS.rawValue)
    var grants = job.inputs.map { (path: $0, access: reading) }
    // Weights in several files: the list names those beside it.
    for path in job.inputs where path.hasSuffix(".weights.json") {
      grants.append((OutputFile.split(path).folder, Int32(H5C_READ_FILES.rawValue)))
    }
    if let staging { grants.append((staging, Int32(H5C_MAKE_FILES.rawValue))) }
    if let folder = job.output.folder { grants.append((folder, Int32(H5C_LIST_FOLDERS.rawValue))) }
    let paths = grants.map { strdup($0.path) }
    defer { for path in paths { free(path) } }
    let list = zip(paths, grants).map { h5c_grant(path: UnsafePointer($0), access: $1.access) }
    let result = h5c_confine(list, list.count)
    return Confinement(
      landlock: Int(result.landlock), hasSeccomp: result.seccomp != 0,
      hasNoNewPrivileges: result.no_new_privileges != 0, memory: limits.memory, seconds: limits.opening)
  }
}

/// Unfinished results lie in a folder of their own; the supervisor gives them their names.
struct SupervisedStaging: Staging {
  let folder: String
  let control: Int32
  private static let turn = Mutex(())

  func place(for folder: String) -> String { self.folder }

  func rename(_ temporary: String, to path: String, replaces: Bool) -> Int32 {
    ask(.rename(from: temporary, to: path, replaces: replaces))
  }

  func makeFolder(_ path: String) -> Int32 { ask(.makeFolder(path)) }

  private func ask(_ request: Request) -> Int32 {
    SupervisedStaging.turn.withLock { _ in
      guard send(request, to: control) else { return EIO }
      var code: Int32 = 0
      let count = withUnsafeMutableBytes(of: &code) { read(control, $0.baseAddress, $0.count) }
      return count == MemoryLayout<Int32>.size ? code : EIO
    }
  }
}

/// Sends a message that keeps its boundaries.
private func send(_ request: Request, to descriptor: Int32) -> Bool {
  let bytes = request.bytes
  while true {
    let count = write(descriptor, bytes, bytes.count)
    if count == bytes.count { return true }
    guard count < 0, errno == EINTR else { return false }
  }
}
