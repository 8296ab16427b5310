import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// The axes of an image tensor as the loops see them: (batch, depth, height, width, channels).
///
/// A picture has a depth of 1; the one spatial axis of a sequence is the height, so that threads can share it.
struct Grid {
  let batch: Int
  let depth: Int
  let height: Int
  let width: Int
  let channels: Int

  init(_ shape: [Int]) throws {
    guard (3...5).contains(shape.count), Tensor.elementCount(of: Array(shape.dropFirst())) != nil else {
      throw H5ConvError(.internalFault, "a tensor of shape \(shape) among images")
    }
    let axes = Grid.volume(Array(shape[1..<shape.count - 1]), filling: 1)
    (depth, height, width) = (axes[0], axes[1], axes[2])
    (batch, channels) = (shape[0], shape[shape.count - 1])
  }

  /// Elements of one depth of one image.
  var plane: Int { height * width * channels }

  /// One number for each of one to three spatial axes as numbers for depth, height and width.
  static func volume(_ numbers: [Int], filling: Int) -> [Int] {
    switch numbers.count {
    case 1: [filling, numbers[0], filling]
    case 2: [filling] + numbers
    default: numbers
    }
  }
}

extension Window {
  /// The same window over depth, height and width.
  var overVolume: Window {
    Window(
      size: Grid.volume(size, filling: 1), strides: Grid.volume(strides, filling: 1),
      dilation: Grid.volume(dilation, filling: 1), before: Grid.volume(before, filling: 0))
  }
}

extension h5k_window {
  /// Height and width of `window`, which is over a volume.
  init(_ window: Window, input: Grid, output: Grid) {
    self.init(
      height: input.height, width: input.width, channels: input.channels, out_height: output.height,
      out_width: output.width, kernel_height: window.size[1], kernel_width: window.size[2],
      stride_y: window.strides[1], stride_x: window.strides[2], dilation_y: window.dilation[1],
      dilation_x: window.dilation[2], pad_top: window.before[1], pad_left: window.before[2])
  }
}
