import H5ConvDiagnostics
import H5ConvGraph
package import H5ConvImages
import Synchronization

/// A preprocessing and why it was taken.
package struct PreprocessingChoice: Sendable {
  package let preprocessing: Preprocessing
  package let reason: String
}

extension Model {
  /// The preprocessing called `name`; for `auto`, the one that fits the model.
  ///
  /// A file does not say how its training pictures were scaled, so `auto` looks for signs: scaling layers inside the model,
  /// then the statistics that training left in the first batch normalization, then the layer names of the networks in
  /// `keras.applications`.
  package func choosePreprocessing(_ name: String) throws -> PreprocessingChoice {
    try choices.choice(name) { try findPreprocessing(name) }
  }

  private func findPreprocessing(_ name: String) throws -> PreprocessingChoice {
    guard name == "auto" else {
      return PreprocessingChoice(preprocessing: try Preprocessing.parse(name), reason: "as asked for")
    }
    if let layer = scalingLayer {
      return PreprocessingChoice(
        preprocessing: .none, reason: "auto: the model scales its input itself, in '\(layer)'")
    }
    if let trained = trainedScale {
      return PreprocessingChoice(
        preprocessing: trained.preprocessing,
        reason: "auto: the statistics in '\(trained.layer)' are those of pictures scaled so")
    }
    let names = Set(graph.layers.compactMap(\.path.last))
    if let known = KnownNetwork.all.first(where: { $0.matches(names) }) {
      return PreprocessingChoice(
        preprocessing: known.preprocessing, reason: "auto: layer names of \(known.name)")
    }
    return PreprocessingChoice(
      preprocessing: .none,
      reason: "auto: nothing in the model tells; if it was trained on scaled pictures, say so with --preprocess")
  }

  /// A layer before the first convolution or dense layer that scales the picture.
  private var scalingLayer: String? {
    for call in graph.calls {
      let layer = graph.layers[call.layer]
      switch layer.className {
      case "Rescaling", "Normalization", "Lambda", "TFOpLambda": return layer.name
      case let name where name.contains("Conv") || name == "Dense": return nil
      default: continue
      }
    }
    return nil
  }
}

/// The choices that were made for a model: one for all its pictures.
final class PreprocessingChoices: Sendable {
  private let made = Mutex<[String: PreprocessingChoice]>([:])

  func choice(_ name: String, _ find: () throws -> PreprocessingChoice) rethrows -> PreprocessingChoice {
    if let choice = made.withLock({ $0[name] }) { return choice }
    let choice = try find()
    made.withLock { $0[name] = choice }
    return choice
  }
}

/// A network of `keras.applications`, known by layer names that no other has.
private struct KnownNetwork {
  let name: String
  /// All of these names are in it.
  let names: [String]
  let preprocessing: Preprocessing

  func matches(_ found: Set<String>) -> Bool { names.allSatisfy(found.contains) }

  /// The more specific ones first: Xception and VGG both have a `block1_conv1`.
  static let all = [
    KnownNetwork(name: "Xception", names: ["block1_conv1", "block2_sepconv1"], preprocessing: .tf),
    KnownNetwork(name: "VGG", names: ["block1_conv1", "block2_conv1"], preprocessing: .caffe),
    KnownNetwork(name: "ResNetV2", names: ["conv1_conv", "conv2_block1_preact_bn"], preprocessing: .tf),
    KnownNetwork(
      name: "ResNet", names: ["conv1_conv", "conv2_block1_1_conv", "conv2_block1_add"], preprocessing: .caffe),
    KnownNetwork(name: "ResNet", names: ["res2a_branch2a", "bn2a_branch2a"], preprocessing: .caffe),
    KnownNetwork(name: "DenseNet", names: ["conv2_block1_0_bn", "conv2_block1_concat"], preprocessing: .torch),
    KnownNetwork(name: "MobileNetV2", names: ["Conv1", "expanded_conv_depthwise"], preprocessing: .tf),
    KnownNetwork(name: "MobileNet", names: ["conv1", "conv_dw_1", "conv_pw_1"], preprocessing: .tf),
    KnownNetwork(name: "InceptionResNetV2", names: ["mixed_5b", "conv_7b"], preprocessing: .tf),
    KnownNetwork(name: "InceptionV3", names: ["mixed0", "mixed10"], preprocessing: .tf),
    KnownNetwork(name: "NASNet", names: ["stem_conv1", "stem_bn1"], preprocessing: .tf),
    KnownNetwork(
      name: "EfficientNet-Lite", names: ["stem_conv", "block1a_dwconv"],
      preprocessing: .custom(mean: [127, 127, 127], std: [128, 128, 128])),
  ]
}
