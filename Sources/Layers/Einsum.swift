import H5ConvDiagnostics
import H5ConvTensors

/// An equation of `einsum`: which labels the axes of the operands and of the result have.
struct Einsum: Sendable, Equatable {
  /// Labels of each operand; `...` stands for the axes that an operand has more.
  private let operands: [Labels]
  private let result: Labels

  private struct Labels: Sendable, Equatable {
    let before: [Character]
    let hasEllipsis: Bool
    let after: [Character]
  }

  /// - Throws: `H5ConvError` when `equation` is none.
  init(_ equation: String) throws {
    let text = equation.filter { $0 != " " }
    let sides = text.split(separator: ">", omittingEmptySubsequences: false)
    let inputs = (sides.count == 2 && sides[0].hasSuffix("-") ? sides[0].dropLast() : sides[0])
      .split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count <= 2, sides.count == 1 || sides[0].hasSuffix("-") else { throw Einsum.wrong(equation) }
    operands = try inputs.map { try Einsum.labels($0, equation) }
    if sides.count == 2 {
      result = try Einsum.labels(sides[1], equation)
    } else {
      // Without a right side: the labels that appear once, in alphabetical order, behind the ellipsis.
      let all = operands.flatMap { $0.before + $0.after }
      let once = all.filter { label in all.filter { $0 == label }.count == 1 }.sorted()
      result = Labels(before: [], hasEllipsis: operands.contains(where: \.hasEllipsis), after: once)
    }
    let known = Set(operands.flatMap { $0.before + $0.after })
    let wanted = result.before + result.after
    guard Set(wanted).count == wanted.count, known.isSuperset(of: wanted),
      operands.allSatisfy({ Set($0.before + $0.after).count == $0.before.count + $0.after.count })
    else { throw Einsum.wrong(equation) }
  }

  private static func wrong(_ equation: String) -> H5ConvError {
    H5ConvError(.unsupported, "the einsum equation '\(equation)' is not supported")
  }

  private static func labels(_ text: Substring, _ equation: String) throws -> Labels {
    guard let dots = text.firstIndex(of: ".") else {
      guard text.allSatisfy(\.isLetter) else { throw wrong(equation) }
      return Labels(before: Array(text), hasEllipsis: false, after: [])
    }
    let rest = text[dots...]
    guard rest.hasPrefix("..."), rest.dropFirst(3).allSatisfy(\.isLetter), text[..<dots].allSatisfy(\.isLetter) else {
      throw wrong(equation)
    }
    return Labels(before: Array(text[..<dots]), hasEllipsis: true, after: Array(rest.dropFirst(3)))
  }

  /// A label of an axis: a letter, or a place among the axes of the ellipsis, counted from the end.
  enum Label: Hashable {
    case letter(Character)
    case elided(Int)
  }

  private func expanded(_ labels: Labels, rank: Int) throws -> [Label] {
    let count = rank - labels.before.count - labels.after.count
    guard count >= 0, labels.hasEllipsis || count == 0 else {
      throw H5ConvError(.badData, "an operand with \(rank) axes does not fit the einsum equation")
    }
    return labels.before.map(Label.letter) + (0..<count).reversed().map(Label.elided) + labels.after.map(Label.letter)
  }

  /// Labels of the operands' axes and of the result's, for operands of these ranks.
  func labels(ranks: [Int]) throws -> (operands: [[Label]], result: [Label]) {
    guard ranks.count == operands.count else {
      throw H5ConvError(.badData, "\(ranks.count) operands where the einsum equation has \(operands.count)")
    }
    let expandedOperands = try zip(operands, ranks).map { try expanded($0, rank: $1) }
    let elided = zip(operands, ranks).map { $0.hasEllipsis ? $1 - $0.before.count - $0.after.count : 0 }.max() ?? 0
    let rank = result.before.count + result.after.count + (result.hasEllipsis ? elided : 0)
    return (expandedOperands, try expanded(result, rank: rank))
  }

  /// Shape of the result.
  func shape(_ shapes: [PartialShape]) throws -> PartialShape {
    let labels = try labels(ranks: shapes.map(\.rank))
    var sizes: [Label: Int?] = [:]
    for (operand, shape) in zip(labels.operands, shapes) {
      for (label, size) in zip(operand, shape.sizes) {
        if let known = sizes[label] ?? nil, let size, known != size {
          throw H5ConvError(.badData, "operands of shapes \(shapes.map(\.description).joined(separator: " and "))")
        }
        sizes[label] = (sizes[label] ?? nil) ?? size
      }
    }
    return PartialShape(labels.result.map { sizes[$0] ?? nil })
  }

  /// Emits the sums of products, two operands at a time from the left.
  func lower(_ values: [Value], to lowering: inout Lowering) throws -> Value {
    _ = try shape(values.map { PartialShape($0.shape) })
    let labels = try labels(ranks: values.map(\.shape.count))
    var (value, names) = (values[0], labels.operands[0])
    for place in values.indices.dropFirst() {
      let later = labels.operands[(place + 1)...].flatMap { $0 }
      (value, names) = contract(
        (value, names), (values[place], labels.operands[place]), keeping: Set(labels.result + later), in: &lowering)
    }
    (value, names) = summed((value, names), keeping: Set(labels.result), in: &lowering)
    return transposed(value, names, to: labels.result, in: &lowering)
  }

  private typealias Operand = (value: Value, labels: [Label])

  /// Sums over the labels that nobody needs.
  private func summed(_ operand: Operand, keeping labels: Set<Label>, in lowering: inout Lowering) -> Operand {
    let axes = operand.labels.indices.filter { !labels.contains(operand.labels[$0]) }
    if axes.isEmpty { return operand }
    let kept = operand.labels.indices.filter { !axes.contains($0) }
    let shape = kept.map { operand.value.shape[$0] }
    return (
      lowering.emit(.tensor(.reduce(.sum, axes: axes)), [operand.value], shape: shape), kept.map { operand.labels[$0] }
    )
  }

  private func transposed(
    _ value: Value, _ labels: [Label], to order: [Label], in lowering: inout Lowering
  ) -> Value {
    let axes = order.compactMap { labels.firstIndex(of: $0) }
    return lowering.emit(.transpose(axes: axes), [value], shape: axes.map { value.shape[$0] })
  }

  private func contract(
    _ a: Operand, _ b: Operand, keeping wanted: Set<Label>, in lowering: inout Lowering
  ) -> Operand {
    let a = summed(a, keeping: wanted.union(b.labels), in: &lowering)
    let b = summed(b, keeping: wanted.union(a.labels), in: &lowering)
    let shared = a.labels.filter { b.labels.contains($0) }
    let batch = shared.filter { wanted.contains($0) }
    let inner = shared.filter { !wanted.contains($0) }
    let rows = a.labels.filter { !shared.contains($0) }
    let columns = b.labels.filter { !shared.contains($0) }
    var sizes: [Label: Int] = [:]
    for operand in [a, b] { for (label, size) in zip(operand.labels, operand.value.shape) { sizes[label] = size } }
    func lengths(_ labels: [Label]) -> [Int] { labels.map { sizes[$0, default: 1] } }
    func product(of labels: [Label]) -> Int { lengths(labels).reduce(1, *) }
    let left = lowering.emit(
      .reshape, [transposed(a.value, a.labels, to: batch + rows + inner, in: &lowering)],
      shape: lengths(batch) + [product(of: rows), product(of: inner)])
    let right = lowering.emit(
      .reshape, [transposed(b.value, b.labels, to: batch + inner + columns, in: &lowering)],
      shape: lengths(batch) + [product(of: inner), product(of: columns)])
    let result = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: false)), [left, right],
      shape: lengths(batch) + [product(of: rows), product(of: columns)])
    let labels = batch + rows + columns
    return (lowering.emit(.reshape, [result], shape: lengths(labels)), labels)
  }
}
