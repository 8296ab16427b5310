import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// A kernel or a table of embeddings that Keras 3 quantized, or that has low-rank factors beside it: what is stored for it, and how
/// it becomes floating point again.
///
/// Source: `_int8_build`, `_int4_build`, `_float8_build`, `_gptq_build`, `_awq_build` and `enable_lora` in keras/src/layers/core/dense.py,
/// einsum_dense.py, embedding.py and reversible_embedding.py, of Keras 3.5 to 3.15.
struct QuantizedWeight: Sendable {
  enum Role: Sendable { case kernel, table, reverseTable }

  /// The weight before it was quantized.
  let plain: WeightSpec
  let role: Role
  /// How it is quantized; nil when it is not.
  let mode: QuantizationPolicy.Mode?
  /// The axes that the layer sums over.
  let reduced: [Int]
  /// The other axes, in the order in which a scale of int8 has them.
  let kept: [Int]
  /// Shape of a scale of int8.
  let scaleShape: PartialShape
  /// Rank and alpha / rank of the factors a and b, whose product is added.
  let factors: (rank: Int, weight: Float)?

  private var shape: PartialShape { plain.shape }
  private var rows: Int? { PartialShape(reduced.map { shape[$0] }).product(of: 0..<reduced.count) }
  private var columns: Int? { PartialShape(kept.map { shape[$0] }).product(of: 0..<kept.count) }

  // MARK: - What is stored

  /// `scale` of `kernel` is `kernel_scale`; of an attention's `query_kernel` it is `query_kernel_scale`, which files call `kernel_scale`.
  private func name(_ suffix: String) -> String { "\(plain.name)_\(suffix)" }

  /// What the parts are called that do not have the weight's name: `g_idx`, of an attention `query_g_idx`.
  private func partName(_ name: String) -> String {
    plain.name.hasSuffix("_kernel") ? plain.name.dropLast("kernel".count) + name : name
  }

  var factorNames: (a: String, b: String) {
    let base = role == .kernel ? "lora_kernel" : "lora_embeddings"
    return (partName(base + "_a"), partName(base + "_b"))
  }

  private func spec(
    _ name: String, _ shape: [Int?], alias: String? = nil, isTrainable: Bool = false, isOptional: Bool = false
  ) -> WeightSpec {
    let aliases = [
      alias,
      plain.name.hasSuffix("_kernel") && name.hasPrefix(plain.name) ? "kernel" + name.dropFirst(plain.name.count) : nil,
    ]
    return WeightSpec(
      name, PartialShape(shape), aliases: aliases.compactMap { $0 }, isTrainable: isTrainable, owner: plain.owner,
      isOptional: isOptional)
  }

  /// The weight as it is stored.
  var stored: WeightSpec {
    var shape = self.shape.sizes
    var isTrainable = false
    switch mode {
    case nil, .float8: isTrainable = plain.isTrainable && factors == nil
    case .int8: break
    case .int4(_, let isOlder):
      if role == .kernel, !isOlder {
        shape = [rows, columns]
        shape[1] = QuantizedWeight.half(shape[1])
      } else {
        let axis = packedAxis(isOlder: isOlder)
        shape[axis] = QuantizedWeight.half(shape[axis])
      }
    case .gptq, .awq:
      let split = calibratedSplit
      shape = [hasHalfBytes ? QuantizedWeight.half(split?.columns) : split?.columns, split?.rows]
    }
    // Names of one letter, which older versions of Keras used, would be confused with those of the factors.
    return WeightSpec(
      plain.name, PartialShape(shape), aliases: plain.aliases.filter { $0.count > 1 }, isTrainable: isTrainable,
      owner: plain.owner)
  }

  /// What is stored beside it, in Keras' order.
  var extras: [WeightSpec] {
    var specs: [WeightSpec] = []
    switch mode {
    case nil: break
    case .int8: specs = [spec(name("scale"), scaleShape.sizes)]
    case .int4(let block, let isOlder):
      let inputs = role == .kernel ? rows : role == .table ? shape[1] : shape[0]
      guard let block else {
        specs = [spec(name("scale"), role == .kernel && isOlder ? scaleShape.sizes : [columns])]
        break
      }
      let groups = inputs.map { ($0 + block - 1) / block }
      let sizes = role == .table ? [columns, groups] : [groups, columns]
      specs = [spec(name("scale"), sizes), spec(name("zero"), sizes)]
      // The way back shares the groups of the way in.
      if role != .reverseTable { specs.append(spec(partName("g_idx"), [inputs], alias: "g_idx")) }
    case .float8(let history):
      for part in ["inputs", "kernel", "outputs_grad"] {
        specs.append(spec(partName("\(part)_scale"), [], alias: "\(part)_scale", isTrainable: true))
        specs.append(
          spec(partName("\(part)_amax_history"), [history], alias: "\(part)_amax_history", isTrainable: true))
      }
    case .gptq(_, let group), .awq(let group):
      let split = calibratedSplit
      let groups = group.map { size in split.map { ($0.rows + size - 1) / size } } ?? 1
      specs = [
        spec(name("scale"), [split?.columns, groups]),
        spec(name("zero"), [split?.columns, groups], alias: "zero_point"),
      ]
      if case .awq = mode { specs.append(spec(partName("awq_scales"), [split?.rows], alias: "awq_scales")) }
      specs.append(spec(partName("g_idx"), [split?.rows], alias: "g_idx"))
    }
    guard let factors, role != .reverseTable, let last = shape.sizes.last else { return specs }
    let names = factorNames
    return specs + [
      spec(names.a, shape.sizes.dropLast() + [factors.rank], isTrainable: true, isOptional: true),
      spec(names.b, [factors.rank, last], isTrainable: true, isOptional: true),
    ]
  }

  /// Whether the bias is stored before the weight.
  var comesLast: Bool {
    switch mode {
    case .gptq, .awq: true
    default: false
    }
  }

  private static func half(_ size: Int?) -> Int? { size.map { $0 / 2 + $0 % 2 } }

  private var hasHalfBytes: Bool {
    if case .gptq(let bits, _) = mode { return bits == 4 }
    return true
  }

  /// The axis along which neighbours share a byte.
  private func packedAxis(isOlder: Bool) -> Int {
    switch role {
    case .kernel: isOlder ? reduced.first ?? 0 : 1
    case .table: 1
    case .reverseTable: 0
    }
  }

  /// The kernel as a matrix, as GPTQ and AWQ see it; nil when its shape is not known, or Keras does not split such a one.
  private var calibratedSplit: (rows: Int, columns: Int)? {
    guard let sizes = shape.known else { return nil }
    guard sizes.count == 3, let most = sizes.max(), let place = sizes.firstIndex(of: most) else {
      return sizes.count == 2 ? (sizes[0], sizes[1]) : nil
    }
    let first = PartialShape(shape.sizes).product(of: place == 0 ? 0..<1 : 0..<2)
    let second = PartialShape(shape.sizes).product(of: place == 0 ? 1..<3 : 2..<3)
    return first.flatMap { first in second.map { (first, $0) } }
  }

  // MARK: - Its value

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
