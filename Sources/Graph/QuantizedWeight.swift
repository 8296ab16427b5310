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

  var shape: PartialShape { plain.shape }
  var rows: Int? { PartialShape(reduced.map { shape[$0] }).product(of: 0..<reduced.count) }
  var columns: Int? { PartialShape(kept.map { shape[$0] }).product(of: 0..<kept.count) }

  // MARK: - What is stored

  /// `scale` of `kernel` is `kernel_scale`; of an attention's `query_kernel` it is `query_kernel_scale`, which files call `kernel_scale`.
  func name(_ suffix: String) -> String { "\(plain.name)_\(suffix)" }

  /// What the parts are called that do not have the weight's name: `g_idx`, of an attention `query_g_idx`.
  func partName(_ name: String) -> String {
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

  var hasHalfBytes: Bool {
    if case .gptq(let bits, _) = mode { return bits == 4 }
    return true
  }

  /// The axis along which neighbours share a byte.
  func packedAxis(isOlder: Bool) -> Int {
    switch role {
    case .kernel: isOlder ? reduced.first ?? 0 : 1
    case .table: 1
    case .reverseTable: 0
    }
  }

  /// The kernel as a matrix, as GPTQ and AWQ see it; nil when its shape is not known, or Keras does not split such a one.
  var calibratedSplit: (rows: Int, columns: Int)? {
    guard let sizes = shape.known else { return nil }
    guard sizes.count == 3, let most = sizes.max(), let place = sizes.firstIndex(of: most) else {
      return sizes.count == 2 ? (sizes[0], sizes[1]) : nil
    }
    let first = PartialShape(shape.sizes).product(of: place == 0 ? 0..<1 : 0..<2)
    let second = PartialShape(shape.sizes).product(of: place == 0 ? 1..<3 : 2..<3)
    return first.flatMap { first in second.map { (first, $0) } }
  }
}
