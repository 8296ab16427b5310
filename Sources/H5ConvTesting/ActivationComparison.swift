public import H5Conv

/// Runs a model and compares what its layers compute with golden values, layer by layer in execution order.
///
/// Only layers that have golden values are computed, so that a model with layers that cannot be run is compared above them.
/// - Parameters:
///   - inputs: one tensor for each of the model's inputs, batch first.
///   - golden: expected outputs by the names of results: `conv1`, `outer/inner`, `name@1`, `name:1`.
///   - tolerance: largest |a − b|, in units of max(1, |golden|max) of each layer.
/// - Returns: a report whose first departure is the first layer that departs, and by how much.
/// - Throws: ``H5ConvError`` when the model cannot be run on the inputs.
public func compareActivations(
  of model: Model, on inputs: [Tensor], with golden: [String: Tensor], within tolerance: Double = 1e-4
) throws -> ConversionReport {
  var builder = ReportBuilder("activations")
  let known = model.outputNames.filter { golden[$0] != nil }
  if !known.isEmpty {
    for activation in try model.slice(outputs: known).run(inputs) {
      guard let expected = golden[activation.name] else { continue }
      builder.compare(activation.tensor, with: expected, at: activation.name, within: tolerance)
    }
  }
  for name in Set(golden.keys).subtracting(known).sorted() {
    builder.count += 1
    builder.depart(name, "the model has no such layer")
  }
  return builder.report
}

/// Checks that the layers of a model compute the golden values, as ``compareActivations(of:on:with:within:)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first layer that departs and by how much, or ``H5ConvError``.
public func expectActivations(
  of model: Model, on inputs: [Tensor], match golden: [String: Tensor], within tolerance: Double = 1e-4
) throws {
  try compareActivations(of: model, on: inputs, with: golden, within: tolerance).verify()
}
