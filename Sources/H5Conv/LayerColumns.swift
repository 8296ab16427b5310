import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

/// A further column of what `h5conv inspect` says of each layer.
public enum LayerColumn: String, CaseIterable, Sendable {
  /// Multiply-accumulate operations of convolutions and matrix products for one example.
  case macs
  /// Pixels of the picture that one element of the output depends on.
  case receptiveField = "receptive-field"
  /// Pixels of the picture from one element of the output to the next.
  case stride
  /// Bytes of the output as float32 for one example.
  case memory

  var title: String {
    switch self {
    case .macs: "MACs"
    case .receptiveField: "Receptive Field"
    case .stride: "Stride"
    case .memory: "Memory"
    }
  }

  /// The column's cell for a layer; "?" when it is not known.
  func cell(_ layer: LayerFootprint?, isAssumed: Bool) -> String {
    guard let layer else { return "?" }
    switch self {
    case .macs: return isAssumed ? "?" : layer.multiplyAccumulates?.grouped ?? "?"
    case .memory: return isAssumed ? "?" : layer.memory?.inBytes ?? "?"
    case .receptiveField: return layer.reaches.fieldText
    case .stride: return layer.reaches.strideText
    }
  }
}

extension [LayerColumn] {
  /// Reads names of columns that commas separate, or `all`.
  ///
  /// - Throws: `H5ConvError` of kind `usage`.
  public init(parsing text: String) throws {
    if text == "all" {
      self = LayerColumn.allCases
      return
    }
    self = try text.split(separator: ",").map { name in
      guard let column = LayerColumn(rawValue: name.filter { $0 != " " }) else {
        throw H5ConvError(
          .usage, "there is no column '\(name)'",
          remedy: "use all, or some of \(LayerColumn.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return column
    }
  }
}

extension [Reach?] {
  /// The sizes of the field as `40×40`; behind `≤` when they are a bound, `all` where it is the whole picture, `-` where the picture
  /// has no part in it.
  var fieldText: String {
    let known = compactMap { $0 }
    guard !known.isEmpty else { return "-" }
    if known.contains(where: { $0.axis == nil }) { return "all" }
    let text = known.map { $0.size.rounded(.up).plain }.joined(separator: "×")
    return (known.contains(where: \.isBound) ? "≤" : "") + text + (known.contains(where: \.isGated) ? " + all" : "")
  }

  var strideText: String {
    let known = compactMap { $0 }
    guard !known.isEmpty, !known.contains(where: { $0.axis == nil }) else { return "-" }
    return known.map(\.stride.plain).joined(separator: "×")
  }
}

extension LayerFootprint {
  /// What `inspect --json --columns` says of a layer.
  func json(_ columns: [LayerColumn], isAssumed: Bool) -> KeyValuePairs<String, JSONValue> {
    let fields = reaches.compactMap { $0 }
    let isWhole = fields.contains { $0.axis == nil }
    func axes(_ value: (Reach) -> Double) -> JSONValue {
      isWhole || fields.isEmpty ? .null : .array(fields.map { .double(value($0)) })
    }
    return [
      "macs": columns.contains(.macs) && !isAssumed ? multiplyAccumulates.map { .int($0) } ?? .null : .null,
      "receptive_field": columns.contains(.receptiveField) && !fields.isEmpty
        ? [
          "size": axes(\.size), "start": axes(\.start), "whole": .bool(isWhole),
          "bound": .bool(fields.contains(where: \.isBound)), "gated": .bool(fields.contains(where: \.isGated)),
        ] : .null,
      "stride": columns.contains(.stride) ? axes(\.stride) : .null,
      "output_bytes": columns.contains(.memory) && !isAssumed ? memory.map { .int($0) } ?? .null : .null,
    ]
  }
}

extension Int {
  /// As `12.8 MB`.
  var inBytes: String {
    let (unit, name) = self < 1_000_000 ? (1000.0, "kB") : self < 1_000_000_000 ? (1e6, "MB") : (1e9, "GB")
    return self < 1000 ? "\(self) B" : "\((Double(self) / unit * 10).rounded() / 10) \(name)"
  }

  /// As `15.35 G`, for operations.
  var inUnits: String {
    let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    guard let (unit, name) = units.first(where: { Double(self) >= $0.0 }) else { return String(self) }
    return "\((Double(self) / unit * 100).rounded() / 100) \(name)"
  }
}

extension Double {
  /// Without `.0`, with two places behind the point at most.
  fileprivate var plain: String {
    let rounded = (self * 100).rounded() / 100
    return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? String(Int(rounded)) : String(rounded)
  }
}
