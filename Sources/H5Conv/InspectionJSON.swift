import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import H5ConvTensors

extension Inspection {
  /// What is known of the file as JSON, described by `schemas/inspect.schema.json`.
  ///
  /// - Parameters:
  ///   - weights: whether `weights` lists every weight with its statistics; it reads them all.
  ///   - columns: what each layer tells besides.
  public func json(weights: Bool = false, columns: [LayerColumn] = []) throws -> String {
    var object: JSONObject = [
      "version": 1, "file": .string(file.path), "format": .string(file.container.rawValue),
      "keras_version": .optional(file.kerasVersion), "backend": .optional(file.backend),
    ]
    if let model, let summary {
      object["name"] = .string(model.name)
      object["class"] = .string(model.architecture.className)
      object["dtype"] = .array(model.dtypePolicies.map { .string($0) })
      object["compile"] = compile
      object["inputs"] = .array(
        model.inputs.map { ["name": .string($0.name), "shape": .shape($0.shape)] })
      let keys = Dictionary(model.graph.taps.map { ($0.tensor, $0.key) }, uniquingKeysWith: { _, last in last })
      object["outputs"] = .array(model.graph.outputs.compactMap { keys[$0].map { .string($0) } })
      let footprint = columns.isEmpty ? nil : Footprint(model.graph)
      let footprints = footprint?.layers(of: model.graph) ?? [:]
      func fields(_ path: [String]) -> KeyValuePairs<String, JSONValue> {
        footprint.flatMap { footprint in footprints[path]?.json(columns, isAssumed: footprint.isAssumed) } ?? [:]
      }
      object["layers"] = .array(summary.rows.map { $0.json(path: [], fields) })
      if columns.contains(.macs), let footprint {
        object["total_macs"] = footprint.isAssumed ? .null : footprint.multiplyAccumulates.map { .int($0) } ?? .null
      }
      object["total_params"] = .int(summary.totalParameters)
      object["trainable_params"] = .int(summary.trainableParameters)
      object["non_trainable_params"] = .int(summary.nonTrainableParameters)
    } else {
      try addGroups(to: &object)
    }
    object["warnings"] = .array(warnings.map { .string($0) })
    if weights { object["weights"] = .array(try file.storedWeights(skipsMissing: true).map(\.json)) }
    return JSONValue.object(object).text(pretty: true)
  }

  private var compile: JSONValue {
    guard let training = file.trainingConfig else { return .null }
    return [
      "optimizer": .optional(file.optimizer), "loss": training["loss"] ?? .null,
      "metrics": training["metrics"] ?? .null,
    ]
  }

  /// Layers of a file without an architecture: what its groups are called and how many elements they hold.
  private func addGroups(to object: inout JSONObject) throws {
    let groups = try file.weightGroups()
    object["layers"] = .array(
      groups.map { group in
        [
          "name": .string(group.name), "class": .null, "looks_like": .optional(group.className), "output_shape": .null,
          "params": .int(group.count), "inbound": [],
        ]
      })
    object["total_params"] = .int(groups.reduce(0) { $0.clampedSum($1.count) })
    object["trainable_params"] = .null
    object["non_trainable_params"] = .null
  }
}

extension Summary.Row {
  /// - Parameter fields: further members for the layer at a path; those that are null are left out.
  fileprivate func json(path: [String], _ fields: ([String]) -> KeyValuePairs<String, JSONValue>) -> JSONValue {
    let path = path + [name]
    var object: JSONObject = [
      "name": .string(name), "class": .string(className),
      "output_shape": outputShapes.count > 1
        ? .array(outputShapes.map { .shape($0.sizes) }) : outputShapes.first.map { .shape($0.sizes) } ?? .null,
      "params": .int(parameters), "trainable_params": .int(trainableParameters),
      "inbound": .array(inbound.map { .string($0) }), "index": index.map { .int($0) } ?? .null,
      "supported": .bool(isSupported),
    ]
    for (name, value) in fields(path) where !value.isNull { object[name] = value }
    if !nested.isEmpty { object["layers"] = .array(nested.map { $0.json(path: path, fields) }) }
    return .object(object)
  }
}

extension StoredWeight {
  /// Figures are null, and `error` says why, for a weight that cannot be read.
  fileprivate var json: JSONValue {
    var object: JSONObject = [
      "path": .string(path), "shape": .array(shape.map { .int($0) }), "dtype": .string(dtype),
    ]
    let figures = ["min", "max", "mean", "std", "zeros", "nan", "inf"]
    do {
      let statistics = try statistics()
      let values: [JSONValue] = [
        .double(statistics.minimum), .double(statistics.maximum), .double(statistics.mean),
        .double(statistics.standardDeviation), .int(statistics.zeroCount), .int(statistics.nanCount),
        .int(statistics.infinityCount),
      ]
      for (name, value) in zip(figures, values) { object[name] = value }
    } catch {
      for name in figures { object[name] = .null }
      object["error"] = .string("\(error)")
    }
    return .object(object)
  }
}

extension JSONValue {
  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  static func shape(_ sizes: [Int?]) -> JSONValue { .array(sizes.map { $0.map { .int($0) } ?? .null }) }
}
