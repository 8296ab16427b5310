package import H5ConvConfig
package import H5ConvDiagnostics
import H5ConvFiles
package import H5ConvHDF5

/// A file of Keras, or one that h5conv makes of such: its architecture, when it has one, and where its weights are.
package struct ModelFile: Sendable {
  /// What the file holds, and how.
  package enum Container: String, Sendable, CaseIterable {
    /// `.h5` with architecture and weights in one group per layer.
    case legacyModel = "legacy-h5"
    /// `.h5` with weights in one group per layer.
    case legacyWeights = "legacy-weights"
    /// `.weights.h5`, or shards of it: weights in groups that follow the objects of the model.
    case keras3Weights = "keras3-weights"
    /// `.keras`, an archive or a folder with architecture and weights.
    case keras
    /// `.npz`: weights by path.
    case npz
    /// `.safetensors`: weights by path, the architecture in the metadata.
    case safetensors
    /// JSON of `model.to_json()`: an architecture.
    case architecture
    /// Some other HDF5 file.
    case hdf5
  }

  package let path: String
  package let container: Container
  package let kerasVersion: String?
  package let backend: String?
  /// The model's `{"class_name": …, "config": …}`; nil when the file has none.
  package let config: JSONValue?
  /// The config understood, or why it is not; nil when the file has none.
  package let architecture: Result<Architecture, H5ConvError>?
  /// `training_config` of a legacy file, `compile_config` of a `.keras`.
  package let trainingConfig: JSONValue?
  package let weights: WeightLayout?
  /// The HDF5 file with the weights, when they are in one.
  package let hdf5: File?

  /// Opens the file at `path` and reads its architecture; no weights are read.
  ///
  /// - Throws: ``H5ConvError``: `cannotRead`, or `badData` for a damaged file and one that is nothing of the kind. A config that
  ///   cannot be understood does not throw: it is the failure of ``architecture``.
  package init(path: String) throws {
    if InputFile.isFolder(path) {
      self = try ModelFile.folder(path)
      return
    }
    let file = try OpenFile(path)
    self = try naming(path) {
      switch try FileKind.of(file) {
      case .hdf5: try ModelFile.hdf5(FileWindow(file, offset: 0), length: file.size)
      case .zip: try ModelFile.archive(file)
      case .json: try ModelFile.json(file)
      case .safetensors: try ModelFile.safetensors(file)
      }
    }
  }

  fileprivate struct Parts {
    var container: Container
    var kerasVersion: String?
    var backend: String?
    var config: JSONValue?
    var trainingConfig: JSONValue?
    var weights: WeightLayout?
    var hdf5: File?
  }

  private init(_ path: String, _ parts: Parts) throws {
    self.path = path
    container = parts.container
    kerasVersion = parts.kerasVersion
    backend = parts.backend
    config = parts.config
    trainingConfig = parts.trainingConfig
    weights = parts.weights
    hdf5 = parts.hdf5
    architecture = try parts.config.map { config in
      do { return .success(try ArchitectureReader.read(config, kerasVersion: parts.kerasVersion)) } catch let error
        as H5ConvError
      {
        return .failure(error)
      }
    }
  }

  // MARK: - HDF5

  private static func hdf5(_ window: FileWindow, length: Int) throws -> ModelFile {
    let file = try File.open(descriptor: window.file.descriptor, offset: window.offset, length: length)
    let root = file.root
    let configText = try root.stringAttribute("model_config")
    let group = try legacyGroup(root, hasConfig: configText != nil)
    var parts = Parts(container: .hdf5, hdf5: file)
    parts.kerasVersion = try root.stringAttribute("keras_version") ?? group?.stringAttribute("keras_version")
    parts.backend = try root.stringAttribute("backend") ?? group?.stringAttribute("backend")
    parts.config = try configText.map { try parse($0, "model_config") }
    // A training config that cannot be read stops nobody from running the model.
    parts.trainingConfig = try root.stringAttribute("training_config").flatMap { try? JSONParser.parse($0) }
    parts.weights = try group.map { .legacy(try LegacyWeights($0, in: window)) }
    if configText != nil {
      parts.container = .legacyModel
    } else if group != nil {
      parts.container = .legacyWeights
    } else if try hasVariables(root) {
      parts.container = .keras3Weights
      parts.weights = .variables(try VariableStore(try HDF5Variables([(root, window)])))
    }
    return try ModelFile(window.file.path, parts)
  }

  /// Where the layer groups are: `model_weights`, the root of a weights-only file, or that of Keras before 1.0.
  private static func legacyGroup(_ root: Group, hasConfig: Bool) throws -> Group? {
    if try root.member("model_weights") == .group, let group = try root.group("model_weights") { return group }
    for name in ["layer_names", "layer_names0", "nb_layers"] where try root.hasAttribute(name) { return root }
    if try LegacyWeights.isOfGraph(root) { return root }
    return nil
  }

  private static func parse(_ text: String, _ name: String) throws -> JSONValue {
    do { return try JSONParser.parse(text) } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, at: "attribute '\(name)', \(error.place ?? "")", reason: error.reason)
    }
  }

  /// Whether the root, or a group one to three levels below it, has a group `vars`: Keras 3's weights.
  private static func hasVariables(_ root: Group) throws -> Bool {
    var level = [root]
    for _ in 0..<4 {
      var next: [Group] = []
      for group in level {
        if try group.member("vars") == .group { return true }
        for name in try group.memberNames().prefix(64) where try group.member(name) == .group {
          if let child = try group.group(name) { next.append(child) }
        }
      }
      level = Array(next.prefix(256))
    }
    return false
  }

  // MARK: - .keras

  private static let jsonLimit = 256 << 20

  private static func archive(_ file: OpenFile) throws -> ModelFile {
    let archive = try ZipArchive(file)
    guard let config = archive.member("config.json") else {
      if PickledVariables.isIn(archive) {
        let weights = try VariableStore(try PickledVariables(archive))
        return try ModelFile(file.path, Parts(container: .npz, weights: .variables(weights)))
      }
      let arrays = archive.members.filter { $0.name.hasSuffix(".npy") }
      guard !arrays.isEmpty else {
        throw H5ConvError(
          .badData, "this archive is neither a .keras model nor a .npz: it has no config.json",
          remedy: "give the .keras file itself", reason: .notAModel)
      }
      let weights = try NamedWeights(try arrays.map { try NPZWeights.tensor($0, in: archive) })
      return try ModelFile(file.path, Parts(container: .npz, weights: .named(weights)))
    }
    var parts = try kerasParts { name in
      try archive.member(name).map { try archive.bytes($0, limit: jsonLimit) }
    } config: {
      try archive.bytes(config, limit: jsonLimit)
    }
    if let member = archive.member("model.weights.h5") {
      let (window, length) = try archive.window(member)
      try parts.takeVariables(from: window, length: length)
    } else if let member = archive.member("model.weights.npz") {
      let (window, length) = try archive.window(member)
      try parts.takePickles(from: window, length: length)
    }
    return try ModelFile(file.path, parts)
  }

  /// A `.keras` archive that was unpacked, as some hubs keep it.
  private static func folder(_ path: String) throws -> ModelFile {
    let base = path.hasSuffix("/") ? String(path.dropLast()) : path
    guard try InputFile.names(inFolder: base).contains("config.json") else {
      throw H5ConvError(
        .cannotRead, "this is a folder without config.json", remedy: "give the model file itself", file: path)
    }
    return try naming(path) {
      var parts = try kerasParts { name in
        try InputFile.names(inFolder: base).contains(name)
          ? InputFile.bytes("\(base)/\(name)", limit: jsonLimit) : nil
      } config: {
        try InputFile.bytes("\(base)/config.json", limit: jsonLimit)
      }
      let names = try InputFile.names(inFolder: base)
      if names.contains("model.weights.h5") {
        let file = try OpenFile("\(base)/model.weights.h5")
        try parts.takeVariables(from: FileWindow(file, offset: 0), length: file.size)
      } else if names.contains("model.weights.npz") {
        let file = try OpenFile("\(base)/model.weights.npz")
        try parts.takePickles(from: FileWindow(file, offset: 0), length: file.size)
      } else if names.contains("model.weights.json") {
        parts.weights = .variables(try shards("\(base)/model.weights.json"))
      }
      return try ModelFile(path, parts)
    }
  }

  private static func kerasParts(
    _ member: (String) throws -> [UInt8]?, config: () throws -> [UInt8]
  ) throws -> Parts {
    var parts = Parts(container: .keras)
    let config = try JSONParser.parse(try config())
    let metadata = try member("metadata.json").map { try JSONParser.parse($0) }
    parts.config = config
    parts.kerasVersion = metadata?["keras_version"]?.string
    // keras-core was Keras 3 under another name and number.
    if parts.kerasVersion?.hasPrefix("0.") == true { parts.kerasVersion = "3.0.0" }
    parts.trainingConfig = config["compile_config"]
    return parts
  }

  // MARK: - JSON and safetensors

  private static func json(_ file: OpenFile) throws -> ModelFile {
    guard file.size <= jsonLimit else { throw H5ConvError(.limit, "JSON of \(file.size) bytes") }
    let value = try JSONParser.parse(try file.bytes(at: 0, count: file.size))
    if value["weight_map"] != nil {
      return try ModelFile(
        file.path, Parts(container: .keras3Weights, weights: .variables(try shards(value, besides: file.path))))
    }
    let model = Keras0Config.translated(value) ?? value["model_config"] ?? value
    guard model["class_name"] != nil, model["config"] != nil else {
      throw H5ConvError(
        .badData, "this JSON is neither an architecture nor a list of weight shards: it has no class_name and config",
        remedy: "give what model.to_json() gave", reason: .notAModel)
    }
    var parts = Parts(container: .architecture)
    parts.kerasVersion = value["keras_version"]?.string ?? model["keras_version"]?.string
    parts.backend = value["backend"]?.string ?? model["backend"]?.string
    parts.config = model
    parts.trainingConfig = model["compile_config"]
    return try ModelFile(file.path, parts)
  }

  private static func shards(_ path: String) throws -> VariableStore {
    try shards(try JSONParser.parse(try InputFile.bytes(path, limit: jsonLimit)), besides: path)
  }

  /// The files that `{"weight_map": {"/layers/conv2d/vars": ["model_00000.weights.h5"]}}` names, in its folder.
  private static func shards(_ value: JSONValue, besides path: String) throws -> VariableStore {
    guard let map = value["weight_map"]?.object else { throw H5ConvError(.badData, "weight_map is not an object") }
    var names: Set<String> = []
    for (key, value) in map.members {
      for name in value.array ?? [value] {
        guard let name = name.string, !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
          throw H5ConvError(.badData, "a shard that is not the name of a file beside this one", at: key)
        }
        names.insert(name)
      }
    }
    guard names.count <= 10_000 else { throw H5ConvError(.limit, "\(names.count) shards") }
    let folder = OutputFile.split(path).folder
    let roots: [(root: Group, window: FileWindow?)] = try names.sorted().map { name in
      let file = try OpenFile("\(folder)/\(name)")
      _ = try naming(file.path) { try FileKind.of(file) }
      let opened = try naming(file.path) {
        try File.open(descriptor: file.descriptor, offset: 0, length: file.size)
      }
      return (opened.root, FileWindow(file, offset: 0))
    }
    return try VariableStore(try HDF5Variables(roots))
  }

  private static func safetensors(_ file: OpenFile) throws -> ModelFile {
    let (weights, metadata) = try Safetensors.read(file)
    var parts = Parts(container: .safetensors, weights: .named(weights))
    parts.kerasVersion = metadata["keras_version"]?.string
    parts.backend = metadata["backend"]?.string
    parts.config = try metadata["model_config"]?.string.map { try parse($0, "model_config") }
    return try ModelFile(file.path, parts)
  }
}

extension ModelFile.Parts {
  fileprivate mutating func takeVariables(from window: FileWindow, length: Int) throws {
    let head = try FileKind.of(window.file, from: window.offset, size: length)
    // Keras gives the file this name in folders whatever it holds.
    if head == .zip { return try takePickles(from: window, length: length) }
    guard head == .hdf5 else { throw H5ConvError(.badData, "model.weights.h5 is not HDF5", reason: .damagedArchive) }
    let file = try File.open(descriptor: window.file.descriptor, offset: window.offset, length: length)
    hdf5 = file
    weights = .variables(try VariableStore(try HDF5Variables([(file.root, window)])))
  }

  /// Takes the weights from the archive `model.weights.npz`.
  fileprivate mutating func takePickles(from window: FileWindow, length: Int) throws {
    weights = .variables(try VariableStore(try PickledVariables(try ZipArchive(window, length: length))))
  }
}
