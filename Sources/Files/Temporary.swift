import CTermination

/// A temporary file or folder that a crash or an interruption of the program removes; forgotten with its last owner.
final class Temporary: Sendable {
  private let number: Int32

  init(_ path: String) { number = h5c_register_temporary(path) }

  deinit { h5c_forget_temporary(number) }
}

/// Lets a crash end in one line and exit code 70, and an interruption leave no temporary files behind.
///
/// For programs: a library has no business with its host's signals.
package func endOrderly() { h5c_end_orderly() }

/// Names the file that a crash is to be put down to.
package func nowWorking(on path: String) { h5c_working_on(path) }
