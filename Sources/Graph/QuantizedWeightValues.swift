import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// The value of a quantized weight.
extension QuantizedWeight {
  /// The weight in floating point.
  ///
  /// - Parameter read: reads a stored weight of the layer, integers as floats; nil when the file lacks it.
  /// - Throws: `H5ConvError` of kind `badData` when the parts do not fit each other.
  func tensor(_ read: (String) throws -> Tensor?) throws -> Tensor {
    guard let shape = shape.known, let count = Tensor.elementCount(of: shape) else {
      throw H5ConvError(.badData, "the shape of the weight '\(plain.name)' is not known")
    }
    let stored = try part(plain.name, read)
    let base = try values(stored, shape, read)
    guard base.count == count else {
      throw H5ConvError(.badData, "\(base.count) numbers where the shape \(shape) was expected", at: plain.name)
    }
    return try withFactors(try Tensor(shape: shape, values: base), read)
  }

  private func part(_ name: String, _ read: (String) throws -> Tensor?) throws -> Tensor {
    guard let tensor = try read(name) else { throw H5ConvError(.badData, "the weight '\(name)' is not in the file") }
    return tensor
  }

  private func values(_ stored: Tensor, _ shape: [Int], _ read: (String) throws -> Tensor?) throws -> [Float] {
    switch mode {
    case nil, .float8:
      guard stored.shape == shape else {
        throw H5ConvError(
          .badData, "the weight '\(plain.name)' has the shape \(stored.shape) where \(shape) was expected")
      }
      return stored.values
    case .int8:
      let form = Dequantizer(shape: shape, strides: Dequantizer.strides(shape, kept: kept), divides: true)
      return try form.values(of: stored, plain.name, scale: try scale(read).values, zero: nil, groups: nil)
    case .int4(let block, _):
      let form = int4Form(stored.shape, shape)
      guard block != nil else {
        return try form.values(of: stored, plain.name, scale: try scale(read).values, zero: nil, groups: nil)
      }
      return try grouped(form, stored, read)
    case .gptq, .awq: return try calibrated(stored, shape, read)
    }
  }

  /// The scale, which must have a number for each column; with groups, some for each.
  private func scale(_ read: (String) throws -> Tensor?, areGrouped: Bool = false) throws -> Tensor {
    let scale = try part(name("scale"), read)
    guard let columns, columns > 0, areGrouped ? scale.count > 0 && scale.count % columns == 0 : scale.count == columns
    else {
      throw H5ConvError(
        .badData, "the weight '\(name("scale"))' has \(scale.count) numbers, which do not fit \(columns ?? 0) outputs")
    }
    return scale
  }

  /// Whether int4 of Keras up to 3.13 is stored, whose shape tells it from today's.
  func isOlder(_ storedShape: [Int]) -> Bool {
    guard case .int4(nil, let isOlder) = mode, role == .kernel, let shape = shape.known, let rows, let columns else {
      return false
    }
    let older = storedShape == Dequantizer.halved(shape, along: packedAxis(isOlder: true))
    let newer = storedShape == [rows, columns / 2 + columns % 2]
    return older && newer ? isOlder : older
  }

  private func int4Form(_ storedShape: [Int], _ shape: [Int]) -> Dequantizer {
    if role != .kernel {
      return Dequantizer(
        shape: shape, packedAxis: packedAxis(isOlder: false), strides: Dequantizer.strides(shape, kept: kept),
        divides: true)
    }
    if isOlder(storedShape) {
      return Dequantizer(
        shape: shape, packedAxis: packedAxis(isOlder: true), strides: Dequantizer.strides(shape, kept: kept),
        divides: true)
    }
    return Dequantizer(shape: [rows ?? 0, columns ?? 0], packedAxis: 1, strides: [0, 1], divides: true)
  }

  /// Int4 of Keras 3.11 to 3.13, packed along the first axis that is summed over.
  func olderForm(_ shape: [Int]) -> Dequantizer {
    Dequantizer(
      shape: shape, packedAxis: packedAxis(isOlder: true), strides: Dequantizer.strides(shape, kept: kept),
      divides: true)
  }

  private func grouped(_ form: Dequantizer, _ stored: Tensor, _ read: (String) throws -> Tensor?) throws -> [Float] {
    let scale = try scale(read, areGrouped: true)
    let columns = columns ?? 1
    let count = scale.count / columns
    let isTable = role == .table
    let form = Dequantizer(
      shape: form.shape, packedAxis: form.packedAxis, strides: isTable ? [count, 0] : [0, 1],
      grouping: isTable ? (1, 1) : (0, columns), divides: false)
    try check(groups: count, try part(partName("g_idx"), read))
    return try form.values(
      of: stored, plain.name, scale: scale.values, zero: try part(name("zero"), read).values,
      groups: try part(partName("g_idx"), read).values)
  }

  private func check(groups count: Int, _ index: Tensor) throws {
    if let wrong = index.values.first(where: { !($0 > -1 && $0 < Float(count)) }) {
      throw H5ConvError(.badData, "g_idx names the group \(wrong) of \(count)")
    }
  }

  /// (columns, rows) with scales (columns, groups), turned over.
  private func calibrated(
    _ stored: Tensor, _ shape: [Int], _ read: (String) throws -> Tensor?
  ) throws -> [Float] {
    guard let (rows, columns) = calibratedSplit else {
      throw H5ConvError(.unsupported, "a kernel of shape \(shape) quantized with GPTQ or AWQ is not supported")
    }
    let scale = try part(name("scale"), read)
    guard columns > 0, scale.count > 0, scale.count % columns == 0 else {
      throw H5ConvError(
        .badData, "the weight '\(name("scale"))' has \(scale.count) numbers, which do not fit \(columns) outputs")
    }
    let count = scale.count / columns
    let index = try part(partName("g_idx"), read)
    try check(groups: count, index)
    let form = Dequantizer(
      shape: [columns, rows], packedAxis: hasHalfBytes ? 0 : nil, isSigned: false, strides: [count, 0],
      grouping: (1, 1), divides: false)
    let turned = try form.values(
      of: stored, plain.name, scale: scale.values, zero: try part(name("zero"), read).values, groups: index.values)
    var divisors: [Float]?
    if case .awq = mode {
      let scales = try part(partName("awq_scales"), read).values
      guard scales.count == rows, scales.allSatisfy({ $0.isFinite && $0 != 0 }) else {
        throw H5ConvError(
          .badData, "the weight 'awq_scales' does not have a number other than 0 for each of \(rows) inputs")
      }
      divisors = scales
    }
    var values = turned
    for row in 0..<rows {
      for column in 0..<columns {
        values[row * columns + column] = turned[column * rows + row] / (divisors?[row] ?? 1)
      }
    }
    return values
  }

  /// The weight with alpha / rank · a · b added, where a and b are stored: they are in `.h5` files only, the others hold the sum.
  private func withFactors(_ base: Tensor, _ read: (String) throws -> Tensor?) throws -> Tensor {
    guard let factors, let a = try read(factorNames.a), let b = try read(factorNames.b) else { return base }
    let (rank, columns) = (factors.rank, base.shape.last ?? 0)
    let rows = columns > 0 ? base.count / columns : 0
    guard a.count == rows * rank, b.count == rank * columns else {
      throw H5ConvError(
        .badData,
        "the weights '\(factorNames.a)' of shape \(a.shape) and '\(factorNames.b)' of \(b.shape) do not fit \(base.shape)"
      )
    }
    let (left, right) = (a.values, b.values)
    var values = base.values
    for row in 0..<rows {
      for inner in 0..<rank {
        let factor = left[row * rank + inner] * factors.weight
        for column in 0..<columns { values[row * columns + column] += factor * right[inner * columns + column] }
      }
    }
    return try Tensor(shape: base.shape, values: values)
  }
}
