import H5ConvDiagnostics

/// Which function computes which operation.
enum OperationTable {
  private typealias Maker = @Sendable (OperationCall) throws -> TensorFunction

  private static let makers: [String: Maker] = {
    var all: [String: Maker] = [:]
    for family in [elementwise, shaping, reducing, multiplying, neural] { all.merge(family) { first, _ in first } }
    return all
  }()

  /// The names of all functions.
  static let names: Set<String> = Set(makers.keys)

  /// `math.reduce_mean` and `Mean` are `mean`.
  static func plainName(_ name: String) -> String {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return (last.hasPrefix("reduce_") ? String(last.dropFirst(7)) : last).filter { $0 != "_" }.lowercased()
  }

  /// - Throws: `H5ConvError` of kind `unsupported` for what cannot be computed.
  static func function(_ call: OperationCall) throws -> TensorFunction {
    guard let make = makers[call.name] else { throw call.unsupported("") }
    return try make(call)
  }

  // MARK: - Element by element

  private static let elementwise: [String: Maker] = {
    var all: [String: Maker] = [:]
    for (name, function) in ElementwiseFunctions.unary { all[name] = { try ElementwiseFunctions.map($0, function) } }
    for (name, function) in ElementwiseFunctions.binary {
      all[name] = { try ElementwiseFunctions.binary($0, function) }
    }
    for (name, function) in ElementwiseFunctions.combinations {
      all[name] = { try ElementwiseFunctions.combine($0, function) }
    }
    for name in ElementwiseFunctions.activations { all[name] = { try ElementwiseFunctions.activate($0) } }
    all["addn"] = { try ElementwiseFunctions.sum($0) }
    for name in ["where", "wherev2"] { all[name] = { try ElementwiseFunctions.select($0) } }
    for name in ["clip", "clipbyvalue"] { all[name] = { try ElementwiseFunctions.clip($0) } }
    all["cast"] = { try ElementwiseFunctions.cast($0) }
    for name in ["identity", "stopgradient", "copy", "converttotensor"] {
      all[name] = { try ElementwiseFunctions.same($0) }
    }
    for (name, value) in [("zeroslike", Float(0)), ("oneslike", 1)] {
      all[name] = { try ElementwiseFunctions.filled($0, value) }
    }
    return all
  }()

  // MARK: - Shapes

  private static let shaping: [String: Maker] = [
    "reshape": { try ShapeFunctions.reshape($0) }, "transpose": { try ShapeFunctions.transpose($0) },
    "swapaxes": { try ShapeFunctions.swapAxes($0) }, "moveaxis": { try ShapeFunctions.moveAxis($0) },
    "expanddims": { try ShapeFunctions.expand($0) }, "squeeze": { try ShapeFunctions.squeeze($0) },
    "ravel": { try ShapeFunctions.ravel($0) },
    "concat": { try JoiningFunctions.concatenate($0) }, "concatenate": { try JoiningFunctions.concatenate($0) },
    "stack": { try JoiningFunctions.stack($0) }, "split": { try JoiningFunctions.split($0) },
    "unstack": { try JoiningFunctions.unstack($0) }, "tile": { try JoiningFunctions.tile($0) },
    "repeat": { try JoiningFunctions.repeated($0) }, "broadcastto": { try JoiningFunctions.broadcast($0) },
    "getitem": { try PickingFunctions.item($0) }, "slice": { try PickingFunctions.slice($0) },
    "flip": { try PickingFunctions.flip($0) }, "reverse": { try PickingFunctions.flip($0) },
    "take": { try PickingFunctions.take($0) }, "gather": { try PickingFunctions.take($0) },
    "pad": { try PickingFunctions.pad($0) }, "cumsum": { try ReducingFunctions.cumulativeSum($0) },
  ]

  // MARK: - Reductions

  private static let reducing: [String: Maker] = {
    var all: [String: Maker] = [:]
    for (name, reduction) in ReducingFunctions.plain { all[name] = { try ReducingFunctions.reduce($0, reduction) } }
    for name in ["std", "logsumexp", "norm"] { all[name] = { try ReducingFunctions.composed($0) } }
    for name in ["argmax", "argmin"] { all[name] = { try ReducingFunctions.extreme($0) } }
    return all
  }()

  // MARK: - Products

  private static let multiplying: [String: Maker] = [
    "matmul": { try ProductFunctions.matrixProduct($0) }, "einsum": { try ProductFunctions.einsum($0) },
    "tensordot": { try ProductFunctions.tensorDot($0) }, "dot": { try ProductFunctions.dot($0) },
  ]

  // MARK: - Neural networks

  private static let neural: [String: Maker] = [
    "softmax": { try NeuralFunctions.softmax($0) }, "logsoftmax": { try NeuralFunctions.softmax($0) },
    "normalize": { try NeuralFunctions.normalize($0) }, "l2normalize": { try NeuralFunctions.normalize($0) },
    "layernorm": { try NeuralFunctions.standardize($0, .variance) },
    "rmsnorm": { try NeuralFunctions.standardize($0, .rootMeanSquare) },
    "onehot": { try NeuralFunctions.oneHot($0) }, "resize": { try NeuralFunctions.resize($0) },
    "biasadd": { try NeuralFunctions.addBias($0) },
  ]
}
