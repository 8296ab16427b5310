package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvHDF5
package import H5ConvTensors

/// A model that is to be written: its architecture in the target's form, its weights by layers, what else the file tells.
package struct WrittenModel: Sendable {
  /// nil when the source has none: such weights can be written where no architecture is needed.
  package var architecture: Architecture?
  package var dialect: Dialect
  package var layers: [WrittenLayer]
  package var trainingConfig: JSONValue?
  /// nil where the source does not tell and its weights are in the form that they had.
  package var kerasVersion: String?
  package var backend: String?
  /// The optimizer's variables with their names, in order.
  package var optimizer: [StoredTensor]

  package init(
    architecture: Architecture?, dialect: Dialect, layers: [WrittenLayer], trainingConfig: JSONValue? = nil,
    kerasVersion: String?, backend: String?, optimizer: [StoredTensor] = []
  ) {
    self.architecture = architecture
    self.dialect = dialect
    self.layers = layers
    self.trainingConfig = trainingConfig
    self.kerasVersion = kerasVersion
    self.backend = backend
    self.optimizer = optimizer
  }
}

/// The weights of one layer that are to be written.
package struct WrittenLayer: Sendable {
  /// Names from the top-level layer down.
  package var path: [String]
  package var weights: [WrittenWeight]

  package init(path: [String], weights: [WrittenWeight]) {
    self.path = path
    self.weights = weights
  }
}

/// One weight that is to be written.
package struct WrittenWeight: Sendable {
  /// Its name in the layer: `kernel`.
  package var name: String
  /// Attributes that lead to the object that owns it in Keras 3's layout.
  package var owner: [String]
  /// Its number among the variables of its owner, where those of others come before it.
  package var number: Int?
  package var isTrainable: Bool
  package var tensor: StoredTensor
  /// The name that a legacy file gave it, which such a file gets again.
  package var legacyName: String?

  package init(
    name: String, owner: [String], number: Int? = nil, isTrainable: Bool, tensor: StoredTensor,
    legacyName: String? = nil
  ) {
    self.number = number
    self.name = name
    self.owner = owner
    self.isTrainable = isTrainable
    self.tensor = tensor
    self.legacyName = legacyName
  }
}

/// How weights are stored.
package struct StorageOptions: Sendable {
  /// The type that floating-point weights get; nil to keep theirs.
  package var type: ElementType?
  /// Level of gzip, 1 to 9; nil for none.
  package var gzip: Int?

  package init(type: ElementType? = nil, gzip: Int? = nil) {
    self.type = type
    self.gzip = gzip
  }
}

extension StoredTensor {
  /// The tensor with floating-point elements of another type; integers and booleans stay what they are.
  package func converted(to type: ElementType?) -> StoredTensor {
    guard let type, type != self.type else { return self }
    switch self.type {
    case .float, .opaque(2): break
    default: return self
    }
    let source = self
    return StoredTensor(
      path, shape: shape, type: type,
      MadeSource { try Elements.bytes(of: try source.tensor(), as: type, path: source.path) })
  }

  /// The tensor with every element that `factor` gives a factor for multiplied by it, as float32.
  package func scaledOnLastAxis(_ factor: @escaping @Sendable (_ place: Int) -> Float) -> StoredTensor {
    let source = self
    let last = shape.last ?? 1
    let type = ElementType.float(bytes: 4, bigEndian: false)
    return StoredTensor(
      path, shape: shape, type: type,
      MadeSource {
        let values = try source.tensor().values
        let scaled = try Tensor(shape: source.shape, values: values.indices.map { values[$0] * factor($0 % last) })
        return try Elements.bytes(of: scaled, as: type, path: source.path)
      })
  }
}

extension Elements {
  /// The elements of `tensor` as little-endian bytes of `type`, each the nearest number.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported` for a type that is not floating point.
  package static func bytes(of tensor: Tensor, as type: ElementType, path: String) throws -> [UInt8] {
    try tensor.withUnsafeElements { elements in
      switch type {
      case .float(4, _): return Array(UnsafeRawBufferPointer(elements))
      case .float(2, _): return bytes(elements) { halfBits($0).littleEndian }
      case .opaque(2): return bytes(elements) { bfloat16Bits($0).littleEndian }
      case .float(8, _): return bytes(elements) { Double($0).bitPattern.littleEndian }
      default: throw H5ConvError(.unsupported, "weights cannot be converted to \(type)", at: path)
      }
    }
  }

  private static func bytes<Stored>(_ elements: UnsafeBufferPointer<Float>, _ convert: (Float) -> Stored) -> [UInt8] {
    let size = MemoryLayout<Stored>.size
    return [UInt8](unsafeUninitializedCapacity: elements.count * size) { buffer, filled in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for (place, value) in elements.enumerated() {
        raw.storeBytes(of: convert(value), toByteOffset: place * size, as: Stored.self)
      }
      filled = elements.count * size
    }
  }
}
