import Glibc
import H5ConvDiagnostics

/// A regular file that is read whole.
package enum InputFile {
  /// The bytes of the file at `path`.
  ///
  /// - Parameter limit: bytes above which the file is refused.
  /// - Throws: ``H5ConvError`` of kind `cannotRead`, `limit` or `inputOutput`.
  package static func bytes(_ path: String, limit: Int = 1 << 32) throws -> [UInt8] {
    let (descriptor, size) = try open(path)
    defer { close(descriptor) }
    guard size <= limit else {
      throw H5ConvError(.limit, "the file has \(size) bytes, more than the \(limit) that are read", file: path)
    }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      while filled < size {
        let got = read(descriptor, buffer.baseAddress.map { $0 + filled }, size - filled)
        if got > 0 {
          filled += got
        } else if got == 0 {
          return
        } else if errno != EINTR {
          throw H5ConvError(.inputOutput, String(cString: strerror(errno)), file: path)
        }
      }
    }
  }

  /// Opens a regular file for reading and tells its size.
  ///
  /// It is opened without blocking and looked at before anything is read, so that a pipe or a device cannot hold the program
  /// up.
  /// - Throws: ``H5ConvError`` of kind `cannotRead` when it is missing, no regular file, or not permitted.
  package static func open(_ path: String) throws -> (descriptor: Int32, size: Int) {
    let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw H5ConvError(.cannotRead, "no such file", remedy: "check the path", file: path)
      case EACCES:
        throw H5ConvError(.cannotRead, "no permission to read it", remedy: "change its permissions", file: path)
      case let code: throw H5ConvError(.cannotRead, String(cString: strerror(code)), file: path)
      }
    }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let what = isKnown && status.st_mode & S_IFMT == S_IFDIR ? "this is a folder" : "this is not a regular file"
      throw H5ConvError(.cannotRead, what, remedy: "give the file itself", file: path)
    }
    return (descriptor, Int(status.st_size))
  }

  /// Whether `path` is a folder.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names in the folder `path`, sorted by bytes, without those that begin with a dot.
  package static func names(inFolder path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      throw H5ConvError(.cannotRead, String(cString: strerror(errno)), file: path)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
