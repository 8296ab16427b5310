import H5ConvConfig
import H5ConvDiagnostics

/// A NodeDef of TensorFlow as JSON, with the inputs that are constants: `TensorFlowOpLayer` of TensorFlow 1.14 to 2.3.
///
/// Whole numbers are texts there, and texts are base64: `{"i": "13"}`, `{"s": "U0FNRQ=="}`.
struct NodeDefinition: Sendable {
  /// What TensorFlow calls the operation: `AddV2`.
  let operation: String
  private let attributes: JSONValue
  /// Constants by the numbers of the inputs.
  private let constants: [Int: JSONValue]
  private let inputCount: Int

  init(_ config: ConfigReader) throws {
    guard var node = config["node_def"] else { throw config.error("node_def", "is missing") }
    if let text = node.string { node = try JSONParser.parse(text) }
    guard let operation = node["op"]?.string else { throw config.error("node_def", "has no op") }
    self.operation = operation
    attributes = node["attr"] ?? .null
    // Inputs that begin with ^ only say what comes before.
    let count = (node["input"]?.array ?? []).filter { $0.string?.hasPrefix("^") != true }.count
    guard count <= 1 << 12 else { throw config.error("node_def", "has \(count) inputs") }
    inputCount = count
    constants = try (config["constants"]?.object?.members ?? []).reduce(into: [:]) { constants, member in
      guard let place = Int(member.key), (0..<count).contains(place) else {
        throw config.error("constants", "has the input '\(member.key)' where the node has \(count)")
      }
      constants[place] = member.value
    }
  }

  /// All inputs in order: constants where they belong, the tensors of the call between them.
  func inputs<Tensor>(_ arguments: CallArguments<Tensor>) throws -> [Argument<Tensor>] {
    var tensors = arguments.tensors[...]
    let inputs = try (0..<inputCount).map { place -> Argument<Tensor> in
      if let constant = constants[place] { return .value(constant) }
      guard let tensor = tensors.popFirst() else {
        throw H5ConvError(.badData, "\(arguments.tensors.count) inputs where '\(operation)' takes more")
      }
      return .tensor(tensor)
    }
    guard tensors.isEmpty else {
      throw H5ConvError(.badData, "\(arguments.tensors.count) inputs where '\(operation)' takes fewer")
    }
    return inputs
  }

  func flag(_ name: String) -> Bool { attributes[name]?["b"]?.bool ?? false }

  func int(_ name: String) -> Int? { attributes[name]?["i"].flatMap(NodeDefinition.int) }

  func ints(_ name: String) -> [Int]? { attributes[name]?["list"]?["i"]?.array?.compactMap(NodeDefinition.int) }

  func float(_ name: String) -> Double? { attributes[name]?["f"]?.number }

  /// The name of a type: `float32`.
  func type(_ name: String) -> String? {
    switch attributes[name]?["type"]?.string {
    case "DT_HALF": "float16"
    case "DT_FLOAT": "float32"
    case "DT_DOUBLE": "float64"
    case let other: other.map { $0.replacing("DT_", with: "").lowercased() }
    }
  }

  func text(_ name: String) -> String? {
    guard let encoded = attributes[name]?["s"]?.string else { return nil }
    return bytesOfBase64(encoded).map { String(decoding: $0, as: UTF8.self) } ?? encoded
  }

  private static func int(_ value: JSONValue) -> Int? { value.integer ?? value.string.flatMap { Int($0) } }
}
