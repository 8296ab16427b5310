import Glibc
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvHDF5
import H5ConvModelFiles
import H5ConvTensors

/// How far two numbers may be apart: |a − b| ≤ absolute + relative · |b|, as `numpy.allclose`.
public struct Tolerance: Sendable {
  /// NumPy's `atol`.
  public var absolute: Double
  /// NumPy's `rtol`, in units of the second number.
  public var relative: Double

  /// A tolerance; without arguments that of nothing.
  public init(absolute: Double = 0, relative: Double = 0) {
    self.absolute = absolute
    self.relative = relative
  }
}

/// What the comparison of the elements of two arrays of one shape found.
///
/// Elements are compared as float32, in which everything is computed.
public struct ElementDifference: Sendable {
  /// The largest |a − b| of those that are finite.
  public private(set) var maximum = 0.0
  /// The mean |a − b| of those that are finite.
  public var mean: Double { finiteCount == 0 ? 0 : sum / Double(finiteCount) }
  /// Number of elements that are not the same; NaN is the same as NaN.
  public private(set) var unequalCount = 0
  /// Number of places where only one is NaN or infinite, or they are infinities of different signs.
  public private(set) var notFiniteCount = 0
  /// Whether all of them are within the tolerance.
  public private(set) var isWithinTolerance = true
  /// Whether they are the same numbers.
  public var isEqual: Bool { unequalCount == 0 }

  private var sum = 0.0
  private var finiteCount = 0

  /// Compares two arrays of as many elements.
  static func between(_ a: Tensor, _ b: Tensor, _ tolerance: Tolerance) -> ElementDifference {
    var result = ElementDifference()
    a.withUnsafeElements { first in b.withUnsafeElements { second in result.add(first, second, tolerance) } }
    return result
  }

  /// Compares two weights of one shape: their bytes where they lie in the files, or else their elements.
  ///
  /// - Throws: `H5ConvError` when one cannot be read.
  static func between(
    _ a: ComparableWeight, _ b: ComparableWeight, _ tolerance: Tolerance
  ) throws -> ElementDifference {
    if let first = a.stored, let second = b.stored, first.type == second.type, first.type.isNumeric,
      let range = try first.fileRange(), let other = try second.fileRange(), range.count == other.count
    {
      return try compareBytes(range, other, isFloat: first.type == .float(bytes: 4, bigEndian: false), tolerance)
        ?? between(a.read(), b.read(), tolerance)
    }
    return between(try a.read(), try b.read(), tolerance)
  }

  private typealias Range = (file: OpenFile, offset: Int, count: Int)
  private static let blockSize = 1 << 20

  /// Compares the files block by block; nil when bytes differ that are no float32.
  private static func compareBytes(
    _ a: Range, _ b: Range, isFloat: Bool, _ tolerance: Tolerance
  ) throws -> ElementDifference? {
    var result = ElementDifference()
    let size = min(blockSize, max(a.count, 1))
    let first = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    let second = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer {
      first.deallocate()
      second.deallocate()
    }
    var done = 0
    while done < a.count {
      let count = min(size, a.count - done)
      let blockA = UnsafeMutableRawBufferPointer(rebasing: first[..<count])
      let blockB = UnsafeMutableRawBufferPointer(rebasing: second[..<count])
      try a.file.read(into: blockA, at: a.offset + done)
      try b.file.read(into: blockB, at: b.offset + done)
      if let base = blockA.baseAddress, let other = blockB.baseAddress, memcmp(base, other, count) == 0 {
        if isFloat { result.finiteCount += count / 4 }
      } else if isFloat {
        let floats = (blockA.bindMemory(to: Float.self), blockB.bindMemory(to: Float.self))
        result.add(UnsafeBufferPointer(floats.0), UnsafeBufferPointer(floats.1), tolerance)
      } else {
        return nil
      }
      done += count
    }
    return result
  }

  private mutating func add(
    _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>, _ tolerance: Tolerance
  ) {
    for place in 0..<min(a.count, b.count) {
      let (x, y) = (a[place], b[place])
      if x == y || x.isNaN && y.isNaN {
        finiteCount += 1
        continue
      }
      unequalCount += 1
      guard x.isFinite, y.isFinite else {
        notFiniteCount += 1
        isWithinTolerance = false
        continue
      }
      let difference = abs(Double(x) - Double(y))
      maximum = max(maximum, difference)
      sum += difference
      finiteCount += 1
      if difference > tolerance.absolute + tolerance.relative * Double(abs(y)) { isWithinTolerance = false }
    }
  }

  /// Joins what was found for another part of the same array.
  mutating func add(_ other: ElementDifference) {
    maximum = max(maximum, other.maximum)
    unequalCount += other.unequalCount
    notFiniteCount += other.notFiniteCount
    isWithinTolerance = isWithinTolerance && other.isWithinTolerance
    sum += other.sum
    finiteCount += other.finiteCount
  }
}
