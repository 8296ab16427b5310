import H5ConvConfig
import H5ConvLayers

/// Gives the layers of a model names that Keras 3 takes: it refuses those with a '/', which tf.keras had nothing against.
struct KerasNames {
  /// What layers were called, by their paths under the new names; only where a name on the path is another now.
  private(set) var sourcePaths: [[String]: [String]] = [:]
  /// Old and new names of layers and models, in the order of the model.
  private(set) var changes: [(old: String, new: String)] = []

  /// The model with '_' for every '/' in its names; where another layer has that name already, with a number behind it.
  mutating func renamed(_ model: Architecture) -> Architecture { renamed(model, path: [], source: []) }

  /// What is said of the change; nil when there is none.
  var note: TranslationNote? {
    guard let first = changes.first else { return nil }
    let names = changes.prefix(3).map { "\($0.old) is \($0.new) now" }.joined(separator: ", ")
    let more = changes.count > 3 ? ", and so on for \(changes.count) names" : ""
    return TranslationNote(
      changes.count == 1 ? first.old : "", "Keras 3 takes no '/' in names: \(names)\(more)", concernsWeights: true)
  }

  private mutating func renamed(_ model: Architecture, path: [String], source: [String]) -> Architecture {
    var model = model
    if path.isEmpty, model.name.contains("/") { model.name = KerasNames.plain(model.name) }
    let names = newNames(model.layers.map(\.name))
    model.layers = model.layers.map { layer in
      var layer = layer
      let name = names[layer.name] ?? layer.name
      let (here, old) = (path + [name], source + [layer.name])
      if name != layer.name {
        changes.append((old.joined(separator: "/"), name))
        layer.name = name
      }
      if here != old { sourcePaths[here] = old }
      if let nested = layer.nested { layer.nested = renamed(nested, path: here, source: old) }
      layer.nested?.name = name
      layer.config = KerasNames.withPlainNames(layer.config, depth: 0)
      layer.config["name"] = .string(name)
      return layer
    }
    guard !names.isEmpty else { return model }
    func following(_ reference: TensorReference) -> TensorReference {
      TensorReference(
        layer: names[reference.layer] ?? reference.layer, call: reference.call, output: reference.output)
    }
    for place in model.layers.indices {
      model.layers[place].calls = model.layers[place].calls.map { LayerCall($0.arguments.map(following)) }
    }
    model.inputStructure = model.inputStructure.map(following)
    model.outputStructure = model.outputStructure.map(following)
    return model
  }

  /// New names by old ones, of those that have a '/'.
  private func newNames(_ names: [String]) -> [String: String] {
    var taken = Set(names.filter { !$0.contains("/") })
    var result: [String: String] = [:]
    for name in names where name.contains("/") {
      let stem = KerasNames.plain(name)
      var (candidate, number) = (stem, 1)
      while !taken.insert(candidate).inserted {
        candidate = "\(stem)_\(number)"
        number += 1
      }
      result[name] = candidate
    }
    return result
  }

  private static func plain(_ name: String) -> String { String(name.map { $0 == "/" ? "_" : $0 }) }

  /// The config of a wrapper with such names for the layers in it, which need not differ from any other's.
  private static func withPlainNames(_ config: JSONObject, depth: Int) -> JSONObject {
    var result = config
    for key in ["layer", "backward_layer", "forward_layer", "cell", "cells"] where depth < 16 {
      guard let value = config[key] else { continue }
      func changed(_ value: JSONValue) -> JSONValue {
        guard var object = value.object, var inner = object["config"]?.object, inner["layers"] == nil else {
          return value
        }
        inner = withPlainNames(inner, depth: depth + 1)
        if let name = inner["name"]?.string { inner["name"] = .string(plain(name)) }
        object["config"] = .object(inner)
        return .object(object)
      }
      result[key] = value.array.map { .array($0.map(changed)) } ?? changed(value)
    }
    return result
  }
}
