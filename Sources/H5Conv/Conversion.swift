import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvHDF5
import H5ConvLayers
import H5ConvModelFiles

/// The kinds of files that models are written to.
public enum ModelFormat: String, Sendable, CaseIterable {
  /// `.h5` with architecture and weights, as `model.save("m.h5")` writes.
  case legacyH5 = "legacy-h5"
  /// `.h5` with weights in one group per layer, as Keras 2's `save_weights("m.h5")` writes.
  case legacyWeights = "legacy-weights"
  /// `.weights.h5` in Keras 3's layout.
  case keras3Weights = "keras3-weights"
  /// `.keras`, Keras 3's archive.
  case keras
  /// `.npz`, weights by path: `conv1/kernel`, `outer/inner/kernel`.
  case npz
  /// `.safetensors`, weights by path, with the architecture in the metadata.
  case safetensors

  /// The format that a file name asks for; nil when it says nothing.
  public init?(path: String) {
    let name = path.lowercased()
    if name.hasSuffix(".weights.h5") {
      self = .keras3Weights
    } else if name.hasSuffix(".h5") || name.hasSuffix(".hdf5") {
      self = .legacyH5
    } else if name.hasSuffix(".keras") {
      self = .keras
    } else if name.hasSuffix(".npz") {
      self = .npz
    } else if name.hasSuffix(".safetensors") {
      self = .safetensors
    } else {
      return nil
    }
  }

  /// Whether such files hold an architecture that Keras reads.
  public var holdsArchitecture: Bool { self == .legacyH5 || self == .keras }
}

/// How a model is written.
public struct ConversionOptions: Sendable {
  /// The kind of file; nil for the one that the name of the target says.
  public var format: ModelFormat?
  /// `float32`, `float16` or `bfloat16` for floating-point weights; nil to keep their types.
  public var dtype: String?
  /// Level of gzip compression in HDF5 files, 1 to 9; nil for none.
  public var gzip: Int?
  /// Whether an existing file is replaced.
  public var replaces = false

  /// Options that keep everything.
  public init() {}

  func storage() throws -> StorageOptions {
    let types: [String: ElementType] = [
      "float32": .float(bytes: 4, bigEndian: false), "float16": .float(bytes: 2, bigEndian: false),
      "bfloat16": .opaque(bytes: 2),
    ]
    var type: ElementType?
    if let dtype {
      guard let known = types[dtype] else {
        throw H5ConvError(.usage, "the dtype '\(dtype)' is none of float32, float16, bfloat16")
      }
      type = known
    }
    if let gzip, !(1...9).contains(gzip) { throw H5ConvError(.usage, "gzip level \(gzip) is not from 1 to 9") }
    return StorageOptions(type: type, gzip: gzip)
  }
}

/// What became of a model that was written.
public struct ConversionResult: Sendable {
  /// The file that was written.
  public let path: String
  /// Its kind.
  public let format: ModelFormat
  /// What was changed so that today's Keras reads the model and computes the same: `layer: what`.
  public let changes: [String]
  /// What Keras will not read, or what was left out: `layer: what`.
  public let warnings: [String]
}

/// Writes the model in the file at `source` as another kind of file.
///
/// Weights keep their bits unless a dtype is asked for; what Keras 3 refuses in files of Keras 1 and 2 is brought into a form that it
/// reads and that computes the same.
/// - Parameters:
///   - architecture: the architecture of weights that have none, as in ``Model/init(contentsOf:architecture:)``.
///   - target: the file that is written; it appears when it is complete.
/// - Throws: `H5ConvError`: what reading throws; `usage` when the target's format is not known; `badData` when it needs an
///   architecture that there is none of; `cannotWrite`.
public func convertModel(
  at source: String, architecture: String? = nil, to target: String, _ options: ConversionOptions = ConversionOptions()
) throws -> ConversionResult {
  let file = try ModelFile(path: source)
  let given = try architecture.map { try ModelFile.architecture(at: $0) }
  if given == nil, file.architecture == nil { return try convertWeights(file, to: target, options) }
  return try Model(file, given).write(to: target, options)
}

/// Writes weights of which the architecture is not known, where the target needs none.
private func convertWeights(_ file: ModelFile, to target: String, _ options: ConversionOptions) throws
  -> ConversionResult
{
  guard file.weights != nil else { throw file.noArchitecture }
  let layers = try naming(file.path) {
    try file.completeWeightGroups().map { group in
      WrittenLayer(
        path: group.name.split(separator: "/").map(String.init),
        weights: group.weights.map { tensor in
          let name =
            tensor.path.hasPrefix(group.name + "/") ? String(tensor.path.dropFirst(group.name.count + 1)) : tensor.path
          return WrittenWeight(name: name, owner: [], isTrainable: true, tensor: tensor, legacyName: name)
        })
    }
  }
  // What the weights are in is told as far as the file tells it: readers go by it.
  let written = WrittenModel(
    architecture: nil, dialect: .portable, layers: layers, kerasVersion: file.kerasVersion, backend: file.backend)
  let format = try targetFormat(target, options)
  guard [.legacyWeights, .npz, .safetensors].contains(format) else { throw file.noArchitecture }
  if case .variables = file.weights, format == .legacyWeights { throw file.noArchitecture }
  return try naming(file.path) { try writeModel(written, format, to: target, options, changes: [], warnings: []) }
}

func targetFormat(_ target: String, _ options: ConversionOptions) throws -> ModelFormat {
  guard let format = options.format ?? ModelFormat(path: target) else {
    throw H5ConvError(
      .usage, "the name '\(target)' does not tell the kind of file",
      remedy: "end it in .h5, .keras, .weights.h5, .npz or .safetensors, or give --to")
  }
  return format
}

func writeModel(
  _ model: WrittenModel, _ format: ModelFormat, to target: String, _ options: ConversionOptions, changes: [String],
  warnings: [String]
) throws -> ConversionResult {
  let storage = try options.storage()
  let output = try OutputFile(target, replaces: options.replaces)
  let path = output.temporaryPath
  var temporaryPaths = [path]
  func part() throws -> OutputFile {
    let part = try OutputFile(target, replaces: true)
    temporaryPaths.append(part.temporaryPath)
    return part
  }
  do {
    switch format {
    case .legacyH5: try LegacyWriter.write(model, to: path, isWhole: true, storage)
    case .legacyWeights: try LegacyWriter.write(model, to: path, isWhole: false, storage)
    case .keras3Weights: try VariableWriter.write(model, to: path, storage)
    case .keras: try ArchiveWriter.write(model, to: path, storage)
    case .npz: try NamedWeightWriter.npz(model, to: path, part: part, storage)
    case .safetensors: try NamedWeightWriter.safetensors(model, to: path, storage)
    }
  } catch let error as H5ConvError where error.file.map(temporaryPaths.contains) == true {
    // The name that the user gave.
    throw H5ConvError(error.kind, error.what, at: error.place, remedy: error.remedy, file: target)
  }
  try output.commit()
  return ConversionResult(path: target, format: format, changes: changes, warnings: warnings)
}

extension Model {
  /// Writes the model to a file of its own, as ``convertModel(at:architecture:to:_:)`` does.
  ///
  /// - Throws: `H5ConvError`: `usage`, `badData` for weights that are missing or damaged, `cannotWrite`.
  public func write(to target: String, _ options: ConversionOptions = ConversionOptions()) throws -> ConversionResult {
    let format = try targetFormat(target, options)
    let translated = translated(architecture, options)
    var warnings =
      format.holdsArchitecture || format == .safetensors
      ? translated.problems.map(\.text) : []
    var changes = translated.notes.filter { format.holdsArchitecture || $0.concernsWeights }.map(\.text)
    let written = try naming(path) { () throws -> WrittenModel in
      let weights = try writtenWeights(of: translated, format, options, changes: &changes, warnings: &warnings)
      var model = WrittenModel(
        architecture: translated.architecture, dialect: translated.dialect, layers: weights,
        kerasVersion: writtenVersion(translated.dialect), backend: writtenBackend)
      model.trainingConfig = trainingConfig(for: format, translated, &warnings)
      model.optimizer = try optimizerState(for: format, options, &warnings)
      return model
    }
    if let note = brainNote(written, format, options) { changes.append(note) }
    return try naming(path) {
      try writeModel(written, format, to: target, options, changes: changes, warnings: warnings)
    }
  }

  /// The model or a part of it in today's form; quantized layers are plain ones when another dtype is asked for.
  func translated(_ architecture: Architecture, _ options: ConversionOptions) -> TranslatedModel {
    ModelTranslator.translate(
      options.dtype == nil ? QuantizedConfig.modern(architecture) : QuantizedConfig.plain(architecture))
  }

  /// What is said of bfloat16 weights that the format has no type for.
  private func brainNote(_ model: WrittenModel, _ format: ModelFormat, _ options: ConversionOptions) -> String? {
    let reason: String
    switch format {
    case .legacyH5, .legacyWeights: reason = "no Keras reads them in a legacy file"
    case .npz: reason = "NumPy has no such type"
    default: return nil
    }
    let isAsked = options.dtype == "bfloat16"
    let isStored =
      options.dtype == nil && model.layers.contains { $0.weights.contains { $0.tensor.type == .opaque(bytes: 2) } }
    return isAsked || isStored ? "bfloat16 weights are stored as float32, since \(reason)" : nil
  }

  /// The version of Keras whose form is written: the one that wrote it where it is of that generation.
  func writtenVersion(_ dialect: Dialect) -> String {
    if dialect == .portable { return "2.15.0" }
    return file.kerasVersion.flatMap { $0.hasPrefix("3.") ? $0 : nil } ?? "3.15.1"
  }

  /// The backend whose kernels are written: Theano's were turned over when they were read.
  var writtenBackend: String { file.backend.flatMap { $0 == "theano" ? nil : $0 } ?? "tensorflow" }

  /// The weights of all layers under their paths in the translated model.
  func writtenWeights(
    of translated: TranslatedModel, _ format: ModelFormat, _ options: ConversionOptions, changes: inout [String],
    warnings: inout [String]
  ) throws -> [WrittenLayer] {
    var order: [[String]: Int] = [:]
    var paths: [[String]: [String]] = [:]
    func visit(_ model: Architecture, _ path: [String]) {
      for layer in model.layers {
        paths[translated.sourcePath(path + [layer.name])] = path + [layer.name]
        order[path + [layer.name]] = order.count
        if let nested = layer.nested { visit(nested, path + [layer.name]) }
      }
    }
    visit(translated.architecture, [])
    var layers: [WrittenLayer] = []
    for (number, layer) in graph.layers.enumerated() where !layer.weights.isEmpty {
      guard let path = paths[layer.path] else { continue }
      let weights = try writtenWeights(
        ofLayer: number, translated.weightChanges[path] ?? [], format, options, &changes, &warnings)
      layers.append(WrittenLayer(path: path, weights: weights))
    }
    let unknown = unknownLayers
    for (name, left) in weights.unclaimedByLayer.sorted(by: { $0.key < $1.key }) {
      if var kept = unknown[name] {
        kept.path = paths[kept.path] ?? kept.path
        warnings.append(
          "\(name): the layer is not understood; its \(kept.weights.count) weights are kept in their order")
        layers.append(kept)
      } else {
        warnings.append("\(name): \(left.count) stored weights belong to no layer and are left out")
      }
    }
    return layers.sorted { order[$0.path, default: .max] < order[$1.path, default: .max] }
  }

  /// What is stored for the top-level layers that are not understood, by their names.
  var unknownLayers: [String: WrittenLayer] {
    let left = weights.unclaimedByLayer
    var layers: [String: WrittenLayer] = [:]
    for layer in graph.layers where layers[layer.path[0]] == nil {
      let name = layer.path[0]
      let isUnderstood = if case .success = layer.kind { !layer.weights.isEmpty } else { false }
      guard !isUnderstood, let left = left[name] else { continue }
      let prefix = name + "/"
      layers[name] = WrittenLayer(
        path: [name],
        weights: left.map { weight in
          let stored = weight.tensor.path
          let short = stored.hasPrefix(prefix) ? String(stored.dropFirst(prefix.count)) : stored
          return WrittenWeight(name: short, owner: [], isTrainable: true, tensor: weight.tensor, legacyName: short)
        })
    }
    return layers
  }

  /// The weights of a layer of the graph, in storage order.
  ///
  /// - Parameter weightChanges: what becomes of them so that the translated layer computes the same.
  func writtenWeights(
    ofLayer number: Int, _ weightChanges: [WeightChange], _ format: ModelFormat, _ options: ConversionOptions,
    _ changes: inout [String], _ warnings: inout [String]
  ) throws -> [WrittenWeight] {
    let layer = graph.layers[number]
    if let quantization = layer.quantization {
      return try quantizedWeights(ofLayer: number, quantization, format, options, &changes, &warnings)
    }
    return try layer.weights.compactMap { spec in
      // What only some containers keep, as the factors of LoRA.
      if spec.isOptional, (try? weights.stored(layer: number, spec.name)) == nil { return nil }
      let stored = try weights.stored(layer: number, spec.name)
      return WrittenWeight(
        name: spec.name, owner: spec.owner, number: spec.number, isTrainable: spec.isTrainable && layer.isTrainable,
        tensor: try weightChanges.reduce(stored) { try $1.applied(to: $0, spec) })
    }
  }

  private func trainingConfig(
    for format: ModelFormat, _ model: TranslatedModel, _ warnings: inout [String]
  ) -> JSONValue? {
    guard format.holdsArchitecture, let stored = file.trainingConfig, !stored.isNull, stored != [:] else { return nil }
    let written =
      format == .keras
      ? TrainingConfig.archive(stored, names: model.outputNames)
      : TrainingConfig.legacy(stored, dialect: model.dialect, names: model.outputNames)
    if written == nil {
      warnings.append(
        "the model is written uncompiled: its optimizer, loss or metrics are not ones that every Keras has")
    }
    if written != nil, !TrainingConfig.namesOptimizer(stored) {
      warnings.append("the file does not tell the optimizer, for which Keras takes RMSprop")
    }
    return written
  }

  /// The optimizer's variables, when source and target are of one kind.
  private func optimizerState(
    for format: ModelFormat, _ options: ConversionOptions, _ warnings: inout [String]
  ) throws -> [StoredTensor] {
    let state = try file.optimizerState()
    guard !state.isEmpty else { return [] }
    let isSame = format.rawValue == file.container.rawValue
    if isSame, options.dtype == nil { return state }
    if format.holdsArchitecture || format == .keras3Weights {
      warnings.append("the optimizer's state is left out: training would begin with a fresh optimizer")
    }
    return []
  }
}

extension TranslationNote {
  var text: String { layer.isEmpty ? what : "\(layer): \(what)" }
}
