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
  private let registration: Temporary
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
    temporaryPath = "\(folder)/.\(name.prefix(100)).\(getpid())-\(number).tmp"
    registration = Temporary(temporaryPath)
  }

  deinit { if !isDone.withLock({ $0 }) { unlink(temporaryPath) } }

  private static func checkFree(_ path: String, replaces: Bool) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR { throw H5ConvError(.cannotWrite, "is a folder", file: path) }
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
    let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
      }
      guard count > 0 else {
        let error = OutputFile.failure(.inputOutput, path)
        close(descriptor)
        throw error
      }
      done += count
    }
    guard close(descriptor) == 0 else { throw OutputFile.failure(.inputOutput, path) }
    try commit()
  }

  /// Gives the temporary file its name.
  package func commit() throws {
    try OutputFile.checkFree(path, replaces: replaces)
    guard rename(temporaryPath, path) == 0 else { throw OutputFile.failure(.cannotWrite, path) }
    isDone.withLock { $0 = true }
  }

  /// An error with the reason of the last failed call.
  package static func failure(_ kind: H5ConvError.Kind, _ path: String) -> H5ConvError {
    let code = errno
    let remedy: String? =
      switch code {
      case ENOSPC, EDQUOT: "free some space and run it again"
      case EACCES, EPERM, EROFS: "choose a folder that can be written to with -o"
      default: nil
      }
    return H5ConvError(kind, "cannot be written: \(String(cString: strerror(code)))", remedy: remedy, file: path)
  }
}
