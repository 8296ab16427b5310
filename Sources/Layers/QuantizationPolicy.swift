package import H5ConvConfig
import H5ConvDiagnostics

/// What a quantized `dtype` policy of Keras 3 says about how a layer's weights are stored.
///
/// Source: keras/src/dtype_policies/dtype_policy.py and keras/src/quantizers/quantization_config.py.
package struct QuantizationPolicy: Sendable, Equatable {
  package enum Mode: Sendable, Equatable {
    case int8
    /// Inputs of one scale, nil when an output has one for all; `isOlder` as Keras 3.11 to 3.13 name it, which packed rows.
    case int4(block: Int?, isOlder: Bool)
    /// Length of the histories of largest values.
    case float8(history: Int)
    case gptq(bits: Int, group: Int?)
    case awq(group: Int?)
  }

  package let mode: Mode
  /// The policy that the layer had before: `float32`, `mixed_bfloat16`.
  package let source: String

  private static let classes: Set<String> = [
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Int4DTypePolicy", "GPTQDTypePolicy", "AWQDTypePolicy",
  ]
  private static let modes = ["int8", "int4", "float8", "gptq", "awq"]

  /// The words of a policy, or nil when `dtype` is not a quantized one.
  private static func words(_ dtype: JSONValue) -> (className: String?, mode: String, source: String)? {
    if let text = dtype.string {
      // int4/128_from_float32
      guard modes.contains(where: text.hasPrefix), let cut = text.firstRange(of: "_from_") else { return nil }
      return (nil, String(text[..<cut.lowerBound]), String(text[cut.upperBound...]))
    }
    guard let name = dtype["class_name"]?.string.map(ConfigReader.plainName), classes.contains(name) else { return nil }
    return (name, dtype["config"]?["mode"]?.string ?? "", dtype["config"]?["source_name"]?.string ?? "float32")
  }

  /// Whether `dtype` is a quantized policy.
  package static func isQuantized(_ dtype: JSONValue) -> Bool { words(dtype) != nil }

  /// What Keras calls the policy: `int8_from_float32`.
  package static func name(of dtype: JSONValue) -> String? { words(dtype).map { "\($0.mode)_from_\($0.source)" } }

  /// The plain policy in the place of a quantized one; nil for what is not quantized.
  package static func source(of dtype: JSONValue) -> String? { words(dtype)?.source }

  /// - Parameter settings: the layer's `quantization_config`.
  /// - Returns: nil when `dtype` is not a quantized policy.
  /// - Throws: `H5ConvError` of kind `unsupported` for a way of quantizing that is not known, `badData` for sizes that cannot be.
  package init?(_ dtype: JSONValue, settings: JSONValue? = nil) throws {
    guard let words = QuantizationPolicy.words(dtype) else { return nil }
    source = words.source
    let parts = words.mode.split(separator: "/").map(String.init)
    func wrong() -> H5ConvError {
      H5ConvError(.badData, "the dtype policy '\(words.mode)' is not in a form that Keras has")
    }
    func size(_ value: Int?) throws -> Int? {
      guard let value, (-1...1 << 40).contains(value), value != 0 else { throw wrong() }
      return value < 0 ? nil : value
    }
    switch (parts.first ?? "", parts.count) {
    case ("int8", 1): mode = .int8
    case ("int4", 1...2):
      // What the layer was quantized with precedes the policy: `get_block_size_for_layer`.
      if let block = settings?["config"]?["block_size"] {
        mode = .int4(block: block.isNull ? nil : try size(block.integer), isOlder: false)
      } else {
        mode = .int4(block: parts.count == 1 ? nil : try size(Int(parts[1])), isOlder: parts.count == 1)
      }
    case ("float8", 1):
      let history = dtype["config"]?["amax_history_length"].map { $0.integer } ?? 1024
      guard let history, (0...1 << 30).contains(history) else { throw wrong() }
      mode = .float8(history: history)
    case ("gptq", 3):
      guard let bits = Int(parts[1]), [2, 3, 4, 8].contains(bits) else { throw wrong() }
      mode = .gptq(bits: bits, group: try size(Int(parts[2])))
    case ("awq", 3):
      guard parts[1] == "4" else { throw wrong() }
      mode = .awq(group: try size(Int(parts[2])))
    default: throw H5ConvError(.unsupported, "weights quantized as '\(words.mode)' are not supported")
    }
  }
}
