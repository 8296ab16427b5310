import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers

/// Reads the edges of a functional graph: `inbound_nodes`, `input_layers`, `output_layers`.
struct ReferenceReader {
  /// Names of the graph's layers; for those that are models, their kind.
  let nestedKinds: [String: Architecture.Kind?]
  let generation: Int

  // MARK: - inbound_nodes

  func calls(_ value: JSONValue, at place: String) throws -> [LayerCall] {
    guard let nodes = value.array else { throw damaged(place) }
    // An operation of tf.keras (TFOpLambda) has one nesting level less: ["name", 0, 0, {kwargs}].
    if let first = nodes.first, first.string != nil { return [try callOfKeras2(value, at: place)] }
    return try nodes.map { node in
      node["args"] != nil ? try callOfKeras3(node, at: place) : try callOfKeras2(node, at: place)
    }
  }

  /// `[["layer", node, tensor, {kwargs}], …]`, lists or objects of such, tensors also among the kwargs.
  private func callOfKeras2(_ node: JSONValue, at place: String) throws -> LayerCall {
    var keywords = Keywords()
    var argument = try argumentOfKeras2(node, &keywords, at: place)
    // Several inputs are one list; one stands by itself.
    if case .list(let items) = argument, items.count == 1 { argument = items[0] }
    if case .list(let items) = argument, items.isEmpty { return LayerCall(CallArguments(keywords: keywords.list)) }
    return LayerCall(CallArguments([argument], keywords: keywords.list))
  }

  /// The kwargs of a call; each of its inputs repeats them, and the first counts.
  private struct Keywords {
    /// Keras' layers have a few; all are written with each input, so that many would make a small file large.
    static let limit = 1000
    private(set) var list: [KeywordArgument<TensorReference>] = []
    private var names: Set<String> = []

    mutating func add(_ name: String, _ value: () throws -> Argument<TensorReference>) throws {
      guard names.insert(name).inserted else { return }
      guard names.count <= Keywords.limit else {
        throw H5ConvError(.limit, "a call with more than \(Keywords.limit) arguments by name")
      }
      list.append(KeywordArgument(name: name, value: try value()))
    }
  }

  private func argumentOfKeras2(
    _ value: JSONValue, _ keywords: inout Keywords, at place: String
  ) throws -> Argument<TensorReference> {
    if let object = value.object {
      return .object(
        try ReferenceReader.sorted(object).map {
          KeywordArgument(name: $0.key, value: try argumentOfKeras2($0.value, &keywords, at: place))
        })
    }
    guard let items = value.array else { throw damaged(place) }
    guard let name = items.first?.string else {
      return .list(try items.map { try argumentOfKeras2($0, &keywords, at: place) })
    }
    if items.count > 3, let kwargs = items[3].object {
      for (key, value) in kwargs.members { try keywords.add(key) { try keyword(value, at: place) } }
    }
    if name == "_CONSTANT_VALUE" { return .value(items.count > 2 ? items[2] : .null) }
    return .tensor(try reference(items, isBoundary: false, generation: min(generation, 2), at: place))
  }

  /// A value among the kwargs of Keras 2: `["layer", node, tensor]` of a layer that is there is a tensor.
  private func keyword(_ value: JSONValue, at place: String) throws -> Argument<TensorReference> {
    if let object = value.object {
      let argument = Argument<TensorReference>.object(
        try ReferenceReader.sorted(object).map {
          KeywordArgument(name: $0.key, value: try keyword($0.value, at: place))
        })
      return argument.tensors.isEmpty ? .value(value) : argument
    }
    guard let items = value.array else { return .value(value) }
    if items.count == 3, let name = items[0].string, nestedKinds[name] != nil, items[1].integer != nil,
      items[2].integer != nil
    {
      return .tensor(try reference(items, isBoundary: false, generation: min(generation, 2), at: place))
    }
    let arguments = try items.map { try keyword($0, at: place) }
    return arguments.allSatisfy(\.tensors.isEmpty) ? .value(value) : .list(arguments)
  }

  /// `{"args": […], "kwargs": {…}}` with tensors as `{"class_name": "__keras_tensor__", …}` at any depth.
  private func callOfKeras3(_ node: JSONValue, at place: String) throws -> LayerCall {
    guard let positional = node["args"]?.array else { throw damaged(place) }
    let keywords = node["kwargs"]?.object?.members ?? []
    return LayerCall(
      CallArguments(
        try positional.map { try argumentOfKeras3($0, at: place) },
        keywords: try keywords.map { KeywordArgument(name: $0.key, value: try argumentOfKeras3($0.value, at: place)) }))
  }

  private func argumentOfKeras3(_ value: JSONValue, at place: String) throws -> Argument<TensorReference> {
    if value["class_name"]?.string == "__keras_tensor__" {
      guard let history = value["config"]?["keras_history"]?.array else { throw damaged(place) }
      return .tensor(try reference(history, isBoundary: false, generation: 3, at: place))
    }
    let argument: Argument<TensorReference>
    if let items = value.array {
      argument = .list(try items.map { try argumentOfKeras3($0, at: place) })
    } else if let object = value.object {
      argument = .object(
        try ReferenceReader.sorted(object).map {
          KeywordArgument(name: $0.key, value: try argumentOfKeras3($0.value, at: place))
        })
    } else {
      return .value(value)
    }
    return argument.tensors.isEmpty ? .value(value) : argument
  }

  /// The members in the order in which Keras counts the tensors of a dictionary: by key.
  private static func sorted(_ object: JSONObject) -> [(key: String, value: JSONValue)] {
    object.members.sorted { $0.key < $1.key }
  }

  // MARK: - input_layers and output_layers

  /// A triple, a list of triples, or (Keras 3, and tf.keras with dict inputs) an object of them.
  func boundary(_ value: JSONValue?, at place: String) throws -> Argument<TensorReference> {
    let structure = try structure(value ?? .null, at: place)
    // Up to Keras 2 one tensor is a list too.
    if generation < 3, case .list(let items) = structure, items.count == 1 { return items[0] }
    return structure
  }

  private func structure(_ value: JSONValue, at place: String) throws -> Argument<TensorReference> {
    if let object = value.object {
      return .object(
        try ReferenceReader.sorted(object).map {
          KeywordArgument(name: $0.key, value: try structure($0.value, at: place))
        })
    }
    guard let items = value.array else { throw damaged(place) }
    guard items.first?.string == nil else {
      return .tensor(try reference(items, isBoundary: true, generation: generation, at: place))
    }
    return .list(try items.map { try structure($0, at: place) })
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
