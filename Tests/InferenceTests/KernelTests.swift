import CKernels
import Foundation
import H5Conv
import TestSupport
import Testing

/// The loops of every instruction set that this processor has.
@Suite("The loops compute their formulas")
struct KernelTests {
  private var kernels: [UnsafePointer<h5k_kernels>] { kernelVariants() }

  private func values(_ count: Int, _ seed: Int) throws -> [Float] {
    var noise = Noise(seed)
    return try noise.tensor([count]).values.map { $0 * 6 }
  }

  /// What the functions are, in Double, by their formulas in Keras' documentation.
  private static let functions: [(h5k_activation, @Sendable (Double) -> Double)] = [
    (h5k_activation(function: H5K_LINEAR, a: 0, b: 0, c: 0), { $0 }),
    (h5k_activation(function: H5K_RELU, a: 0, b: 0, c: 0), { max($0, 0) }),
    (h5k_activation(function: H5K_RELU_GENERAL, a: 0.25, b: 3, c: 1), { $0 >= 3 ? 3 : $0 > 1 ? $0 : 0.25 * ($0 - 1) }),
    (h5k_activation(function: H5K_ELU, a: 1.5, b: 0, c: 0), { $0 > 0 ? $0 : 1.5 * expm1($0) }),
    (h5k_activation(function: H5K_SIGMOID, a: 0, b: 0, c: 0), { 1 / (1 + exp(-$0)) }),
    (h5k_activation(function: H5K_HARD_SIGMOID, a: 0.2, b: 0, c: 0), { min(1, max(0, 0.2 * $0 + 0.5)) }),
    (h5k_activation(function: H5K_SILU, a: 0, b: 0, c: 0), { $0 / (1 + exp(-$0)) }),
    (h5k_activation(function: H5K_TANH, a: 0, b: 0, c: 0), { tanh($0) }),
    (h5k_activation(function: H5K_SOFTPLUS, a: 0, b: 0, c: 0), { log1p(exp(-abs($0))) + max($0, 0) }),
    (h5k_activation(function: H5K_SOFTSIGN, a: 0, b: 0, c: 0), { $0 / (1 + abs($0)) }),
    (h5k_activation(function: H5K_GELU, a: 0, b: 0, c: 0), { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }),
    (h5k_activation(function: H5K_EXPONENTIAL, a: 0, b: 0, c: 0), { exp($0) }),
    (h5k_activation(function: H5K_MISH, a: 0, b: 0, c: 0), { $0 * tanh(log1p(exp($0))) }),
    (h5k_activation(function: H5K_SOFT_SHRINK, a: 0.5, b: 0, c: 0), { $0 > 0.5 ? $0 - 0.5 : $0 < -0.5 ? $0 + 0.5 : 0 }),
  ]

  /// All lengths around the width of vectors: heads, tails and nothing at all.
  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1023]) func activations(_ count: Int) throws
  {
    let input = try values(count, count + 1)
    for (function, formula) in KernelTests.functions {
      for kernels in kernels {
        // One element more, which must not be written.
        var output = Array(repeating: Float(77), count: count + 1)
        kernels.pointee.activate(&output, input, count, function)
        #expect(output[count] == 77)
        for (value, x) in zip(output, input) {
          let expected = formula(Double(x))
          #expect(abs(Double(value) - expected) <= 4e-6 * max(1, abs(expected)), "\(function.function) of \(x)")
        }
      }
    }
  }

  @Test(arguments: [
    (H5K_RELU, Float(0), Float.infinity), (H5K_SIGMOID, 0, 1), (H5K_TANH, -1, 1), (H5K_SOFTPLUS, 0, .infinity),
    (H5K_EXPONENTIAL, 0, .infinity),
  ])
  func extremes(_ function: h5k_function, _ low: Float, _ high: Float) throws {
    let activation = h5k_activation(function: function, a: 0, b: 0, c: 0)
    for kernels in kernels {
      // A whole vector of each, so that the wide loops see them.
      for (x, expected) in [(-Float.infinity, low), (.infinity, high), (-3e38, low), (-1000, low)] {
        var output = Array(repeating: Float(77), count: 17)
        kernels.pointee.activate(&output, Array(repeating: x, count: 17), 17, activation)
        #expect(
          output.allSatisfy { abs($0 - expected) <= 1e-30 || $0 == expected }, "\(function) of \(x) is \(output[0])")
      }
      var output = Array(repeating: Float(77), count: 17)
      kernels.pointee.activate(&output, Array(repeating: .nan, count: 17), 17, activation)
      #expect(output.allSatisfy { $0.isNaN }, "\(function) of NaN is \(output[0])")
    }
  }

  @Test(arguments: [1, 2, 7, 8, 16, 17, 1000]) func softmax(_ count: Int) throws {
    let input = try values(3 * count, count).map { $0 * 20 }
    for kernels in kernels {
      var output = input
      kernels.pointee.softmax(&output, input, 3, count)
      for row in 0..<3 {
        let x = input[row * count..<(row + 1) * count].map(Double.init)
        let largest = x.max() ?? 0
        let sum = x.reduce(0) { $0 + exp($1 - largest) }
        for (value, x) in zip(output[(row * count)...], x) {
          #expect(abs(Double(value) - exp(x - largest) / sum) < 1e-6)
        }
      }
    }
  }
}

/// A window of a depthwise convolution or pooling, and the image under it.
private struct WindowCase: CustomTestStringConvertible, Sendable {
  let size: (height: Int, width: Int, channels: Int)
  let kernel: Int
  let stride: Int
  let dilation: Int
  let pad: Int
  var testDescription: String { "\(size) kernel \(kernel) stride \(stride) dilation \(dilation) pad \(pad)" }
}

@Suite("The fastest loops compute what the portable ones compute")
struct FastestLoopsTests {
  fileprivate static let windows: [WindowCase] = [1, 3, 4, 7, 8, 16, 17, 35, 64].flatMap { channels in
    [(3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 2, 2), (5, 1, 1, 2), (1, 1, 1, 0), (2, 3, 1, 0)].map {
      WindowCase(size: (9, 10, channels), kernel: $0.0, stride: $0.1, dilation: $0.2, pad: $0.3)
    }
  }

  @Test(arguments: windows) fileprivate func rows(_ window: WindowCase) throws {
    var noise = Noise(9)
    let (height, width, channels) = window.size
    let extent = (window.kernel - 1) * window.dilation + 1
    let rows = (height + 2 * window.pad - extent) / window.stride + 1
    let columns = (width + 2 * window.pad - extent) / window.stride + 1
    var layout = h5k_window(
      height: height, width: width, channels: channels, out_height: rows, out_width: columns,
      kernel_height: window.kernel,
      kernel_width: window.kernel, stride_y: window.stride, stride_x: window.stride, dilation_y: window.dilation,
      dilation_x: window.dilation, pad_top: window.pad, pad_left: window.pad)
    let image = try noise.tensor([height, width, channels]).values
    let taps = try noise.tensor([window.kernel, window.kernel, channels]).values
    let bias = try noise.tensor([channels]).values
    let relu = h5k_activation(function: H5K_RELU, a: 0, b: 0, c: 0)
    func each(_ loops: UnsafePointer<h5k_kernels>) -> [[Float]] {
      var results = Array(repeating: [Float](repeating: 77, count: columns * channels + 1), count: 3 * rows)
      for y in 0..<rows {
        for part in [0..<channels / 2, channels / 2..<channels] {
          loops.pointee.depthwise(
            &results[3 * y], image, taps, bias, &layout, y, y + 1, part.lowerBound, part.upperBound, relu)
        }
        guard window.dilation == 1 else { continue }
        loops.pointee.max_pool_row(&results[3 * y + 1], image, &layout, y)
        loops.pointee.average_pool_row(&results[3 * y + 2], image, &layout, y)
      }
      return results
    }
    for variant in kernelVariants() {
      for (fast, portable) in zip(each(variant), each(h5k_portable())) {
        #expect(fast.last == 77 && portable.last == 77)
        #expect(zip(fast, portable).allSatisfy { abs($0 - $1) <= 1e-5 })
      }
    }
  }

  @Test(arguments: [1, 3, 4, 8, 15, 16, 33], [0, 1, 5]) func rowsOfChannels(_ channels: Int, _ rows: Int) throws {
    var noise = Noise(10)
    // A stride larger than the channels: what is between must stay.
    let stride = channels + 3
    let source = try noise.tensor([rows * stride + 1]).values
    let (scale, shift) = (try noise.tensor([channels]).values, try noise.tensor([channels]).values)
    let sigmoid = h5k_activation(function: H5K_SIGMOID, a: 0, b: 0, c: 0)
    func each(_ loops: UnsafePointer<h5k_kernels>) -> [Float] {
      var finished = source
      loops.pointee.finish(&finished, rows, channels, stride, shift, sigmoid)
      var scaled = source
      loops.pointee.affine(&scaled, source, rows, channels, scale, shift, sigmoid)
      return finished + scaled
    }
    let portable = each(h5k_portable())
    for variant in kernelVariants() {
      let fast = each(variant)
      #expect(zip(fast, portable).allSatisfy { abs($0 - $1) <= 1e-6 })
      for row in 0..<rows {
        for gap in channels..<stride { #expect(fast[row * stride + gap] == source[row * stride + gap]) }
      }
    }
  }

  @Test(arguments: [1, 3, 8, 17, 64], [H5K_ADD, H5K_SUBTRACT, H5K_MULTIPLY, H5K_DIVIDE, H5K_MAXIMUM, H5K_MINIMUM])
  func binaries(_ count: Int, _ operation: h5k_binary) throws {
    var noise = Noise(11)
    let (a, b) = (try noise.tensor([count]).values, try noise.tensor([count]).values)
    for (stepA, stepB) in [(1, 1), (0, 1), (1, 0), (0, 0)] as [(Int32, Int32)] {
      var portable = a
      h5k_portable().pointee.binary(&portable, a, b, count, stepA, stepB, operation)
      var fast = a
      for variant in kernelVariants() {
        variant.pointee.binary(&fast, a, b, count, stepA, stepB, operation)
        #expect(fast == portable)
      }
      for place in 0..<count {
        let (x, y) = (a[stepA == 0 ? 0 : place], b[stepB == 0 ? 0 : place])
        let expected =
          switch operation {
          case H5K_ADD: x + y
          case H5K_SUBTRACT: x - y
          case H5K_MULTIPLY: x * y
          case H5K_DIVIDE: x / y
          case H5K_MAXIMUM: max(x, y)
          default: min(x, y)
          }
        #expect(fast[place] == expected)
      }
    }
  }
}

@Suite("One sub-model in several tasks")
struct ConcurrencyTests {
  @Test func equalResults() async throws {
    let fixture = try ModelFixture("tfk_tutorial")
    let model = try Model(contentsOf: fixture.path)
    let slice = try model.slice(outputs: ["*"])
    let name = try #require(model.inputs.first).name
    let input = try #require(fixture.inputs[name])
    try await withThrowingTaskGroup(of: [Activation].self) { group in
      for task in 0..<12 { group.addTask { try slice.run([input], threads: task % 3 + 1) } }
      for try await activations in group {
        for activation in activations {
          let golden = try #require(fixture.golden[activation.name])
          #expect(
            zip(activation.tensor.values, golden.values).allSatisfy { abs($0 - $1) <= 1e-4 * max(1, abs($1)) },
            "\(activation.name)")
        }
      }
    }
  }

  /// The same numbers again, bit by bit: nothing depends on which thread was first.
  @Test(arguments: ["tfk_tutorial", "k3_conv_same", "tfk_transpose_same"]) func sameBitsAgain(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try Model(contentsOf: fixture.path)
    let slice = try model.slice(outputs: ["*"])
    let inputs = try model.inputs.map { try #require(fixture.inputs[$0.name]) }
    let first = try slice.run(inputs, threads: 4)
    for _ in 0..<5 {
      for (a, b) in zip(first, try slice.run(inputs, threads: 4)) {
        #expect(a.tensor.values.map(\.bitPattern) == b.tensor.values.map(\.bitPattern), "\(a.name)")
      }
    }
  }

  /// Plans are kept by the shape of the inputs; another batch is another plan.
  @Test func changingBatches() throws {
    let fixture = try ModelFixture("k3_sequential")
    let model = try Model(contentsOf: fixture.path)
    let slice = try model.slice(outputs: ["@outputs"])
    let input = try #require(fixture.inputs["x"])
    let golden = try #require(fixture.golden[slice.outputNames[0]])
    func rows(_ tensor: Tensor, batch: Int) -> [Float] {
      let row = tensor.count / 2
      var values: [Float] = []
      for example in 0..<batch { values += tensor.values[example % 2 * row..<(example % 2 + 1) * row] }
      return values
    }
    for batch in [1, 2, 3, 4, 5, 6, 7, 1, 2] {
      let values = rows(input, batch: batch)
      let output = try slice.run([try Tensor(shape: [batch] + input.shape.dropFirst(), values: values)])[0].tensor
      #expect(output.shape[0] == batch)
      let expected = rows(golden, batch: batch)
      #expect(zip(output.values, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }
}
