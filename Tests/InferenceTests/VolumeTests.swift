import H5ConvConfig
import H5ConvTensors
import TestSupport
import Testing

/// A window over a volume, as a layer's config has it.
struct VolumeSweep: CustomTestStringConvertible, Sendable {
  var volume = [2, 4, 5, 6, 2]
  var kernel = [3, 3, 3]
  var strides = [1, 1, 1]
  var dilation = [1, 1, 1]
  var padding = "valid"
  var filters = 3
  var groups = 1

  var testDescription: String {
    "\(volume) kernel \(kernel) strides \(strides) dilation \(dilation) \(padding) filters \(filters) groups \(groups)"
  }

  func extent(_ axis: Int) -> Int { (kernel[axis] - 1) * dilation[axis] + 1 }

  /// Output sizes and padding before, by TensorFlow's rule.
  var geometry: [(size: Int, before: Int)] {
    (0..<3).map { axis in
      let length = volume[axis + 1]
      if padding == "valid" { return ((length - extent(axis)) / strides[axis] + 1, 0) }
      let size = (length + strides[axis] - 1) / strides[axis]
      return (size, max((size - 1) * strides[axis] + extent(axis) - length, 0) / 2)
    }
  }

  func layer(_ className: String, _ more: KeyValuePairs<String, JSONValue>) -> JSONValue {
    func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .int($0) }) }
    var config = JSONObject([
      "strides": list(strides), "dilation_rate": list(dilation), "padding": .string(padding),
      "kernel_size": list(kernel),
      "pool_size": list(kernel), "filters": .int(filters), "groups": .int(groups),
    ])
    for (key, value) in more { config[key] = value }
    return ["class_name": .string(className), "name": "layer", "config": .object(config)]
  }

  /// All places of `sizes`, in row-major order.
  static func places(_ sizes: [Int]) -> [[Int]] {
    sizes.reduce([[]]) { list, size in list.flatMap { place in (0..<size).map { place + [$0] } } }
  }

  /// For each batch and output cell in order, the taps that meet the input and the input cells under them.
  var cells: [(batch: Int, taps: [(tap: [Int], cell: [Int])])] {
    let geometry = geometry
    return VolumeSweep.places([volume[0]] + geometry.map(\.size)).map { place in
      let taps = VolumeSweep.places(kernel).compactMap { tap -> (tap: [Int], cell: [Int])? in
        let cell = (0..<3).map { (axis: Int) -> Int in
          let start = place[axis + 1] * strides[axis] - geometry[axis].before
          return start + tap[axis] * dilation[axis]
        }
        return (0..<3).allSatisfy { (0..<volume[$0 + 1]).contains(cell[$0]) } ? (tap, cell) : nil
      }
      return (place[0], taps)
    }
  }

  static let all = [
    VolumeSweep(), VolumeSweep(padding: "same"), VolumeSweep(kernel: [1, 1, 1], filters: 5),
    VolumeSweep(kernel: [2, 3, 1], strides: [2, 1, 3], padding: "same"), VolumeSweep(kernel: [4, 5, 6]),
    VolumeSweep(kernel: [2, 2, 2], dilation: [3, 1, 2]), VolumeSweep(kernel: [2, 3, 2], strides: [1, 2, 2]),
    VolumeSweep(kernel: [3, 2, 2], dilation: [1, 2, 3], padding: "same"),
    VolumeSweep(volume: [1, 4, 4, 4, 4], filters: 6, groups: 2),
    VolumeSweep(volume: [1, 4, 4, 4, 3], padding: "same", filters: 6, groups: 3),
    VolumeSweep(volume: [1, 1, 1, 1, 1], kernel: [3, 3, 3], padding: "same"),
    VolumeSweep(volume: [1, 3, 3, 3, 2], kernel: [1, 2, 2], filters: 130),
    VolumeSweep(volume: [1, 9, 12, 10, 3], padding: "same", filters: 4),
  ]
}

@Suite("Windows over volumes compute what the definition says")
struct VolumeTests {
  @Test(arguments: VolumeSweep.all) func convolution(_ sweep: VolumeSweep) throws {
    var noise = Noise(11)
    let volume = try noise.tensor(sweep.volume)
    let inner = sweep.volume[4] / sweep.groups
    let kernel = try noise.tensor(sweep.kernel + [inner, sweep.filters])
    let bias = try noise.tensor([sweep.filters])
    let (cells, weights, offsets) = (Indexed(volume), Indexed(kernel), Indexed(bias))
    let expected = sweep.cells.flatMap { batch, taps in
      (0..<sweep.filters).map { filter in
        let first = filter / (sweep.filters / sweep.groups) * inner
        return taps.reduce(offsets[filter]) { sum, item in
          let (tap, cell) = item
          return (0..<inner).reduce(sum) { (sum: Double, channel: Int) -> Double in
            let value = cells[batch, cell[0], cell[1], cell[2], first + channel]
            return sum + value * weights[tap[0], tap[1], tap[2], channel, filter]
          }
        }
      }
    }
    for threads in [1, 3] {
      let layer = sweep.layer("Conv3D", [:])
      let output = try run([layer], on: volume, weights: ["kernel": kernel, "bias": bias], threads: threads)
      #expect(output.shape == [sweep.volume[0]] + sweep.geometry.map(\.size) + [sweep.filters])
      #expect(difference(output, expected) < 1e-5)
    }
  }

  @Test(arguments: VolumeSweep.all.filter { $0.dilation == [1, 1, 1] }, ["Max", "Average"])
  func pooling(_ sweep: VolumeSweep, _ kind: String) throws {
    var noise = Noise(12)
    let volume = try noise.tensor(sweep.volume)
    let cells = Indexed(volume)
    let expected = sweep.cells.flatMap { batch, taps in
      (0..<sweep.volume[4]).map { channel in
        let values = taps.map { cells[batch, $0.cell[0], $0.cell[1], $0.cell[2], channel] }
        return kind == "Max" ? values.max() ?? 0 : values.reduce(0, +) / Double(values.count)
      }
    }
    let output = try run([sweep.layer("\(kind)Pooling3D", [:])], on: volume)
    #expect(output.shape == [sweep.volume[0]] + sweep.geometry.map(\.size) + [sweep.volume[4]])
    #expect(difference(output, expected) < 1e-5)
  }

  /// A sequence gives the same numbers as a picture of one column.
  @Test(arguments: [(3, 1, 1, "same"), (4, 3, 1, "valid"), (3, 1, 5, "same"), (1, 1, 1, "valid"), (5, 2, 1, "same")])
  func sequences(_ size: Int, _ stride: Int, _ dilation: Int, _ padding: String) throws {
    var noise = Noise(13)
    let (length, channels, filters) = (301, 4, 130)
    let sequence = try noise.tensor([2, length, channels])
    let kernel = try noise.tensor([size, channels, filters])
    let bias = try noise.tensor([filters])
    func layer(_ rank: Int) -> JSONValue {
      func sizes(_ number: Int) -> JSONValue { rank == 1 ? .int(number) : .array([.int(number), 1]) }
      return ModelText.layer(
        "Conv\(rank)D", "layer",
        [
          "filters": .int(filters), "kernel_size": sizes(size), "strides": sizes(stride),
          "dilation_rate": sizes(dilation),
          "padding": .string(padding),
        ])
    }
    let picture = try sequence.reshaped(to: [2, length, 1, channels])
    let column = try kernel.reshaped(to: [size, 1, channels, filters])
    let expected = try run([layer(2)], on: picture, weights: ["kernel": column, "bias": bias])
    let output = try run([layer(1)], on: sequence, weights: ["kernel": kernel, "bias": bias])
    #expect(output.shape == [2, expected.shape[1], filters])
    #expect(output.values == expected.values)
  }

  /// Of an input without channels the bias is left.
  @Test(arguments: ["Conv1D", "Conv2D", "Conv3D", "LocallyConnected1D"], [1, 2])
  func noChannels(_ className: String, _ size: Int) throws {
    let rank = className.contains("1") ? 1 : className.contains("2") ? 2 : 3
    let cells = Array(repeating: 3, count: rank)
    let isLocal = className.hasPrefix("Local")
    let kernel = isLocal ? [4 - size, 0, 2] : Array(repeating: size, count: rank) + [0, 2]
    let bias = [[Float]](repeating: [1, 2], count: isLocal ? 4 - size : 1).flatMap(\.self)
    let output = try run(
      [ModelText.layer(className, "layer", ["filters": 2, "kernel_size": .int(size)])],
      on: try Tensor(shape: [1] + cells + [0], values: []),
      weights: [
        "kernel": try Tensor(shape: kernel, values: []),
        "bias": try Tensor(shape: isLocal ? [4 - size, 2] : [2], values: bias),
      ])
    #expect(output.values == [[Float]](repeating: [1, 2], count: output.count / 2).flatMap(\.self))
  }
}
