import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// A number for each axis of a volume.
struct Axes {
  let depth: Int
  let height: Int
  let width: Int

  /// A number for each of one to three spatial axes: the one of a sequence is the height, so that threads can share it, or the
  /// width, where they share single cells; what is missing is `filling`.
  init(_ numbers: some RandomAccessCollection<Int>, filling: Int, sequenceIsWide: Bool = false) {
    var rest = numbers[...]
    depth = rest.count > 2 ? rest.popFirst() ?? filling : filling
    height = rest.count == 1 && sequenceIsWide ? filling : rest.popFirst() ?? filling
    width = rest.popFirst() ?? filling
  }
}

/// The axes of an image tensor as the loops see them: (batch, depth, height, width, channels).
struct Grid {
  var batch: Int
  let depth: Int
  let height: Int
  let width: Int
  let channels: Int
  /// Elements of one depth of one image.
  let plane: Int

  init(_ shape: [Int], sequenceIsWide: Bool = false) throws {
    guard (3...5).contains(shape.count) else {
      throw H5ConvError(.internalFault, "a tensor of shape \(shape) among images")
    }
    let axes = Axes(shape[1..<shape.count - 1], filling: 1, sequenceIsWide: sequenceIsWide)
    (batch, depth, height, width) = (shape[0], axes.depth, axes.height, axes.width)
    channels = shape[shape.count - 1]
    let (row, rowOverflow) = width.multipliedReportingOverflow(by: channels)
    let (plane, planeOverflow) = height.multipliedReportingOverflow(by: row)
    guard !rowOverflow, !planeOverflow, !depth.multipliedReportingOverflow(by: plane).overflow else {
      throw H5ConvError(.limit, "images of shape \(shape)")
    }
    self.plane = plane
  }

  /// The axes of a tensor with one or two spatial ones.
  init(flat shape: [Int]) throws {
    guard shape.count < 5 else { throw H5ConvError(.internalFault, "a volume of shape \(shape) among images") }
    try self.init(shape)
  }
}

/// A window over depth, height and width.
struct VolumeWindow {
  let size: Axes
  let strides: Axes
  let dilation: Axes
  let before: Axes

  init(_ window: Window, sequenceIsWide isWide: Bool = false) {
    size = Axes(window.size, filling: 1, sequenceIsWide: isWide)
    strides = Axes(window.strides, filling: 1, sequenceIsWide: isWide)
    dilation = Axes(window.dilation, filling: 1, sequenceIsWide: isWide)
    before = Axes(window.before, filling: 0, sequenceIsWide: isWide)
  }
}

extension h5k_window {
  /// Height and width of `window`.
  init(_ window: VolumeWindow, input: Grid, output: Grid) {
    self.init(
      height: input.height, width: input.width, channels: input.channels, out_height: output.height,
      out_width: output.width, kernel_height: window.size.height, kernel_width: window.size.width,
      stride_y: window.strides.height, stride_x: window.strides.width, dilation_y: window.dilation.height,
      dilation_x: window.dilation.width, pad_top: window.before.height, pad_left: window.before.width)
  }
}
