import Glibc
import H5ConvDiagnostics

/// A regular file that is read whole.
package enum InputFile {
  /// The bytes of the file at `path`.
  ///
  /// - Parameter limit: bytes above which the file is refused.
  /// - Throws: ``H5ConvError`` of kind `cannotRead`, `limit` or `inputOutput`.
  package static func bytes(_ path: String, limit: Int = 1 << 32) throws -> [UInt8] {
    let descriptor = try open(path)
    defer { close(descriptor) }
    let size = try self.size(descriptor, path)
    guard size <= limit else {
      throw H5ConvError(.limit, "the file has \(size) bytes, more than the \(limit) that are read", file: path)
    }
    var bytes = [UInt8](repeating: 0, count: size)
    var done = 0
    while done < size {
      let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + done }, size - done) }
      guard got > 0 else { throw H5ConvError(.inputOutput, "the file ended while it was read", file: path) }
      done += got
    }
    return bytes
  }

  /// Opens a regular file for reading.
  package static func open(_ path: String) throws -> Int32 {
    let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw H5ConvError(.cannotRead, String(cString: strerror(errno)), file: path) }
    do { _ = try size(descriptor, path) } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func size(_ descriptor: Int32, _ path: String) throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw H5ConvError(.cannotRead, String(cString: strerror(errno)), file: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw H5ConvError(
        .cannotRead, status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is not a regular file", file: path)
    }
    return Int(status.st_size)
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
