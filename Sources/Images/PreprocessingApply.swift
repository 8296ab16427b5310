import H5ConvDiagnostics
package import H5ConvTensors

extension Preprocessing {
  /// The raster as a batch of one that a model takes.
  ///
  /// Every step is a float32 operation in the order of `keras.applications.imagenet_utils.preprocess_input` on a numpy
  /// array, so that the numbers are the same to the bit.
  ///
  /// - Parameters:
  ///   - raster: Grey or RGB. `caffe` and `torch` need RGB.
  ///   - channelsFirst: Whether the axes are (1, channels, height, width) instead of (1, height, width, channels).
  /// - Throws: ``H5ConvError`` of kind `usage` when the raster has another number of channels than the formula.
  package func apply(_ raster: Raster, channelsFirst: Bool) throws -> Tensor {
    let samples = (0...255).map { Float($0) }
    let tables = try (0..<raster.channels).map { samples.map(try formula(channel: $0, of: raster.channels)) }
    let (channels, plane) = (raster.channels, raster.width * raster.height)
    let shape =
      channelsFirst ? [1, channels, raster.height, raster.width] : [1, raster.height, raster.width, channels]
    return try Tensor(shape: shape) { target in
      raster.pixels.withUnsafeBufferPointer { pixels in
        for channel in 0..<channels {
          let source = self == .caffe ? channels - 1 - channel : channel
          let (start, step) = channelsFirst ? (channel * plane, 1) : (channel, channels)
          tables[channel].withUnsafeBufferPointer { values in
            for pixel in 0..<plane { target[start + pixel * step] = values[Int(pixels[pixel * channels + source])] }
          }
        }
      }
    }
  }

  /// The same for pictures that are numbers 0…255 already.
  ///
  /// - Parameter pictures: (batch, height, width, channels), or (batch, channels, height, width) when `channelsFirst`.
  /// - Throws: ``H5ConvError`` of kind `usage` when they have another number of axes or channels than the formula.
  package func apply(_ pictures: Tensor, channelsFirst: Bool) throws -> Tensor {
    if self == .none { return pictures }
    let shape = pictures.shape
    guard shape.count == 4 else {
      throw H5ConvError(.usage, "an array of shape \(shape) is no batch of pictures that could be preprocessed")
    }
    let channels = channelsFirst ? shape[1] : shape[3]
    let step = channelsFirst ? shape[2] * shape[3] : 1
    let formulas = try (0..<channels).map { try formula(channel: $0, of: channels) }
    return try Tensor(shape: shape) { target in
      pictures.withUnsafeElements { source in
        for place in target.indices {
          let channel = place / step % channels
          let from = self == .caffe ? place + (channels - 1 - 2 * channel) * step : place
          target[place] = formulas[channel](source[from])
        }
      }
    }
  }

  /// What becomes of a sample in the given channel of the result.
  private func formula(channel: Int, of channels: Int) throws -> (Float) -> Float {
    switch self {
    case .none: return { $0 }
    case .rescale: return { $0 / 255 }
    case .tf: return { $0 / 127.5 - 1 }
    case .caffe:
      let mean = try imageNet([103.939, 116.779, 123.68], channel, of: channels)
      return { $0 - mean }
    case .torch:
      let mean = try imageNet([0.485, 0.456, 0.406], channel, of: channels)
      let std = try imageNet([0.229, 0.224, 0.225], channel, of: channels)
      return { ($0 / 255 - mean) / std }
    case .custom(let means, let stds):
      let mean = try number(means, "mean", channel, of: channels)
      let std = try number(stds, "std", channel, of: channels)
      guard mean.isFinite, std.isFinite, std != 0 else {
        throw H5ConvError(.usage, "mean and std must be finite numbers, and std not 0")
      }
      return { ($0 - mean) / std }
    }
  }

  private func imageNet(_ numbers: [Float], _ channel: Int, of channels: Int) throws -> Float {
    guard channels == numbers.count else {
      let name = self == .caffe ? "caffe" : "torch"
      throw H5ConvError(
        .usage, "the preprocessing \(name) needs three channels, and the model's input has \(channels)",
        remedy: "use none, rescale, tf or mean:M,std:S")
    }
    return numbers[channel]
  }

  private func number(_ numbers: [Float], _ what: String, _ channel: Int, of channels: Int) throws -> Float {
    if numbers.count == 1 { return numbers[0] }
    guard numbers.count == channels else {
      throw H5ConvError(
        .usage, "\(numbers.count) numbers for \(what), and the model's input has \(channels) channels",
        remedy: "give one number, or one for each channel")
    }
    return numbers[channel]
  }
}
