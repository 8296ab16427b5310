import CHDF5
import H5ConvDiagnostics

/// The extent of a dataset or attribute.
enum Dataspace {
  /// Sizes of the axes, outermost first; empty for a scalar, nil for a null dataspace.
  static func shape(of space: Handle) throws(H5ConvError) -> [Int]? {
    let kind = try Library.call("read an extent") { H5Sget_simple_extent_type(space.id).rawValue }
    if kind == H5S_NULL.rawValue { return nil }
    let rank = Int(try Library.call("read an extent") { H5Sget_simple_extent_ndims(space.id) })
    var sizes = [hsize_t](repeating: 0, count: rank)
    if rank > 0 {
      _ = try Library.call("read an extent") { H5Sget_simple_extent_dims(space.id, &sizes, nil) }
    }
    var shape: [Int] = []
    for size in sizes {
      guard let size = Int(exactly: size) else { throw H5ConvError(.limit, "an axis of \(size) elements") }
      shape.append(size)
    }
    return shape
  }

  /// A dataspace of `shape`; axis 0 may grow without limit when `isExtendable`.
  static func create(_ shape: [Int], isExtendable: Bool = false) throws(H5ConvError) -> Handle {
    let sizes = shape.map { hsize_t(clamping: $0) }
    if shape.isEmpty { return try Handle.space("make an extent") { H5Screate(H5S_SCALAR) } }
    var limits = sizes
    if isExtendable { limits[0] = hsize_t.max }
    return try Handle.space("make an extent") { H5Screate_simple(Int32(clamping: sizes.count), sizes, limits) }
  }

  /// Number of elements of `shape`, with overflow as an error.
  static func elementCount(of shape: [Int]) throws(H5ConvError) -> Int {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw H5ConvError(.limit, "an extent of \(shape) elements") }
      count = product
    }
    return count
  }
}
