import CKernels
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// A convolution made ready for one input shape: how it is computed is chosen, and its kernel lies as the loops read it.
struct PackedConvolution: Sendable {
  enum Method: Equatable, Sendable {
    /// Sums over the window's taps.
    case direct
    /// Winograd's algorithm for tiles of `tile` × `tile` results, with a kernel that is kept transformed, or as it stands.
    case winograd(tile: Int, isTransformed: Bool)
  }

  private(set) var shape: ConvolutionShape
  let method: Method
  /// How the threads share the work where the kernel is transformed while it runs.
  private var share: WinogradShare?
  private let threadCount: Int
  let activation: h5k_activation
  /// Whether only the largest of each 2 × 2 results is kept.
  let pools: Bool
  /// The kernel, packed for the loops.
  let packed: Tensor
  let bias: Tensor?

  /// - Parameters:
  ///   - kernel: axes (spatial axes, input channels / groups, filters).
  ///   - scale: what each filter is multiplied by; nil for 1.
  ///   - pools: whether only the largest of each 2 × 2 results is kept, which Winograd's algorithm can do.
  ///   - isExact: whether only sums over taps are allowed.
  init(
    _ shape: ConvolutionShape, kernel: Tensor, scale: [Float]?, bias: Tensor?, _ activation: Activation, pools: Bool,
    isExact: Bool, _ threads: Threads
  ) throws {
    guard kernel.count == shape.taps * shape.groupChannels * shape.filters,
      (bias?.count ?? shape.filters) == shape.filters,
      (scale?.count ?? shape.filters) == shape.filters
    else {
      throw H5ConvError(
        .badData, "a kernel of shape \(kernel.shape) for \(shape.groupChannels) channels and \(shape.filters) filters")
    }
    self.shape = shape
    self.bias = bias
    self.activation = activation.forKernels
    self.pools = pools
    threadCount = threads.count
    method = isExact ? .direct : shape.fastestMethod
    guard method != .direct || !pools else { throw H5ConvError(.internalFault, "a sum over taps with a maximum") }
    switch method {
    case .winograd(let tile, isTransformed: true):
      packed = try shape.winogradPack(kernel, scale: scale, tile: tile, threads)
    case .winograd(let tile, isTransformed: false):
      packed = try shape.pack(kernel, scale: scale, threads)
      share = WinogradShare(shape, tile: tile, threads: threadCount)
    case .direct:
      packed = try shape.pack(kernel, scale: scale, threads)
    }
  }

  /// The same for a batch of `count` images.
  func forImages(_ count: Int) -> PackedConvolution {
    var other = self
    other.shape = shape.forImages(count)
    if case .winograd(let tile, isTransformed: false) = method {
      other.share = WinogradShare(other.shape, tile: tile, threads: threadCount)
    }
    return other
  }

  /// Computes the convolution of `image`.
  ///
  /// - Parameter addend: is added before the activation, of the result's shape.
  func run(_ image: Tensor, addend: Tensor?, into target: UnsafeMutablePointer<Float>, _ threads: Threads) throws {
    guard shape.pixels > 0, shape.filters > 0 else { return }
    // As long as any run of floats that is read where the image has no cells.
    let zeros = try Tensor(shape: [max(shape.run, shape.from.channels)]) { $0.initialize(repeating: 0) }
    let image = try method == .direct && shape.needsBorder ? shape.bordered(image, threads) : image
    packed.withUnsafeElements { packed in
      image.withUnsafeElements { image in
        zeros.withUnsafeElements { zeros in
          PlanStep.withOptional(bias) { bias in
            PlanStep.withOptional(addend) { addend in
              switch method {
              case .direct:
                var call = shape.direct
                call.image = image.baseAddress
                call.zeros = zeros.baseAddress
                call.packed = packed.baseAddress
                call.bias = bias
                call.addend = addend
                call.target = target
                call.f = activation
                shape.sum(&call, threads)
              case .winograd(let tile, _):
                var call = shape.winograd(tile: tile)
                call.image = image.baseAddress
                call.zeros = zeros.baseAddress
                call.packed = packed.baseAddress
                call.bias = bias
                call.addend = addend
                call.target = target
                call.f = activation
                call.pools = pools ? 1 : 0
                if let share {
                  share.run(call, threads)
                } else {
                  Winograd(call, threads).run(images: shape.from.batch)
                }
              }
            }
          }
        }
      }
    }
  }
}

/// The sizes of a convolution for one input shape.
struct ConvolutionShape: Sendable {
  private(set) var from: Grid
  private(set) var to: Grid
  let window: VolumeWindow
  let groups: Int

  init(_ window: Window, groups: Int, from: [Int], to: [Int]) throws {
    self.from = try Grid(from, sequenceIsWide: true)
    self.to = try Grid(to, sequenceIsWide: true)
    self.window = VolumeWindow(window, sequenceIsWide: true)
    self.groups = max(1, groups)
  }

  /// The same for a batch of `count` images.
  func forImages(_ count: Int) -> ConvolutionShape {
    var other = self
    other.from.batch = count
    other.to.batch = count
    return other
  }

  var filters: Int { to.channels }
  var groupChannels: Int { from.channels / groups }
  var taps: Int { window.size.depth * window.size.height * window.size.width }
  /// Cells of the result.
  var pixels: Int { to.batch * to.depth * to.height * to.width }

  /// Whether each cell of the result is made of the same cell of the image.
  private var isPointwise: Bool {
    taps == 1 && window.strides.depth == 1 && window.strides.height == 1 && window.strides.width == 1
      && (from.depth, from.height, from.width) == (to.depth, to.height, to.width)
      && (window.before.depth, window.before.height, window.before.width) == (0, 0, 0)
  }

  /// Whether the taps of a row of the kernel are read as one run of channels.
  ///
  /// Few channels make short sums. An image whose rows have cells of padding is copied for it, which pays for few channels only.
  var joinsRows: Bool {
    groups == 1 && window.dilation.width == 1 && window.size.width > 1 && (!padsRows || from.channels < 16)
  }

  /// Cells behind a row that the window reads.
  private var after: Int {
    max(0, (to.width - 1) * window.strides.width + window.size.width - window.before.width - from.width)
  }
  private var padsRows: Bool { window.before.width > 0 || after > 0 }
  var needsBorder: Bool { joinsRows && padsRows }

  /// Floats that a tap reads.
  var run: Int { joinsRows ? window.size.width * groupChannels : groupChannels }

  /// The image with the cells of padding before and behind each row.
  func bordered(_ image: Tensor, _ threads: Threads) throws -> Tensor {
    let rows = from.batch * from.depth * from.height
    let line = from.width * from.channels
    let (before, behind) = (window.before.width * from.channels, after * from.channels)
    let (rest, overflow) = line.addingReportingOverflow(before + behind)
    guard !overflow else { throw H5ConvError(.limit, "a padding of \(before + behind)") }
    return try Tensor(shape: [rows, rest]) { target in
      guard let target = target.baseAddress else { return }
      image.withBase { image in
        threads.forEachRange(rows, least: max(1, (1 << 14) / max(1, rest))) { range in
          for row in range {
            let place = target + row * rest
            place.update(repeating: 0, count: before)
            (place + before).update(from: image + row * line, count: line)
            (place + before + line).update(repeating: 0, count: behind)
          }
        }
      }
    }
  }

  /// The convolution as the loops want it, without pointers.
  var direct: h5k_convolution {
    var call = h5k_convolution()
    call.window = h5k_window(window, input: from, output: to)
    if needsBorder {
      call.window.width += window.before.width + after
      call.window.pad_left = 0
    }
    call.depth = from.depth
    call.out_depth = to.depth
    call.kernel_depth = window.size.depth
    call.stride_z = window.strides.depth
    call.dilation_z = window.dilation.depth
    call.pad_front = window.before.depth
    if isPointwise {
      // All cells of all images are one row.
      (call.window.height, call.window.width, call.depth) = (1, pixels, 1)
      (call.window.out_height, call.window.out_width, call.out_depth) = (1, pixels, 1)
    }
    call.groups = groups
    call.group_channels = groupChannels
    call.group_filters = filters / groups
    call.joins_rows = joinsRows ? 1 : 0
    return call
  }

  /// The kernel of each group, packed, one behind the other.
  func pack(_ kernel: Tensor, scale: [Float]?, _ threads: Threads) throws -> Tensor {
    let inner = taps * groupChannels
    let columns = filters / groups
    let each = PlanStep.loops.packed_count(inner, columns)
    let panel = PlanStep.loops.panel
    let panels = (columns + panel - 1) / panel
    return try Tensor(shape: [groups, each]) { target in
      guard let target = target.baseAddress else { return }
      kernel.withBase { kernel in
        threads.forEach(groups * panels) { item in
          let (group, number) = item.quotientAndRemainder(dividingBy: panels)
          let column = number * panel
          let first = group * columns + column
          PlanStep.withScale(scale, from: first) { scale in
            PlanStep.loops.pack(
              target + group * each + column * inner, kernel + first, inner, min(panel, columns - column), filters,
              scale)
          }
        }
      }
    }
  }

  /// Sums over taps: the threads share the pixels, or where these are few and the weights many, the filters.
  ///
  /// Who shares the pixels reads all weights; who shares the filters reads all pixels, most of which another thread wrote.
  func sum(_ call: inout h5k_convolution, _ threads: Threads) {
    let loops = PlanStep.loops
    let panels = (filters / groups + loops.panel - 1) / loops.panel
    let pointers = max(
      Int(h5k_most_pointers), Int(call.kernel_depth * call.window.kernel_height * call.window.kernel_width))
    let weights = taps * groupChannels * filters
    let cells = (from.plane * from.depth + to.plane * to.depth) * to.batch
    let isShort = pixels < 4 * threads.count * loops.rows
    let sharesFilters =
      pixels <= 40 * loops.rows && panels >= 2 * threads.count && (weights > 2 * cells || isShort)
    let parts = sharesFilters ? min(panels, 4 * threads.count) : 1
    let chunks: Int
    if sharesFilters {
      // Parts that the threads cannot share equally are divided once more.
      chunks = parts % threads.count == 0 ? 1 : min(threads.count, max(1, pixels / loops.rows))
    } else {
      // As many for each thread, three or four of whole blocks; more where as many pixels as are computed at once are fewer.
      let share = (pixels + threads.count - 1) / threads.count
      let blocks = max(2, min(20, (share + 4 * loops.rows - 1) / (4 * loops.rows)))
      let each = (share + blocks * loops.rows - 1) / (blocks * loops.rows)
      chunks = min(threads.count * each, max(1, pixels / loops.rows))
    }
    withUnsafePointer(to: &call) { call in
      threads.forEach(chunks * parts) { item in
        let (part, number) = item.quotientAndRemainder(dividingBy: chunks)
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: pointers) { pointers in
          loops.convolve(
            call, pointers.baseAddress, number * pixels / chunks, (number + 1) * pixels / chunks, part * panels / parts,
            (part + 1) * panels / parts)
        }
      }
    }
  }
}

extension PlanStep {
  /// Calls `body` with the elements of `scale` from `first` on.
  static func withScale(_ scale: [Float]?, from first: Int, _ body: (UnsafePointer<Float>?) -> Void) {
    guard let scale else { return body(nil) }
    scale.withUnsafeBufferPointer { buffer in body(buffer.baseAddress.map { $0 + first }) }
  }

  func convolution(_ inputs: [Tensor], _ threads: Threads) throws -> Tensor {
    guard let convolution else { throw H5ConvError(.internalFault, "a convolution that was not prepared") }
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      try convolution.run(inputs[0], addend: inputs.count > 1 ? inputs[1] : nil, into: target, threads)
    }
  }
}
