import Glibc
import H5ConvDiagnostics
import Synchronization

/// A folder of results that appears when it is complete.
///
/// A folder that does not exist yet is filled under a temporary name and renamed. Into one that exists (empty, or with
/// `replaces`) the files are put one by one, each renamed into its place; others in it are left alone.
package final class OutputFolder: Sendable {
  /// The name that the folder will have.
  package let path: String
  private let temporaryPath: String?
  private let replaces: Bool
  private let staging = Results.staging
  private let written = Mutex<[String]>([])

  private static let counter = Atomic<Int>(0)

  /// - Throws: ``H5ConvError`` of kind `cannotWrite`.
  package init(_ path: String, replaces: Bool) throws {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.path = path
    self.replaces = replaces
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw H5ConvError(.cannotWrite, "is a file where a folder of results was wanted", file: path)
      }
      if !replaces, try !InputFile.names(inFolder: path).isEmpty {
        throw H5ConvError(
          .cannotWrite, "the output folder exists and is not empty",
          remedy: "give another with -o, or --force to write into it", file: path)
      }
      temporaryPath = nil
    } else {
      let (parent, name) = OutputFile.split(path)
      guard InputFile.isFolder(parent) else {
        throw H5ConvError(.cannotWrite, "the folder '\(parent)' does not exist", remedy: "make it first", file: path)
      }
      let number = OutputFolder.counter.add(1, ordering: .relaxed).newValue
      let temporary = "\(staging.place(for: parent))/.\(name.prefix(100)).\(getpid())-\(number).tmp"
      guard mkdir(temporary, 0o777) == 0 else { throw OutputFile.failure(.cannotWrite, path) }
      temporaryPath = temporary
    }
  }

  deinit {
    guard let temporaryPath else { return }
    for name in written.withLock({ $0 }) { unlink("\(temporaryPath)/\(name)") }
    rmdir(temporaryPath)
  }

  /// Writes the file `name` (without folders) of the results.
  package func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = "\(temporaryPath ?? path)/\(name)"
    if temporaryPath != nil { written.withLock { $0.append(name) } }
    do {
      // A folder that nobody sees yet needs no second temporary name.
      if temporaryPath == nil {
        try OutputFile(file, replaces: replaces).write(bytes)
      } else {
        try OutputFile.create(file, bytes)
      }
    } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, at: error.place, remedy: error.remedy, file: "\(path)/\(name)")
    }
  }

  /// Gives the folder its name.
  package func commit() throws {
    guard let temporaryPath else { return }
    let code = staging.rename(temporaryPath, to: path, replaces: false)
    guard code == 0 else { throw OutputFile.failure(.cannotWrite, path, code: code) }
    written.withLock { $0 = [] }
  }
}

/// Makes the folder `path` unless there is one.
///
/// - Throws: ``H5ConvError`` of kind `cannotWrite`.
package func makeOutputFolder(_ path: String) throws {
  let code = Results.staging.makeFolder(path)
  guard code == 0 || (code == EEXIST && InputFile.isFolder(path)) else {
    throw OutputFile.failure(.cannotWrite, path, code: code)
  }
}
