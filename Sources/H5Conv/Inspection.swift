import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// Everything `h5conv inspect` says of a file: what Keras' summary says, what made the file, and what is odd about it.
///
/// A file with weights but no architecture can be inspected too; its layers are then what the weights' groups are called.
public struct Inspection: Sendable {
  let file: ModelFile
  let model: Model?
  let summary: Summary?
  /// Why the architecture could not be understood, when the weights can be listed all the same.
  private var failure: H5ConvError?
  /// What a user should know: layers that cannot be run, weights that are missing or left over.
  public let warnings: [String]

  /// Writes the architecture to the file at `path`, whose name tells the format: `.svg`, `.dot` (Graphviz) or `.mmd` (Mermaid).
  ///
  /// - Throws: `H5ConvError`: `usage` for another name or a file without an architecture, `cannotWrite`, `inputOutput`.
  public func writeGraph(to path: String, replaces: Bool = false) throws {
    guard let model else {
      throw H5ConvError(
        .usage, "the file has no architecture to draw", remedy: "give it with --architecture", file: file.path)
    }
    try model.writeGraph(to: path, replaces: replaces)
  }

  /// Opens the file at `path`.
  ///
  /// No weights are read, except of layers that look like one layer which a model and one nested in it share: Keras counts those
  /// once.
  ///
  /// - Parameters:
  ///   - path: a whole model, or weights only.
  ///   - architecture: a file with the architecture of weights that have none, as in ``Model/init(contentsOf:architecture:)``.
  /// - Throws: `H5ConvError`: `cannotRead`, `badData` for a damaged file or one that holds nothing of Keras.
  public init(contentsOf path: String, architecture: String? = nil) throws {
    let file = try ModelFile(path: path)
    self.file = file
    let given = try architecture.map { try ModelFile.architecture(at: $0) }
    if given == nil, file.architecture == nil, file.weights == nil { throw file.noArchitecture }
    do { model = given == nil && file.architecture == nil ? nil : try Model(file, given) } catch let error
      as H5ConvError where error.kind == .unsupported && file.weights != nil
    {
      // A model that is Python code: its weights can be listed.
      model = nil
      failure = error
    }
    summary = model?.summary
    warnings = Inspection.warnings(file, model, failure)
  }

  private static func warnings(_ file: ModelFile, _ model: Model?, _ failure: H5ConvError?) -> [String] {
    guard let model else {
      let first =
        failure.map { "\($0.what): \($0.remedy ?? "its weights are listed")" }
        ?? "the file holds weights but no architecture: it can be listed, not run"
      let missing = ((try? file.weightGroups()) ?? []).flatMap(\.missing)
      return [first] + missing.map { "\($0.what) (\($0.place ?? "weights"))" }
    }
    var warnings: [String] = []
    var unsupported: [String: [String]] = [:]
    // Reasons that were told; what lies behind a layer that cannot be run repeats its reason.
    var told = Set<String>()
    for layer in model.graph.layers {
      guard case .failure(let error) = layer.kind else { continue }
      told.insert(error.description)
      if LayerRegistry.isSupported(layer.className) {
        warnings.append("\(error.what) (\(error.place ?? layer.name))")
      } else {
        unsupported[layer.className, default: []].append("'\(layer.name)'")
      }
    }
    for (className, names) in unsupported.sorted(by: { $0.key < $1.key }) {
      let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count) layers)" : "")
      warnings.append("the class \(className) is not supported: \(shown) can be shown, but not run")
    }
    for call in model.graph.calls {
      guard case .failure(let error) = call.outputShapes, told.insert(error.description).inserted else { continue }
      warnings.append("\(error.what) (\(error.place ?? call.key))")
    }
    warnings += model.weights.problems.map { "\($0.what) (\($0.place ?? "weights"))" }
    let owners = Set(
      model.graph.layers.filter { layer in
        if case .success = layer.kind { !layer.weights.isEmpty } else { false }
      }.map { $0.path[0] })
    let leftOver = model.weights.unclaimed.filter { owners.contains($0.layer) }
    if !leftOver.isEmpty {
      let names = leftOver.prefix(3).map(\.tensor.path).joined(separator: ", ")
      warnings.append("\(leftOver.count) stored weights belong to no layer: \(names)\(leftOver.count > 3 ? ", …" : "")")
    }
    if file.kerasVersion == nil { warnings.append("the file does not say which Keras wrote it") }
    return warnings
  }
}

// MARK: - What made the file

extension Inspection {
  /// Name and value of what is known of the file's origin and compile settings.
  var origin: [(name: String, value: String)] {
    var lines = [("container", "\(Inspection.title(of: file.container)) (\(file.container.rawValue))")]
    lines.append(("Keras version", file.kerasVersion ?? "not stated"))
    lines.append(("backend", file.backend ?? "not stated"))
    if let model {
      lines.append(("dtype", model.dtypePolicies.joined(separator: ", ")))
      lines.append(("optimizer", file.optimizer ?? "not compiled"))
      if let loss = file.trainingConfig?["loss"], !loss.isNull { lines.append(("loss", Inspection.shortText(loss))) }
      if let metrics = file.trainingConfig?["metrics"], !metrics.isNull {
        lines.append(("metrics", Inspection.shortText(metrics)))
      }
    }
    return lines
  }

  private static func title(of container: ModelFile.Container) -> String {
    switch container {
    case .legacyModel: "whole model, architecture and weights"
    case .legacyWeights: "weights only"
    case .keras3Weights: "weights only, in Keras 3's layout"
    case .keras: "whole model in Keras 3's archive"
    case .npz: "weights by path"
    case .safetensors: "weights by path, with the architecture when it was given"
    case .architecture: "architecture without weights"
    case .hdf5: "some HDF5 file"
    }
  }

  /// A loss or metric as its name; lists and objects of them joined.
  static func shortText(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): return text
    case .array(let items): return items.map(shortText).joined(separator: ", ")
    case .object(let object):
      if let name = object["config"]?["name"]?.string ?? object["config"]?.string ?? object["class_name"]?.string {
        return name
      }
      return object.members.map { "\($0.key): \(shortText($0.value))" }.joined(separator: ", ")
    default: return value.text()
    }
  }
}

extension ModelFile {
  /// The optimizer's class with its learning rate.
  var optimizer: String? {
    guard let config = trainingConfig?["optimizer_config"], let name = config["class_name"]?.string else { return nil }
    let rate = config["config"]?["learning_rate"]?.number ?? config["config"]?["lr"]?.number
    return ConfigReader.plainName(name) + (rate.map { " (learning rate \($0.shortText))" } ?? "")
  }
}

extension Model {
  /// Names of the dtype policies of the layers, each once.
  var dtypePolicies: [String] {
    var names: [String] = []
    for layer in graph.layers {
      let dtype = layer.config["dtype"]
      let name = dtype?.string ?? dtype?["config"]?["name"]?.string ?? dtype.flatMap { QuantizationPolicy.name(of: $0) }
      guard let name, !names.contains(name) else { continue }
      names.append(name)
    }
    return names.isEmpty ? ["float32"] : names
  }
}
