import H5ConvConfig
import H5ConvDiagnostics
import TestSupport
import Testing

@Suite("Fields of a layer's config")
struct ConfigReaderTests {
  private let reader = ConfigReader(
    JSONObject([
      "text": "same", "flag": true, "one": 1, "whole": 3, "float": 2.0, "half": 0.5, "none": nil, "list": [1, 2],
      "mixed": [1, "a"], "infinite": .double(.infinity), "huge": 1e300, "negative": -4, "three": [1, 2, 3],
      "tuple": ["class_name": "__tuple__", "items": [3, 4]],
      "numpy": ["class_name": "__numpy__", "config": ["value": [[1.5, 2.5], [3.5, 4.5]], "dtype": "float32"]],
      "ndarray": ["type": "ndarray", "value": [1, 2]], "nested": [[1, 2], [3, 4]],
    ]), at: "layer 'conv1' of class Conv2D")

  @Test func values() throws {
    #expect(try reader.string("text") == "same")
    #expect(try reader.bool("flag"))
    #expect(try reader.bool("one"))
    #expect(try reader.int("whole") == 3)
    #expect(try reader.int("float") == 2)
    #expect(try reader.float("half") == 0.5)
    #expect(try reader.float("infinite") == .infinity)
    #expect(try reader.ints("list") == [1, 2])
    #expect(try reader.ints("tuple") == [3, 4])
    #expect(try reader.ints("whole") == [3])
    #expect(try reader.floats("numpy") == [1.5, 2.5, 3.5, 4.5])
    #expect(try reader.floats("ndarray") == [1, 2])
    #expect(try reader.floats("nested") == [1, 2, 3, 4])
    #expect(try reader.sizes("whole", rank: 2, in: 1...9) == [3, 3])
    #expect(try reader.sizes("list", rank: 2, in: 1...9) == [1, 2])
  }

  @Test(arguments: ["none", "absent"]) func defaults(_ field: String) throws {
    #expect(try reader.string(field, default: "a") == "a")
    #expect(try reader.bool(field, default: true))
    #expect(try reader.int(field, default: 7) == 7)
    #expect(try reader.float(field, default: 0.25) == 0.25)
    #expect(try reader.sizes(field, rank: 2, default: 1, in: 1...9) == [1, 1])
    #expect(!reader.has(field))
    #expect(throws: H5ConvError.self) { try reader.string(field) }
  }

  /// Reads a field in a way that does not fit it.
  struct Misfit: CustomTestStringConvertible, Sendable {
    let field: String
    let says: String
    let read: @Sendable (ConfigReader) throws -> Void
    var testDescription: String { "\(field) \(says)" }

    init(_ field: String, _ says: String, _ read: @escaping @Sendable (ConfigReader, String) throws -> Void) {
      self.field = field
      self.says = says
      self.read = { try read($0, field) }
    }
  }

  @Test(arguments: [
    Misfit("absent", "is missing") { _ = try $0.int($1) },
    Misfit("text", "a whole number was expected") { _ = try $0.int($1) },
    Misfit("half", "a whole number was expected") { _ = try $0.int($1) },
    Misfit("infinite", "a whole number was expected") { _ = try $0.int($1) },
    Misfit("huge", "a whole number was expected") { _ = try $0.int($1) },
    Misfit("whole", "outside 4…5") { _ = try $0.int($1, in: 4...5) },
    Misfit("negative", "outside 1…9") { _ = try $0.int($1, in: 1...9) },
    Misfit("whole", "text was expected") { _ = try $0.string($1) },
    Misfit("text", "true or false was expected") { _ = try $0.bool($1) },
    Misfit("whole", "true or false was expected") { _ = try $0.bool($1) },
    Misfit("flag", "a number was expected") { _ = try $0.float($1) },
    Misfit("mixed", "list of them was expected") { _ = try $0.ints($1) },
    Misfit("nested", "list of them was expected") { _ = try $0.ints($1) },
    Misfit("mixed", "list of numbers was expected") { _ = try $0.floats($1) },
    Misfit("three", "3 numbers where 2 were expected") { _ = try $0.sizes($1, rank: 2, in: 1...9) },
    Misfit("list", "outside 2…9") { _ = try $0.sizes($1, rank: 2, in: 2...9) },
  ])
  func misfits(_ misfit: Misfit) throws {
    let error = try #require(throws: H5ConvError.self) { try misfit.read(reader) }
    #expect(error.kind == .badData)
    #expect(error.what.hasPrefix(misfit.field), "\(error)")
    #expect(error.what.contains(misfit.says), "\(error)")
    #expect(error.place == "layer 'conv1' of class Conv2D")
  }

  @Test(arguments: [("Custom>MyLayer", "MyLayer"), ("Dense", "Dense"), ("a>b>C", "C"), ("", ""), (">", ">")])
  func plainNames(_ name: String, _ plain: String) { #expect(ConfigReader.plainName(name) == plain) }

  /// Nesting as deep as the parser allows does not recurse.
  @Test func deepNumbers() {
    let deep = (0..<200).reduce(JSONValue.int(1)) { value, _ in [value] }
    #expect(ConfigReader.flatNumbers(deep) == [1])
  }
}
