public import H5Conv

/// Compares the weights of two models, by layer and name.
///
/// - Parameters:
///   - model: the model that is checked, say a converted one.
///   - reference: what it shall be like.
///   - tolerance: largest difference, in units of max(1, |reference|max) of each weight; 0 for equal numbers.
/// - Returns: a report whose departures are in the order of `model`'s layers.
/// - Throws: `H5ConvError` when weights cannot be read.
public func compareWeights(_ model: Model, _ reference: Model, tolerance: Double = 0) throws -> ConversionReport {
  try compareWeights(
    model, reference.layerWeights.map { weight in (weight.key, { try weight.read() }) }, tolerance: tolerance,
    reportsUnknown: true)
}

/// Checks that two models have the same weights, as ``compareWeights(_:_:tolerance:)-(Model,Model,_)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first weight that departs, or `H5ConvError`.
public func expectSameWeights(_ model: Model, _ reference: Model, tolerance: Double = 0) throws {
  try compareWeights(model, reference, tolerance: tolerance).verify()
}

/// Compares the weights of a model with golden ones, keyed `layer/name`; weights that have no golden one are not compared.
///
/// - Parameter tolerance: largest difference, in units of max(1, |golden|max) of each weight.
/// - Throws: `H5ConvError` when weights cannot be read.
public func compareWeights(
  _ model: Model, _ golden: [String: Tensor], tolerance: Double = 0
) throws -> ConversionReport {
  try compareWeights(
    model, golden.sorted { $0.key < $1.key }.map { key, tensor in (key, { tensor }) }, tolerance: tolerance,
    reportsUnknown: false)
}

/// Checks that a model has the golden weights, keyed `layer/name`.
///
/// - Throws: ``ConversionMismatch`` naming the first weight that departs, or `H5ConvError`.
public func expectSameWeights(_ model: Model, _ golden: [String: Tensor], tolerance: Double = 0) throws {
  try compareWeights(model, golden, tolerance: tolerance).verify()
}

private func compareWeights(
  _ model: Model, _ expected: [(key: String, read: () throws -> Tensor)], tolerance: Double,
  reportsUnknown: Bool
) throws -> ConversionReport {
  var builder = ReportBuilder("weights")
  var missing = Dictionary(expected.map { ($0.key, $0.read) }, uniquingKeysWith: { first, _ in first })
  // In the model's order, one weight in memory at a time.
  for weight in model.layerWeights {
    if let read = missing.removeValue(forKey: weight.key) {
      builder.compare(try weight.read(), with: try read(), at: weight.key, tolerance: tolerance)
    } else if reportsUnknown {
      builder.count += 1
      builder.depart(weight.key, "only the first model has it")
    }
  }
  for (key, _) in expected where missing[key] != nil {
    builder.count += 1
    builder.depart(key, "the model does not have it")
  }
  return builder.report
}
