import H5ConvConfig

extension ModelDiff {
  /// What was found as JSON, described by `schemas/diff.schema.json`.
  public var json: String {
    var object: JSONObject = ["version": 1, "a": .string(first), "b": .string(second)]
    let verdict = verdict
    switch verdict {
    case .same: object["verdict"] = "same"
    case .different: object["verdict"] = "different"
    case .unknown: object["verdict"] = "unknown"
    }
    object["same"] = .bool(verdict == .same)
    if case .unknown(let reason) = verdict { object["reason"] = .string(reason) }
    var compared: [JSONValue] = []
    if architecture != nil { compared.append("architecture") }
    if weights != nil { compared.append("weights") }
    if activations != nil { compared.append("activations") }
    object["compared"] = .array(compared)
    object["layers"] = .int(layerCount)
    object["architecture"] = .array((architecture ?? []).map(\.json))
    object["weights"] = .array((weights ?? []).map(\.json))
    if let activations {
      object["activations"] = .array(activations.layers.map(\.json))
      object["first_departure"] = .optional(activations.firstDeparture?.layer)
      object["preprocess"] = .array(activations.preprocess.map { .string($0) })
    }
    object["notes"] = .array(notes.map { .string($0) })
    return JSONValue.object(object).text(pretty: true)
  }
}

extension ArchitectureDifference {
  fileprivate var json: JSONValue {
    [
      "kind": .string(kind.rawValue), "significant": .bool(isSignificant), "layer": .string(layer),
      "field": .optional(field), "a": a, "b": b,
    ]
  }
}

extension WeightDifference {
  fileprivate var json: JSONValue {
    func shape(_ sizes: [Int]?) -> JSONValue { sizes.map { .shape($0) } ?? .null }
    var object: JSONObject = [
      "path": .string(path), "status": .string(status.rawValue), "equal": .bool(isEqual),
      "within_tolerance": .bool(status == .equal || status == .close),
      "max_abs": elements.map { .double($0.maximum) } ?? .null, "mean_abs": elements.map { .double($0.mean) } ?? .null,
      "unequal": elements.map { .int($0.unequalCount) } ?? .null,
      "not_finite": elements.map { .int($0.notFiniteCount) } ?? .null, "shape_a": shape(firstShape),
      "shape_b": shape(secondShape), "dtype_a": .optional(firstType), "dtype_b": .optional(secondType),
    ]
    if let problem { object["problem"] = .string(problem) }
    return .object(object)
  }
}

extension ActivationDifference {
  fileprivate var json: JSONValue {
    [
      "layer": .string(layer), "class": .string(className), "same_shape": .bool(hasSameShape),
      "equal": .bool(elements?.isEqual ?? false), "within_tolerance": .bool(!isDeparture),
      "max_abs": elements.map { .double($0.maximum) } ?? .null, "mean_abs": elements.map { .double($0.mean) } ?? .null,
      "not_finite": elements.map { .int($0.notFiniteCount) } ?? .null,
    ]
  }
}
