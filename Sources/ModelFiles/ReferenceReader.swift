import H5ConvConfig
import H5ConvDiagnostics

/// Reads the edges of a functional graph: `inbound_nodes`, `input_layers`, `output_layers`.
struct ReferenceReader {
  /// Names of the graph's layers; for those that are models, their kind.
  let nestedKinds: [String: Architecture.Kind?]
  let generation: Int

  // MARK: - inbound_nodes

  func calls(_ value: JSONValue, at place: String) throws -> [LayerCall] {
    guard let nodes = value.array else { throw damaged(place) }
    // An operation of tf.keras (TFOpLambda) has one nesting level less: ["name", 0, 0, {kwargs}].
    if let first = nodes.first, first.string != nil { return [try callOfKeras2([value], at: place)] }
    return try nodes.map { node in
      if node["args"] != nil { return try callOfKeras3(node, at: place) }
      guard let references = node.array else {
        // A dict-structured first argument: {"a": ["x", 0, 0, {}], …}.
        return try callOfKeras2([node], at: place)
      }
      return try callOfKeras2(references.first?.string == nil ? references : [node], at: place)
    }
  }

  /// `[["layer", node, tensor, {kwargs}], …]`, lists or objects of such, tensors also among the kwargs.
  private func callOfKeras2(_ references: [JSONValue], at place: String) throws -> LayerCall {
    var call = LayerCall(inputs: [])
    var pending = Array(references.reversed())
    while let next = pending.popLast() {
      if let object = next.object {
        pending.append(contentsOf: object.members.reversed().map(\.value))
      } else if let items = next.array {
        if items.first?.string == nil {
          pending.append(contentsOf: items.reversed())
          continue
        }
        if items.first?.string == "_CONSTANT_VALUE" {
          call.hasConstantInputs = true
        } else {
          call.inputs.append(try reference(items, isBoundary: false, generation: min(generation, 2), at: place))
        }
        guard items.count > 3, let kwargs = items[3].object else { continue }
        call.training = kwargs["training"]?.bool ?? call.training
        for (_, value) in kwargs.members {
          guard let items = value.array, items.count == 3, let name = items[0].string, nestedKinds[name] != nil,
            items[1].integer != nil, items[2].integer != nil
          else { continue }
          call.inputs.append(try reference(items, isBoundary: false, generation: min(generation, 2), at: place))
        }
      } else {
        throw damaged(place)
      }
    }
    return call
  }

  /// `{"args": […], "kwargs": {…}}` with tensors as `{"class_name": "__keras_tensor__", …}` at any depth.
  private func callOfKeras3(_ node: JSONValue, at place: String) throws -> LayerCall {
    var call = LayerCall(inputs: [], training: node["kwargs"]?["training"]?.bool)
    var pending = [node["kwargs"] ?? .null, node["args"] ?? .null]
    while let next = pending.popLast() {
      if next["class_name"]?.string == "__keras_tensor__" {
        guard let history = next["config"]?["keras_history"]?.array else { throw damaged(place) }
        call.inputs.append(try reference(history, isBoundary: false, generation: 3, at: place))
      } else if let items = next.array {
        pending.append(contentsOf: items.reversed())
      } else if let object = next.object {
        pending.append(contentsOf: object.members.reversed().map(\.value))
      } else if next.number != nil {
        call.hasConstantInputs = true
      }
    }
    return call
  }

  // MARK: - input_layers and output_layers

  /// A triple, a list of triples, or (Keras 3, and tf.keras with dict inputs) an object of them.
  func boundary(_ value: JSONValue?, at place: String) throws -> [TensorReference] {
    var references: [TensorReference] = []
    var pending = [value ?? .null]
    while let next = pending.popLast() {
      if let object = next.object {
        pending.append(contentsOf: object.members.reversed().map(\.value))
      } else if let items = next.array {
        if items.first?.string != nil {
          references.append(try reference(items, isBoundary: true, generation: generation, at: place))
        } else {
          pending.append(contentsOf: items.reversed())
        }
      } else {
        throw damaged(place)
      }
    }
    return references
  }

  // MARK: - One reference

  private func reference(
    _ items: [JSONValue], isBoundary: Bool, generation: Int, at place: String
  ) throws -> TensorReference {
    guard items.count >= 3, let layer = items[0].string, let node = items[1].integer, let tensor = items[2].integer,
      (0..<1 << 20).contains(node), (0..<1 << 20).contains(tensor)
    else { throw damaged(place) }
    guard let kind = nestedKinds[layer] else {
      throw H5ConvError(.badData, "the layer '\(layer)' that is referred to is not in the model", at: place)
    }
    // A nested model's first node is the one it was built with, so that its calls count from 1; Keras 3 leaves that out,
    // except for a Functional in input_layers and output_layers.
    let countsFromOne =
      switch kind {
      case nil: false
      case .functional: generation < 3 || isBoundary
      case .sequential: generation < 3
      }
    return TensorReference(layer: layer, call: countsFromOne ? max(0, node - 1) : node, output: tensor)
  }

  private func damaged(_ place: String) -> H5ConvError {
    H5ConvError(.badData, "the graph's edges are not in a form that Keras writes", at: place)
  }
}
