public import H5Conv

/// Runs two models on the same inputs and compares what their layers compute, in execution order.
///
/// Layers are matched by name, calls and outputs too (`name@1`, `name:1`). What only one of them has is passed over, and so is
/// what cannot be run in one of them. The models' own outputs are compared whatever they are called, by place.
/// - Parameters:
///   - model: the model that is checked, say a converted one.
///   - reference: what it shall be like.
///   - inputs: one tensor for each of `reference`'s inputs, batch first; those of `model` are found by name, or by place where the
///     names differ.
///   - tolerance: largest |a − b|, in units of max(1, |reference|max) of each layer.
/// - Returns: a report whose first departure is the first layer that departs, and by how much.
/// - Throws: `H5ConvError` when a model cannot be run on the inputs, or there is nothing that both can run.
public func compareActivations(
  _ model: Model, _ reference: Model, on inputs: [Tensor], tolerance: Double = 1e-4
) throws -> ConversionReport {
  var builder = ReportBuilder("activations")
  let (own, others) = (model.computableOutputNames, Set(reference.computableOutputNames))
  let common = own.filter(others.contains)
  // Of outputs that have other names in the two.
  let ends = zip(model.finalOutputNames, reference.finalOutputNames).filter {
    $0 != $1 && own.contains($0) && others.contains($1)
  }
  guard !common.isEmpty || !ends.isEmpty else {
    throw H5ConvError(
      .unsupported, "the models have no layer in common that can be run", remedy: "compare their weights",
      file: model.path)
  }
  let results = try model.slice(outputs: common + ends.map(\.0)).run(ordered(inputs, of: reference, for: model))
  let expected = try reference.slice(outputs: common + ends.map(\.1)).run(inputs)
  for (result, expected) in zip(results, expected) {
    let place = result.name == expected.name ? result.name : "\(result.name) (\(expected.name))"
    builder.compare(result.tensor, with: expected.tensor, at: place, tolerance: tolerance)
  }
  if model.finalOutputNames.count != reference.finalOutputNames.count {
    builder.depart(
      "model", "\(model.finalOutputNames.count) outputs where \(reference.finalOutputNames.count) were expected")
  }
  return builder.report
}

/// Checks that two models compute the same, as ``compareActivations(_:_:on:tolerance:)-(Model,Model,_,_)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first layer that departs and by how much, or `H5ConvError`.
public func expectSameActivations(
  _ model: Model, _ reference: Model, on inputs: [Tensor], tolerance: Double = 1e-4
) throws {
  try compareActivations(model, reference, on: inputs, tolerance: tolerance).verify()
}

/// Runs a model and compares what its layers compute with golden values, in execution order.
///
/// Only layers that have golden values are computed, so that a model with layers that cannot be run is compared above them.
/// - Parameters:
///   - golden: expected outputs by the names of results: `conv1`, `outer/inner`, `name@1`, `name:1`.
///   - inputs: one tensor for each of the model's inputs, batch first.
///   - tolerance: largest |a − b|, in units of max(1, |golden|max) of each layer.
/// - Returns: a report whose first departure is the first layer that departs, and by how much.
/// - Throws: `H5ConvError` when the model cannot be run on the inputs.
public func compareActivations(
  _ model: Model, _ golden: [String: Tensor], on inputs: [Tensor], tolerance: Double = 1e-4
) throws -> ConversionReport {
  var builder = ReportBuilder("activations")
  let known = model.outputNames.filter { golden[$0] != nil }
  if !known.isEmpty {
    for activation in try model.slice(outputs: known).run(inputs) {
      guard let expected = golden[activation.name] else { continue }
      builder.compare(activation.tensor, with: expected, at: activation.name, tolerance: tolerance)
    }
  }
  for name in Set(golden.keys).subtracting(known).sorted() {
    builder.count += 1
    builder.depart(name, "the model has no such layer")
  }
  return builder.report
}

/// Checks that the layers of a model compute the golden values, as
/// ``compareActivations(_:_:on:tolerance:)-(Model,[String:Tensor],_,_)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first layer that departs and by how much, or `H5ConvError`.
public func expectSameActivations(
  _ model: Model, _ golden: [String: Tensor], on inputs: [Tensor], tolerance: Double = 1e-4
) throws {
  try compareActivations(model, golden, on: inputs, tolerance: tolerance).verify()
}

/// Inputs of `reference` in the order of `model`'s.
private func ordered(_ inputs: [Tensor], of reference: Model, for model: Model) -> [Tensor] {
  let names = reference.inputs.map(\.name)
  let places = model.inputs.compactMap { names.firstIndex(of: $0.name) }
  guard names.count == inputs.count, places.count == inputs.count, Set(places).count == places.count else {
    return inputs
  }
  return places.map { inputs[$0] }
}
