import CHDF5
package import H5ConvDiagnostics

/// A new dataset whose elements are still to be written.
package final class DatasetWriter: AttributeOwner, Sendable {
  private let handle: Handle
  private let type: Handle
  /// Absolute path in the file.
  package let path: String

  package var objectID: Int64 { handle.id }

  init(_ handle: Handle, _ type: Handle, path: String) {
    self.handle = handle
    self.type = type
    self.path = path
  }

  /// Writes all elements.
  ///
  /// - Parameter bytes: the elements in row-major and little-endian order.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(H5ConvError) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    _ = try Library.call("write \(path)", kind: .inputOutput) {
      H5Dwrite(handle.id, type.id, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT), base)
    }
  }

  /// Where the elements will lie in the file; nil when they are packed or there are none.
  package func fileOffset() -> Int? {
    // No error to throw: one that has no address is not contiguous.
    var address: haddr_t = 0
    Library.release { address = H5Dget_offset(handle.id) }
    return Int(exactly: address).flatMap { $0 > 0 ? $0 : nil }
  }
}
