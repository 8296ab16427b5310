import H5ConvConfig
import H5ConvTensors

/// Whole numbers about shapes that a tensor of a graph holds, as far as they are known before a run: what `tf.shape(x)` gives, and
/// what is computed of it.
package struct SizeNumbers: Sendable, Equatable {
  /// nil where only the input decides.
  package let values: [Int?]
  /// Whether the tensor is one number rather than a list.
  package let isScalar: Bool

  package init(_ values: [Int?], isScalar: Bool = false) {
    self.values = values
    self.isScalar = isScalar
  }

  fileprivate init?(_ value: JSONValue) {
    let value = ConfigReader.unwrapped(value)
    if let number = value.integer {
      self.init([number], isScalar: true)
    } else if let items = value.array, case let numbers = items.compactMap(\.integer), numbers.count == items.count {
      self.init(numbers)
    } else {
      return nil
    }
  }

  /// The numbers as a constant, when all are known.
  fileprivate var constant: JSONValue? {
    let known = values.compactMap { $0 }
    guard known.count == values.count else { return nil }
    return isScalar ? known.first.map { .int($0) } : .array(known.map { .int($0) })
  }
}

extension CallArguments<Int> {
  /// The call with numbers in place of tensors that hold known sizes.
  ///
  /// - Parameters:
  ///   - known: what the call's inputs hold.
  ///   - splits: whether a list of which only some are known becomes a list of numbers and tensors.
  package func replacing(_ known: [SizeNumbers?], splits: Bool) -> CallArguments<Int> {
    guard known.contains(where: { $0 != nil }) else { return self }
    func replaced(_ argument: Argument<Int>) -> Argument<Int> {
      switch argument {
      case .tensor(let place):
        guard known.indices.contains(place), let numbers = known[place] else { return argument }
        if let constant = numbers.constant { return .value(constant) }
        guard splits, !numbers.isScalar else { return argument }
        return .list(numbers.values.map { $0.map { .value(.int($0)) } ?? argument })
      case .list(let items): return .list(items.map(replaced))
      case .object(let members):
        return .object(members.map { KeywordArgument(name: $0.name, value: replaced($0.value)) })
      case .value: return argument
      }
    }
    return CallArguments(
      positional.map(replaced), keywords: keywords.map { KeywordArgument(name: $0.name, value: replaced($0.value)) })
  }
}

/// What functions make of sizes.
struct SizeFunction {
  /// The function's plain name.
  let name: String
  let arguments: CallArguments<Int>
  let shapes: [PartialShape]
  let known: [SizeNumbers?]

  /// Functions with arguments that tell sizes.
  static let takers: Set = ["reshape", "broadcastto", "tile", "resize", "fill", "zeros", "ones", "slice"]

  /// The numbers that the outputs hold; empty where they are no sizes.
  var results: [SizeNumbers] {
    if name == "shape" {
      guard let place = argument(0, "input", "x")?.tensor, shapes.indices.contains(place) else { return [] }
      return [SizeNumbers(shapes[place].sizes)]
    }
    guard known.contains(where: { $0 != nil }) else { return [] }
    switch name {
    case "stack": return joined(argument(0, "values", "x"), ofScalars: true)
    case "concat", "concatenate": return joined(argument(0, "values", "xs"), ofScalars: false)
    case "unstack": return first.map { $0.values.map { SizeNumbers([$0], isScalar: true) } } ?? []
    case "cast", "identity", "converttotensor", "stopgradient": return first.map { [$0] } ?? []
    case "expanddims": return first.flatMap { $0.isScalar ? [SizeNumbers($0.values)] : nil } ?? []
    case "squeeze": return first.flatMap { $0.values.count == 1 ? [SizeNumbers($0.values, isScalar: true)] : nil } ?? []
    case "prod":
      guard let first else { return [] }
      return [SizeNumbers([first.values.reduce(1) { SizeFunction.combined($0, $1, "mul") }], isScalar: true)]
    case "getitem": return first.flatMap(picked).map { [$0] } ?? []
    default: return SizeFunction.arithmetic.contains(name) ? elementwise : []
    }
  }

  private func argument(_ place: Int, _ names: String...) -> Argument<Int>? {
    if arguments.positional.indices.contains(place) { return arguments.positional[place] }
    return names.lazy.compactMap { arguments.argument($0) }.first
  }

  private var first: SizeNumbers? { argument(0, "x", "input", "value", "tensor").flatMap(numbers) }

  private func numbers(_ argument: Argument<Int>) -> SizeNumbers? {
    switch argument {
    case .tensor(let place): return known.indices.contains(place) ? known[place] : nil
    case .value(let value): return SizeNumbers(value)
    case .list(let items):
      let scalars = items.compactMap(numbers)
      guard scalars.count == items.count, scalars.allSatisfy(\.isScalar) else { return nil }
      return SizeNumbers(scalars.flatMap(\.values))
    case .object: return nil
    }
  }

  private func joined(_ argument: Argument<Int>?, ofScalars: Bool) -> [SizeNumbers] {
    guard case .list(let items) = argument, self.argument(1, "axis")?.value?.integer ?? 0 == 0 else { return [] }
    let parts = items.compactMap(numbers)
    guard parts.count == items.count, parts.allSatisfy({ $0.isScalar == ofScalars }) else { return [] }
    return [SizeNumbers(parts.flatMap(\.values))]
  }

  /// `sizes[1]`, `sizes[1:3]`.
  private func picked(_ sizes: SizeNumbers) -> SizeNumbers? {
    guard !sizes.isScalar, var key = argument(1, "slice_spec", "key")?.value else { return nil }
    if let items = key.array, items.count == 1 { key = items[0] }
    let count = sizes.values.count
    if let place = key.integer {
      let index = place < 0 ? place + count : place
      return sizes.values.indices.contains(index) ? SizeNumbers([sizes.values[index]], isScalar: true) : nil
    }
    let range = key["class_name"]?.string == "__slice__" ? key["config"] ?? .null : key
    guard range.object != nil, range["step"]?.integer ?? 1 == 1 else { return nil }
    func end(_ name: String, or fallback: Int) -> Int {
      guard let place = range[name]?.integer else { return fallback }
      return min(max(place < 0 ? place + count : place, 0), count)
    }
    let (start, stop) = (end("start", or: 0), end("stop", or: count))
    return SizeNumbers(start < stop ? Array(sizes.values[start..<stop]) : [])
  }

  private static let arithmetic: Set = [
    "add", "sub", "subtract", "mul", "multiply", "floordiv", "floordivide", "floormod", "mod", "maximum", "minimum",
  ]

  private var elementwise: [SizeNumbers] {
    guard let first = argument(0, "x", "x1", "a").flatMap(numbers),
      let second = argument(1, "y", "x2", "b").flatMap(numbers)
    else { return [] }
    let count = max(first.values.count, second.values.count)
    guard [first, second].allSatisfy({ $0.values.count == count || $0.values.count == 1 }) else { return [] }
    let values = (0..<count).map { place in
      SizeFunction.combined(
        first.values[first.values.count == 1 ? 0 : place], second.values[second.values.count == 1 ? 0 : place], name)
    }
    return [SizeNumbers(values, isScalar: first.isScalar && second.isScalar)]
  }

  /// nil too where the result would not be a number of this machine.
  private static func combined(_ a: Int?, _ b: Int?, _ function: String) -> Int? {
    guard let a, let b, max(a.magnitude, b.magnitude) < 1 << 31 else { return nil }
    switch function {
    case "add": return a + b
    case "sub", "subtract": return a - b
    case "mul", "multiply": return a * b
    case "maximum": return max(a, b)
    case "minimum": return min(a, b)
    case _ where b == 0: return nil
    default:
      let quotient = Int((Double(a) / Double(b)).rounded(.down))
      return function.hasPrefix("floordiv") ? quotient : a - quotient * b
    }
  }
}
