import H5ConvTensors
import H5ConvVisualization
import Testing

@Suite("Kernels in 8 bits")
struct KernelSlicesTests {
  /// Kernels 1 × 2 over three inputs, for two filters.
  private func make(_ values: [Float]) throws -> Tensor { try Tensor(shape: [1, 2, 3, 2], values: values) }

  /// Filter 0 has the weights (1, −2), (0, 0.5), (4, −4) for its inputs, filter 1 those of no weight but one NaN.
  private let values: [Float] = [1, .nan, 0, 0, 4, 0, -2, 0, 0.5, 0, -4, 0]

  @Test func allSlices() throws {
    let slices = try #require(KernelSlices(try make(values), groups: 1, cells: 100))
    #expect((slices.kept, slices.inputs, slices.filters, slices.height, slices.width) == (3, 3, 2, 1, 2))
    // 128 + round(127 w / 4): 31.75, −63.5, 15.875.
    #expect(slices.bytes == [160, 64, 128, 144, 255, 1, 0, 128, 128, 128, 128, 128])
  }

  /// The heaviest come first, and what they leave out is known; the numbers of their inputs stand behind all weights.
  @Test(arguments: [1, 2, 3, 4, 5]) func heaviest(_ cells: Int) throws {
    let slices = try #require(KernelSlices(try make(values), groups: 1, cells: cells))
    #expect(slices.kept == max(1, cells / 2))
    #expect(Array(slices.bytes.prefix(2)) == [255, 1])
    #expect(
      Array(slices.bytes.dropFirst(2 * 2 * slices.kept).prefix(4)) == [2, 0, 0, 0])
    #expect(abs(slices.shares[0] - (slices.kept == 1 ? 32 / 37.25 : 37 / 37.25)) < 1e-6 && slices.shares[1] == 1)
  }

  /// Fewer slices of those that are kept are the same as from the beginning, but for rounding.
  @Test func fewer() throws {
    let random = (0..<1440).map { (place: Int) -> Float in Float(place * 7919 % 257) / 100 - 1.28 }
    let kernel = try Tensor(shape: [3, 3, 40, 4], values: random)
    let whole = try #require(KernelSlices(kernel, groups: 1, cells: 288))
    let few = try #require(KernelSlices(kernel, groups: 1, cells: 90))
    let cut = whole.heaviest(cells: 90)
    #expect((whole.kept, few.kept, cut.kept) == (32, 10, 10))
    #expect(zip(few.shares, cut.shares).allSatisfy { abs($0 - $1) < 0.01 })
    #expect(cut.bytes.count == few.bytes.count && cut.largest == few.largest)
  }

  @Test func refused() throws {
    #expect(KernelSlices(try Tensor(shape: [2, 2], values: [1, 2, 3, 4]), groups: 1, cells: 9) == nil)
    #expect(KernelSlices(try make(values), groups: 3, cells: 9) == nil)
    #expect(KernelSlices(try make(values), groups: 0, cells: 9) == nil)
  }
}
