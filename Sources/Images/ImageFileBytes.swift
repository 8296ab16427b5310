import Glibc
import H5ConvDiagnostics

/// Largest image file that is read, in bytes; the pixel limit is the finer one.
private let maxFileBytes = 1 << 29

/// The bytes of the regular file at `path`.
///
/// The file is opened without blocking and looked at before anything is read from it, so that a pipe or a device cannot
/// hold the program up.
///
/// - Throws: ``H5ConvError`` of kind `cannotRead` when the file is missing, not a regular file, or not permitted; `limit`
///   when it is larger than 512 MiB; `inputOutput` when reading fails midway.
func bytesOfRegularFile(_ path: String) throws -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
  guard descriptor >= 0 else { throw H5ConvError(.cannotRead, whyNotOpened(errno), file: path) }
  defer { close(descriptor) }

  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw H5ConvError(.cannotRead, systemMessage(errno), file: path) }
  switch status.st_mode & S_IFMT {
  case S_IFREG: break
  case S_IFDIR: throw H5ConvError(.cannotRead, "this is a folder", remedy: "name an image file", file: path)
  default: throw H5ConvError(.cannotRead, "not a regular file", remedy: "name an image file", file: path)
  }
  guard status.st_size <= maxFileBytes else {
    throw H5ConvError(.limit, "the file has \(status.st_size) bytes, more than \(maxFileBytes)", file: path)
  }
  return try readAll(descriptor, count: Int(status.st_size), path: path)
}

/// Reads `count` bytes, or as many as there are.
private func readAll(_ descriptor: Int32, count: Int, path: String) throws -> [UInt8] {
  try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    while filled < count {
      let target = buffer.baseAddress.map { $0 + filled }
      let got = read(descriptor, target, count - filled)
      if got > 0 {
        filled += got
      } else if got == 0 {
        return
      } else if errno != EINTR {
        throw H5ConvError(.inputOutput, systemMessage(errno), file: path)
      }
    }
  }
}

private func whyNotOpened(_ code: Int32) -> String {
  switch code {
  case ENOENT, ENOTDIR: "no such file"
  case EACCES: "no permission to read it"
  default: systemMessage(code)
  }
}

private func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
