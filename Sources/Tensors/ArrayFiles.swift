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
    // The directory's word for the size is no reason to take memory: what is really there is, when the header asks for it.
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: Int(min(size, 1 << 20)))
    func read(until end: UInt64) throws {
      while bytes.count < end {
        let got = zip_fread(file, &piece, min(UInt64(piece.count), end - UInt64(bytes.count)))
        guard got > 0 else { throw H5ConvError(.badData, "the member is damaged", at: name) }
        bytes += piece[..<Int(got)]
      }
    }
    try read(until: min(size, NPYHeader.longest))
    try NPYHeader(of: bytes).check(byteCount: size)
    try read(until: size)
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
///
/// It is open only while something is written: there may be more of them than a process may have open files.
package struct NPYWriter: Sendable {
  private let path: String

  /// Creates the file at `path`, which must not exist.
  package init(_ path: String, shape: [Int]) throws {
    self.path = path
    try OutputFile.create(path, NPYFormat.header(shape: shape))
  }

  /// Appends the elements of `tensor`.
  ///
  /// - Throws: ``H5ConvError`` of kind `inputOutput` when the disk is full.
  package func append(_ tensor: Tensor) throws {
    try tensor.withUnsafeElements { try OutputFile.append(path, UnsafeRawBufferPointer($0)) }
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
