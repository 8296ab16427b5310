import CZip
import Glibc
import H5ConvDiagnostics
import H5ConvFiles

/// Reads arrays from `.npy` and `.npz` files.
package enum ArrayFile {
  /// Whether the name says that `path` holds arrays.
  package static func isArray(_ path: String) -> Bool { path.hasSuffix(".npy") || path.hasSuffix(".npz") }

  /// The array of a `.npy` file, as float32.
  package static func npy(_ path: String) throws -> Tensor {
    let bytes = try InputFile.bytes(path)
    return try naming(path) { try NPYFormat.tensor(bytes) }
  }

  /// The arrays of a `.npz` file by their names, in the file's order.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` with libzip's reason.
  package static func npz(_ path: String) throws -> [(name: String, tensor: Tensor)] {
    close(try InputFile.open(path).descriptor)
    return try naming(path) {
      var code: Int32 = 0
      guard let archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code) else { throw error(code) }
      defer { zip_discard(archive) }
      return try (0..<UInt64(max(0, zip_get_num_entries(archive, 0)))).map { index in
        var status = zip_stat_t()
        guard zip_stat_index(archive, index, 0, &status) == 0, let name = status.name.map({ String(cString: $0) })
        else {
          throw H5ConvError(.badData, "the archive's directory cannot be read")
        }
        guard status.size <= 1 << 32 else { throw H5ConvError(.limit, "an array of \(status.size) bytes", at: name) }
        return (name.hasSuffix(".npy") ? String(name.dropLast(4)) : name, try member(archive, index, status.size, name))
      }
    }
  }

  private static func member(_ archive: OpaquePointer, _ index: UInt64, _ size: UInt64, _ name: String) throws -> Tensor
  {
    guard let file = zip_fopen_index(archive, index, 0) else {
      throw H5ConvError(.badData, "the member cannot be opened: \(String(cString: zip_strerror(archive)))", at: name)
    }
    defer { zip_fclose(file) }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    var done = 0
    while done < bytes.count {
      let got = bytes.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress.map { $0 + done }, size - UInt64(done)) }
      guard got > 0 else { throw H5ConvError(.badData, "the member is damaged", at: name) }
      done += Int(got)
    }
    return try NPYFormat.tensor(bytes)
  }

  static func error(_ code: Int32) -> H5ConvError {
    if code == ZIP_ER_EXISTS {
      return H5ConvError(
        .badData, "two members of the archive have the same name, and nothing says which is meant",
        remedy: "pack it again with one", reason: .damagedArchive)
    }
    var reason = zip_error_t()
    zip_error_init_with_code(&reason, code)
    defer { zip_error_fini(&reason) }
    return H5ConvError(.badData, "this is not a .npz archive: \(String(cString: zip_error_strerror(&reason)))")
  }
}

/// A `.npy` file to which rows are appended; the number of rows is told in advance.
package final class NPYWriter {
  private let path: String
  private let file: UnsafeMutablePointer<FILE>

  /// Creates the file at `path`, which must not exist.
  package init(_ path: String, shape: [Int]) throws {
    self.path = path
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0, let file = fdopen(descriptor, "wb") else { throw OutputFile.failure(.cannotWrite, path) }
    self.file = file
    let header = NPYFormat.header(shape: shape)
    guard fwrite(header, 1, header.count, file) == header.count else { throw OutputFile.failure(.inputOutput, path) }
  }

  private var isOpen = true

  deinit { if isOpen { fclose(file) } }

  /// Appends the elements of `tensor`.
  package func append(_ tensor: Tensor) throws {
    let isWritten = tensor.withUnsafeElements { fwrite($0.baseAddress, 4, $0.count, file) == $0.count }
    guard isWritten else { throw OutputFile.failure(.inputOutput, path) }
  }

  /// Writes what is buffered.
  ///
  /// - Throws: ``H5ConvError`` of kind `inputOutput` when the disk is full.
  package func close() throws {
    isOpen = false
    guard fclose(file) == 0 else { throw OutputFile.failure(.inputOutput, path) }
  }
}

/// Packs `.npy` files into a `.npz` archive, stored, with fixed times so that equal arrays give equal bytes.
package enum NPZWriter {
  /// - Parameter members: names of the arrays and the `.npy` files that hold them.
  /// - Throws: ``H5ConvError`` of kind `cannotWrite` or `inputOutput` with libzip's reason.
  package static func write(_ path: String, members: [(name: String, file: String)]) throws {
    try ZipWriter.write(path, members.map { ($0.name + ".npy", .file($0.file)) })
  }
}
