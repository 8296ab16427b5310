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

  /// Transposes (height, width, channels) in blocks of a cache line, so that neither side is read or written sparsely.
  init(_ tensor: Tensor) {
    let (height, width, channels) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let area = height * width
    let block = 16
    let values = [Float](unsafeUninitializedCapacity: tensor.count) { target, count in
      tensor.withUnsafeElements { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for firstPixel in stride(from: 0, to: area, by: block) {
          let pixels = firstPixel..<min(firstPixel + block, area)
          for firstChannel in stride(from: 0, to: channels, by: block) {
            for channel in firstChannel..<min(firstChannel + block, channels) {
              let plane = to + channel * area
              for pixel in pixels { (plane + pixel).initialize(to: from[pixel * channels + channel]) }
            }
          }
        }
      }
      count = tensor.count
    }
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
