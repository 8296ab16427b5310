package import H5ConvConfig

/// What a layer or an operation is called with, as Python has it: arguments by position, then by name.
package struct CallArguments<Tensor: Sendable & Hashable>: Sendable, Equatable {
  package var positional: [Argument<Tensor>]
  package var keywords: [KeywordArgument<Tensor>]

  package init(_ positional: [Argument<Tensor>] = [], keywords: [KeywordArgument<Tensor>] = []) {
    self.positional = positional
    self.keywords = keywords
  }

  /// The argument `name`; `place` is where it stands when it is given by position.
  package func argument(_ name: String, at place: Int? = nil) -> Argument<Tensor>? {
    if let place, positional.indices.contains(place) { return positional[place] }
    return keywords.first { $0.name == name }?.value
  }

  /// All tensors, those given by position first.
  package var tensors: [Tensor] {
    // Closures: key paths of a generic type are looked up anew at every call, which takes longer than all else here.
    positional.flatMap { $0.tensors } + keywords.flatMap { $0.value.tensors }
  }

  /// The same call with other tensors.
  package func map<Other>(_ transform: (Tensor) throws -> Other) rethrows -> CallArguments<Other> {
    CallArguments<Other>(
      try positional.map { try $0.map(transform) },
      keywords: try keywords.map { KeywordArgument(name: $0.name, value: try $0.value.map(transform)) })
  }
}

/// An argument given by name, or a member of an object.
package struct KeywordArgument<Tensor: Sendable & Hashable>: Sendable, Equatable {
  package var name: String
  package var value: Argument<Tensor>

  package init(name: String, value: Argument<Tensor>) {
    self.name = name
    self.value = value
  }
}

/// One argument: a tensor, a value from the config, or a structure of such.
package indirect enum Argument<Tensor: Sendable & Hashable>: Sendable, Equatable {
  case tensor(Tensor)
  case list([Argument])
  case object([KeywordArgument<Tensor>])
  case value(JSONValue)

  package var tensors: [Tensor] {
    switch self {
    case .tensor(let tensor): [tensor]
    case .list(let items): items.flatMap { $0.tensors }
    case .object(let members): members.flatMap { $0.value.tensors }
    case .value: []
    }
  }

  /// The tensor, when it is one.
  package var tensor: Tensor? { if case .tensor(let tensor) = self { tensor } else { nil } }

  /// The value, when it holds no tensor.
  package var value: JSONValue? {
    switch self {
    case .value(let value): return value
    case .tensor: return nil
    case .list(let items):
      let values = items.compactMap { $0.value }
      return values.count == items.count ? .array(values) : nil
    case .object(let members):
      var object = JSONObject()
      for member in members {
        guard let value = member.value.value else { return nil }
        object[member.name] = value
      }
      return .object(object)
    }
  }

  package func map<Other>(_ transform: (Tensor) throws -> Other) rethrows -> Argument<Other> {
    switch self {
    case .tensor(let tensor): .tensor(try transform(tensor))
    case .list(let items): .list(try items.map { try $0.map(transform) })
    case .object(let members):
      .object(try members.map { KeywordArgument(name: $0.name, value: try $0.value.map(transform)) })
    case .value(let value): .value(value)
    }
  }
}
