package import H5ConvConfig
import H5ConvDiagnostics

/// Which type reads which class name: one line for each class that Keras saves or has saved.
package enum LayerRegistry {
  /// What becomes of a class.
  private enum Entry: Sendable {
    /// The type that reads its config.
    case type(any Layer.Type)
    /// Its config is read by a type that serves several classes.
    case made(@Sendable (ConfigReader) throws -> any Layer)
    /// Another name of a class, which Keras reads and does not save.
    case sameAs(String)
    /// It is known and cannot be run, and why.
    case refused(String)

    /// A class that does something in training only.
    static let identity = Entry.type(IdentityAtInference.self)
  }

  private static let entries: [String: Entry] = [
    // Convolution
    "Conv1D": .type(Convolution<1>.self),
    "Conv2D": .type(Convolution<2>.self),
    "Conv3D": .type(Convolution<3>.self),
    "Convolution1D": .sameAs("Conv1D"),
    "Convolution2D": .sameAs("Conv2D"),
    "Convolution3D": .sameAs("Conv3D"),
    "AtrousConvolution1D": .type(Convolution<1>.self),
    "AtrousConvolution2D": .type(Convolution<2>.self),
    "DepthwiseConv1D": .type(DepthwiseConvolution<1>.self),
    "DepthwiseConv2D": .type(DepthwiseConvolution<2>.self),
    "DepthwiseConvolution2D": .sameAs("DepthwiseConv2D"),
    "SeparableConv1D": .type(SeparableConvolution<1>.self),
    "SeparableConv2D": .type(SeparableConvolution<2>.self),
    "SeparableConvolution1D": .sameAs("SeparableConv1D"),
    "SeparableConvolution2D": .sameAs("SeparableConv2D"),
    "Conv1DTranspose": .type(TransposedConvolution<1>.self),
    "Conv2DTranspose": .type(TransposedConvolution<2>.self),
    "Conv3DTranspose": .type(TransposedConvolution<3>.self),
    "Convolution1DTranspose": .sameAs("Conv1DTranspose"),
    "Convolution2DTranspose": .sameAs("Conv2DTranspose"),
    "Convolution3DTranspose": .sameAs("Conv3DTranspose"),
    "Deconvolution2D": .type(TransposedConvolution<2>.self),
    "Deconvolution3D": .type(TransposedConvolution<3>.self),
    "LocallyConnected1D": .made { try LocallyConnected<1>.layer($0) },
    "LocallyConnected2D": .made { try LocallyConnected<2>.layer($0) },
    // Pooling
    "MaxPooling1D": .type(MaxPooling<1>.self),
    "MaxPooling2D": .type(MaxPooling<2>.self),
    "MaxPooling3D": .type(MaxPooling<3>.self),
    "MaxPool1D": .sameAs("MaxPooling1D"),
    "MaxPool2D": .sameAs("MaxPooling2D"),
    "MaxPool3D": .sameAs("MaxPooling3D"),
    "AveragePooling1D": .type(AveragePooling<1>.self),
    "AveragePooling2D": .type(AveragePooling<2>.self),
    "AveragePooling3D": .type(AveragePooling<3>.self),
    "AvgPool1D": .sameAs("AveragePooling1D"),
    "AvgPool2D": .sameAs("AveragePooling2D"),
    "AvgPool3D": .sameAs("AveragePooling3D"),
    "GlobalMaxPooling1D": .type(GlobalMaxPooling<1>.self),
    "GlobalMaxPooling2D": .type(GlobalMaxPooling<2>.self),
    "GlobalMaxPooling3D": .type(GlobalMaxPooling<3>.self),
    "GlobalMaxPool1D": .sameAs("GlobalMaxPooling1D"),
    "GlobalMaxPool2D": .sameAs("GlobalMaxPooling2D"),
    "GlobalMaxPool3D": .sameAs("GlobalMaxPooling3D"),
    "GlobalAveragePooling1D": .type(GlobalAveragePooling<1>.self),
    "GlobalAveragePooling2D": .type(GlobalAveragePooling<2>.self),
    "GlobalAveragePooling3D": .type(GlobalAveragePooling<3>.self),
    "GlobalAvgPool1D": .sameAs("GlobalAveragePooling1D"),
    "GlobalAvgPool2D": .sameAs("GlobalAveragePooling2D"),
    "GlobalAvgPool3D": .sameAs("GlobalAveragePooling3D"),
    "AdaptiveMaxPooling1D": .type(AdaptiveMaxPooling<1>.self),
    "AdaptiveMaxPooling2D": .type(AdaptiveMaxPooling<2>.self),
    "AdaptiveMaxPooling3D": .type(AdaptiveMaxPooling<3>.self),
    "AdaptiveAveragePooling1D": .type(AdaptiveAveragePooling<1>.self),
    "AdaptiveAveragePooling2D": .type(AdaptiveAveragePooling<2>.self),
    "AdaptiveAveragePooling3D": .type(AdaptiveAveragePooling<3>.self),
    // Activations
    "Activation": .type(ActivationByName.self),
    "ReLU": .type(ReLU.self),
    "LeakyReLU": .type(LeakyReLU.self),
    "ELU": .type(ELU.self),
    "PReLU": .type(PReLU.self),
    "Softmax": .type(Softmax.self),
    "ThresholdedReLU": .type(ThresholdedReLU.self),
    // Normalization and scaling
    "BatchNormalization": .type(BatchNormalization.self),
    "BatchNormalizationV1": .sameAs("BatchNormalization"),
    "BatchNormalizationV2": .sameAs("BatchNormalization"),
    "SyncBatchNormalization": .type(BatchNormalization.self),
    "Rescaling": .type(Rescaling.self),
    "Normalization": .type(Normalization.self),
    "LayerNormalization": .made { try LayerNormalization($0) },
    "RMSNormalization": .made { try RMSNormalization($0) },
    "UnitNormalization": .made { try UnitNormalization($0) },
    "GroupNormalization": .made { try GroupNormalization($0) },
    "SpectralNormalization": .made { try SpectralNormalization($0) },
    "CustomScaleLayer": .made { try CustomScaleLayer($0) },
    "LayerScale": .made { try LayerScale($0) },
    // Size and shape
    "ZeroPadding1D": .type(ZeroPadding<1>.self),
    "ZeroPadding2D": .type(ZeroPadding<2>.self),
    "ZeroPadding3D": .type(ZeroPadding<3>.self),
    "Cropping1D": .type(Cropping<1>.self),
    "Cropping2D": .type(Cropping<2>.self),
    "Cropping3D": .type(Cropping<3>.self),
    "UpSampling1D": .type(UpSampling<1>.self),
    "UpSampling2D": .type(UpSampling<2>.self),
    "UpSampling3D": .type(UpSampling<3>.self),
    "Resizing": .type(Resizing.self),
    "CenterCrop": .type(CenterCrop.self),
    "RandomCrop": .type(RandomCrop.self),
    "Flatten": .type(Flatten.self),
    "Reshape": .type(Reshape.self),
    "Permute": .type(Permute.self),
    "RepeatVector": .type(RepeatVector.self),
    // Contrast and signals
    "AutoContrast": .made { try AutoContrast($0) },
    "ContrastLimitedAdaptiveHistogramEqualization": .made { try TileContrast($0) },
    "MelSpectrogram": .made { try MelSpectrogram($0) },
    "STFTSpectrogram": .made { try STFTSpectrogram($0) },
    "Pipeline": .made { try Pipeline($0) },
    // Dense
    "Dense": .type(Dense.self),
    "Embedding": .made { try Embedding($0) },
    "ReversibleEmbedding": .made { try Embedding($0, isReversible: true) },
    "EinsumDense": .made { try EinsumDense($0) },
    "MaxoutDense": .made { try MaxoutDense($0) },
    "Highway": .made { try Highway($0) },
    // Merging
    "Add": .type(Add.self),
    "Subtract": .type(Subtract.self),
    "Multiply": .type(Multiply.self),
    "Average": .type(Average.self),
    "Maximum": .type(Maximum.self),
    "Minimum": .type(Minimum.self),
    "Concatenate": .type(Concatenate.self),
    "Dot": .made { try DotProduct($0) },
    // Recurrent
    "SimpleRNN": .made { try Recurrent(.simple, $0) },
    "LSTM": .made { try Recurrent(.lstm, $0) },
    "GRU": .made { try Recurrent(.gru(resetsAfter: false), $0) },
    "RNN": .made { try Recurrent($0) },
    "CuDNNLSTM": .made { try Recurrent(.lstm, $0, isCuDNN: true) },
    "CuDNNGRU": .made { try Recurrent(.gru(resetsAfter: true), $0, isCuDNN: true) },
    "ConvLSTM1D": .made { try ConvolutionalRecurrent($0, rank: 1) },
    "ConvLSTM2D": .made { try ConvolutionalRecurrent($0, rank: 2) },
    "ConvLSTM3D": .made { try ConvolutionalRecurrent($0, rank: 3) },
    "Bidirectional": .made { try Bidirectional($0) },
    "TimeDistributed": .made { try TimeDistributed($0) },
    "Masking": .made { try Masking($0) },
    // Attention
    "Attention": .made { try Attention($0) },
    "AdditiveAttention": .made { try Attention($0, isAdditive: true) },
    "MultiHeadAttention": .made { try MultiHeadAttention($0) },
    "GroupedQueryAttention": .made { try MultiHeadAttention($0, isGrouped: true) },
    "GroupQueryAttention": .made { try MultiHeadAttention($0, isGrouped: true) },
    // Categories
    "Discretization": .made { try Discretization($0) },
    "IntegerLookup": .made { try IntegerLookup($0) },
    "CategoryEncoding": .made { try CategoryEncoding($0) },
    // Functions as layers
    "TFOpLambda": .made { try OperationNode($0) },
    "SlicingOpLambda": .made { try OperationNode($0) },
    "TensorFlowOpLayer": .made { try TensorFlowNode($0) },
    // Input
    "InputLayer": .type(InputLayer.self),
    // Nothing at inference: dropout, noise, random augmentation
    "ActivityRegularization": .identity,
    "AlphaDropout": .identity,
    "AugMix": .identity,
    "CutMix": .identity,
    "Dropout": .identity,
    "Equalization": .identity,
    "FixedDropout": .identity,
    "GaussianDropout": .identity,
    "GaussianNoise": .identity,
    "Identity": .identity,
    "MixUp": .identity,
    "RandAugment": .identity,
    "RandomBrightness": .identity,
    "RandomColorDegeneration": .identity,
    "RandomColorJitter": .identity,
    "RandomContrast": .identity,
    "RandomElasticTransform": .identity,
    "RandomErasing": .identity,
    "RandomFlip": .identity,
    "RandomGaussianBlur": .identity,
    "RandomGrayscale": .identity,
    "RandomHeight": .identity,
    "RandomHue": .identity,
    "RandomInvert": .identity,
    "RandomPerspective": .identity,
    "RandomPosterization": .identity,
    "RandomRotation": .identity,
    "RandomSaturation": .identity,
    "RandomSharpness": .identity,
    "RandomShear": .identity,
    "RandomTranslation": .identity,
    "RandomWidth": .identity,
    "RandomZoom": .identity,
    "Solarization": .identity,
    "SpatialDropout1D": .identity,
    "SpatialDropout2D": .identity,
    "SpatialDropout3D": .identity,
    "StochasticDepth": .identity,
    // Known, and not to be run
    "DenseFeatures": .refused("works on feature columns, which are not supported"),
    "FlaxLayer": .refused("is a JAX program, which h5conv does not run"),
    "HashedCrossing": .refused("hashes its input, which is not supported"),
    "Hashing": .refused("hashes its input, which is not supported"),
    "JaxLayer": .refused("is a JAX program, which h5conv does not run"),
    "Lambda": .refused("is Python code, which h5conv does not run"),
    "MaxNumBoundingBoxes": .refused("works on bounding boxes, which are not supported"),
    "StringLookup": .refused("works on text; h5conv computes with numbers"),
    "TFSMLayer": .refused("is a TensorFlow program, which h5conv does not run"),
    "TextVectorization": .refused("works on text; h5conv computes with numbers"),
    "TorchModuleWrapper": .refused("is a PyTorch program, which h5conv does not run"),
  ]

  /// The entry of a class under whatever name.
  private static func entry(_ className: String) -> Entry? { entries[kerasName(className)] }

  /// The name that Keras saves for `className`: `MaxPooling2D` for `MaxPool2D`.
  package static func kerasName(_ className: String) -> String {
    if case .sameAs(let name) = entries[className] { name } else { className }
  }

  private static func isRun(_ entry: Entry?) -> Bool {
    switch entry {
    case .type, .made, .sameAs: true
    case .refused, nil: false
    }
  }

  /// The classes of layers that can be run.
  package static var classNames: Set<String> { Set(entries.filter { isRun($0.value) }.keys) }

  /// The classes that are known and cannot be run.
  package static var refusedClassNames: Set<String> { Set(entries.filter { !isRun($0.value) }.keys) }

  /// Whether the function that Keras or TensorFlow calls `name` can be computed.
  package static func isOperation(_ name: String) -> Bool {
    OperationTable.names.contains(OperationTable.plainName(name))
  }

  /// The operations that can be computed, without underscores and in lower case.
  package static var operationNames: Set<String> { OperationTable.names }

  /// The operations of TensorFlow's graph (`TensorFlowOpLayer`) that can be computed.
  package static var nodeNames: Set<String> { TensorFlowNode.names }

  /// Whether a type reads `className`.
  package static func isSupported(_ className: String) -> Bool { isRun(entries[className]) || isOperation(className) }

  /// A TimeDistributed around a model, which `model` is as one layer.
  package static func timeDistributed(_ config: ConfigReader, model: any Layer) throws -> any Layer {
    try TimeDistributed(config, model: model)
  }

  /// The layer that `config` describes.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` when no type reads `className`, or what the type throws.
  package static func layer(_ className: String, _ config: ConfigReader) throws -> any Layer {
    // Keras 3 calls operations and layers alike. Most compute the same on a list of inputs (Add, Concatenate, Softmax), and their
    // calls tell; those that do not are told by their configs.
    if OperationNode.isOperation(className, config),
      !isRun(entries[className]) || OperationNode.differing.contains(className)
    {
      return OperationNode(className, config)
    }
    switch entry(className) {
    case .type(let type): return try type.init(config)
    case .made(let make): return try make(config)
    case .refused(let reason):
      throw H5ConvError(.unsupported, "the class \(className) \(reason)", at: config.place)
    case .sameAs, nil: throw H5ConvError(.unsupported, "the class \(className) is not supported", at: config.place)
    }
  }
}
