import H5ConvHDF5
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvModelFiles

/// Checks what other versions of Keras make of a file: what they refuse, and what they silently compute otherwise.
struct CompatibilityCheck {
  private(set) var findings: [Finding] = []

  init(_ file: ModelFile) {
    guard let config = file.config else {
      layout(file)
      return
    }
    let subject = TrapSubject(file, config)
    let entries = ConfigWalk(config).entries
    code(config, entries)
    for trap in Trap.ofFiles where trap.applies(subject) {
      findings.append(Finding(trap.severity, trap.code, trap.message, remedy: trap.remedy))
    }
    for trap in Trap.ofLayers where trap.container(subject) {
      let found = entries.filter { trap.applies($0, subject) }
      guard !found.isEmpty else { continue }
      let names = Set(found.flatMap(trap.names)).sorted().joined(separator: ", ")
      findings.append(
        Finding(
          trap.severity, trap.code, at: found.map(\.name), trap.message + (names.isEmpty ? "" : ": \(names)"),
          remedy: trap.remedy))
    }
    layout(file)
  }

  /// Python in the config, and functions whose code is elsewhere.
  private mutating func code(_ config: JSONValue, _ entries: [ConfigEntry]) {
    for code in PythonCode.all(in: config) {
      findings.append(
        Finding(
          .error, "python_code", at: code.layer,
          "compiled Python, which Keras runs when it is told to load the file unsafely"
            + (code.names.isEmpty ? "" : "; names in it: \(code.names.joined(separator: ", "))"),
          remedy: "load it only if you trust whoever made it; h5conv never runs it"))
    }
    for (layer, function) in PythonCode.named(in: entries) {
      findings.append(
        Finding(
          .warning, "named_function", at: layer,
          "the function '\(function)' is not in the file: loading it needs the Python code that defines it"))
    }
  }

  private mutating func layout(_ file: ModelFile) {
    guard case .variables(let store) = file.weights else { return }
    if store.isPickled {
      findings.append(
        Finding(
          .warning, "pickled_weights",
          "the weights are pickled Python objects, which no version of Keras reads back", remedy: Trap.convert))
    }
    guard store.layersName != "layers" else { return }
    findings.append(
      Finding(
        .warning, "layout_of_keras_2_13",
        "the weights are where Keras 2.12 to 2.14 put them; tf_keras 2.21 does not find them", remedy: Trap.convert))
  }
}

/// What traps look at besides a layer.
struct TrapSubject {
  let container: ModelFile.Container
  /// Which Keras wrote the file, 1, 2 or 3.
  let generation: Int
  let backend: String?
  let config: JSONValue
  let hasBfloat16: Bool

  init(_ file: ModelFile, _ config: JSONValue) {
    container = file.container
    backend = file.backend
    self.config = config
    if case .success(let architecture) = file.architecture {
      generation = architecture.generation
    } else {
      generation = file.kerasVersion?.split(separator: ".").first.flatMap { Int($0) } ?? 2
    }
    hasBfloat16 =
      container == .legacyModel
      && ((try? file.weightGroups()) ?? []).contains { group in
        group.weights.contains { $0.type == .opaque(bytes: 2) }
      }
  }

  /// The class of the outermost Sequential's first layer, when it states the input's shape instead of an InputLayer.
  var classWithInputShape: String? {
    guard config["class_name"] == "Sequential", let first = config["config"]?["layers"]?.array?.first,
      first["class_name"] != "InputLayer", first["config"]?["batch_input_shape"]?.array != nil
    else { return nil }
    return first["class_name"]?.string
  }
}

/// Something that some version of Keras refuses or changes.
struct Trap {
  static let convert = "'h5conv convert' writes a file that it loads"

  /// A trap of the file as a whole.
  struct OfFile: Sendable {
    let severity: Finding.Severity
    let code: String
    let message: String
    var remedy: String? = convert
    let applies: @Sendable (TrapSubject) -> Bool
  }

  /// A trap of single layers.
  struct OfLayer: Sendable {
    let severity: Finding.Severity
    let code: String
    let message: String
    var remedy: String? = convert
    /// Which files it is in.
    var container: @Sendable (TrapSubject) -> Bool = { _ in true }
    /// What the message lists.
    var names: @Sendable (ConfigEntry) -> [String] = { _ in [] }
    let applies: @Sendable (ConfigEntry, TrapSubject) -> Bool
  }

  /// Traps after which Keras 3.15 does not load a file; the others change what it computes, or catch other programs.
  static let refusedByKeras3: Set<String> = [
    "keras_1", "sequential_as_list", "sequential_without_input", "keras_2_archive", "keras_2_json", "initializer_dtype",
    "refused_argument", "slash_in_name", "axis_as_list", "weights_of_axes", "wrapped_layer_without_module",
    "removed_class",
    "operation_of_tensorflow", "nested_model_calls", "operations_in_h5", "backslash_paths", "bfloat16_in_h5",
    "attention_in_h5", "old_dtype_policy", "custom_function", "pickled_weights",
    "unstated_quantization",
  ]

  /// Traps after which tf_keras 2.21 does not load a file.
  static let refusedByKeras2: Set<String> = [
    "keras_1", "keras_3_only", "gru_without_reset_after", "layout_of_keras_2_13", "backslash_paths",
    "custom_function", "pickled_weights", "bfloat16_weights",
  ]
}
