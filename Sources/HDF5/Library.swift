import CHDF5
import H5ConvDiagnostics
import Synchronization

/// The one door to libhdf5: every C call goes through ``call(_:kind:_:)``.
///
/// The lock is held around single C calls only, never around Swift code that may release a handle: closing a handle takes the
/// lock too, and it does not re-enter.
enum Library {
  private static let lock = Mutex(())
  /// Opened by the first who asks for it.
  private static let opened: Void = open()

  /// Runs one C call and gives its result, or the innermost message of HDF5's error stack when it is negative.
  ///
  /// - Parameters:
  ///   - what: what was being done, for the message: "open the file".
  ///   - kind: the class of the failure.
  static func call<Result: SignedInteger & Sendable>(
    _ what: @autoclosure () -> String, kind: H5ConvError.Kind = .badData, _ body: () -> Result
  ) throws(H5ConvError) -> Result {
    let (result, reason): (Result, String?) = lock.withLock { _ in
      opened
      // In a thread-safe build the error stack and its printing belong to each thread.
      H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
      let result = body()
      return (result, result < 0 ? takeReason() : nil)
    }
    guard result >= 0 else {
      let reason = reason ?? "no reason given"
      // Most often a file that says that it holds far more than it does.
      if reason.contains("memory allocation failed") {
        throw H5ConvError(
          .limit, "HDF5 cannot \(what()): there is not enough memory for what the file says it holds",
          remedy: "get the file again, or allow more memory if you trust it")
      }
      throw H5ConvError(kind, "HDF5 cannot \(what()): \(reason)")
    }
    return result
  }

  /// Runs a C call whose failure changes nothing: closing a handle, freeing memory.
  static func release(_ body: () -> Void) {
    lock.withLock { _ in
      H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
      body()
    }
  }

  /// First use: no plug-ins (an unknown filter id would load any library named by `HDF5_PLUGIN_PATH`), no external links.
  private static func open() {
    // No tidying up at exit: it would pull the library from under threads that still close their files.
    H5dont_atexit()
    H5open()
    H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
    H5PLset_loading_state(0)
    H5Lunregister(H5L_TYPE_EXTERNAL)
  }

  /// Of a failed read or write HDF5 tells time, descriptor and buffer too; the system's own word is enough.
  private static func reason(_ text: String) -> String {
    let parts = text.split(separator: "error message = '")
    guard parts.count == 2, let message = parts[1].split(separator: "'").first else { return text }
    return "\(text.prefix { $0 != ":" }): \(message)"
  }

  private static func takeReason() -> String? {
    final class Box { var text: String? }
    let box = Box()
    H5Ewalk2(
      hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
      { _, entry, context in
        guard let context, let description = entry?.pointee.desc else { return 0 }
        let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
        if box.text == nil { box.text = String(cString: description) }
        return 0
      }, Unmanaged.passUnretained(box).toOpaque())
    H5Eclear2(hid_t(H5E_DEFAULT))
    return box.text.map(reason)
  }
}

/// An identifier of libhdf5 that is closed with its last owner.
final class Handle: Sendable {
  let id: hid_t
  private let close: @Sendable (hid_t) -> Void

  init(_ id: hid_t, close: @escaping @Sendable (hid_t) -> Void) {
    self.id = id
    self.close = close
  }

  deinit { Library.release { close(id) } }

  static func space(_ what: @autoclosure () -> String, _ open: () -> hid_t) throws(H5ConvError) -> Handle {
    Handle(try Library.call(what(), open)) { H5Sclose($0) }
  }

  static func type(_ what: @autoclosure () -> String, _ open: () -> hid_t) throws(H5ConvError) -> Handle {
    Handle(try Library.call(what(), open)) { H5Tclose($0) }
  }

  static func properties(_ what: @autoclosure () -> String, _ open: () -> hid_t) throws(H5ConvError) -> Handle {
    Handle(try Library.call(what(), open)) { H5Pclose($0) }
  }
}

/// Collects the names that HDF5 reports to a C callback.
final class NameList {
  /// Names that one group or object may have: a list that is damaged into a circle has no end.
  static let limit = 200_000

  private(set) var names: [String] = []

  /// Appends `name` to the list that `context` points at, and gives what the callback is to return: 1 stops it.
  static func append(_ name: UnsafePointer<CChar>?, to context: UnsafeMutableRawPointer?) -> herr_t {
    guard let name, let context else { return 0 }
    let list = Unmanaged<NameList>.fromOpaque(context).takeUnretainedValue()
    list.names.append(String(cString: name))
    return list.names.count > limit ? 1 : 0
  }

  /// The names.
  ///
  /// - Throws: ``H5ConvError`` of kind `limit` when there are too many; `place` is where.
  func checked(_ place: String) throws(H5ConvError) -> [String] {
    guard names.count <= NameList.limit else {
      throw H5ConvError(.limit, "more than \(NameList.limit) names in one place", at: place)
    }
    return names
  }

  var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}
