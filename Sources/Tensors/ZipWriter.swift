import CZip
import Glibc
import H5ConvDiagnostics
import H5ConvFiles

/// Writes zip archives whose members are stored, with fixed times so that the same model gives the same bytes.
package enum ZipWriter {
  package enum Content {
    case bytes([UInt8])
    case file(String)
  }

  /// - Throws: ``H5ConvError`` of kind `cannotWrite` or `inputOutput` with libzip's reason.
  package static func write(_ path: String, _ members: [(name: String, content: Content)]) throws {
    // libzip writes no archive of nothing; it is only the end of a directory.
    if members.isEmpty {
      return try OutputFile.create(path, Array("PK".utf8) + [5, 6] + Array(repeating: 0, count: 18))
    }
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code) else {
      var reason = zip_error_t()
      zip_error_init_with_code(&reason, code)
      defer { zip_error_fini(&reason) }
      throw H5ConvError(.cannotWrite, String(cString: zip_error_strerror(&reason)), file: path)
    }
    /// The archive's error; the archive is given up.
    func failure() -> H5ConvError {
      let reason = String(cString: zip_strerror(archive))
      zip_discard(archive)
      return H5ConvError(.inputOutput, "cannot be written: \(reason)", file: path)
    }
    for (name, content) in members {
      let source: OpaquePointer?
      switch content {
      case .file(let file): source = zip_source_file(archive, file, 0, -1)
      case .bytes(let bytes):
        // libzip frees the copy when it is done.
        guard let copy = malloc(max(1, bytes.count)) else { throw failure() }
        bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(copy, base, bytes.count) } }
        source = zip_source_buffer(archive, copy, UInt64(bytes.count), 1)
        if source == nil { free(copy) }
      }
      guard let source else { throw failure() }
      let index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8)
      guard index >= 0 else {
        zip_source_free(source)
        throw failure()
      }
      zip_set_file_compression(archive, UInt64(index), ZIP_CM_STORE, 0)
      // 1 January 1980, the first day that the format knows.
      zip_file_set_dostime(archive, UInt64(index), 0, 0x21, 0)
    }
    guard zip_close(archive) == 0 else { throw failure() }
  }
}
