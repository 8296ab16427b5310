import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
package import H5ConvGraph
import H5ConvHDF5
package import H5ConvModelFiles
import H5ConvTensors

/// A Keras model in a file: its layers, its weights, and everything that can be done with it.
///
/// Opening reads the architecture only; weights are read when something needs them. Nothing in the file is ever executed.
/// A model is a value that may be used from several tasks at once.
///
/// ```swift
/// let model = try Model(contentsOf: "model.h5")
/// let taps = try model.slice(outputs: ["block?_conv*"])
/// for activation in try taps.run(image: "cat.jpg").activations { print(activation.name, activation.tensor.shape) }
/// ```
public struct Model: Sendable {
  /// Where the file is.
  public let path: String
  package let file: ModelFile
  package let architecture: Architecture
  package let graph: Graph
  package let weights: WeightTable
  let choices = PreprocessingChoices()

  /// Whether slices of the model compute every layer as it stands, without arithmetic reordered for speed.
  ///
  /// Otherwise a batch normalization behind a convolution is multiplied into the kernel, and convolutions by 3 × 3 windows are computed by
  /// Winograd's algorithm where that is faster. Both round differently: some 10⁻⁶ of the output's largest value. Sums are added in the
  /// processor's order either way.
  public var isExact = false

  /// What gets the times of the operations of slices that run; nil for nothing.
  public var profile: Profile?

  /// Opens the Keras model file at `path`.
  ///
  /// - Parameters:
  ///   - path: a whole model, or weights only when `architecture` is given.
  ///   - architecture: a file with the architecture of weights that have none: what `model.to_json()` gave, an `.h5` or a `.keras`.
  ///     Layers are paired with weights by name, or in order when the names differ, as Keras' `load_weights` does.
  /// - Throws: `H5ConvError`: `cannotRead` when there is no such file, `badData` when it is damaged, is no model, or holds
  ///   weights without an architecture, `unsupported` for an architecture that is Python code.
  public init(contentsOf path: String, architecture: String? = nil) throws {
    try self.init(try ModelFile(path: path), architecture.map { try ModelFile.architecture(at: $0) })
  }

  init(_ file: ModelFile, _ given: Architecture?) throws {
    path = file.path
    self.file = file
    if given != nil, file.weights == nil { throw file.noWeights }
    guard let own = file.architecture else {
      guard let given else { throw file.noArchitecture }
      architecture = given
      graph = try naming(path) { try Graph(given, weights: file.weights) }
      weights = WeightTable(graph, given, file.weights, backend: file.backend)
      return
    }
    architecture = try naming(path) { try given ?? own.get() }
    graph = try naming(path) { [architecture] in try Graph(architecture, weights: file.weights) }
    weights = WeightTable(graph, architecture, file.weights, backend: file.backend)
  }

  /// The graph for inputs of the given shapes; its calls have the numbers that they have in ``graph``.
  func graph(for shapes: [[Int]]) throws -> Graph {
    graph.dependsOnSizes ? try Graph(architecture, inputShapes: shapes) : graph
  }

  /// What `model.summary()` says; made anew each time, since running needs none of it.
  package var summary: Summary { Summary(architecture, graph, weights) }

  /// The model's name.
  public var name: String { architecture.name }

  /// The kind of file: `legacy-h5`, `legacy-weights`, `keras3-weights`, `keras`, `npz`, `safetensors`, `architecture`.
  public var format: String { file.container.rawValue }

  /// The version of Keras that wrote the file, as it says itself.
  public var kerasVersion: String? { file.kerasVersion }

  /// The backend that Keras ran on, as `tensorflow`, `theano` or `jax`.
  public var backend: String? { file.backend }

  /// The layers as Keras' `model.layers` lists them (a Sequential's input layer is not among them).
  public var layers: [LayerInfo] { summary.rows.map(LayerInfo.init) }

  /// Number of weights' elements, as Keras counts them.
  public var parameterCount: Int { summary.totalParameters }

  /// Number of those that training changes.
  public var trainableParameterCount: Int { summary.trainableParameters }

  /// The network's inputs.
  public var inputs: [InputInfo] {
    graph.inputs.map { call in
      InputInfo(
        name: graph.calls[call].key, shape: graph.shape(of: TensorID(call: call, output: 0))?.sizes ?? [])
    }
  }

  /// Names of everything that can be an output of a slice, in execution order.
  public var outputNames: [String] { graph.taps.map(\.key) }

  /// Names of those of them, inputs left out, that can be computed: nothing that they need is a layer that h5conv refuses.
  public var computableOutputNames: [String] {
    // Calls come after those that they need.
    var isComputable: [Bool] = []
    for call in graph.calls {
      let isSupported = if case .success = call.applied { true } else { false }
      isComputable.append(isSupported && call.inputs.allSatisfy { isComputable[$0.call] })
    }
    return graph.taps.filter { !$0.isInput && isComputable[$0.tensor.call] }.map(\.key)
  }

  /// Names of the model's own outputs, in its order.
  public var finalOutputNames: [String] {
    let keys = Dictionary(graph.taps.map { ($0.tensor, $0.key) }, uniquingKeysWith: { $1 })
    return graph.outputs.compactMap { keys[$0] }
  }
}

/// A layer as `model.summary()` shows it.
public struct LayerInfo: Sendable {
  /// The layer's name.
  public let name: String
  /// Keras' class: `Conv2D`.
  public let className: String
  /// Shapes of its outputs, batch first, nil for a size that the input decides; empty when they are not known.
  public let outputShapes: [[Int?]]
  /// Number of its weights' elements.
  public let parameterCount: Int
  /// Number of those that training changes.
  public let trainableParameterCount: Int
  /// Names of the layers whose outputs go in.
  public let inbound: [String]
  /// Its place in execution order, from 0; `#` patterns and file names use it.
  public let index: Int?
  /// Whether h5conv can run it.
  public let isSupported: Bool
  /// The layers inside, when it is a model.
  public let nested: [LayerInfo]

  init(_ row: Summary.Row) {
    name = row.name
    className = row.className
    outputShapes = row.outputShapes.map(\.sizes)
    parameterCount = row.parameters
    trainableParameterCount = row.trainableParameters
    inbound = row.inbound
    index = row.index
    isSupported = row.isSupported
    nested = row.nested.map(LayerInfo.init)
  }
}

/// An input of a network.
public struct InputInfo: Sendable {
  /// The input layer's name.
  public let name: String
  /// Sizes of the axes, batch first; nil where the input decides, empty when the file does not say.
  public let shape: [Int?]
}

extension ModelFile {
  /// The architecture in the file at `path`: JSON, `.h5`, `.keras`.
  static func architecture(at path: String) throws -> Architecture {
    let file = try ModelFile(path: path)
    guard let architecture = file.architecture else { throw file.noArchitecture }
    return try naming(path) { try architecture.get() }
  }

  var noWeights: H5ConvError {
    container == .architecture
      ? H5ConvError(
        .badData, "this is an architecture without weights",
        remedy: "give the weights, and this file with --architecture", file: path)
      : H5ConvError(.badData, "the file holds no layer weights", remedy: "give a file that Keras saved", file: path)
  }

  var noArchitecture: H5ConvError {
    weights == nil
      ? H5ConvError(
        .badData, "this HDF5 file is not a Keras model: it has no model_config", remedy: "give a file that Keras saved",
        file: path, reason: .notAModel)
      : H5ConvError(
        .badData, "the file holds weights but no architecture",
        remedy: "give it with --architecture (what model.to_json() gave, an .h5 or a .keras), or a whole model from "
          + "model.save",
        file: path)
  }
}
