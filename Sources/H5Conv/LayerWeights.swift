import H5ConvModelFiles
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
public import H5ConvTensors

extension Model {
  /// The weights of all layers, nested ones too, in execution order; none is read yet.
  ///
  /// What the file stores for a layer that h5conv does not support comes last, under the names in the file. A layer whose
  /// weights are missing or do not fit lists what it should have; reading them says what is wrong.
  public var layerWeights: [LayerWeight] {
    let owned = graph.layers.indices.flatMap { layer in
      let quantization = graph.layers[layer].quantization
      return graph.layers[layer].weights.filter { !weights.lacks(layer: layer, $0) }.map { spec in
        LayerWeight(
          layer: graph.layers[layer].name, name: spec.name,
          shape: quantization?.shape(of: spec.name) ?? (try? weights.shape(layer: layer, spec.name)) ?? [],
          isTrainable: spec.isTrainable && graph.layers[layer].isTrainable, path: path
        ) { try weights.tensor(layer: layer, spec.name) }
      }
    }
    let unclaimed = weights.unclaimed.map { left in
      LayerWeight(
        layer: left.layer, name: left.tensor.path, shape: left.tensor.shape, isTrainable: nil, path: path
      ) { try left.tensor.tensor() }
    }
    return owned + unclaimed
  }
}

/// A weight of a layer: its name and shape; its elements are read when they are asked for.
public struct LayerWeight: Sendable {
  /// The layer that owns it: `conv1`, `outer/inner`.
  public let layer: String
  /// Its name in the layer: `kernel`, `bias`, `moving_mean`.
  public let name: String
  /// Sizes of the axes, of a quantized weight those of its floating point; empty for a scalar, and for a weight that is not in the file.
  public let shape: [Int]
  /// Whether training changes it; nil where h5conv does not know the layer.
  public let isTrainable: Bool?
  private let path: String
  private let source: @Sendable () throws -> Tensor

  init(
    layer: String, name: String, shape: [Int], isTrainable: Bool?, path: String,
    source: @escaping @Sendable () throws -> Tensor
  ) {
    self.layer = layer
    self.name = name
    self.shape = shape
    self.isTrainable = isTrainable
    self.path = path
    self.source = source
  }

  /// Layer and name as one text, `conv1/kernel`.
  public var key: String { "\(layer)/\(name)" }

  /// Reads the elements, as float32.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when the weight is missing, damaged, or of another shape than the layer needs.
  public func read() throws -> Tensor { try naming(path, source) }
}
