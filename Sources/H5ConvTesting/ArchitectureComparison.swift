public import H5Conv

/// Compares the layers of two models: names, classes, output shapes, parameters, what goes in; nested models too.
///
/// - Parameters:
///   - model: the model that is checked, say a converted one.
///   - reference: what it shall be like.
/// - Returns: a report whose departures are in the order of `model`'s layers.
public func compareArchitecture(_ model: Model, _ reference: Model) -> ConversionReport {
  var builder = ReportBuilder("architecture")
  compare(model.inputs.map(\.name), reference.inputs.map(\.name), "the inputs", at: "model", &builder)
  compare(model.layers, reference.layers, in: "", &builder)
  compare(
    model.trainableParameterCount, reference.trainableParameterCount, "the trainable parameters", at: "model", &builder)
  return builder.report
}

/// Checks that two models have the same layers, as ``compareArchitecture(_:_:)`` compares them.
///
/// - Throws: ``ConversionMismatch`` naming the first layer that is different, and how.
public func expectSameArchitecture(_ model: Model, _ reference: Model) throws {
  try compareArchitecture(model, reference).verify()
}

private func compare(_ a: [LayerInfo], _ b: [LayerInfo], in outer: String, _ builder: inout ReportBuilder) {
  // By names, so that a layer too many is one departure and not the ruin of all behind it.
  let others = Dictionary(b.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  for layer in a {
    builder.count += 1
    let place = outer + layer.name
    guard let other = others[layer.name] else {
      builder.depart(place, "only the first model has it")
      continue
    }
    compare(layer.className, other.className, "the class", at: place, &builder)
    compare(layer.outputShapes, other.outputShapes, "the output shape", at: place, &builder) { shapes in
      shapes.map(text).joined(separator: ", ")
    }
    compare(layer.parameterCount, other.parameterCount, "the number of parameters", at: place, &builder)
    compare(layer.inbound, other.inbound, "the layers that go in", at: place, &builder)
    compare(layer.nested, other.nested, in: place + "/", &builder)
  }
  let names = Set(a.map(\.name))
  for layer in b where !names.contains(layer.name) {
    builder.count += 1
    builder.depart(outer + layer.name, "only the second model has it")
  }
  let common = b.map(\.name).filter(names.contains)
  if common != a.map(\.name).filter({ others[$0] != nil }) {
    builder.depart(outer.isEmpty ? "model" : String(outer.dropLast()), "the layers stand in another order")
  }
}

private func compare<Value: Equatable>(
  _ a: Value, _ b: Value, _ what: String, at place: String, _ builder: inout ReportBuilder,
  text: (Value) -> String = { "\($0)" }
) {
  if a != b { builder.depart(place, "\(what): \(text(a)) and \(text(b))") }
}

private func text(_ shape: [Int?]) -> String {
  "(" + shape.map { $0.map(String.init) ?? "None" }.joined(separator: ", ") + ")"
}
