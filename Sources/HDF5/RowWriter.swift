import CHDF5
package import H5ConvDiagnostics

/// A dataset that grows along axis 0 while rows are appended: results of many images in constant memory.
package final class RowWriter: Sendable {
  private let handle: Handle
  private let path: String
  private let rowShape: [Int]

  init(_ handle: Handle, path: String, rowShape: [Int]) {
    self.handle = handle
    self.path = path
    self.rowShape = rowShape
  }

  /// Writes `elements`, whole rows in row-major order, behind the `written` rows that are there.
  package func append(_ elements: UnsafeBufferPointer<Float>, after written: Int) throws(H5ConvError) {
    let rowCount = max(1, try Dataspace.elementCount(of: rowShape))
    let rows = elements.count / rowCount
    guard rows * rowCount == elements.count, let base = elements.baseAddress, rows > 0 else {
      throw H5ConvError(.internalFault, "\(elements.count) elements are not whole rows of \(rowShape)", at: path)
    }
    let total = ([written + rows] + rowShape).map { hsize_t(clamping: $0) }
    _ = try Library.call("grow \(path)", kind: .inputOutput) { H5Dset_extent(handle.id, total) }
    let target = try Handle.space("grow \(path)") { H5Dget_space(handle.id) }
    let start = ([written] + rowShape.map { _ in 0 }).map { hsize_t(clamping: $0) }
    let count = ([rows] + rowShape).map { hsize_t(clamping: $0) }
    _ = try Library.call("select rows of \(path)") {
      H5Sselect_hyperslab(target.id, H5S_SELECT_SET, start, nil, count, nil)
    }
    let source = try Dataspace.create([rows] + rowShape)
    let type = try Library.call("name a type") { h5c_native_float() }
    _ = try Library.call("write \(path)", kind: .inputOutput) {
      H5Dwrite(handle.id, type, source.id, target.id, hid_t(H5P_DEFAULT), base)
    }
  }
}
