import CKernels
import H5ConvTensors

extension ConvolutionShape {
  /// The method that is estimated to take the least time.
  ///
  /// Counted in products of a sum over taps. A weight that is read from memory counts as many products as a few vectors hold, and
  /// one that is transformed while it runs counts many more, so that large kernels are not blown up for few pixels; the constants
  /// were measured on processors with AVX2 and AVX-512.
  var fastestMethod: PackedConvolution.Method {
    guard groups == 1, from.depth == 1, to.depth == 1, window.size.depth == 1, window.before.depth == 0,
      window.size.height == 3, window.size.width == 3, window.strides.height == 1, window.strides.width == 1,
      window.dilation.height == 1, window.dilation.width == 1, from.channels >= 16, filters >= 8
    else { return .direct }
    let channels = Double(from.channels)
    let filters = Double(filters)
    let lanes = Double(PlanStep.loops.lanes)
    // What reading some weights is worth; more for each where all of them take much memory.
    func reading(_ count: Double) -> Double { count * lanes * (2 + count / Double(1 << 21)) }
    let products = 9 * channels * filters
    // A panel of one vector of filters waits for the pixels as often as one of two.
    let narrow = 1 + 0.8 * lanes / filters
    var best = (method: PackedConvolution.Method.direct, cost: products * Double(pixels) * narrow + reading(products))
    func consider(_ method: PackedConvolution.Method, _ cost: Double) {
      if cost < best.cost { best = (method, cost) }
    }
    for tile in [2, 4] {
      let tiles = Double(to.batch * ((to.height + tile - 1) / tile) * ((to.width + tile - 1) / tile))
      let products = Double((tile + 2) * (tile + 2)) * channels * filters
      let transforms = (tile == 4 ? 870 : 340) * (channels + filters)
      consider(.winograd(tile: tile, isTransformed: true), tiles * (products + transforms) + reading(products))
      // Its products are summed in parts, and its pixels transformed again for other filters.
      let kernel = (tile == 4 ? 700 : 300) * channels * filters + reading(9 * channels * filters)
      consider(.winograd(tile: tile, isTransformed: false), tiles * (1.15 * products + 1.5 * transforms) + kernel)
    }
    return best.method
  }

  /// The transformed kernel: (tile + 2)² packed matrices.
  func winogradPack(_ kernel: Tensor, scale: [Float]?, tile: Int, _ threads: Threads) throws -> Tensor {
    let loops = PlanStep.loops
    let matrices = (tile + 2) * (tile + 2)
    return try Tensor(shape: [matrices, loops.packed_count(from.channels, filters)]) { target in
      guard let target = target.baseAddress else { return }
      kernel.withBase { kernel in
        PlanStep.withScale(scale, from: 0) { scale in
          threads.forEachRange(from.channels, least: 8) { range in
            loops.winograd_pack(
              target, kernel, from.channels, filters, Int32(tile), scale, range.lowerBound, range.upperBound)
          }
        }
      }
    }
  }

  /// The convolution as the loops want it, without pointers.
  func winograd(tile: Int) -> h5k_winograd {
    var call = h5k_winograd()
    (call.height, call.width, call.channels) = (from.height, from.width, from.channels)
    (call.out_height, call.out_width, call.filters) = (to.height, to.width, filters)
    (call.pad_top, call.pad_left) = (window.before.height, window.before.width)
    call.tile = tile
    (call.tiles_y, call.tiles_x) = ((to.height + tile - 1) / tile, (to.width + tile - 1) / tile)
    return call
  }
}

/// How threads share the tiles and filters of a convolution whose kernel is transformed while it runs.
///
/// Each takes all steps for some tiles and panels of filters, so that everything but the image and the kernel stays in its
/// second-level cache. Tiles are transformed once for all panels that are taken at once, and the kernel once for all tiles.
struct WinogradShare: Sendable {
  /// Tiles of the batch, and parts that they are divided into.
  private let tiles: Int
  private var tileParts = 1
  private let panels: Int
  private var panelParts = 1
  /// Channels that are summed at a time.
  private var channels: Int

  init(_ shape: ConvolutionShape, tile: Int, threads: Int) {
    let loops = PlanStep.loops
    let call = shape.winograd(tile: tile)
    tiles = shape.from.batch * call.tiles_y * call.tiles_x
    panels = (call.filters + loops.panel - 1) / loops.panel
    channels = call.channels
    guard tiles > 0, panels > 0, channels > 0 else { return }
    let matrices = Double((tile + 2) * (tile + 2))
    let room = h5k_second_level_cache() / 5 * 4 / MemoryLayout<Float>.stride
    var least = Double.infinity
    var (tileParts, panelParts, channels) = (1, 1, channels)
    var divided = 1
    while divided <= panels {
      let some = (panels + divided - 1) / divided
      var pieces = 1
      while pieces == 1 || (tiles + pieces - 1) / pieces >= loops.rows {
        let count = (tiles + pieces - 1) / pieces
        for width in [256, 128, 64, 32] {
          let atOnce = min(width, call.channels)
          let floats = loops.winograd_plain_scratch(tile, count, atOnce, some)
          // What does not fit in the end is computed as well, slowly.
          guard floats <= room || width == 32 else { continue }
          let rounds = (divided * pieces + threads - 1) / threads
          let sums = matrices * Double(count * some)
          // In cycles of a processor that adds two vectors of products in each, per channel.
          let products = sums * (1 + 4 / Double(atOnce))
          let transforms = 5.5 * matrices * (Double(count) / Double(loops.lanes) + Double(2 * some))
          let time = Double(rounds) * (products + transforms) * (floats <= room ? 1 : 2)
          if time < least {
            least = time
            (tileParts, panelParts, channels) = (pieces, divided, atOnce)
          }
          break
        }
        pieces += max(1, pieces / 4)
      }
      divided += 1
    }
    (self.tileParts, self.panelParts, self.channels) = (tileParts, panelParts, channels)
  }

  func run(_ call: h5k_winograd, _ threads: Threads) {
    let loops = PlanStep.loops
    let scratch = loops.winograd_plain_scratch(
      call.tile, (tiles + tileParts - 1) / tileParts, channels, (panels + panelParts - 1) / panelParts)
    withUnsafePointer(to: call) { call in
      threads.forEach(tileParts * panelParts) { item in
        let (part, piece) = item.quotientAndRemainder(dividingBy: tileParts)
        TensorMemory.withFloats(scratch) { scratch in
          loops.winograd_plain(
            call, scratch, channels, piece * tiles / tileParts, (piece + 1) * tiles / tileParts,
            part * panels / panelParts, (part + 1) * panels / panelParts)
        }
      }
    }
  }
}

/// Runs the three steps of Winograd's algorithm with a transformed kernel over the tiles of a batch.
struct Winograd {
  private var call: h5k_winograd
  private let threads: Threads
  private let loops = PlanStep.loops
  private var matrices: Int { (call.tile + 2) * (call.tile + 2) }

  init(_ call: h5k_winograd, _ threads: Threads) {
    self.call = call
    self.threads = threads
  }

  /// Bytes of transformed numbers that the threads share at a time.
  private static let sharedBytes = 16 << 20

  func run(images: Int) {
    let tiles = images * call.tiles_y * call.tiles_x
    guard tiles > 0 else { return }
    let panels = (call.filters + loops.panel - 1) / loops.panel
    let kernelBytes = matrices * loops.packed_count(call.channels, call.filters) * MemoryLayout<Float>.stride
    // Threads that have few tiles share the filters.
    let parts = tiles >= 2 * loops.rows * threads.count ? 1 : threads.count
    // Where the weights leave room in each thread's second-level cache for the numbers of some tiles.
    if kernelBytes <= h5k_second_level_cache() * 5 / 8, tiles >= loops.rows, parts <= panels {
      runApart(tiles, parts: parts, panels: panels)
    } else {
      runTogether(tiles)
    }
  }

  /// Each thread takes all three steps for some tiles, and some of `parts` parts of the filters.
  private func runApart(_ tiles: Int, parts: Int, panels: Int) {
    let (filters, panel) = (call.filters, loops.panel)
    let bytes = scratch(64) * MemoryLayout<Float>.stride / 64
    let most = max(2 * loops.rows, min(96, h5k_second_level_cache() * 5 / 16 / bytes / loops.rows * loops.rows))
    let rounds = (tiles + most - 1) / most
    // As many for each thread.
    let blocks = parts > 1 ? rounds : (rounds + threads.count - 1) / threads.count * threads.count
    let block = (tiles + blocks - 1) / blocks
    withUnsafePointer(to: call) { call in
      threads.forEach(parts * blocks) { item in
        let (part, number) = item.quotientAndRemainder(dividingBy: blocks)
        let (first, end) = (part * panels / parts, (part + 1) * panels / parts)
        let start = number * tiles / blocks
        let count = (number + 1) * tiles / blocks - start
        TensorMemory.withFloats(scratch(block)) { scratch in
          loops.winograd_in(call, scratch, block, start, 0, count)
          for matrix in 0..<matrices { loops.winograd_multiply(call, scratch, block, 0, count, matrix, first, end) }
          loops.winograd_out(call, scratch, block, start, 0, count, first * panel, min(filters, end * panel))
        }
      }
    }
  }

  /// All threads take one step after the other for some tiles, so that each weight is read once for all of these.
  private func runTogether(_ tiles: Int) {
    let bytes = scratch(64) * MemoryLayout<Float>.stride / 64
    let most = min(tiles, max(48, Winograd.sharedBytes / bytes))
    let parts = (tiles + most - 1) / most
    let block = (tiles + parts - 1) / parts
    let filters = call.filters
    withUnsafePointer(to: call) { call in
      TensorMemory.withFloats(scratch(block)) { scratch in
        for part in 0..<parts {
          let start = part * tiles / parts
          let count = (part + 1) * tiles / parts - start
          threads.forEachRange(count, least: 2) { range in
            loops.winograd_in(call, scratch, block, start, range.lowerBound, range.upperBound)
          }
          threads.forEach(matrices) { matrix in
            loops.winograd_multiply(call, scratch, block, 0, count, matrix, 0, Int.max)
          }
          threads.forEachRange(count, least: 2) { range in
            loops.winograd_out(call, scratch, block, start, range.lowerBound, range.upperBound, 0, filters)
          }
        }
      }
    }
  }

  private func scratch(_ tiles: Int) -> Int { withUnsafePointer(to: call) { Int(loops.winograd_scratch($0, tiles)) } }
}
