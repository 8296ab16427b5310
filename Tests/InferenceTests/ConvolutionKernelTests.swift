import CKernels
import H5ConvTensors
import TestSupport
import Testing

/// A convolution: (height, width, channels, filters, kernel, stride, dilation, padding, groups).
private struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var size = (height: 9, width: 11)
  var channels = 1
  var filters = 1
  var kernel = 3
  var stride = 1
  var dilation = 1
  var pad = 1
  var groups = 1
  var testDescription: String {
    "\(size.height)×\(size.width)×\(channels) to \(filters), kernel \(kernel), stride \(stride), dilation \(dilation), pad \(pad), \(groups) groups"
  }

  func length(_ input: Int) -> Int { (input + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1 }
}

/// Random numbers for a case.
private struct ConvolutionData {
  let image: [Float]
  let kernel: [Float]
  let bias: [Float]
  let addend: [Float]
  let zeros: [Float]

  init(_ test: ConvolutionCase) throws {
    var noise = Noise(test.channels * 31 + test.filters)
    func values(_ count: Int) throws -> [Float] { try noise.tensor([count]).values }
    let images = 2
    image = try values(images * test.size.height * test.size.width * test.channels)
    kernel = try values(test.kernel * test.kernel * (test.channels / test.groups) * test.filters)
    bias = try values(test.filters)
    addend = try values(images * test.length(test.size.height) * test.length(test.size.width) * test.filters)
    zeros = Array(repeating: 0, count: test.channels)
  }
}

@Suite("Every instruction set's convolutions give what the portable loops give")
struct ConvolutionKernelTests {
  private static let relu = h5k_activation(function: H5K_RELU, a: 0, b: 0, c: 0)

  fileprivate static let cases: [ConvolutionCase] =
    [(1, 1), (3, 16), (7, 5), (16, 33), (17, 31), (32, 64), (64, 1000), (1000, 3)].flatMap { channels, filters in
      [(3, 1, 1, 1), (3, 2, 1, 1), (1, 1, 1, 0), (1, 2, 1, 0), (5, 1, 2, 3), (2, 3, 1, 0)].map {
        ConvolutionCase(channels: channels, filters: filters, kernel: $0, stride: $1, dilation: $2, pad: $3)
      }
    } + [
      ConvolutionCase(channels: 6, filters: 9, groups: 3), ConvolutionCase(channels: 64, filters: 96, groups: 2),
      ConvolutionCase(size: (1, 1), channels: 5, filters: 7), ConvolutionCase(size: (1, 40), channels: 2, filters: 2),
    ]

  private func sums(_ test: ConvolutionCase, _ data: ConvolutionData, _ loops: h5k_kernels) -> [Float] {
    let (rows, columns) = (test.length(test.size.height), test.length(test.size.width))
    let (inner, filters) = (test.kernel * test.kernel * test.channels / test.groups, test.filters / test.groups)
    let each = loops.packed_count(inner, filters)
    var packed = [Float](repeating: .nan, count: test.groups * each)
    var result = [Float](repeating: 77, count: 2 * rows * columns * test.filters + 1)
    packed.withUnsafeMutableBufferPointer { packed in
      data.kernel.withUnsafeBufferPointer { kernel in
        for group in 0..<test.groups {
          loops.pack(
            packed.baseAddress.map { $0 + group * each }, kernel.baseAddress.map { $0 + group * filters }, inner,
            filters,
            test.filters, nil)
        }
      }
    }
    var call = h5k_convolution()
    call.window = h5k_window(
      height: test.size.height, width: test.size.width, channels: test.channels, out_height: rows, out_width: columns,
      kernel_height: test.kernel, kernel_width: test.kernel, stride_y: test.stride, stride_x: test.stride,
      dilation_y: test.dilation, dilation_x: test.dilation, pad_top: test.pad, pad_left: test.pad)
    (call.depth, call.out_depth, call.kernel_depth, call.stride_z, call.dilation_z) = (1, 1, 1, 1, 1)
    (call.groups, call.group_channels, call.group_filters) = (test.groups, test.channels / test.groups, filters)
    call.f = ConvolutionKernelTests.relu
    var pointers = [UnsafePointer<Float>?](repeating: nil, count: Int(h5k_most_pointers))
    data.image.withUnsafeBufferPointer { image in
      data.zeros.withUnsafeBufferPointer { zeros in
        data.bias.withUnsafeBufferPointer { bias in
          data.addend.withUnsafeBufferPointer { addend in
            packed.withUnsafeBufferPointer { packed in
              result.withUnsafeMutableBufferPointer { result in
                (call.image, call.zeros, call.packed) = (image.baseAddress, zeros.baseAddress, packed.baseAddress)
                (call.bias, call.addend, call.target) = (bias.baseAddress, addend.baseAddress, result.baseAddress)
                loops.convolve(&call, &pointers, 0, 2 * rows * columns, 0, Int.max)
              }
            }
          }
        }
      }
    }
    return result
  }

  /// - Parameter channels: how many are summed at a time, with a kernel that is transformed on the way; nil for a transformed one.
  private func winograd(
    _ test: ConvolutionCase, _ data: ConvolutionData, _ loops: h5k_kernels, tile: Int, channels: Int?
  ) -> [Float] {
    let matrices = (tile + 2) * (tile + 2)
    let (rows, columns) = (test.length(test.size.height), test.length(test.size.width))
    let inner = 9 * test.channels
    let count =
      channels == nil
      ? matrices * loops.packed_count(test.channels, test.filters) : loops.packed_count(inner, test.filters)
    var packed = [Float](repeating: .nan, count: count)
    if channels == nil {
      loops.winograd_pack(&packed, data.kernel, test.channels, test.filters, Int32(tile), nil, 0, test.channels)
    } else {
      loops.pack(&packed, data.kernel, inner, test.filters, test.filters, nil)
    }
    var call = h5k_winograd()
    (call.height, call.width, call.channels) = (test.size.height, test.size.width, test.channels)
    (call.out_height, call.out_width, call.filters) = (rows, columns, test.filters)
    (call.pad_top, call.pad_left, call.tile) = (test.pad, test.pad, tile)
    (call.tiles_y, call.tiles_x) = ((rows + tile - 1) / tile, (columns + tile - 1) / tile)
    call.f = ConvolutionKernelTests.relu
    let tiles = 2 * call.tiles_y * call.tiles_x
    let panels = (test.filters + loops.panel - 1) / loops.panel
    var result = [Float](repeating: 77, count: 2 * rows * columns * test.filters + 1)
    let size = channels.map { loops.winograd_plain_scratch(tile, tiles, $0, panels) }
    var scratch = [Float](repeating: .nan, count: size ?? loops.winograd_scratch(&call, tiles))
    data.image.withUnsafeBufferPointer { image in
      data.zeros.withUnsafeBufferPointer { zeros in
        data.bias.withUnsafeBufferPointer { bias in
          data.addend.withUnsafeBufferPointer { addend in
            packed.withUnsafeBufferPointer { packed in
              result.withUnsafeMutableBufferPointer { result in
                (call.image, call.zeros, call.packed) = (image.baseAddress, zeros.baseAddress, packed.baseAddress)
                (call.bias, call.addend, call.target) = (bias.baseAddress, addend.baseAddress, result.baseAddress)
                if let channels {
                  loops.winograd_plain(&call, &scratch, channels, 0, tiles, 0, panels)
                  return
                }
                loops.winograd_in(&call, &scratch, tiles, 0, 0, tiles)
                for matrix in 0..<matrices {
                  loops.winograd_multiply(&call, &scratch, tiles, 0, tiles, matrix, 0, Int.max)
                }
                loops.winograd_out(&call, scratch, tiles, 0, 0, tiles, 0, test.filters)
              }
            }
          }
        }
      }
    }
    return result
  }

  /// The largest difference, measured by the largest value.
  private func difference(_ a: [Float], _ b: [Float]) -> Float {
    let scale = b.reduce(1) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
  }

  @Test(arguments: cases) fileprivate func sums(_ test: ConvolutionCase) throws {
    let data = try ConvolutionData(test)
    let expected = sums(test, data, h5k_portable().pointee)
    for loops in kernelVariants() {
      let found = sums(test, data, loops.pointee)
      #expect(found.last == 77 && difference(found, expected) < 1e-5)
    }
  }

  @Test(arguments: cases.filter { $0.kernel == 3 && $0.stride == 1 && $0.dilation == 1 && $0.groups == 1 }, [2, 4])
  fileprivate func minimalFiltering(_ test: ConvolutionCase, _ tile: Int) throws {
    let data = try ConvolutionData(test)
    let expected = sums(test, data, h5k_portable().pointee)
    for loops in kernelVariants() {
      for channels in [nil, loops.pointee.lanes, test.channels] {
        let found = winograd(test, data, loops.pointee, tile: tile, channels: channels)
        #expect(found.last == 77 && difference(found, expected) < 2e-5)
      }
    }
  }
}
