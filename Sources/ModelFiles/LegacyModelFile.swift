package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvHDF5

/// A `.h5` file that `model.save` or `save_weights` of Keras wrote in the legacy layout.
package struct LegacyModelFile: Sendable {
  /// What the file holds.
  package enum Container: String, Sendable {
    /// Architecture and weights.
    case wholeModel = "legacy-h5"
    /// Weights in one group per layer, no architecture.
    case weights = "legacy-weights"
    /// Weights at `…/vars/0`, no architecture.
    case keras3Weights = "keras3-weights"
    /// Some other HDF5 file.
    case other = "hdf5"
  }

  package let path: String
  package let file: File
  package let container: Container
  package let kerasVersion: String?
  package let backend: String?
  /// The config, as text and read; nil when the file has none.
  package let architecture: Architecture?
  package let trainingConfig: JSONValue?
  /// Where the layer groups are; nil in a file without such.
  package let weights: LegacyWeights?

  /// Opens the HDF5 file at `path` and reads its architecture; no weights are read.
  package init(path: String) throws {
    self.path = path
    (file, container, kerasVersion, backend, architecture, trainingConfig, weights) = try naming(path) {
      let file = try File.open(path)
      let root = file.root
      let modelWeights = try root.group("model_weights")
      let weightsGroup = try modelWeights ?? (root.splitStringsAttribute("layer_names") != nil ? root : nil)
      let configText = try root.stringAttribute("model_config")
      let version = try root.stringAttribute("keras_version") ?? weightsGroup?.stringAttribute("keras_version")
      let backend = try root.stringAttribute("backend") ?? weightsGroup?.stringAttribute("backend")
      let container: Container =
        if configText != nil {
          .wholeModel
        } else if weightsGroup != nil {
          .weights
        } else if try LegacyModelFile.hasVariables(root) {
          .keras3Weights
        } else {
          .other
        }
      let architecture = try configText.map {
        try ArchitectureReader.read(try LegacyModelFile.parse($0, "model_config"), kerasVersion: version)
      }
      // A training config that cannot be read stops nobody from running the model.
      let training = try root.stringAttribute("training_config").flatMap { try? JSONParser.parse($0) }
      return (
        file, container, version, backend, architecture, training, try weightsGroup.map { try LegacyWeights($0) }
      )
    }
  }

  private static func parse(_ text: String, _ name: String) throws -> JSONValue {
    do { return try JSONParser.parse(text) } catch let error as H5ConvError {
      throw H5ConvError(error.kind, error.what, at: "attribute '\(name)', \(error.place ?? "")")
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
}
