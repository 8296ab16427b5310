package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvLayers
package import H5ConvTensors

/// How Keras 3's `model.quantize` stored a layer's largest weight, and how it becomes floating point again.
///
/// Source: `keras.src.quantizers`: int8 is w = q / scale; int4 is w = (q − zero) · scale in groups of inputs, two signed
/// nibbles to a byte along the last axis, the low one first.
package struct Quantization: Sendable {
  private enum Mode: Sendable {
    case int8
    /// Keras up to 3.14: packed along the first axis, one scale for each output, w = q / scale.
    case int4PerChannel
    case int4Grouped
  }

  private let mode: Mode
  /// `kernel`, or of an Embedding `embeddings`.
  private let weight: String
  /// Shape of the weight before it was quantized.
  private let shape: PartialShape

  /// Finds out whether the layer was quantized, and gives its weights as they are stored then.
  ///
  /// - Parameter specs: the weights of the layer before it was quantized.
  /// - Throws: `H5ConvError` of kind `unsupported` for another way of quantizing.
  package static func read(
    _ config: JSONObject, className: String, specs: [WeightSpec]
  ) throws -> (quantization: Quantization, specs: [WeightSpec])? {
    guard let policy = config["dtype"], let name = policy["class_name"]?.string,
      let mode = policy["config"]?["mode"]?.string, name.contains("DTypePolicy"), name != "QuantizedFloat8DTypePolicy"
    else { return nil }
    guard let place = specs.firstIndex(where: { ["kernel", "embeddings"].contains($0.name) }),
      ["Dense", "EinsumDense", "Embedding"].contains(className)
    else { return nil }
    let weight = specs[place]
    let stored: (Mode, PartialShape, [WeightSpec])
    func extra(_ suffix: String, _ shape: PartialShape) -> WeightSpec {
      WeightSpec(suffix == "g_idx" ? suffix : "\(weight.name)_\(suffix)", shape, isTrainable: false)
    }
    let sizes = weight.shape.sizes
    switch (mode.split(separator: "/").first.map(String.init) ?? mode, name) {
    case ("int8", _):
      stored = (.int8, weight.shape, [extra("scale", PartialShape([nil]))])
    case ("int4", "Int4DTypePolicy"):
      let packed = PartialShape(sizes.dropLast() + [sizes.last.flatMap { $0 }.map { ($0 + 1) / 2 }])
      stored = (
        .int4Grouped, packed,
        [extra("scale", PartialShape([nil])), extra("zero", PartialShape([nil])), extra("g_idx", PartialShape([nil]))]
      )
    case ("int4", _):
      let packed = PartialShape([sizes.first.flatMap { $0 }.map { ($0 + 1) / 2 }] + sizes.dropFirst())
      stored = (.int4PerChannel, packed, [extra("scale", PartialShape([nil]))])
    default:
      throw H5ConvError(.unsupported, "weights quantized as '\(mode)' are not supported")
    }
    var result = specs
    result[place] = WeightSpec(weight.name, stored.1, aliases: weight.aliases, isTrainable: false)
    return (Quantization(mode: stored.0, weight: weight.name, shape: weight.shape), result + stored.2)
  }

  /// Whether `name` is the weight that is quantized.
  package func covers(_ name: String) -> Bool { name == weight }

  /// The weight `name` in floating point.
  ///
  /// - Parameter read: reads a stored weight of the layer; integers as floats.
  package func tensor(_ name: String, _ read: (String) throws -> Tensor) throws -> Tensor {
    let stored = try read(name)
    let scale = try read("\(name)_scale").values
    switch mode {
    case .int8: return try divided(stored.values, stored.shape, by: scale)
    case .int4PerChannel:
      guard let shape = shape.known, let rows = shape.first, stored.shape.dropFirst() == shape.dropFirst(),
        stored.shape.first == (rows + 1) / 2
      else { throw mismatch(stored.shape) }
      let row = shape.dropFirst().reduce(1, *)
      let packed = stored.values
      let values = (0..<rows * row).map { place in
        Quantization.nibble(packed[(place / row) / 2 * row + place % row], isHigh: (place / row) % 2 == 1)
      }
      return try divided(values, shape, by: scale)
    case .int4Grouped:
      return try grouped(stored, scale, zero: try read("\(name)_zero").values, groups: try read("g_idx"))
    }
  }

  /// q / scale, with one scale for each place of the trailing axes, or of an Embedding for each row.
  private func divided(_ values: [Float], _ shape: [Int], by scale: [Float]) throws -> Tensor {
    guard !scale.isEmpty, values.count % scale.count == 0 else { throw mismatch([scale.count]) }
    if weight == "embeddings" {
      let row = values.count / scale.count
      return try Tensor(shape: shape, values: values.indices.map { values[$0] / scale[$0 / row] })
    }
    return try Tensor(shape: shape, values: values.indices.map { values[$0] / scale[$0 % scale.count] })
  }

  private func grouped(_ stored: Tensor, _ scale: [Float], zero: [Float], groups: Tensor) throws -> Tensor {
    guard let shape = shape.known, shape.count == 2, stored.shape == [shape[0], (shape[1] + 1) / 2],
      scale.count == zero.count
    else { throw mismatch(stored.shape) }
    let packed = stored.values
    let index = groups.values
    let isEmbedding = weight == "embeddings"
    // Groups are along the inputs: the rows of a kernel, the columns of an embedding.
    let outputs = isEmbedding ? shape[0] : shape[1]
    guard outputs > 0, scale.count % outputs == 0, index.count == (isEmbedding ? shape[1] : shape[0]) else {
      throw mismatch([scale.count])
    }
    let groupCount = scale.count / outputs
    var values = [Float](repeating: 0, count: shape[0] * shape[1])
    for row in 0..<shape[0] {
      for column in 0..<shape[1] {
        guard let group = Int(exactly: index[isEmbedding ? column : row]), (0..<groupCount).contains(group) else {
          throw mismatch(groups.shape)
        }
        let place = isEmbedding ? row * groupCount + group : group * outputs + column
        let number = Quantization.nibble(packed[row * stored.shape[1] + column / 2], isHigh: column % 2 == 1)
        values[row * shape[1] + column] = (number - zero[place]) * scale[place]
      }
    }
    return try Tensor(shape: shape, values: values)
  }

  /// One of the two signed four-bit numbers in a byte that was read as a float.
  private static func nibble(_ byte: Float, isHigh: Bool) -> Float {
    guard let bits = Int8(exactly: byte) else { return .nan }
    return Float(isHigh ? bits >> 4 : Int8(truncatingIfNeeded: bits << 4) >> 4)
  }

  private func mismatch(_ shape: [Int]) -> H5ConvError {
    H5ConvError(.badData, "the quantized '\(weight)' and its scales, of shape \(shape), do not fit the layer")
  }
}
