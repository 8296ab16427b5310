import H5ConvHDF5
import H5ConvDiagnostics
import H5ConvTensors

extension StoredTensor {
  /// The elements repeated along the axes of 1 so that the shape is `shape`, as `numpy.broadcast_to`; nil when it does not fit.
  package func broadcast(to shape: [Int]) -> StoredTensor? {
    guard shape.count == self.shape.count, zip(self.shape, shape).allSatisfy({ $0 == 1 || $0 == $1 }) else {
      return nil
    }
    let source = self
    return StoredTensor(path, shape: shape, type: type, MadeSource { try source.repeated(to: shape) })
  }

  private func repeated(to shape: [Int]) throws -> [UInt8] {
    let size = type.byteCount ?? 1
    guard let count = Tensor.elementCount(of: shape), count <= 1 << 28 else {
      throw H5ConvError(.limit, "a weight of shape \(self.shape) for one of \(shape)", at: path)
    }
    var bytes = try bytes()
    // From the last axis to the first: rows of what is behind the axis, each repeated.
    var row = size
    for axis in shape.indices.reversed() {
      if self.shape[axis] != shape[axis] {
        var repeated: [UInt8] = []
        repeated.reserveCapacity(bytes.count * shape[axis])
        for start in stride(from: 0, to: bytes.count, by: max(row, 1)) {
          for _ in 0..<shape[axis] { repeated += bytes[start..<start + row] }
        }
        bytes = repeated
      }
      row *= shape[axis]
    }
    return bytes
  }
}
