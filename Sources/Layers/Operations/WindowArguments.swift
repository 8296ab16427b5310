import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Strides, padding and order of the axes that a function with a window is called with.
struct WindowArguments: Sendable {
  private let strides: [Int]?
  private let dilation: [Int]
  private let padding: String
  private let isFirst: Bool

  /// - Parameter place: where the strides stand, with the padding behind them.
  init(_ call: OperationCall, stridesAt place: Int) throws {
    strides = try call.ints("strides", "stride", at: place)
    dilation = try call.ints("dilation_rate", "dilations") ?? [1]
    if let padding = try call.value("padding", at: place + 1), padding.string == nil {
      throw call.unsupported("with widths as padding")
    }
    padding = (call.text("padding", at: place + 1) ?? "valid").lowercased()
    // NCHW or channels_first.
    isFirst = call.text("data_format").map { $0.hasPrefix("NC") || $0 == "channels_first" } ?? false
  }

  /// A number for each spatial axis; TensorFlow also takes one for each axis of the tensor.
  func spatial(_ sizes: [Int], rank: Int) throws -> JSONValue {
    guard sizes.count == rank + 2 else { return .array(sizes.map { .int($0) }) }
    let axes = isFirst ? 2..<rank + 2 : 1..<rank + 1
    guard sizes.indices.allSatisfy({ axes.contains($0) || sizes[$0] == 1 }) else {
      throw H5ConvError(.unsupported, "a window over examples or channels is not supported")
    }
    return .array(sizes[axes].map { .int($0) })
  }

  /// The layer's fields for an input with `rank` spatial axes.
  func fields(rank: Int, stridesDefault: [Int]) throws -> JSONObject {
    guard (1...3).contains(rank) else { throw H5ConvError(.badData, "a window over \(rank) axes") }
    return [
      "strides": try spatial(strides ?? stridesDefault, rank: rank), "dilation_rate": try spatial(dilation, rank: rank),
      "padding": .string(padding), "data_format": isFirst ? "channels_first" : "channels_last",
    ]
  }

  /// The number of channels of an input.
  func channels(_ shape: PartialShape) -> Int? { shape.rank < 2 ? nil : shape[isFirst ? 1 : shape.rank - 1] }
}
