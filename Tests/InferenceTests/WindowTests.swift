import H5ConvConfig
import H5ConvInference
import H5ConvTensors
import TestSupport
import Testing

/// A window over an image, as a layer's config has it.
struct Sweep: CustomTestStringConvertible, Sendable {
  var image = [2, 9, 11, 3]
  var kernel = [3, 3]
  var strides = [1, 1]
  var dilation = [1, 1]
  var padding = "valid"
  var filters = 4
  var groups = 1
  var channelsFirst = false

  var testDescription: String {
    "\(image) kernel \(kernel) strides \(strides) dilation \(dilation) \(padding) filters \(filters) groups \(groups)"
      + (channelsFirst ? " channels first" : "")
  }

  var extent: [Int] { (0..<2).map { (kernel[$0] - 1) * dilation[$0] + 1 } }

  /// Output sizes and padding before, by TensorFlow's rule.
  var geometry: [(size: Int, before: Int)] {
    (0..<2).map { axis in
      let length = image[axis + 1]
      if padding == "valid" { return ((length - extent[axis]) / strides[axis] + 1, 0) }
      let size = (length + strides[axis] - 1) / strides[axis]
      return (size, max((size - 1) * strides[axis] + extent[axis] - length, 0) / 2)
    }
  }

  func config(_ more: KeyValuePairs<String, JSONValue>) -> JSONObject {
    var config = JSONObject([
      "strides": .array(strides.map { .int($0) }), "padding": .string(padding),
      "data_format": .string(channelsFirst ? "channels_first" : "channels_last"),
    ])
    for (key, value) in more { config[key] = value }
    return config
  }

  func layer(_ className: String, _ more: KeyValuePairs<String, JSONValue>) -> JSONValue {
    ["class_name": .string(className), "name": "layer", "config": .object(config(more))]
  }

  /// Parameters one at a time, and some together.
  static let all: [Sweep] = {
    var sweeps: [Sweep] = []
    for padding in ["valid", "same"] {
      for kernel in [[1, 1], [2, 2], [3, 3], [1, 5], [4, 1], [7, 7], [9, 11]] {
        for strides in [[1, 1], [2, 2], [3, 1], [1, 4]] {
          sweeps.append(Sweep(kernel: kernel, strides: strides, padding: padding))
        }
      }
      for dilation in [[2, 2], [1, 3], [4, 1]] { sweeps.append(Sweep(dilation: dilation, padding: padding)) }
      for channels in [1, 2, 4, 5, 8, 17, 32] {
        sweeps.append(Sweep(image: [1, 6, 5, channels], padding: padding, filters: 33 - channels))
      }
    }
    sweeps.append(Sweep(image: [1, 3, 3, 2], kernel: [5, 5], padding: "same"))
    sweeps.append(Sweep(image: [1, 1, 1, 1], kernel: [1, 1], filters: 1))
    sweeps.append(Sweep(image: [1, 2, 40, 3], padding: "same"))
    sweeps.append(Sweep(image: [1, 4, 4, 16], padding: "same", filters: 130))
    sweeps.append(Sweep(image: [1, 2, 2, 8], kernel: [1, 1], filters: 200))
    sweeps.append(Sweep(image: [3, 40, 40, 2], kernel: [1, 1], filters: 3))
    sweeps.append(Sweep(image: [1, 64, 48, 3], padding: "same", filters: 16))
    return sweeps
  }()
}

@Suite("Sliding windows compute what the definition says")
struct WindowTests {
  private func image(_ sweep: Sweep, _ noise: inout Noise) throws -> (last: Tensor, given: Tensor) {
    let last = try noise.tensor(sweep.image)
    return (last, sweep.channelsFirst ? try last.transposed([0, 3, 1, 2]) : last)
  }

  private func check(_ output: Tensor, _ expected: [Double], channels: Int, _ sweep: Sweep) throws {
    let geometry = sweep.geometry
    let last = sweep.channelsFirst ? try output.transposed([0, 2, 3, 1]) : output
    #expect(last.shape == [sweep.image[0], geometry[0].size, geometry[1].size, channels])
    #expect(difference(last, expected) < 1e-5)
  }

  /// Calls `body` for each output place in order with the input pixels under the window: nil outside the image.
  private func windows(
    _ sweep: Sweep, channels: Int, _ body: (_ batch: Int, _ channel: Int, [(Int, Int, y: Int, x: Int)]) -> Double
  ) -> [Double] {
    let geometry = sweep.geometry
    var result: [Double] = []
    for batch in 0..<sweep.image[0] {
      for oy in 0..<geometry[0].size {
        for ox in 0..<geometry[1].size {
          var cells: [(Int, Int, y: Int, x: Int)] = []
          for ky in 0..<sweep.kernel[0] {
            for kx in 0..<sweep.kernel[1] {
              let y = oy * sweep.strides[0] + ky * sweep.dilation[0] - geometry[0].before
              let x = ox * sweep.strides[1] + kx * sweep.dilation[1] - geometry[1].before
              if (0..<sweep.image[1]).contains(y), (0..<sweep.image[2]).contains(x) { cells.append((ky, kx, y, x)) }
            }
          }
          for channel in 0..<channels { result.append(body(batch, channel, cells)) }
        }
      }
    }
    return result
  }

  private static let variants: [Sweep] =
    Sweep.all + [
      Sweep(image: [2, 7, 6, 4], filters: 6, groups: 2),
      Sweep(image: [1, 7, 6, 6], padding: "same", filters: 6, groups: 6),
      Sweep(image: [1, 7, 6, 6], strides: [2, 2], padding: "same", filters: 9, groups: 3),
      Sweep(padding: "same", channelsFirst: true), Sweep(strides: [2, 3], channelsFirst: true),
      Sweep(image: [1, 7, 6, 4], filters: 6, groups: 2, channelsFirst: true),
    ]

  @Test(arguments: variants) func convolution(_ sweep: Sweep) throws {
    var noise = Noise(1)
    let (last, given) = try image(sweep, &noise)
    let inner = sweep.image[3] / sweep.groups
    let kernel = try noise.tensor(sweep.kernel + [inner, sweep.filters])
    let bias = try noise.tensor([sweep.filters])
    let layer = sweep.layer(
      "Conv2D",
      [
        "filters": .int(sweep.filters), "kernel_size": .array(sweep.kernel.map { .int($0) }),
        "groups": .int(sweep.groups),
        "dilation_rate": .array(sweep.dilation.map { .int($0) }),
      ])
    let (pixels, taps, offsets) = (Indexed(last), Indexed(kernel), Indexed(bias))
    let expected = windows(sweep, channels: sweep.filters) { batch, filter, cells in
      let first = filter / (sweep.filters / sweep.groups) * inner
      return cells.reduce(offsets[filter]) { sum, cell in
        (0..<inner).reduce(sum) { $0 + pixels[batch, cell.y, cell.x, first + $1] * taps[cell.0, cell.1, $1, filter] }
      }
    }
    for threads in [1, 3] {
      let output = try run([layer], on: given, weights: ["kernel": kernel, "bias": bias], threads: threads)
      try check(output, expected, channels: sweep.filters, sweep)
    }
  }

  @Test(arguments: Sweep.all.filter { $0.dilation == [1, 1] || $0.strides == [1, 1] }, [1, 3])
  func depthwise(_ sweep: Sweep, _ multiplier: Int) throws {
    var noise = Noise(2)
    let (last, given) = try image(sweep, &noise)
    let channels = sweep.image[3]
    let kernel = try noise.tensor(sweep.kernel + [channels, multiplier])
    let bias = try noise.tensor([channels * multiplier])
    let layer = sweep.layer(
      "DepthwiseConv2D",
      [
        "kernel_size": .array(sweep.kernel.map { .int($0) }), "depth_multiplier": .int(multiplier),
        "dilation_rate": .array(sweep.dilation.map { .int($0) }),
      ])
    let (pixels, taps, offsets) = (Indexed(last), Indexed(kernel), Indexed(bias))
    let expected = windows(sweep, channels: channels * multiplier) { batch, output, cells in
      let (channel, copy) = output.quotientAndRemainder(dividingBy: multiplier)
      return cells.reduce(offsets[output]) { $0 + pixels[batch, $1.y, $1.x, channel] * taps[$1.0, $1.1, channel, copy] }
    }
    let output = try run([layer], on: given, weights: ["depthwise_kernel": kernel, "bias": bias])
    try check(output, expected, channels: channels * multiplier, sweep)
  }

  @Test(
    arguments: Sweep.all.filter { $0.dilation == [1, 1] } + [Sweep(padding: "same", channelsFirst: true)],
    ["Max", "Average"])
  func pooling(_ sweep: Sweep, _ kind: String) throws {
    var noise = Noise(3)
    let (last, given) = try image(sweep, &noise)
    let layer = sweep.layer("\(kind)Pooling2D", ["pool_size": .array(sweep.kernel.map { .int($0) })])
    let pixels = Indexed(last)
    let expected = windows(sweep, channels: sweep.image[3]) { batch, channel, cells in
      let values = cells.map { pixels[batch, $0.y, $0.x, channel] }
      return kind == "Max" ? values.max() ?? 0 : values.reduce(0, +) / Double(values.count)
    }
    try check(try run([layer], on: given), expected, channels: sweep.image[3], sweep)
  }

  /// Padding never wins: of negative pixels the maximum is negative at the border too.
  @Test func maximumOfNegativePixels() throws {
    let image = try Tensor(shape: [1, 3, 3, 1], values: Array(repeating: -2, count: 9))
    let layer = ModelText.layer("MaxPooling2D", "p", ["pool_size": 3, "strides": 1, "padding": "same"])
    #expect(try run([layer], on: image).values == Array(repeating: -2, count: 9))
  }

  @Test(arguments: [
    Sweep(), Sweep(strides: [2, 2]), Sweep(kernel: [2, 2], strides: [3, 2]), Sweep(kernel: [1, 4], strides: [2, 1]),
    Sweep(dilation: [2, 2]),
    Sweep(padding: "same"), Sweep(strides: [2, 2], padding: "same"),
    Sweep(kernel: [2, 5], strides: [3, 4], padding: "same"),
    Sweep(image: [1, 4, 5, 9], filters: 17), Sweep(padding: "same", channelsFirst: true),
    Sweep(kernel: [1, 1], strides: [2, 2]),
  ])
  func transposed(_ sweep: Sweep) throws {
    var noise = Noise(4)
    let (last, given) = try image(sweep, &noise)
    let channels = sweep.image[3]
    let kernel = try noise.tensor(sweep.kernel + [sweep.filters, channels])
    let bias = try noise.tensor([sweep.filters])
    let layer = sweep.layer(
      "Conv2DTranspose",
      [
        "filters": .int(sweep.filters), "kernel_size": .array(sweep.kernel.map { .int($0) }),
        "dilation_rate": .array(sweep.dilation.map { .int($0) }),
      ])
    // Keras: `valid` is (n − 1)s + max(extent, s), `same` is n·s, the smaller half of the surplus cut off before.
    var (size, cut): ([Int], [Int]) = ([], [])
    for axis in 0..<2 {
      let (length, stride, extent) = (sweep.image[axis + 1], sweep.strides[axis], sweep.extent[axis])
      let isSame = sweep.padding == "same"
      size.append(isSame ? length * stride : (length - 1) * stride + max(extent, stride))
      cut.append(isSame ? max((length - 1) * stride + extent - length * stride, 0) / 2 : 0)
    }
    let (pixels, taps, offsets) = (Indexed(last), Indexed(kernel), Indexed(bias))
    var expected: [Double] = []
    for batch in 0..<sweep.image[0] {
      for y in 0..<size[0] {
        for x in 0..<size[1] {
          for filter in 0..<sweep.filters {
            var sum = offsets[filter]
            for ky in 0..<sweep.kernel[0] {
              for kx in 0..<sweep.kernel[1] {
                let (fromY, fromX) = (y + cut[0] - ky * sweep.dilation[0], x + cut[1] - kx * sweep.dilation[1])
                guard fromY >= 0, fromX >= 0, fromY % sweep.strides[0] == 0, fromX % sweep.strides[1] == 0,
                  fromY / sweep.strides[0] < sweep.image[1], fromX / sweep.strides[1] < sweep.image[2]
                else { continue }
                for channel in 0..<channels {
                  sum +=
                    pixels[batch, fromY / sweep.strides[0], fromX / sweep.strides[1], channel]
                    * taps[ky, kx, filter, channel]
                }
              }
            }
            expected.append(sum)
          }
        }
      }
    }
    let output = try run([layer], on: given, weights: ["kernel": kernel, "bias": bias])
    let outputLast = sweep.channelsFirst ? try output.transposed([0, 2, 3, 1]) : output
    #expect(outputLast.shape == [sweep.image[0]] + size + [sweep.filters])
    #expect(difference(outputLast, expected) < 1e-5)
  }
}
