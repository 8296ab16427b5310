import H5ConvConfig
import H5ConvLayers

/// A layer, or an operation of Keras 3, that an operation of TensorFlow becomes.
struct OperationStep {
  var className: String
  var config: JSONObject = [:]
  var arguments: CallArguments<TensorReference>
  /// The module of an operation of Keras 3; nil for a layer.
  var module: String?

  /// What the step `number` gives, before the steps have names.
  static func result(_ number: Int) -> Argument<TensorReference> {
    .tensor(TensorReference(layer: "", call: number, output: 0))
  }

  /// Which step `reference` means; nil when it is a layer of the model.
  static func number(_ reference: TensorReference) -> Int? { reference.layer.isEmpty ? reference.call : nil }
}

/// What a function of TensorFlow was given, by position or by name.
struct OperationArguments {
  let all: CallArguments<TensorReference>

  init(_ all: CallArguments<TensorReference>) { self.all = all }

  var first: Argument<TensorReference>? { all.positional.first }

  /// The argument with one of `names`; `place` is where it stands when it is given by position.
  func argument(_ names: String..., at place: Int? = nil) -> Argument<TensorReference>? { argument(names, place) }

  /// The same, when it holds no tensor and is not null.
  func value(_ names: String..., at place: Int? = nil) -> JSONValue? { value(names, place) }

  /// The same, when it is a whole number or a list of them.
  func ints(_ names: String..., at place: Int? = nil) -> [Int]? {
    guard let value = value(names, place) else { return nil }
    if let number = value.integer { return [number] }
    let numbers = value.array?.compactMap { ConfigReader.unwrapped($0).integer }
    return numbers?.count == value.array?.count ? numbers : nil
  }

  private func argument(_ names: [String], _ place: Int?) -> Argument<TensorReference>? {
    if let place, all.positional.indices.contains(place) { return all.positional[place] }
    return names.lazy.compactMap { name in all.keywords.first { $0.name == name }?.value }.first
  }

  private func value(_ names: [String], _ place: Int?) -> JSONValue? {
    guard let value = argument(names, place)?.value.map(ConfigReader.unwrapped), !value.isNull else { return nil }
    return value
  }

  /// Whether axes that are reduced stay, with one place each.
  var keepsAxes: Bool { value("keepdims", "keep_dims")?.bool ?? false }

  /// Of two operands the one that is a tensor, and the number that the other is.
  static func tensorAndNumber(
    _ x: Argument<TensorReference>, _ y: Argument<TensorReference>
  ) -> (tensor: Argument<TensorReference>, number: Double, isReversed: Bool)? {
    if x.tensor != nil, let number = y.value?.number { return (x, number, false) }
    if y.tensor != nil, let number = x.value?.number { return (y, number, true) }
    return nil
  }
}
