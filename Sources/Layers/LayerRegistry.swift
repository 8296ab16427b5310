package import H5ConvConfig
import H5ConvDiagnostics

/// Which type reads which class name.
package enum LayerRegistry {
  private static let types: [String: any Layer.Type] = [
    "InputLayer": InputLayer.self,
    "Conv1D": Convolution<1>.self, "Conv2D": Convolution<2>.self, "Conv3D": Convolution<3>.self,
    "Convolution1D": Convolution<1>.self, "Convolution2D": Convolution<2>.self, "Convolution3D": Convolution<3>.self,
    "AtrousConvolution1D": Convolution<1>.self, "AtrousConvolution2D": Convolution<2>.self,
    "DepthwiseConv1D": DepthwiseConvolution<1>.self, "DepthwiseConv2D": DepthwiseConvolution<2>.self,
    "DepthwiseConvolution2D": DepthwiseConvolution<2>.self,
    "SeparableConv1D": SeparableConvolution<1>.self, "SeparableConv2D": SeparableConvolution<2>.self,
    "SeparableConvolution1D": SeparableConvolution<1>.self, "SeparableConvolution2D": SeparableConvolution<2>.self,
    "Conv1DTranspose": TransposedConvolution<1>.self, "Conv2DTranspose": TransposedConvolution<2>.self,
    "Conv3DTranspose": TransposedConvolution<3>.self, "Convolution1DTranspose": TransposedConvolution<1>.self,
    "Convolution2DTranspose": TransposedConvolution<2>.self, "Convolution3DTranspose": TransposedConvolution<3>.self,
    "Deconvolution2D": TransposedConvolution<2>.self, "Deconvolution3D": TransposedConvolution<3>.self,
    "LocallyConnected1D": LocallyConnected<1>.self, "LocallyConnected2D": LocallyConnected<2>.self,
    "BatchNormalization": BatchNormalization.self, "BatchNormalizationV1": BatchNormalization.self,
    "BatchNormalizationV2": BatchNormalization.self, "SyncBatchNormalization": BatchNormalization.self,
    "Activation": ActivationByName.self, "ReLU": ReLU.self, "LeakyReLU": LeakyReLU.self, "ELU": ELU.self,
    "PReLU": PReLU.self, "Softmax": Softmax.self, "ThresholdedReLU": ThresholdedReLU.self,
    "MaxPooling1D": MaxPooling<1>.self, "MaxPooling2D": MaxPooling<2>.self, "MaxPooling3D": MaxPooling<3>.self,
    "MaxPool1D": MaxPooling<1>.self, "MaxPool2D": MaxPooling<2>.self, "MaxPool3D": MaxPooling<3>.self,
    "AveragePooling1D": AveragePooling<1>.self, "AveragePooling2D": AveragePooling<2>.self,
    "AveragePooling3D": AveragePooling<3>.self,
    "AvgPool1D": AveragePooling<1>.self, "AvgPool2D": AveragePooling<2>.self, "AvgPool3D": AveragePooling<3>.self,
    "GlobalMaxPooling1D": GlobalMaxPooling<1>.self, "GlobalMaxPooling2D": GlobalMaxPooling<2>.self,
    "GlobalMaxPooling3D": GlobalMaxPooling<3>.self,
    "GlobalMaxPool1D": GlobalMaxPooling<1>.self, "GlobalMaxPool2D": GlobalMaxPooling<2>.self,
    "GlobalMaxPool3D": GlobalMaxPooling<3>.self,
    "GlobalAveragePooling1D": GlobalAveragePooling<1>.self, "GlobalAveragePooling2D": GlobalAveragePooling<2>.self,
    "GlobalAveragePooling3D": GlobalAveragePooling<3>.self,
    "GlobalAvgPool1D": GlobalAveragePooling<1>.self, "GlobalAvgPool2D": GlobalAveragePooling<2>.self,
    "GlobalAvgPool3D": GlobalAveragePooling<3>.self,
    "AdaptiveMaxPooling1D": AdaptiveMaxPooling<1>.self, "AdaptiveMaxPooling2D": AdaptiveMaxPooling<2>.self,
    "AdaptiveMaxPooling3D": AdaptiveMaxPooling<3>.self,
    "AdaptiveAveragePooling1D": AdaptiveAveragePooling<1>.self,
    "AdaptiveAveragePooling2D": AdaptiveAveragePooling<2>.self,
    "AdaptiveAveragePooling3D": AdaptiveAveragePooling<3>.self,
    "ZeroPadding1D": ZeroPadding<1>.self, "ZeroPadding2D": ZeroPadding<2>.self, "ZeroPadding3D": ZeroPadding<3>.self,
    "Cropping1D": Cropping<1>.self, "Cropping2D": Cropping<2>.self, "Cropping3D": Cropping<3>.self,
    "UpSampling1D": UpSampling<1>.self, "UpSampling2D": UpSampling<2>.self, "UpSampling3D": UpSampling<3>.self,
    "Resizing": Resizing.self, "CenterCrop": CenterCrop.self, "RandomCrop": RandomCrop.self,
    "Rescaling": Rescaling.self, "Normalization": Normalization.self,
    "Flatten": Flatten.self, "Reshape": Reshape.self, "Permute": Permute.self, "RepeatVector": RepeatVector.self,
    "Dense": Dense.self,
    "Add": Add.self, "Subtract": Subtract.self, "Multiply": Multiply.self, "Average": Average.self,
    "Maximum": Maximum.self, "Minimum": Minimum.self, "Concatenate": Concatenate.self,
    "Dropout": IdentityAtInference.self, "FixedDropout": IdentityAtInference.self,
    "SpatialDropout1D": IdentityAtInference.self, "SpatialDropout2D": IdentityAtInference.self,
    "SpatialDropout3D": IdentityAtInference.self, "AlphaDropout": IdentityAtInference.self,
    "GaussianDropout": IdentityAtInference.self, "GaussianNoise": IdentityAtInference.self,
    "ActivityRegularization": IdentityAtInference.self, "Identity": IdentityAtInference.self,
    "RandomFlip": IdentityAtInference.self, "RandomRotation": IdentityAtInference.self,
    "RandomZoom": IdentityAtInference.self, "RandomTranslation": IdentityAtInference.self,
    "RandomContrast": IdentityAtInference.self, "RandomBrightness": IdentityAtInference.self,
    "RandomHeight": IdentityAtInference.self, "RandomWidth": IdentityAtInference.self,
  ]

  /// Other names under which Keras knows a class, with the name that it saves.
  private static let otherNames: [String: String] = [
    "MaxPool1D": "MaxPooling1D", "MaxPool2D": "MaxPooling2D", "MaxPool3D": "MaxPooling3D",
    "AvgPool1D": "AveragePooling1D", "AvgPool2D": "AveragePooling2D", "AvgPool3D": "AveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D", "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "Convolution1DTranspose": "Conv1DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose", "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D", "DepthwiseConvolution2D": "DepthwiseConv2D",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
  ]

  /// The name that Keras saves for `className`: `MaxPooling2D` for `MaxPool2D`.
  package static func kerasName(_ className: String) -> String { otherNames[className] ?? className }

  private typealias Maker = @Sendable (ConfigReader) throws -> any Layer

  /// Classes that share a type.
  private static let makers: [String: Maker] = [
    "SimpleRNN": { try Recurrent(.simple, $0) }, "LSTM": { try Recurrent(.lstm, $0) },
    "GRU": { try Recurrent(.gru(resetsAfter: false), $0) }, "RNN": { try Recurrent($0) },
    "CuDNNLSTM": { try Recurrent(.lstm, $0, isCuDNN: true) },
    "CuDNNGRU": { try Recurrent(.gru(resetsAfter: true), $0, isCuDNN: true) },
    "ConvLSTM1D": { try ConvolutionalRecurrent($0, rank: 1) },
    "ConvLSTM2D": { try ConvolutionalRecurrent($0, rank: 2) },
    "ConvLSTM3D": { try ConvolutionalRecurrent($0, rank: 3) },
    "Bidirectional": { try Bidirectional($0) }, "TimeDistributed": { try TimeDistributed($0) },
    "Masking": { try Masking($0) }, "Embedding": { try Embedding($0) },
    "ReversibleEmbedding": { try Embedding($0, isReversible: true) },
    "Attention": { try Attention($0) }, "AdditiveAttention": { try Attention($0, isAdditive: true) },
    "MultiHeadAttention": { try MultiHeadAttention($0) },
    "GroupedQueryAttention": { try MultiHeadAttention($0, isGrouped: true) },
    "GroupQueryAttention": { try MultiHeadAttention($0, isGrouped: true) },
    "EinsumDense": { try EinsumDense($0) }, "Dot": { try DotProduct($0) },
    "LayerNormalization": { try LayerNormalization($0) }, "RMSNormalization": { try RMSNormalization($0) },
    "UnitNormalization": { try UnitNormalization($0) }, "GroupNormalization": { try GroupNormalization($0) },
    "SpectralNormalization": { try SpectralNormalization($0) },
    "Discretization": { try Discretization($0) }, "CategoryEncoding": { try CategoryEncoding($0) },
    "TFOpLambda": { try OperationNode($0) }, "SlicingOpLambda": { try OperationNode($0) },
    "CustomScaleLayer": { try CustomScaleLayer($0) }, "LayerScale": { try LayerScale($0) },
  ]

  /// Classes that do something in training only: Keras 3.15 hands the images through at inference.
  private static let identities: Set<String> = [
    "AugMix", "CutMix", "MixUp", "RandAugment", "Equalization", "Solarization", "RandomColorDegeneration",
    "RandomColorJitter", "RandomElasticTransform", "RandomErasing", "RandomGaussianBlur", "RandomGrayscale",
    "RandomHue",
    "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear",
    "StochasticDepth",
  ]

  /// Classes that are known and cannot be run, and why.
  private static let refusals: [String: String] = [
    "StringLookup": "works on text; h5conv computes with numbers",
    "TextVectorization": "works on text; h5conv computes with numbers",
    "IntegerLookup": "needs a vocabulary that is not read", "Hashing": "hashes its input, which is not supported",
    "HashedCrossing": "hashes its input, which is not supported",
    "MelSpectrogram": "needs Fourier transforms, which are not supported",
    "STFTSpectrogram": "needs Fourier transforms, which are not supported",
    "AutoContrast": "changes images by their histogram, which is not supported",
    "ContrastLimitedAdaptiveHistogramEqualization": "changes images by their histogram, which is not supported",
    "Lambda": "is Python code, which h5conv does not run",
    "TFSMLayer": "is a TensorFlow program, which h5conv does not run",
    "JaxLayer": "is a JAX program, which h5conv does not run",
    "FlaxLayer": "is a JAX program, which h5conv does not run",
    "TorchModuleWrapper": "is a PyTorch program, which h5conv does not run",
  ]

  /// Whether a type reads `className`.
  package static func isSupported(_ className: String) -> Bool {
    types[className] != nil || makers[className] != nil || identities.contains(className)
      || OperationTable.names.contains(OperationTable.plainName(className))
  }

  /// The layer that `config` describes.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` when no type reads `className`, or what the type throws.
  package static func layer(_ className: String, _ config: ConfigReader) throws -> any Layer {
    // Keras 3 calls operations and layers alike. Most compute the same on a list of inputs (Add, Concatenate, Softmax), and their
    // calls tell; those that do not are told by their configs.
    let isLayer = types[className] != nil || makers[className] != nil
    if OperationNode.isOperation(className, config), !isLayer || OperationNode.differing.contains(className) {
      return OperationNode(className, config)
    }
    if let make = makers[className] { return try make(config) }
    if identities.contains(className) { return IdentityAtInference(config) }
    guard let type = types[className] else {
      if let reason = refusals[className] {
        throw H5ConvError(.unsupported, "the class \(className) \(reason)", at: config.place)
      }
      throw H5ConvError(.unsupported, "the class \(className) is not supported", at: config.place)
    }
    return try type.init(config)
  }
}
