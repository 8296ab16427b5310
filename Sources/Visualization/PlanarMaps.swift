import H5ConvTensors

/// The channels of a layer, each one contiguous (height, width) plane: the order in which they are measured and drawn.
struct PlanarMaps: Sendable {
  let height: Int
  let width: Int
  let channels: Int
  /// Activations in the order (channels, height, width).
  let values: [Float]

  /// Pixels of one channel.
  var area: Int { height * width }

  init(height: Int, width: Int, channels: Int, values: [Float]) {
    self.height = height
    self.width = width
    self.channels = channels
    self.values = values
  }

  /// Takes (height, width, channels).
  init(_ tensor: Tensor) {
    let (height, width, channels) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let values = tensor.withUnsafeElements { transposed($0, rows: height * width, columns: channels) }
    self.init(height: height, width: width, channels: channels, values: values)
  }

  /// Calls `body` with each channel's number and values, in order.
  func forEachChannel(_ body: (Int, UnsafeBufferPointer<Float>) throws -> Void) rethrows {
    try values.withUnsafeBufferPointer { values in
      for channel in 0..<channels {
        try body(channel, UnsafeBufferPointer(rebasing: values[channel * area..<(channel + 1) * area]))
      }
    }
  }
}

/// A matrix of `rows` × `columns` with its axes swapped.
///
/// In blocks of a cache line, so that neither side is read or written sparsely.
func transposed(_ matrix: UnsafeBufferPointer<Float>, rows: Int, columns: Int) -> [Float] {
  let block = 16
  return [Float](unsafeUninitializedCapacity: matrix.count) { target, count in
    guard let from = matrix.baseAddress, let to = target.baseAddress else { return }
    for firstRow in stride(from: 0, to: rows, by: block) {
      let some = firstRow..<min(firstRow + block, rows)
      for firstColumn in stride(from: 0, to: columns, by: block) {
        for column in firstColumn..<min(firstColumn + block, columns) {
          let line = to + column * rows
          for row in some { (line + row).initialize(to: from[row * columns + column]) }
        }
      }
    }
    count = matrix.count
  }
}
