package import H5ConvDiagnostics

/// A layer's `config` object, read field by field; every error names the layer and the field.
package struct ConfigReader: Sendable {
  /// The object that is read.
  package let object: JSONObject
  /// Where it stands, for messages: `layer 'conv1' (Conv2D)`.
  package let place: String
  /// Which Keras wrote it: some words changed their meaning.
  package let version: KerasVersion

  package init(_ object: JSONObject, at place: String, version: KerasVersion) {
    self.object = object
    self.place = place
    self.version = version
  }

  package init(_ object: JSONObject, at place: String, generation: Int = 3) {
    self.init(object, at: place, version: .newest(of: generation))
  }

  /// 1, 2 or 3.
  package var generation: Int { version.major }

  /// An error about `field` of this config.
  package func error(_ field: String, _ what: String, kind: H5ConvError.Kind = .badData) -> H5ConvError {
    H5ConvError(kind, "\(field) \(what)", at: place)
  }

  /// Whether the config has the field with a value other than null.
  package func has(_ field: String) -> Bool { object[field].map { !$0.isNull } ?? false }

  /// The field's value; nil when it is missing or null.
  package subscript(field: String) -> JSONValue? {
    guard let value = object[field], !value.isNull else { return nil }
    return value
  }

  package func string(_ field: String, default fallback: String? = nil) throws -> String {
    try read(field, fallback, "text") { $0.string }
  }

  package func bool(_ field: String, default fallback: Bool? = nil) throws -> Bool {
    try read(field, fallback, "true or false") {
      $0.bool ?? $0.integer.flatMap { $0 == 0 ? false : $0 == 1 ? true : nil }
    }
  }

  package func int(_ field: String, default fallback: Int? = nil, in range: ClosedRange<Int>? = nil) throws -> Int {
    let number = try read(field, fallback, "a whole number") { $0.integer }
    if let range, !range.contains(number) {
      throw error(field, "is \(number), outside \(range.lowerBound)…\(range.upperBound)")
    }
    return number
  }

  package func float(_ field: String, default fallback: Double? = nil) throws -> Double {
    try read(field, fallback, "a number") { ConfigReader.unwrapped($0).number }
  }

  /// A number or a list of numbers.
  package func floats(_ field: String, default fallback: [Double]? = nil) throws -> [Double] {
    try read(field, fallback, "a number or a list of numbers") { ConfigReader.flatNumbers($0) }
  }

  /// A whole number or a list of them.
  package func ints(_ field: String, default fallback: [Int]? = nil) throws -> [Int] {
    try read(field, fallback, "a whole number or a list of them") { value in
      if let number = value.integer { return [number] }
      let items = ConfigReader.unwrapped(value).array?.map(\.integer)
      return items?.contains(nil) == false ? items?.compactMap { $0 } : nil
    }
  }

  /// One whole number for each of `rank` spatial axes; a single number stands for all of them.
  ///
  /// - Parameter range: what each number may be.
  package func sizes(_ field: String, rank: Int, default fallback: Int? = nil, in range: ClosedRange<Int>) throws
    -> [Int]
  {
    var sizes = try ints(field, default: fallback.map { [$0] })
    if sizes.count == 1 { sizes = Array(repeating: sizes[0], count: rank) }
    guard sizes.count == rank else { throw error(field, "has \(sizes.count) numbers where \(rank) were expected") }
    if let odd = sizes.first(where: { !range.contains($0) }) {
      throw error(field, "is \(odd), outside \(range.lowerBound)…\(range.upperBound)")
    }
    return sizes
  }

  private func read<Value>(
    _ field: String, _ fallback: Value?, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws -> Value {
    guard let value = self[field] else {
      if let fallback { return fallback }
      throw error(field, "is missing")
    }
    guard let converted = convert(value) else {
      throw error(field, "is \(value.kindName) where \(expected) was expected")
    }
    return converted
  }

  /// The value inside Keras' wrappers for tuples and NumPy values: `{"class_name": "__tuple__", "items": […]}`,
  /// `{"class_name": "__numpy__", "config": {"value": …}}`, `{"type": "ndarray", "value": …}`.
  package static func unwrapped(_ value: JSONValue) -> JSONValue {
    switch value["class_name"]?.string {
    case "__tuple__", "TensorShape": value["items"] ?? value["config"]?["items"] ?? value
    case "__numpy__", "__tensor__": value["config"]?["value"] ?? value
    default: value["type"] == "ndarray" ? value["value"] ?? value : value
    }
  }

  /// A class or function name without its package: `Custom>MyLayer` → `MyLayer`.
  package static func plainName(_ name: String) -> String {
    // Bytes: a name may be megabytes long, and Swift's characters take their time.
    name.utf8.split(separator: UInt8(ascii: ">")).last.flatMap { String($0) } ?? name
  }

  /// All numbers of a number or a nested list of numbers, in order; nil when there is anything else in it.
  package static func flatNumbers(_ value: JSONValue) -> [Double]? {
    // Iterative: the nesting of hostile text is only capped by the parser.
    var numbers: [Double] = []
    var pending = [value]
    while let next = pending.popLast() {
      let next = unwrapped(next)
      if let number = next.number {
        numbers.append(number)
      } else if let items = next.array {
        pending.append(contentsOf: items.reversed())
      } else {
        return nil
      }
    }
    return numbers
  }
}
