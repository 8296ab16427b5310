import H5ConvConfig
import H5ConvDiagnostics

/// Largest kernel, stride or padding that is taken for real.
let sizeLimit = 1 << 20

/// Padding of a convolution or pooling.
enum Padding: String { case valid, same, causal }

/// The arithmetic of a window that slides over one axis.
enum Sliding {
  /// Cells that a kernel of `size` covers when its taps stand `dilation` apart: (size − 1)·dilation + 1.
  static func extent(_ size: Int, dilation: Int) -> Int { (size - 1) * dilation + 1 }

  /// Output length for an input of `length`; nil when that is not known.
  ///
  /// Same: ⌈n/s⌉. Valid: ⌊(n − extent)/s⌋ + 1.
  /// - Throws: `H5ConvError` when the window is larger than the input.
  static func outputLength(_ length: Int?, extent: Int, stride: Int, padding: Padding) throws -> Int? {
    guard let length else { return nil }
    if padding == .same || padding == .causal { return (length + stride - 1) / stride }
    guard length >= extent else {
      throw H5ConvError(.badData, "a window of \(extent) on an axis of \(length)")
    }
    return (length - extent) / stride + 1
  }

  /// Padding before the input: half of what is missing, rounded down (TensorFlow's rule: the odd cell goes behind).
  static func before(_ length: Int, extent: Int, stride: Int, padding: Padding) -> Int {
    switch padding {
    case .valid: return 0
    case .causal: return extent - 1
    case .same:
      let output = (length + stride - 1) / stride
      return max((output - 1) * stride + extent - length, 0) / 2
    }
  }
}

extension ConfigReader {
  /// `data_format`, or Keras 1's `dim_ordering`.
  func dataFormat() throws -> DataFormat {
    switch try string("data_format", default: string("dim_ordering", default: "channels_last")) {
    case "channels_last", "tf", "default": .channelsLast
    case "channels_first", "th": .channelsFirst
    case let other: throw error("data_format", "'\(other)' is neither channels_last nor channels_first")
    }
  }

  func padding() throws -> Padding {
    let name = try string("padding", default: "valid").lowercased()
    guard let padding = Padding(rawValue: name) else {
      throw error("padding", "'\(name)' is none of valid, same, causal")
    }
    return padding
  }

  /// Kernel sizes, strides and dilations of a layer that slides over `rank` spatial axes.
  ///
  /// - Parameter stridesDefault: the step when the config has no `strides`; nil for the kernel's size.
  func window(kernel: String, rank: Int, stridesDefault: Int?) throws -> (
    size: [Int], strides: [Int], dilation: [Int]
  ) {
    let size = try sizes(kernel, rank: rank, in: 1...sizeLimit)
    let strides =
      has("strides")
      ? try sizes("strides", rank: rank, in: 1...sizeLimit)
      : stridesDefault.map { Array(repeating: $0, count: rank) } ?? size
    let dilation = try sizes("dilation_rate", rank: rank, default: 1, in: 1...sizeLimit)
    return (size, strides, dilation)
  }
}
