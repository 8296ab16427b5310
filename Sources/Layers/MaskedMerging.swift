import H5ConvDiagnostics

/// How Keras 3 multiplies, and takes the larger or smaller, where inputs come with masks: a step that does not count leaves the
/// others as they are (`keras/src/layers/merging/multiply.py`, `base_merge.py`).
extension Merging {
  /// The inputs combined from the first to the last; nil when no mask matters.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` for a mask that is not (batch, time) of an input (batch, time, features).
  static func foldMasked(_ inputs: [Value], _ operation: BinaryOperation, in lowering: inout Lowering) throws -> Value?
  {
    let rank = inputs.map(\.shape.count).max() ?? 0
    // An input that gets axes loses its mask.
    let masks = inputs.indices.map { place in
      inputs[place].shape.count == rank && lowering.inputMasks.indices.contains(place)
        ? lowering.inputMasks[place] : nil
    }
    guard operation != .add, operation != .subtract, masks.contains(where: { $0 != nil }) else { return nil }
    let inputs = aligned(inputs, in: &lowering)
    let columns = try masks.map { mask -> Value? in
      guard let mask else { return nil }
      guard mask.shape.count + 1 == rank else {
        throw H5ConvError(.unsupported, "a mask of shape \(mask.shape) for inputs of \(rank) axes is not supported")
      }
      return lowering.emit(.reshape, [mask], shape: mask.shape + [1])
    }
    return operation == .multiply
      ? try product(inputs, columns, in: &lowering) : try extreme(inputs, columns, operation, in: &lowering)
  }

  /// 1 in place of what does not count, and 0 where all inputs have a mask and none counts.
  private static func product(_ inputs: [Value], _ columns: [Value?], in lowering: inout Lowering) throws -> Value {
    var result: Value?
    for (input, column) in zip(inputs, columns) {
      let one = lowering.number(1)
      let factor = try column.map { try lowering.select($0, input, one) } ?? input
      result = try result.map { try lowering.binary(.multiply, $0, factor) } ?? factor
    }
    let given = columns.compactMap { $0 }
    guard let product = result, given.count == columns.count else { return result ?? inputs[0] }
    let any = try given.dropFirst().reduce(given[0]) { try lowering.combine(.or, $0, $1) }
    return try lowering.select(any, product, lowering.number(0))
  }

  /// The other operand in place of one that does not count; after an input without a mask everything before it counts.
  private static func extreme(
    _ inputs: [Value], _ columns: [Value?], _ operation: BinaryOperation, in lowering: inout Lowering
  ) throws -> Value {
    var (result, counts) = (inputs[0], columns[0])
    for (input, column) in zip(inputs, columns).dropFirst() {
      let other = try column.map { try lowering.select($0, input, result) } ?? input
      result = try counts.map { try lowering.select($0, result, other) } ?? result
      counts = if let column, let before = counts { try lowering.combine(.or, before, column) } else { nil }
      result = try lowering.binary(operation, result, other)
    }
    return result
  }
}
