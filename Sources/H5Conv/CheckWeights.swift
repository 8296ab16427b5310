import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvHDF5
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// Checks the weights of a file: whether they are there, fit, can be read, and are numbers that make sense.
///
/// All of them are read, one at a time.
struct WeightCheck {
  private(set) var findings: [Finding] = []
  private var types: [String: [String]] = [:]
  private var zeroKernels: [String] = []
  private var huge: [String] = []
  private var tinyGammas: [String] = []
  private var copies: [WeightScan.Fingerprint: [String]] = [:]

  // MARK: - Where the weights are

  /// The weights of a model.
  init(_ model: Model) {
    var told = Set<String>()
    for (place, layer) in model.graph.layers.enumerated() {
      for spec in layer.weights where !model.weights.lacks(layer: place, spec) {
        do {
          let stored = try model.weights.stored(layer: place, spec.name)
          guard spec.shape.fits(stored.shape) || layer.quantization?.covers(spec.name) == true else {
            add(
              .error, "wrong_shape", at: "\(layer.name)/\(spec.name)",
              "the shape is \(PartialShape(stored.shape)) where \(spec.shape) was expected")
            continue
          }
          check(
            "\(layer.name)/\(spec.name)", stored, spec.name, layer.className
          ) { try model.weights.tensor(layer: place, spec.name) }
        } catch {
          let known = error as? H5ConvError
          guard told.insert(known?.description ?? "\(error)").inserted else { continue }
          add(
            .error, "missing_weight",
            at: known?.reason == .missingWeight ? "\(layer.name)/\(spec.name)" : layer.name,
            known?.what ?? "\(error)", remedy: known?.remedy)
        }
      }
    }
    unclaimed(model)
    finish()
    quantization(model)
  }

  /// The weights of a file without an architecture.
  init(_ file: ModelFile) {
    do {
      for (path, tensor) in try WeightCheck.stored(file) {
        do {
          let tensor = try tensor.get()
          let name = path.split(separator: "/").last.map { $0.split(separator: ":").first.map(String.init) ?? "" } ?? ""
          check(path, tensor, name, nil) { try tensor.tensor() }
        } catch { findings.append(Finding(.error, "missing_weight", path, error)) }
      }
    } catch { findings.append(Finding(.error, "damaged", "file", error)) }
    finish()
  }

  /// All weights by their paths, those of the optimizer left out.
  private static func stored(_ file: ModelFile) throws -> [(path: String, tensor: Result<StoredTensor, any Error>)] {
    guard case .legacy(let weights) = file.weights else {
      return try file.weightGroups().flatMap { group in group.weights.map { ($0.path, .success($0)) } }
    }
    return weights.layerNames.flatMap { layer in
      // A list that cannot be read is told by the check of the file.
      ((try? weights.weightNames(layer)) ?? []).map { name in
        ("\(layer)/\(name)", Result { try weights.tensor(layer, name) })
      }
    }
  }

  private mutating func unclaimed(_ model: Model) {
    var unused: [String] = []
    let names = Set(model.architecture.layers.map(\.name))
    let owners = Set(model.graph.layers.filter { !$0.weights.isEmpty }.map { $0.path[0] })
    // Of a model with layers that are not understood nobody knows which weights are theirs.
    let unknown = Set(
      model.graph.layers.filter { layer in if case .success = layer.kind { false } else { true } }.map { $0.path[0] })
    for left in model.weights.unclaimed {
      if owners.contains(left.layer), !unknown.contains(left.layer) { unused.append(left.tensor.path) }
      check(left.tensor.path, left.tensor, "", nil) { try left.tensor.tensor() }
    }
    if !unused.isEmpty {
      findings.append(Finding(.warning, "unused_weight", at: unused, "it is stored, but belongs to no layer"))
    }
    guard case .legacy(let weights) = model.file.weights else { return }
    let others = weights.layerNames.filter { name in
      !names.contains(name) && ((try? weights.weightNames(name)) ?? nil)?.isEmpty == false
    }
    // Groups of other names may have been paired in order.
    let isPaired = weights.layerNames.allSatisfy { !names.contains($0) }
    if !others.isEmpty, !isPaired {
      findings.append(
        Finding(.warning, "unused_group", at: others, "the file has weights for it, but the model has no such layer"))
    }
  }

  private mutating func add(
    _ severity: Finding.Severity, _ code: String, at place: String, _ message: String, remedy: String? = nil
  ) { findings.append(Finding(severity, code, at: place, message, remedy: remedy)) }

  // MARK: - One weight

  private mutating func check(
    _ path: String, _ stored: StoredTensor, _ name: String, _ className: String?, _ read: () throws -> Tensor
  ) {
    types[stored.type.description, default: []].append(path)
    let scan: WeightScan
    do {
      scan = WeightScan(try read(), filterAxes: WeightScan.filterAxes(name, className, rank: stored.shape.count))
    } catch {
      return findings.append(Finding(.error, "unreadable_weight", path, error))
    }
    let count = scan.count
    if count == 0 { add(.warning, "empty_weight", at: path, "it has no elements") }
    if scan.nanCount > 0 {
      add(
        .error, "nan_weights", at: path, "\(scan.nanCount.grouped) of \(count.grouped) elements are NaN",
        remedy: retrain)
    }
    if scan.infinityCount > 0 {
      add(
        .error, "infinite_weights", at: path, "\(scan.infinityCount.grouped) of \(count.grouped) elements are infinite",
        remedy: retrain)
    }
    if scan.largest > 1e6, name != "count", name != "variance", name != "moving_variance" { huge.append(path) }
    let isKernel = name.hasSuffix("kernel") || name == "embeddings"
    if isKernel, count > 0, scan.zeroCount == count {
      zeroKernels.append(path)
    } else if scan.filterCount > 1 {
      filters(path, scan)
    }
    switch name {
    case "moving_variance", "running_std", "variance":
      if scan.smallest < 0 {
        add(
          .error, "negative_variance", at: path, "a variance of \(scan.smallest.shortText): its root is NaN",
          remedy: retrain)
      }
    case "gamma" where className?.hasPrefix("BatchNormalization") ?? true:
      if scan.tinyCount > 0 { tinyGammas.append("\(path) (\(scan.tinyCount) of \(count))") }
    default: break
    }
    if let fingerprint = scan.fingerprint { copies[fingerprint, default: []].append(path) }
  }

  private var retrain: String { "train again with a lower learning rate, or take an earlier checkpoint" }

  private mutating func filters(_ path: String, _ scan: WeightScan) {
    func list(_ numbers: [Int]) -> String {
      numbers.prefix(6).map(String.init).joined(separator: ", ") + (numbers.count > 6 ? ", …" : "")
    }
    if !scan.deadFilters.isEmpty {
      add(
        .warning, "dead_filters", at: path,
        "\(scan.deadFilters.count) of \(scan.filterCount) filters are all zeros: \(list(scan.deadFilters))")
    }
    if !scan.constantFilters.isEmpty {
      add(
        .info, "constant_filters", at: path,
        "\(scan.constantFilters.count) of \(scan.filterCount) filters have one value throughout: \(list(scan.constantFilters))"
      )
    }
  }

  // MARK: - All of them

  private mutating func finish() {
    if !zeroKernels.isEmpty {
      findings.append(
        Finding(.warning, "zero_kernel", at: zeroKernels, "all elements are 0: the layer ignores its input"))
    }
    if !huge.isEmpty { findings.append(Finding(.warning, "huge_weights", at: huge, "elements above a million")) }
    if !tinyGammas.isEmpty {
      findings.append(
        Finding(.info, "dead_normalization", at: tinyGammas, "channels with gamma ≈ 0, whose output is a constant"))
    }
    for places in copies.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
      findings.append(
        Finding(
          .info, "duplicate_storage", at: places,
          "the same numbers \(places.count) times, as for a layer that models share, or a copy"))
    }
    for (type, code, message) in WeightCheck.reduced {
      guard let paths = types[type] else { continue }
      findings.append(Finding(.info, code, at: paths, message))
    }
  }

  /// Element types that are told.
  private static let reduced = [
    ("float16", "float16_weights", "stored as float16; computed as float32"),
    ("bfloat16", "bfloat16_weights", "stored as bfloat16; computed as float32"),
    ("float64", "float64_weights", "stored as float64; computed as float32"),
  ]

  private mutating func quantization(_ model: Model) {
    let quantized = model.graph.layers.filter { $0.quantization != nil }.map(\.name)
    if !quantized.isEmpty {
      findings.append(Finding(.info, "quantized", at: quantized, "weights are integers with scales"))
    }
    func warn(_ code: String, of test: (Quantization) -> Bool, _ message: String, remedy: String) {
      let names = model.graph.layers.filter { $0.quantization.map(test) ?? false }.map(\.name)
      if !names.isEmpty { findings.append(Finding(.warning, code, at: names, message, remedy: remedy)) }
    }
    warn(
      "unstated_quantization", of: \.isUnstated,
      "the parts are quantized, which the config does not say: Keras, which writes such files, does not load them",
      remedy: "'h5conv convert --dtype float32' writes a file that it loads")
    if model.format == ModelFormat.legacyH5.rawValue {
      warn(
        "calibrated_in_h5", of: \.isCalibrated,
        "Keras 3.15 loads weights of GPTQ and AWQ from .h5, but fails when it runs the layers",
        remedy: "'h5conv convert --to keras' writes a file that it runs")
    }
    let policies = model.dtypePolicies.filter { $0.hasPrefix("mixed_") }
    if !policies.isEmpty {
      add(
        .info, "mixed_precision", at: "file",
        "Keras computes in \(policies.joined(separator: ", ")), h5conv in float32: results differ in the third digit")
    }
  }
}
