import CSystem
import Glibc
import Synchronization

/// Where results are kept until they are complete, and how they get their names then.
///
/// In a program whose work is done by a confined worker another process gives the names.
package protocol Staging: Sendable {
  /// The folder for the unfinished parts of what will be in `folder`; on the same file system.
  func place(for folder: String) -> String

  /// Gives what is complete at `temporary` its name.
  ///
  /// - Returns: 0, or the number of a system error (EEXIST when `path` exists and `replaces` is false).
  func rename(_ temporary: String, to path: String, replaces: Bool) -> Int32

  /// Makes the folder `path`; the number of a system error, or 0.
  func makeFolder(_ path: String) -> Int32
}

/// Unfinished results lie beside the finished ones under names that begin with a dot.
package struct StagingInPlace: Staging {
  package init() {}

  package func place(for folder: String) -> String { folder }

  package func rename(_ temporary: String, to path: String, replaces: Bool) -> Int32 {
    h5c_rename(temporary, path, replaces ? 1 : 0)
  }

  package func makeFolder(_ path: String) -> Int32 { mkdir(path, 0o777) == 0 ? 0 : errno }
}

/// The staging of this process.
package enum Results {
  private static let current = Mutex<any Staging>(StagingInPlace())

  /// The one in use.
  package static var staging: any Staging { current.withLock { $0 } }

  /// Begins to use another one; for programs, before anything is written.
  package static func use(_ staging: any Staging) { current.withLock { $0 = staging } }
}
