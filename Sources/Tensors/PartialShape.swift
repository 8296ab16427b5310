/// Sizes of a tensor's axes as far as they are known before a run; nil where the input decides (Keras' `None`).
package struct PartialShape: Sendable, Equatable, CustomStringConvertible, ExpressibleByArrayLiteral {
  /// Sizes of the axes, outermost (the batch) first.
  package var sizes: [Int?]

  package init(_ sizes: [Int?]) { self.sizes = sizes }

  package init(arrayLiteral elements: Int?...) { sizes = elements }

  /// Number of axes, the batch included.
  package var rank: Int { sizes.count }

  package subscript(axis: Int) -> Int? {
    get { sizes[axis] }
    set { sizes[axis] = newValue }
  }

  /// All sizes, or nil when one is not known.
  package var known: [Int]? {
    let known = sizes.compactMap { $0 }
    return known.count == sizes.count ? known : nil
  }

  /// Whether `known` has as many axes and, where this shape knows their sizes, the same.
  package func fits(_ known: [Int]) -> Bool {
    known.count == rank && zip(known, sizes).allSatisfy { $1 == nil || $0 == $1 }
  }

  /// The product of `sizes[axes]`, nil when one is unknown or the product overflows.
  package func product(of axes: Range<Int>) -> Int? {
    var product = 1
    for size in sizes[axes] {
      guard let size else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }

  /// The shape as Python prints a tuple: `(None, 160, 160, 3)`, `(None,)`.
  package var description: String {
    let items = sizes.map { $0.map(String.init) ?? "None" }
    return items.count == 1 ? "(\(items[0]),)" : "(\(items.joined(separator: ", ")))"
  }
}

extension Int {
  /// The sum, or the largest Int when it overflows: counts of elements that a hostile file declares.
  package func clampedSum(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
