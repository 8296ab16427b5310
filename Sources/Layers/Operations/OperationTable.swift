import H5ConvDiagnostics

/// Which function computes which operation.
enum OperationTable {
  private typealias Maker = @Sendable (OperationCall) throws -> TensorFunction

  private static let makers: [String: Maker] = {
    var all: [String: Maker] = [:]
    for family in [elementwise, shaping, reducing, ordering, multiplying, neural, sliding, imaging] {
      all.merge(family) { first, _ in first }
    }
    return all
  }()

  /// The names of all functions.
  static let names: Set<String> = Set(makers.keys)

  /// `math.reduce_mean` and `Mean` are `mean`.
  static func plainName(_ name: String) -> String {
    // These mean something else for images and in tf.linalg than in NumPy.
    if let special = ["image.transpose": "imagetranspose", "image.rot90": "imagerot90", "linalg.normalize": ""][name] {
      return special
    }
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
    for name in ["addn", "accumulaten"] { all[name] = { try ElementwiseFunctions.sum($0) } }
    for (name, factor) in [("deg2rad", Float.pi / 180), ("rad2deg", 180 / Float.pi)] {
      all[name] = { try ElementwiseFunctions.scaled($0, by: factor) }
    }
    all["scalarmul"] = {
      ElementwiseFunctions.fold([try $0.operand(0, "scalar"), try $0.operand(1, "x")], .multiply)
    }
    all["nantonum"] = { try ElementwiseFunctions.finite($0) }
    all["glu"] = { try ElementwiseFunctions.gatedLinearUnit($0) }
    all["crelu"] = { try ElementwiseFunctions.concatenatedReLU($0) }
    all["sparsemax"] = { try ElementwiseFunctions.sparsemax($0) }
    for name in ["where", "wherev2"] { all[name] = { try ElementwiseFunctions.select($0) } }
    for name in ["clip", "clipbyvalue"] { all[name] = { try ElementwiseFunctions.clip($0) } }
    all["round"] = { try ElementwiseFunctions.round($0) }
    all["cast"] = { try ElementwiseFunctions.cast($0) }
    for name in ["identity", "stopgradient", "copy", "converttotensor"] {
      all[name] = { try ElementwiseFunctions.same($0) }
    }
    for (name, value) in [("zeroslike", Float(0)), ("emptylike", 0), ("oneslike", 1)] {
      all[name] = { try ElementwiseFunctions.filled($0, value) }
    }
    return all
  }()

  // MARK: - Shapes

  private static let shaping: [String: Maker] = [
    "reshape": { try ShapeFunctions.reshape($0) }, "transpose": { try ShapeFunctions.transpose($0) },
    "swapaxes": { try ShapeFunctions.swapAxes($0) }, "moveaxis": { try ShapeFunctions.moveAxis($0) },
    "expanddims": { try ShapeFunctions.expand($0) }, "squeeze": { try ShapeFunctions.squeeze($0) },
    "ravel": { try ShapeFunctions.ravel($0) }, "shape": { try ShapeFunctions.shape($0) },
    "zeros": { try ShapeFunctions.filled($0, 0) }, "ones": { try ShapeFunctions.filled($0, 1) },
    "fill": { try ShapeFunctions.filled($0, nil) },
    "concat": { try JoiningFunctions.concatenate($0) }, "concatenate": { try JoiningFunctions.concatenate($0) },
    "stack": { try JoiningFunctions.stack($0) }, "split": { try JoiningFunctions.split($0) },
    "unstack": { try JoiningFunctions.unstack($0) }, "tile": { try JoiningFunctions.tile($0) },
    "repeat": { try JoiningFunctions.repeated($0) }, "broadcastto": { try JoiningFunctions.broadcast($0) },
    "getitem": { try PickingFunctions.item($0) }, "slice": { try PickingFunctions.slice($0) },
    "flip": { try PickingFunctions.flip($0) }, "reverse": { try PickingFunctions.flip($0) },
    "take": { try PickingFunctions.take($0) }, "gather": { try PickingFunctions.take($0) },
    "pad": { try PickingFunctions.pad($0) }, "roll": { try PickingFunctions.roll($0) },
    "append": { try JoiningFunctions.append($0) }, "hstack": { try JoiningFunctions.joined($0, axis: 1) },
    "dstack": { try JoiningFunctions.joined($0, axis: 2) },
    "fliplr": { try PickingFunctions.flip($0, axis: 1) }, "flipud": { try PickingFunctions.flip($0, axis: 0) },
    "diff": { try PickingFunctions.difference($0) }, "tril": { try PickingFunctions.band($0) },
    "triu": { try PickingFunctions.band($0) }, "bandpart": { try PickingFunctions.band($0) },
  ]

  // MARK: - Reductions

  private static let reducing: [String: Maker] = {
    var all: [String: Maker] = [:]
    for (name, reduction) in ReducingFunctions.plain { all[name] = { try ReducingFunctions.reduce($0, reduction) } }
    for name in ["std", "logsumexp", "norm", "euclideannorm"] { all[name] = { try ReducingFunctions.composed($0) } }
    for name in ["argmax", "argmin"] { all[name] = { try ReducingFunctions.extreme($0) } }
    for name in ["countnonzero", "ptp"] { all[name] = { try ReducingFunctions.counted($0) } }
    all["average"] = { try ReducingFunctions.average($0) }
    all["moments"] = { try StatisticFunctions.moments($0) }
    for (name, isProduct) in [("cumsum", false), ("cumprod", true)] {
      all[name] = { try ReducingFunctions.cumulate($0, isProduct: isProduct) }
    }
    return all
  }()

  // MARK: - Order

  private static let ordering: [String: Maker] = [
    "sort": { try OrderingFunctions.sort($0, givesPlaces: false) },
    "argsort": { try OrderingFunctions.sort($0, givesPlaces: true) },
    "topk": { try OrderingFunctions.largest($0) }, "median": { try OrderingFunctions.median($0) },
    "takealongaxis": { try OrderingFunctions.takeAlong($0) },
  ]

  // MARK: - Products

  private static let multiplying: [String: Maker] = [
    "matmul": { try ProductFunctions.matrixProduct($0) }, "einsum": { try ProductFunctions.einsum($0) },
    "tensordot": { try ProductFunctions.tensorDot($0) }, "dot": { try ProductFunctions.dot($0) },
    "inner": { try ProductFunctions.inner($0) },
  ]

  // MARK: - Neural networks

  private static let neural: [String: Maker] = [
    "softmax": { try NeuralFunctions.softmax($0) }, "logsoftmax": { try NeuralFunctions.softmax($0) },
    "normalize": { try NeuralFunctions.normalize($0) }, "l2normalize": { try NeuralFunctions.normalize($0) },
    "layernorm": { try StatisticFunctions.standardize($0, .variance) },
    "rmsnorm": { try StatisticFunctions.standardize($0, .rootMeanSquare) },
    "batchnorm": { try StatisticFunctions.batchNormalization($0) },
    "batchnormalization": { try StatisticFunctions.batchNormalization($0) },
    "localresponsenormalization": { try StatisticFunctions.localResponse($0) },
    "lrn": { try StatisticFunctions.localResponse($0) },
    "onehot": { try NeuralFunctions.oneHot($0) }, "resize": { try NeuralFunctions.resize($0) },
    "biasadd": { try NeuralFunctions.addBias($0) },
    "depthtospace": { try BlockFunctions.depthToSpace($0) }, "spacetodepth": { try BlockFunctions.spaceToDepth($0) },
  ]

  // MARK: - Windows

  private static let sliding: [String: Maker] = {
    var all: [String: Maker] = [:]
    for name in ["conv", "conv1d", "conv2d", "conv3d", "convolution"] {
      all[name] = { try ConvolutionFunctions.convolve($0) }
    }
    for name in ["depthwiseconv", "depthwiseconv2d"] { all[name] = { try ConvolutionFunctions.depthwise($0) } }
    for name in ["separableconv", "separableconv2d"] { all[name] = { try ConvolutionFunctions.separable($0) } }
    all["convtranspose"] = { try ConvolutionFunctions.transpose($0) }
    for name in ["maxpool", "maxpool1d", "maxpool2d", "maxpool3d"] {
      all[name] = { try PoolingFunctions.pool($0, isMaximum: true) }
    }
    for name in ["averagepool", "avgpool", "avgpool1d", "avgpool2d", "avgpool3d"] {
      all[name] = { try PoolingFunctions.pool($0, isMaximum: false) }
    }
    all["adaptivemaxpool"] = { try PoolingFunctions.adaptive($0, isMaximum: true) }
    all["adaptiveaveragepool"] = { try PoolingFunctions.adaptive($0, isMaximum: false) }
    return all
  }()

  // MARK: - Images

  private static let imaging: [String: Maker] = [
    "rgbtograyscale": { try ImageFunctions.mixed($0, ImageFunctions.greyWeights) },
    "grayscaletorgb": { try ImageFunctions.coloured($0) },
    "rgbtoyuv": { try ImageFunctions.mixed($0, ImageFunctions.yuvFromRGB) },
    "yuvtorgb": { try ImageFunctions.mixed($0, ImageFunctions.rgbFromYUV) },
    "rgbtoyiq": { try ImageFunctions.mixed($0, ImageFunctions.yiqFromRGB) },
    "yiqtorgb": { try ImageFunctions.mixed($0, ImageFunctions.rgbFromYIQ) },
    "rgbtohsv": { try ImageFunctions.recolored($0, .hsvFromRGB) },
    "hsvtorgb": { try ImageFunctions.recolored($0, .rgbFromHSV) },
    "perimagestandardization": { try ImageFunctions.standardize($0) },
    "adjustcontrast": { try ImageFunctions.contrast($0) }, "adjustgamma": { try ImageFunctions.gamma($0) },
    "flipleftright": { try ImageFunctions.flipped($0, axis: 2) },
    "flipupdown": { try ImageFunctions.flipped($0, axis: 1) },
    "imagetranspose": { try ImageFunctions.transposed($0) }, "imagerot90": { try ImageFunctions.rotated($0) },
    "cropimages": { try BorderFunctions.crop($0) }, "padimages": { try BorderFunctions.pad($0) },
    "croptoboundingbox": { try BorderFunctions.box($0, pads: false) },
    "padtoboundingbox": { try BorderFunctions.box($0, pads: true) },
    "resizewithcroporpad": { try BorderFunctions.cropOrPad($0) },
    "centralcrop": { try BorderFunctions.centralCrop($0) }, "extractpatches": { try BorderFunctions.patches($0) },
  ]
}
