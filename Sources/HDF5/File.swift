import CHDF5
import CHDF5Window
import Glibc
package import H5ConvDiagnostics

/// An HDF5 file.
package final class File: Sendable {
  private let handle: Handle
  /// The root group, `/`.
  package let root: Group

  private init(_ handle: Handle) throws(H5ConvError) {
    self.handle = handle
    let root = try Library.call("open the root group") { H5Gopen2(handle.id, "/", hid_t(H5P_DEFAULT)) }
    self.root = Group(Handle(root) { H5Gclose($0) }, path: "/", address: 0)
  }

  /// Opens the file at `path` for reading.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` with HDF5's reason.
  package static func open(_ path: String) throws(H5ConvError) -> File {
    let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw H5ConvError(.badData, "HDF5 cannot open the file: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    return try open(descriptor: descriptor, offset: 0, length: Int(status.st_size))
  }

  /// Opens the HDF5 file that lies in `length` bytes from `offset` of an open file, for reading.
  ///
  /// The descriptor is duplicated.
  /// - Throws: ``H5ConvError`` of kind `badData` with HDF5's reason.
  package static func open(descriptor: Int32, offset: Int, length: Int) throws(H5ConvError) -> File {
    let id = try Library.call("open the file") { h5c_open_window(descriptor, Int64(offset), Int64(length)) }
    return try File(Handle(id) { H5Fclose($0) })
  }

  /// Creates the file at `path`, which must not exist, in the format that every HDF5 reads.
  ///
  /// - Throws: ``H5ConvError`` of kind `cannotWrite` with HDF5's reason.
  package static func create(_ path: String) throws(H5ConvError) -> File {
    let access = try fileAccess()
    _ = try Library.call("prepare a file") {
      H5Pset_libver_bounds(access.id, h5c_libver_earliest(), h5c_libver_latest())
    }
    let id = try Library.call("create the file", kind: .cannotWrite) {
      H5Fcreate(path, h5c_exclusive(), hid_t(H5P_DEFAULT), access.id)
    }
    return try File(Handle(id) { H5Fclose($0) })
  }

  /// Creates an HDF5 file that begins at `offset` of an open file and goes to its end.
  ///
  /// The descriptor is duplicated.
  /// - Throws: ``H5ConvError`` of kind `cannotWrite` with HDF5's reason.
  package static func create(descriptor: Int32, offset: Int) throws(H5ConvError) -> File {
    let id = try Library.call("create the file", kind: .cannotWrite) { h5c_create_window(descriptor, Int64(offset)) }
    return try File(Handle(id) { H5Fclose($0) })
  }

  private static func fileAccess() throws(H5ConvError) -> Handle {
    let access = try Handle.properties("prepare a file") { H5Pcreate(h5c_file_access()) }
    _ = try Library.call("prepare a file") { h5c_no_locking(access.id) }
    return access
  }

  /// Writes everything that is buffered to the file.
  ///
  /// - Throws: ``H5ConvError`` of kind `inputOutput` (a full disk is first seen here).
  package func flush() throws(H5ConvError) {
    _ = try Library.call("write the file", kind: .inputOutput) { H5Fflush(handle.id, H5F_SCOPE_GLOBAL) }
  }
}
