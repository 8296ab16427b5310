public import H5Conv

/// Compares the weights of a model with those of another, by layer and name.
///
/// - Parameter tolerance: largest difference, in units of max(1, |golden|max) of each weight; 0 for equal bits.
/// - Throws: ``H5ConvError`` when weights cannot be read.
public func compareWeights(of model: Model, with other: Model, within tolerance: Double = 0) throws -> ConversionReport
{
  let expected = other.layerWeights
  return try compareWeights(
    of: model, expected.map { weight in (weight.key, { try weight.read() }) }, within: tolerance, reportsUnknown: true)
}

/// Compares the weights of a model with golden ones, keyed `layer/name`; weights that have no golden one are not compared.
///
/// - Parameter tolerance: largest difference, in units of max(1, |golden|max) of each weight.
/// - Throws: ``H5ConvError`` when weights cannot be read.
public func compareWeights(
  of model: Model, with golden: [String: Tensor], within tolerance: Double = 0
) throws -> ConversionReport {
  try compareWeights(
    of: model, golden.sorted { $0.key < $1.key }.map { key, tensor in (key, { tensor }) }, within: tolerance,
    reportsUnknown: false)
}

/// Checks that two models have the same weights, as ``compareWeights(of:with:within:)-(_,Model,_)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first weight that departs, or ``H5ConvError``.
public func expectWeights(of model: Model, equal other: Model, within tolerance: Double = 0) throws {
  try compareWeights(of: model, with: other, within: tolerance).verify()
}

/// Checks that a model has the golden weights, keyed `layer/name`.
///
/// - Throws: ``ConversionMismatch`` naming the first weight that departs, or ``H5ConvError``.
public func expectWeights(of model: Model, equal golden: [String: Tensor], within tolerance: Double = 0) throws {
  try compareWeights(of: model, with: golden, within: tolerance).verify()
}

private func compareWeights(
  of model: Model, _ expected: [(key: String, read: () throws -> Tensor)], within tolerance: Double,
  reportsUnknown: Bool
) throws -> ConversionReport {
  var builder = ReportBuilder("weights")
  var missing = Dictionary(expected.map { ($0.key, $0.read) }, uniquingKeysWith: { first, _ in first })
  // In the model's order, one weight in memory at a time.
  for weight in model.layerWeights {
    if let read = missing.removeValue(forKey: weight.key) {
      builder.compare(try weight.read(), with: try read(), at: weight.key, within: tolerance)
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
