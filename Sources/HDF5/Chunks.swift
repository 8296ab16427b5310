import CHDF5
import CHDF5Window
import H5ConvDiagnostics

extension Dataset {
  /// Refuses chunks that do not unpack to exactly a chunk.
  ///
  /// HDF5 takes what a filter gave for a whole chunk: of one that is short it reads on behind its end, other memory or none.
  func checkChunks() throws(H5ConvError) {
    let storage = try storage()
    let filters = storage.filterNumbers
    guard storage.layout == H5D_CHUNKED, !filters.isEmpty, let size = elementType.byteCount, !shape.isEmpty,
      !shape.contains(0)
    else { return }
    let properties = try Handle.properties("read the storage of \(path)") { H5Dget_create_plist(objectID) }
    var extent = [hsize_t](repeating: 0, count: shape.count)
    let rank = try Library.call("read the chunks of \(path)") {
      H5Pget_chunk(properties.id, Int32(clamping: extent.count), &extent)
    }
    guard Int(rank) == shape.count, !extent.contains(0) else { throw damaged("whose chunks have another rank") }
    var chunkBytes = size
    for length in extent {
      let (product, overflow) = chunkBytes.multipliedReportingOverflow(by: Int(clamping: length))
      guard !overflow else { throw damaged("of chunks of \(extent) elements") }
      chunkBytes = product
    }
    var place = [hsize_t](repeating: 0, count: shape.count)
    var buffer: [UInt8] = []
    while true {
      try checkChunk(at: place, of: chunkBytes, filters, &buffer)
      // The next chunk in row-major order.
      var axis = shape.count - 1
      while axis >= 0 {
        place[axis] += extent[axis]
        if place[axis] < hsize_t(clamping: shape[axis]) { break }
        place[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  private func checkChunk(
    at place: [hsize_t], of chunkBytes: Int, _ filters: [H5Z_filter_t], _ buffer: inout [UInt8]
  ) throws(H5ConvError) {
    var stored: hsize_t = 0
    var skipped: UInt32 = 0
    // A chunk that was never written has no size, or (HDF5 1.10) is an error to ask for.
    guard
      (try? Library.call("look at a chunk of \(path)", { H5Dget_chunk_storage_size(objectID, place, &stored) })) != nil,
      stored > 0
    else { return }
    guard let size = Int(exactly: stored), UInt64(size) <= (try fileSize()) else {
      throw damaged("with a chunk of \(stored) bytes")
    }
    if buffer.count < size { buffer = [UInt8](repeating: 0, count: size) }
    _ = try Library.call("read a chunk of \(path)") {
      H5Dread_chunk(objectID, hid_t(H5P_DEFAULT), place, &skipped, &buffer)
    }
    var length = size
    // Read in the opposite order of writing; the mask tells which were left out.
    for (number, filter) in filters.enumerated().reversed() where skipped & (1 << UInt32(number)) == 0 {
      switch filter {
      case H5Z_FILTER_FLETCHER32: length -= 4
      case H5Z_FILTER_DEFLATE:
        length = Int(h5c_inflated_size(buffer, max(0, length), Int64(chunkBytes)))
        guard length >= 0 else { throw damaged("with a chunk that cannot be unpacked") }
      case H5Z_FILTER_SZIP:
        // It begins with the number of bytes that it unpacks to.
        length = size >= 4 ? buffer[0..<4].reversed().reduce(0) { $0 << 8 | Int($1) } : 0
      default: break
      }
    }
    guard length == chunkBytes else {
      throw damaged("with a chunk of \(max(0, length)) bytes, not \(chunkBytes)")
    }
  }

  private func damaged(_ what: String) -> H5ConvError {
    H5ConvError(
      .badData, "a dataset \(what)", at: path, remedy: "the file is damaged or cut short; get it again")
  }
}
