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

  /// Whether a type reads `className`.
  package static func isSupported(_ className: String) -> Bool { types[className] != nil }

  /// The layer that `config` describes.
  ///
  /// - Throws: `H5ConvError` of kind `unsupported` when no type reads `className`, or what the type throws.
  package static func layer(_ className: String, _ config: ConfigReader) throws -> any Layer {
    guard let type = types[className] else {
      throw H5ConvError(.unsupported, "the class \(className) is not supported", at: config.place)
    }
    return try type.init(config)
  }
}
