package import H5ConvConfig
import H5ConvDiagnostics

/// Which type reads which class name.
package enum LayerRegistry {
  private static let types: [String: any Layer.Type] = [
    "InputLayer": InputLayer.self,
    "Conv2D": Convolution2D.self, "Convolution2D": Convolution2D.self,
    "DepthwiseConv2D": DepthwiseConvolution2D.self, "DepthwiseConvolution2D": DepthwiseConvolution2D.self,
    "SeparableConv2D": SeparableConvolution2D.self, "SeparableConvolution2D": SeparableConvolution2D.self,
    "Conv2DTranspose": TransposedConvolution2D.self, "Convolution2DTranspose": TransposedConvolution2D.self,
    "BatchNormalization": BatchNormalization.self, "BatchNormalizationV1": BatchNormalization.self,
    "BatchNormalizationV2": BatchNormalization.self, "SyncBatchNormalization": BatchNormalization.self,
    "Activation": ActivationByName.self, "ReLU": ReLU.self, "LeakyReLU": LeakyReLU.self, "ELU": ELU.self,
    "PReLU": PReLU.self, "Softmax": Softmax.self, "ThresholdedReLU": ThresholdedReLU.self,
    "MaxPooling2D": MaxPooling2D.self, "MaxPool2D": MaxPooling2D.self,
    "AveragePooling2D": AveragePooling2D.self, "AvgPool2D": AveragePooling2D.self,
    "GlobalMaxPooling2D": GlobalMaxPooling2D.self, "GlobalMaxPool2D": GlobalMaxPooling2D.self,
    "GlobalAveragePooling2D": GlobalAveragePooling2D.self, "GlobalAvgPool2D": GlobalAveragePooling2D.self,
    "ZeroPadding2D": ZeroPadding2D.self, "Cropping2D": Cropping2D.self,
    "UpSampling2D": UpSampling2D.self, "Resizing": Resizing.self, "CenterCrop": CenterCrop.self,
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
    "RandomCrop": "crops at inference or not, depending on the version of Keras",
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
