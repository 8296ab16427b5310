import H5ConvConfig
import H5ConvDiagnostics

/// The arguments of an operation, wherever they stand: by position, by name, or (Keras 3) in the config.
struct OperationCall {
  /// The function's name without its module, without underscores, in lower case: `reduce_mean` and `Mean` are `mean`.
  let name: String
  private let original: String
  private let arguments: CallArguments<Int>
  private let config: ConfigReader?

  init(_ name: String, _ arguments: CallArguments<Int>, config: ConfigReader?) {
    original = name
    self.name = OperationTable.plainName(name)
    self.arguments = arguments
    self.config = config
  }

  var isKeras3: Bool { config != nil }

  func unsupported(_ what: String) -> H5ConvError {
    H5ConvError(.unsupported, "'\(original)' \(what) is not supported")
  }

  private func argument(_ names: [String], at place: Int?) -> Argument<Int>? {
    if let place, arguments.positional.indices.contains(place) { return arguments.positional[place] }
    for name in names { if let found = arguments.argument(name) { return found } }
    return nil
  }

  /// The operand at `place`, or with one of `names`.
  func operand(_ place: Int, _ names: String...) throws -> Operand { try operand(place, names) }

  func operand(_ place: Int, _ names: [String]) throws -> Operand {
    guard let argument = argument(names, at: place) else {
      if let value = value(names, at: nil) { return try constant(value) }
      throw H5ConvError(.badData, "'\(original)' has no argument \(names.first ?? String(place))")
    }
    return try operand(argument)
  }

  private func operand(_ argument: Argument<Int>) throws -> Operand {
    if let tensor = argument.tensor { return .input(tensor) }
    guard let value = argument.value else { throw unsupported("of a list of tensors") }
    return try constant(value)
  }

  /// A list of operands.
  func operands(_ place: Int, _ names: String...) throws -> [Operand] {
    switch argument(names, at: place) {
    case .list(let items): return try items.map(operand)
    case .tensor(let tensor): return [.input(tensor)]
    default: throw unsupported("without a list of tensors")
    }
  }

  /// All operands that are given by position.
  func allOperands() throws -> [Operand] { try arguments.positional.map(operand) }

  private func constant(_ value: JSONValue) throws -> Operand {
    var shape: [Int] = []
    var inner = ConfigReader.unwrapped(value)
    while let items = inner.array {
      shape.append(items.count)
      guard let first = items.first else { break }
      inner = ConfigReader.unwrapped(first)
    }
    let plain = OperationCall.withoutFlags(ConfigReader.unwrapped(value), depth: 0)
    guard let numbers = ConfigReader.flatNumbers(plain), numbers.count == shape.reduce(1, *) else {
      throw unsupported("of a constant that is no array of numbers")
    }
    return .constant(numbers.map { Float($0) }, shape: shape)
  }

  /// true and false as 1 and 0.
  private static func withoutFlags(_ value: JSONValue, depth: Int) -> JSONValue {
    if let flag = value.bool { return .int(flag ? 1 : 0) }
    guard let items = value.array, depth < 16 else { return value }
    return .array(items.map { withoutFlags($0, depth: depth + 1) })
  }

  /// Whether there is an argument `name` other than null, a tensor or a value.
  func has(_ name: String, at place: Int) -> Bool {
    if argument([name], at: place)?.tensors.isEmpty == false { return true }
    return value([name], at: place).map { !$0.isNull } ?? false
  }

  private func value(_ names: [String], at place: Int?) -> JSONValue? {
    if let found = argument(names, at: place) { return found.value.map(ConfigReader.unwrapped) }
    for name in names { if let found = config?.object[name] { return ConfigReader.unwrapped(found) } }
    return nil
  }

  /// The value of an argument; nil when it is missing or null.
  func value(_ names: String..., at place: Int? = nil) throws -> JSONValue? {
    if let argument = argument(names, at: place), argument.value == nil {
      throw unsupported("with a tensor as \(names.first ?? "an argument")")
    }
    guard let value = value(names, at: place), !value.isNull else { return nil }
    return value
  }

  /// A number or a list of them; nil when it is missing or null.
  func ints(_ names: String..., at place: Int? = nil) throws -> [Int]? { try ints(names, at: place) }

  /// Sizes, nil where a tensor stands of which nothing is known yet.
  func sizes(_ names: String..., at place: Int? = nil) throws -> [Int?]? {
    guard case .list(let items) = argument(names, at: place), items.contains(where: { $0.value == nil }) else {
      return try ints(names, at: place)
    }
    return try items.map { item in
      if item.tensor != nil { return nil }
      guard let number = item.value.map(ConfigReader.unwrapped)?.integer else {
        throw H5ConvError(.badData, "\(names.first ?? "an argument") of '\(original)' is not made of whole numbers")
      }
      return number
    }
  }

  private func ints(_ names: [String], at place: Int?) throws -> [Int]? {
    if let argument = argument(names, at: place), argument.value == nil {
      throw unsupported("with a tensor as \(names.first ?? "an argument")")
    }
    guard let value = value(names, at: place), !value.isNull else { return nil }
    if let number = value.integer { return [number] }
    let numbers = value.array?.compactMap(\.integer) ?? []
    guard let items = value.array, numbers.count == items.count else {
      throw H5ConvError(.badData, "\(names.first ?? "an argument") of '\(original)' is not made of whole numbers")
    }
    return numbers
  }

  func int(_ names: String..., at place: Int? = nil) throws -> Int? {
    guard let value = value(names, at: place), !value.isNull else { return nil }
    guard let number = value.integer else {
      throw H5ConvError(.badData, "\(names.first ?? "an argument") of '\(original)' is not a whole number")
    }
    return number
  }

  func number(_ names: String..., at place: Int? = nil) throws -> Double? {
    guard let value = value(names, at: place), !value.isNull else { return nil }
    guard let number = value.number else {
      throw H5ConvError(.badData, "\(names.first ?? "an argument") of '\(original)' is not a number")
    }
    return number
  }

  func flag(_ names: String...) throws -> Bool {
    guard let value = value(names, at: nil), !value.isNull else { return false }
    guard let flag = value.bool ?? value.integer.map({ $0 != 0 }) else {
      throw H5ConvError(.badData, "\(names.first ?? "an argument") of '\(original)' is neither true nor false")
    }
    return flag
  }

  func text(_ names: String..., at place: Int? = nil) -> String? { value(names, at: place)?.string }
}
