import Glibc
package import H5ConvDiagnostics
import Synchronization

/// A file that appears under its name only when it is complete: it is written under a temporary name beside it and renamed.
///
/// When it is not committed, its temporary file is removed with its last owner.
package final class OutputFile: Sendable {
  /// The name that the file will have.
  package let path: String
  /// Where it is written until then.
  package let temporaryPath: String
  private let replaces: Bool
  private let staging: any Staging
  private let isDone = Mutex(false)

  private static let counter = Atomic<Int>(0)

  /// Prepares the file at `path`; nothing is created yet.
  ///
  /// - Parameter replaces: whether an existing file may be replaced.
  /// - Throws: ``H5ConvError`` of kind `cannotWrite` when it exists and may not be, or its folder does not exist.
  package init(_ path: String, replaces: Bool) throws {
    self.path = path
    self.replaces = replaces
    let (folder, name) = OutputFile.split(path)
    try OutputFile.checkFree(path, replaces: replaces)
    guard InputFile.isFolder(folder) else {
      throw H5ConvError(.cannotWrite, "the folder '\(folder)' does not exist", remedy: "make it first", file: path)
    }
    let number = OutputFile.counter.add(1, ordering: .relaxed).newValue
    staging = Results.staging
    temporaryPath = "\(staging.place(for: folder))/.\(name.prefix(100)).\(getpid())-\(number).tmp"
  }

  deinit { if !isDone.withLock({ $0 }) { unlink(temporaryPath) } }

  private static func checkFree(_ path: String, replaces: Bool) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG, S_IFLNK: break
    case S_IFDIR: throw H5ConvError(.cannotWrite, "is a folder", file: path)
    // Another file in its place would break the system: /dev/null.
    default: throw H5ConvError(.cannotWrite, "is a device or a pipe", remedy: "give the name of a file", file: path)
    }
    if !replaces {
      throw H5ConvError(
        .cannotWrite, "the output exists", remedy: "give another name, or --force to replace it", file: path)
    }
  }

  /// The folder and the last component of a path.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  /// Writes the whole file and gives it its name.
  package func write(_ bytes: [UInt8]) throws {
    do { try OutputFile.create(temporaryPath, bytes) } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, remedy: error.remedy, file: path)
    }
    try commit()
  }

  /// Makes a file that does not exist yet, with all of `bytes`.
  package static func create(_ path: String, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try put($0, into: path, O_CREAT | O_EXCL) }
  }

  /// Puts `bytes` at the end of the file at `path`.
  package static func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws {
    try put(bytes, into: path, O_APPEND)
  }

  private static func put(_ bytes: UnsafeRawBufferPointer, into path: String, _ flags: Int32) throws {
    let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0o666)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = OutputFile.failure(.inputOutput, path)
        close(descriptor)
        throw error
      }
      done += count
    }
    guard close(descriptor) == 0 else { throw OutputFile.failure(.inputOutput, path) }
  }

  /// Gives the temporary file its name.
  package func commit() throws {
    try OutputFile.checkFree(path, replaces: replaces)
    let code = staging.rename(temporaryPath, to: path, replaces: replaces)
    if code == EEXIST { try OutputFile.checkFree(path, replaces: replaces) }
    guard code == 0 else { throw OutputFile.failure(.cannotWrite, path, code: code) }
    isDone.withLock { $0 = true }
  }

  /// An error with the reason of a failed call, the last one by default.
  package static func failure(_ kind: H5ConvError.Kind, _ path: String, code: Int32 = errno) -> H5ConvError {
    if code == EFBIG {
      return H5ConvError(
        .limit, "the output grows past the limit on the size of files", remedy: "raise it: see 'ulimit -f'", file: path)
    }
    let remedy: String? =
      switch code {
      case ENOSPC, EDQUOT: "free some space and run it again"
      case EACCES, EPERM, EROFS: "choose a folder that can be written to with -o"
      default: nil
      }
    return H5ConvError(kind, "cannot be written: \(String(cString: strerror(code)))", remedy: remedy, file: path)
  }
}
