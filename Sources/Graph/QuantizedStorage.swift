import H5ConvDiagnostics
import H5ConvHDF5
package import H5ConvLayers
package import H5ConvModelFiles
package import H5ConvTensors

/// How quantized weights, and those with low-rank factors, are written.
extension Quantization {
  /// What is written for a layer, and what became of it.
  package struct Written {
    package var weights: [(spec: WeightSpec, tensor: StoredTensor)] = []
    /// What is not as it was, in words.
    package var changes: [String] = []
  }

  private static let float32 = ElementType.float(bytes: 4, bigEndian: false)

  /// Whether a weight is quantized, and not only has factors beside it.
  package var isQuantized: Bool { weights.contains { $0.mode != nil } }

  /// The weights as floating point, as a layer that never was quantized has them.
  ///
  /// - Parameters:
  ///   - stored: a weight as it is in the file; nil when the file lacks it.
  ///   - value: the value of a weight.
  package func writtenPlainly(
    _ stored: (String) throws -> StoredTensor?, value: @escaping @Sendable (String) throws -> Tensor
  ) throws -> Written {
    var written = Written()
    for spec in plain {
      guard let tensor = try stored(spec.name) else { throw Quantization.missing(spec) }
      written.weights.append((spec, covers(spec.name) ? try made(spec, like: tensor, value) : tensor))
    }
    written.changes = ["quantized weights are floating point now"]
    return written
  }

  /// The weights in the form in which today's Keras reads them.
  ///
  /// Int4 of Keras up to 3.13 is packed anew. Factors stay only in legacy files, and only where their weight is 1: Keras puts
  /// merged kernels into all others, and forgets alpha of Dense and Embedding when it loads.
  /// - Parameter isLegacy: whether it is for the legacy layout.
  /// - Throws: `H5ConvError` of kind `unsupported` for what today's Keras has no form for.
  package func written(
    isLegacy: Bool, _ stored: (String) throws -> StoredTensor?,
    value: @escaping @Sendable (String) throws -> Tensor
  ) throws -> Written {
    var written = Written()
    for spec in isLegacy ? legacyOrder : self.stored {
      guard let weight = weights.first(where: { $0.owns(spec.name) }) else {
        guard let tensor = try stored(spec.name) else { throw Quantization.missing(spec) }
        written.weights.append((spec, tensor))
        continue
      }
      let factor = try stored(weight.factorNames.a)
      let keepsFactors = factor == nil || (isLegacy && weight.factors?.weight == 1)
      guard keepsFactors || weight.mode == nil else {
        throw H5ConvError(
          .unsupported, "low-rank factors beside a quantized '\(weight.plain.name)' have no place in such a file",
          remedy: "give --dtype float32, which merges them")
      }
      if spec.isOptional {
        guard isLegacy else { continue }
        let kept = factor == nil || !keepsFactors ? nil : try stored(spec.name)
        written.weights.append((spec, try kept ?? Quantization.zeros(spec)))
        continue
      }
      guard let tensor = try stored(spec.name) else { throw Quantization.missing(spec) }
      let older = try stored(weight.plain.name).map { weight.isOlder($0.shape) } ?? false
      if older, let repacked = try weight.repacked(spec.name, { try stored($0)?.tensor() }, like: tensor) {
        written.weights.append((spec, repacked))
        written.add("int4 weights are packed as Keras 3.14 and later do it")
      } else if !keepsFactors, spec.name == weight.plain.name {
        written.weights.append((spec, try made(weight.plain, like: tensor, value)))
        written.add("low-rank factors are merged into the \(spec.name)")
      } else {
        written.weights.append((spec, tensor))
      }
    }
    return written
  }

  /// The order in which Keras creates the variables: a legacy file has first those that are tracked as trainable.
  ///
  /// A kernel that was frozen when it got factors stays where it was. Scales of float8 are made before the kernel when a layer is made
  /// from its config, as it is when a file is loaded.
  private var legacyOrder: [WeightSpec] {
    WeightSpec.byOwner(stored).flatMap { owner, specs -> [WeightSpec] in
      let isFloat8 = weights.contains { $0.isFloat8 && $0.plain.owner == owner }
      let scales =
        isFloat8 ? specs.filter { spec in weights.contains { $0.owns(spec.name) && $0.plain.name != spec.name } } : []
      let rest = specs.filter { spec in !scales.contains(spec) }
      func isTracked(_ spec: WeightSpec) -> Bool {
        spec.isTrainable || weights.contains { $0.plain.name == spec.name && $0.mode == nil && $0.plain.isTrainable }
      }
      return scales + rest.filter(isTracked) + rest.filter { !isTracked($0) }
    }
  }

  private static func missing(_ spec: WeightSpec) -> H5ConvError {
    H5ConvError(.badData, "the weight '\(spec.name)' is not in the file")
  }

  private static func zeros(_ spec: WeightSpec) throws -> StoredTensor {
    guard let shape = spec.shape.known, let count = Tensor.elementCount(of: shape) else {
      throw H5ConvError(.badData, "the shape of the weight '\(spec.name)' is not known")
    }
    return StoredTensor(
      spec.name, shape: shape, type: float32, MadeSource { [UInt8](repeating: 0, count: count * 4) })
  }

  /// The value of a weight, in the type of `stored` if that is floating point.
  private func made(
    _ spec: WeightSpec, like stored: StoredTensor, _ value: @escaping @Sendable (String) throws -> Tensor
  ) throws -> StoredTensor {
    guard let shape = spec.shape.known else {
      throw H5ConvError(.badData, "the shape of the weight '\(spec.name)' is not known")
    }
    let path = stored.path
    let made = StoredTensor(
      path, shape: shape, type: Quantization.float32,
      MadeSource { try Elements.bytes(of: try value(spec.name), as: Quantization.float32, path: path) })
    switch stored.type {
    case .float, .opaque(2): return made.converted(to: stored.type)
    default: return made
    }
  }
}

extension Quantization.Written {
  fileprivate mutating func add(_ change: String) { if !changes.contains(change) { changes.append(change) } }
}

extension QuantizedWeight {
  fileprivate var isFloat8: Bool { if case .float8 = mode { true } else { false } }

  /// Whether `name` is the weight's, or that of a part of it.
  fileprivate func owns(_ name: String) -> Bool { name == plain.name || extras.contains { $0.name == name } }

  /// The part `name` of an int4 kernel of Keras 3.11 to 3.13, which has two rows in a byte, as later versions store it: a matrix with two
  /// columns in a byte, and a scale for each column.
  ///
  /// - Returns: nil for a part that stays as it is.
  fileprivate func repacked(
    _ name: String, _ read: (String) throws -> Tensor?, like stored: StoredTensor
  ) throws -> StoredTensor? {
    guard let shape = plain.shape.known, Tensor.elementCount(of: shape) != nil else { return nil }
    let columns = kept.map { shape[$0] }.reduce(1, *)
    let rows = reduced.map { shape[$0] }.reduce(1, *)
    guard reduced == Array(0..<reduced.count) else {
      throw H5ConvError(
        .unsupported, "an int4 kernel that is not summed over its first axes has no form in today's Keras",
        remedy: "give --dtype float32")
    }
    guard let tensor = try read(name) else { return nil }
    if name == plain.name {
      let numbers = try olderForm(shape).integers(tensor, name)
      let bytes = Dequantizer.packed(numbers, columns: columns)
      return StoredTensor(
        stored.path, shape: [rows, (columns + 1) / 2], type: stored.type, MadeSource { bytes })
    }
    guard tensor.count == columns else { return nil }
    // From the order of the output's axes into that of the kernel's.
    let strides = Dequantizer.strides(shape, kept: kept)
    let axes = kept.sorted()
    var places = [0]
    for axis in axes { places = places.flatMap { place in (0..<shape[axis]).map { place + $0 * strides[axis] } } }
    let values = tensor.values
    let ordered = try Tensor(shape: [columns], values: places.map { values[$0] })
    return StoredTensor(
      stored.path, shape: [columns], type: .float(bytes: 4, bigEndian: false),
      MadeSource { try Elements.bytes(of: ordered, as: .float(bytes: 4, bigEndian: false), path: name) })
  }
}
