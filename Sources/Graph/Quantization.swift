package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvLayers
package import H5ConvTensors

/// How Keras 3 stored a layer's largest weights, when they are quantized (`model.quantize`) or have low-rank factors beside them
/// (`enable_lora`), and how they become floating point again.
package struct Quantization: Sendable {
  let weights: [QuantizedWeight]
  /// The layer's weights before they were quantized.
  package let plain: [WeightSpec]
  /// The layer's weights as they are stored, in the order of Keras 3's layout.
  package let stored: [WeightSpec]
  /// Whether the config does not say so, as it does not of the parts of an attention.
  package private(set) var isUnstated = false

  /// Finds out whether the layer was quantized; nil when it was not.
  ///
  /// - Parameter specs: the weights of the layer before it was quantized.
  /// - Throws: `H5ConvError` of kind `unsupported` for another way of quantizing.
  package static func read(_ config: JSONObject, className: String, specs: [WeightSpec]) throws -> Quantization? {
    var (config, className) = (config, className)
    while className == "TimeDistributed", let inner = config["layer"], let fields = inner["config"]?.object {
      className = ConfigReader.plainName(inner["class_name"]?.string ?? "")
      config = fields
    }
    let reader = ConfigReader(config, at: "quantization")
    let policy = try config["dtype"].flatMap { try QuantizationPolicy($0, settings: config["quantization_config"]) }
    var factors: (rank: Int, weight: Float)?
    if reader.has("lora_rank") {
      let rank = try reader.int("lora_rank", in: 1...1 << 20)
      factors = (rank, Float(try reader.float("lora_alpha", default: Double(rank)) / Double(rank)))
    }
    guard policy != nil || factors != nil else { return nil }
    let weights = try specs.compactMap { spec in
      try weight(spec, className: className, reader, policy?.mode, factors)
    }
    return weights.isEmpty ? nil : Quantization(weights, plain: specs)
  }

  /// The quantization of an attention's kernels.
  ///
  /// - Parameters:
  ///   - modes: how each kernel is quantized, by name.
  ///   - specs: the weights of the layer before it was quantized.
  init?(_ modes: [String: QuantizationPolicy.Mode], specs: [WeightSpec]) {
    let weights = specs.compactMap { spec -> QuantizedWeight? in
      guard let mode = modes[spec.name] else { return nil }
      // (features, heads, size), and for the output (heads, size, features).
      let summed = spec.name == "attention_output_kernel" ? 2 : 1
      let kept = Array(summed..<spec.shape.rank)
      return QuantizedWeight(
        plain: spec, role: .kernel, mode: mode, reduced: Array(0..<summed), kept: kept,
        scaleShape: PartialShape([1, 1] + kept.map { spec.shape[$0] }), factors: nil)
    }
    guard !weights.isEmpty else { return nil }
    self.init(weights, plain: specs)
    isUnstated = true
  }

  /// The weight `spec` if it is one that Keras quantizes.
  private static func weight(
    _ spec: WeightSpec, className: String, _ config: ConfigReader, _ mode: QuantizationPolicy.Mode?,
    _ factors: (rank: Int, weight: Float)?
  ) throws -> QuantizedWeight? {
    switch (className, spec.name) {
    case ("Dense", "kernel"):
      return QuantizedWeight(
        plain: spec, role: .kernel, mode: mode, reduced: [0], kept: [1], scaleShape: [spec.shape[1]], factors: factors)
    case ("EinsumDense", "kernel"):
      let labels = try config.string("equation").filter { $0.isLetter || $0 == "," || $0 == ">" }
        .split(separator: ">").flatMap { $0.split(separator: ",") }
      guard labels.count == 3, labels[1].count == spec.shape.rank else { return nil }
      let (kernel, output) = (Array(labels[1]), Array(labels[2]))
      // The scale is laid out as the output is, with 1 for what the kernel does not have.
      let kept = output.compactMap { kernel.firstIndex(of: $0) }
      return QuantizedWeight(
        plain: spec, role: .kernel, mode: mode, reduced: kernel.indices.filter { !kept.contains($0) }, kept: kept,
        scaleShape: PartialShape(output.map { label in kernel.firstIndex(of: label).map { spec.shape[$0] } ?? 1 }),
        factors: factors)
    case ("Embedding", "embeddings"), ("ReversibleEmbedding", "embeddings"):
      if case .float8 = mode { return nil }
      return QuantizedWeight(
        plain: spec, role: .table, mode: mode, reduced: [1], kept: [0], scaleShape: [spec.shape[0]], factors: factors)
    case ("ReversibleEmbedding", "reverse_embeddings") where mode != nil:
      return QuantizedWeight(
        plain: spec, role: .reverseTable, mode: mode, reduced: [0], kept: [1], scaleShape: [spec.shape[1]], factors: nil
      )
    default: return nil
    }
  }

  private init(_ weights: [QuantizedWeight], plain: [WeightSpec]) {
    self.weights = weights
    self.plain = plain
    stored = WeightSpec.byOwner(plain).flatMap { Quantization.stored($0.specs, weights) }
  }

  /// What is stored for the weights of one object, in Keras' order.
  private static func stored(_ plain: [WeightSpec], _ weights: [QuantizedWeight]) -> [WeightSpec] {
    var before: [WeightSpec] = []
    var after: [WeightSpec] = []
    for spec in plain {
      guard let weight = weights.first(where: { $0.plain.name == spec.name }) else {
        before.append(spec.withoutShortAliases)
        continue
      }
      if weight.role == .kernel, !weight.comesLast {
        before.append(weight.stored)
        after += weight.extras
      } else {
        after += [weight.stored] + weight.extras
      }
    }
    return before + after
  }

  /// Whether GPTQ or AWQ chose the numbers.
  package var isCalibrated: Bool { weights.contains(where: \.comesLast) }

  /// The part of an attention that has the weight, and the weight's name there, as legacy files name them: `query`, `kernel_scale`.
  ///
  /// These names alone tell of a file that is opened what the config does not: that the parts are quantized.
  package func partName(of spec: WeightSpec) -> [String]? {
    guard isUnstated else { return nil }
    let parts = plain.lazy.filter { $0.owner == spec.owner && $0.name.hasSuffix("_kernel") }
      .map { $0.name.dropLast("_kernel".count) }
    return parts.first { spec.name.hasPrefix($0 + "_") }.map {
      [String($0), String(spec.name.dropFirst($0.count + 1))]
    }
  }

  // MARK: - Values

  /// Whether `name` is a weight whose value is not what is stored under its name.
  package func covers(_ name: String) -> Bool { weights.contains { $0.plain.name == name } }

  /// Shape of the weight `name` in floating point; nil when it is as it is stored, or not known.
  package func shape(of name: String) -> [Int]? { weights.first { $0.plain.name == name }?.plain.shape.known }

  /// The weight `name` in floating point.
  ///
  /// - Parameter read: reads a stored weight of the layer, integers as floats; nil when the file lacks it.
  package func tensor(_ name: String, _ read: (String) throws -> Tensor?) throws -> Tensor {
    guard let weight = weights.first(where: { $0.plain.name == name }) else {
      throw H5ConvError(.internalFault, "'\(name)' is not quantized")
    }
    return try weight.tensor(read)
  }
}

extension WeightSpec {
  /// The weight without names of one letter, which older versions of Keras used: those of the factors a and b end in such.
  fileprivate var withoutShortAliases: WeightSpec {
    WeightSpec(name, shape, aliases: aliases.filter { $0.count > 1 }, isTrainable: isTrainable, owner: owner)
  }
}
