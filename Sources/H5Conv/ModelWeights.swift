import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles
public import H5ConvTensors

/// A weight as the file stores it; its elements are read when they are asked for.
public struct StoredWeight: Sendable {
  /// Name of the layer in whose group it is; empty in a file without such groups.
  public let layer: String
  /// Its name there: `conv1/kernel:0`.
  public let name: String
  /// Sizes of the axes, outermost first; empty for a scalar.
  public let shape: [Int]
  /// NumPy's name of the stored type: `float32`, `float16`, `int64`.
  public let dtype: String
  private let stored: StoredTensor

  init(layer: String, name: String, _ stored: StoredTensor) {
    self.layer = layer
    self.name = name
    shape = stored.shape
    dtype = stored.type.description
    self.stored = stored
  }

  /// Number of elements.
  public var count: Int { Tensor.elementCount(of: shape) ?? 0 }

  /// Its layer and name: `conv1/conv1/kernel:0`.
  public var path: String { layer.isEmpty ? name : "\(layer)/\(name)" }

  /// Reads the elements, converted to float32.
  ///
  /// - Throws: `H5ConvError` of kind `badData` when they are damaged or no numbers.
  public func read() throws -> Tensor { try stored.tensor() }

  /// Reads the elements and sums them up.
  public func statistics() throws -> WeightStatistics { WeightStatistics(try read()) }
}

/// What the elements of a weight are like; NaN and infinities are counted and left out of the rest.
public struct WeightStatistics: Sendable {
  /// Smallest element; NaN when there is none.
  public private(set) var minimum = Double.nan
  /// Largest element; NaN when there is none.
  public private(set) var maximum = Double.nan
  /// Arithmetic mean.
  public private(set) var mean = Double.nan
  /// Population standard deviation.
  public private(set) var standardDeviation = Double.nan
  /// Number of elements that are exactly 0.
  public private(set) var zeroCount = 0
  /// Number of elements that are not a number.
  public private(set) var nanCount = 0
  /// Number of infinite elements.
  public private(set) var infinityCount = 0

  init(_ tensor: Tensor) {
    tensor.withUnsafeElements { elements in
      var (sum, count) = (0.0, 0)
      var (low, high) = (Float.infinity, -Float.infinity)
      for value in elements {
        guard value.isFinite else {
          if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
          continue
        }
        if value == 0 { zeroCount += 1 }
        low = min(low, value)
        high = max(high, value)
        sum += Double(value)
        count += 1
      }
      guard count > 0 else { return }
      let mean = sum / Double(count)
      let squares = elements.reduce(0.0) { $1.isFinite ? $0 + (Double($1) - mean) * (Double($1) - mean) : $0 }
      (minimum, maximum, self.mean) = (Double(low), Double(high), mean)
      standardDeviation = (squares / Double(count)).squareRoot()
    }
  }
}

extension Model {
  /// All weights of the file in the order of its layers.
  ///
  /// - Throws: `H5ConvError` of kind `badData` when one that is listed is missing.
  public var weightList: [StoredWeight] {
    get throws { try naming(path) { try file.storedWeights() } }
  }
}

extension ModelFile {
  /// All weights of the file: those that its layers list, or in a file without such lists every dataset.
  ///
  /// - Parameter skipsMissing: whether those that are listed and not there are left out; else they are an error.
  func storedWeights(skipsMissing: Bool = false) throws -> [StoredWeight] {
    switch weights {
    case .legacy(let weights):
      return try (weights.layerNames + ["top_level_model_weights"]).flatMap { layer in
        try (weights.weightNames(layer) ?? []).compactMap { name in
          do { return StoredWeight(layer: layer, name: name, try weights.tensor(layer, name)) } catch is H5ConvError
            where skipsMissing
          { return nil }
        }
      }
    case .variables(let store):
      return try store.objects("").flatMap { path, variables in
        try variables.map { StoredWeight(layer: try store.objectName(path) ?? "", name: $0.path, $0) }
      }
    case .named(let weights): return weights.tensors.map { StoredWeight(layer: "", name: $0.path, $0) }
    case nil:
      guard let hdf5 else { return [] }
      return try HDF5Tree.datasets(of: hdf5).map { path, dataset in
        StoredWeight(layer: "", name: path, StoredTensor(path, dataset, in: nil))
      }
    }
  }
}
