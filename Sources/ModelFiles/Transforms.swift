package import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvTensors

extension StoredTensor {
  /// The tensor with its axes in another order: axis i of the result is axis `axes[i]` of this one, as `numpy.transpose`.
  package func permuted(_ axes: [Int]) -> StoredTensor {
    guard axes.sorted() == Array(shape.indices), axes != Array(shape.indices) else { return self }
    let source = self
    return StoredTensor(
      path, shape: axes.map { shape[$0] }, type: type,
      MadeSource { try source.gather(axes.map { (axis: $0, isReversed: false) }) })
  }

  /// The tensor with the elements along `axes` in reverse order, as `numpy.flip`.
  package func flipped(_ axes: some Sequence<Int>) -> StoredTensor {
    let flipped = Set(axes)
    let source = self
    return StoredTensor(
      path, shape: shape, type: type,
      MadeSource { try source.gather(source.shape.indices.map { (axis: $0, isReversed: flipped.contains($0)) }) })
  }

  /// Tensors of one type and rank joined along their last axis.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when they do not fit.
  package static func joinedOnLastAxis(_ parts: [StoredTensor], path: String) throws(H5ConvError) -> StoredTensor {
    guard let first = parts.first, let rank = first.shape.indices.last,
      parts.allSatisfy({ $0.type == first.type && $0.shape.dropLast() == first.shape.dropLast() && !$0.shape.isEmpty })
    else { throw H5ConvError(.badData, "weights that belong together do not fit", at: path) }
    var shape = first.shape
    shape[rank] = parts.reduce(0) { $0.clampedSum($1.shape[rank]) }
    return StoredTensor(
      path, shape: shape, type: first.type,
      MadeSource {
        let size = first.type.byteCount ?? 1
        let pieces = try parts.map { (bytes: try $0.bytes(), row: $0.shape[rank] * size) }
        let rows = first.shape.dropLast().reduce(1, *)
        var result: [UInt8] = []
        result.reserveCapacity(pieces.reduce(0) { $0 + $1.bytes.count })
        for row in 0..<rows {
          for piece in pieces { result += piece.bytes[row * piece.row..<(row + 1) * piece.row] }
        }
        return result
      })
  }

  /// The elements read in another order.
  ///
  /// - Parameter axes: for each axis of the result the axis of this tensor, and whether it is read backwards.
  private func gather(_ axes: [(axis: Int, isReversed: Bool)]) throws -> [UInt8] {
    let bytes = try bytes()
    guard let size = type.byteCount, !bytes.isEmpty else { return bytes }
    var strides = Array(repeating: size, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    var start = 0
    let steps = axes.map { axis, isReversed in
      if isReversed { start += strides[axis] * (shape[axis] - 1) }
      return isReversed ? -strides[axis] : strides[axis]
    }
    let sizes = axes.map { shape[$0.axis] }
    return bytes.withUnsafeBytes { source in
      [UInt8](unsafeUninitializedCapacity: bytes.count) { target, filled in
        var index = Array(repeating: 0, count: sizes.count)
        var place = start
        for element in 0..<bytes.count / size {
          for byte in 0..<size { target[element * size + byte] = source[place + byte] }
          var axis = sizes.count - 1
          while axis >= 0 {
            index[axis] += 1
            place += steps[axis]
            if index[axis] < sizes[axis] { break }
            place -= steps[axis] * sizes[axis]
            index[axis] = 0
            axis -= 1
          }
        }
        filled = bytes.count
      }
    }
  }
}

extension StoredTensor {
  /// The variances of a batch normalization that stores standard deviations s and divides by s + `epsilon`, for one that divides
  /// by √(variance + `epsilon`): (s + ε)² − ε.
  package func variance(epsilon: Double) -> StoredTensor {
    let source = self
    return StoredTensor(
      path, shape: shape, type: .float(bytes: 4, bigEndian: false),
      MadeSource {
        try source.tensor().values.flatMap { deviation -> [UInt8] in
          let sum = Double(deviation) + epsilon
          return withUnsafeBytes(of: Float(sum * sum - epsilon).bitPattern.littleEndian) { Array($0) }
        }
      })
  }
}
