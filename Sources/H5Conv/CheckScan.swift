import H5ConvTensors

/// What the elements of a weight are like, seen in one pass.
struct WeightScan {
  /// What equal weights have in common.
  struct Fingerprint: Hashable {
    let shape: [Int]
    let bits: UInt64
  }

  let count: Int
  private(set) var nanCount = 0
  private(set) var infinityCount = 0
  private(set) var zeroCount = 0
  /// Number of elements below 10⁻⁶ in magnitude.
  private(set) var tinyCount = 0
  private(set) var smallest = Double.infinity
  /// Largest magnitude.
  private(set) var largest = 0.0
  /// Number of filters; 0 for a weight that has none.
  private(set) var filterCount = 0
  /// Filters whose elements are all 0.
  private(set) var deadFilters: [Int] = []
  /// Filters whose elements are all the same, not 0.
  private(set) var constantFilters: [Int] = []
  /// Tells equal weights; nil for small ones and those of one value, which are equal by chance.
  private(set) var fingerprint: Fingerprint?

  /// The axes along which the filters of a kernel lie; nil for other weights.
  ///
  /// - Parameter className: the layer's class; without it a kernel of four axes is taken for a convolution's.
  static func filterAxes(_ name: String, _ className: String?, rank: Int) -> Range<Int>? {
    guard rank >= 3 else { return nil }
    if name == "depthwise_kernel" || className?.hasPrefix("DepthwiseConv") == true && name == "kernel" {
      return rank - 2..<rank
    }
    guard name == "kernel" || name == "pointwise_kernel" || name == "W" else { return nil }
    guard let className else { return rank == 4 ? rank - 1..<rank : nil }
    if className.hasSuffix("Transpose") { return rank - 2..<rank - 1 }
    return className.contains("Conv") ? rank - 1..<rank : nil
  }

  init(_ tensor: Tensor, filterAxes axes: Range<Int>?) {
    count = tensor.count
    tensor.withUnsafeElements { elements in
      look(at: elements, shape: tensor.shape)
      if let axes { lookAtFilters(elements, tensor.shape, axes) }
    }
  }

  private mutating func look(at elements: UnsafeBufferPointer<Float>, shape: [Int]) {
    var (low, high, magnitude) = (Float.infinity, -Float.infinity, Float(0))
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var (zeros, tiny, nans, infinities) = (0, 0, 0, 0)
    for value in elements {
      hash = (hash ^ UInt64(value.bitPattern)) &* 0x0000_0100_0000_01b3
      guard value.isFinite else {
        if value.isNaN { nans += 1 } else { infinities += 1 }
        continue
      }
      if value == 0 { zeros += 1 }
      if value.magnitude < 1e-6 { tiny += 1 }
      low = min(low, value)
      high = max(high, value)
      magnitude = max(magnitude, value.magnitude)
    }
    (zeroCount, tinyCount, nanCount, infinityCount) = (zeros, tiny, nans, infinities)
    (smallest, largest) = (Double(low), Double(magnitude))
    if elements.count >= 16, low < high { fingerprint = Fingerprint(shape: shape, bits: hash) }
  }

  private mutating func lookAtFilters(
    _ elements: UnsafeBufferPointer<Float>, _ shape: [Int], _ axes: Range<Int>
  ) {
    filterCount = shape[axes].reduce(1, *)
    let inner = shape[axes.upperBound...].reduce(1, *)
    // A filter of one element is constant by nature.
    guard filterCount > 0, inner > 0, elements.count > filterCount else { return }
    var varies = [Bool](repeating: false, count: filterCount)
    let first = (0..<filterCount).map { elements[$0 * inner] }
    var place = 0
    while place < elements.count {
      for filter in 0..<filterCount {
        for _ in 0..<inner {
          if elements[place] != first[filter] { varies[filter] = true }
          place += 1
        }
      }
    }
    for filter in 0..<filterCount where !varies[filter] {
      if first[filter] == 0 { deadFilters.append(filter) } else { constantFilters.append(filter) }
    }
  }
}
