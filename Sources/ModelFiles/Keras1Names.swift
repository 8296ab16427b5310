/// How Keras 1 calls classes and fields that Keras 2 has under other names.
enum Keras1Names {
  /// Layers whose fields are renamed alike.
  enum Family {
    case common, embedding, prelu, separable

    /// The fields of Keras 2 that `key` became.
    func names(_ key: String) -> [String] {
      switch (self, key) {
      case (.embedding, "input_dim"), (.embedding, "output_dim"), (.embedding, "input_length"): [key]
      case (.embedding, "init"): ["embeddings_initializer"]
      case (.embedding, "W_regularizer"): ["embeddings_regularizer"]
      case (.embedding, "W_constraint"): ["embeddings_constraint"]
      // Keras 2 has no dropout in an Embedding; at inference it does nothing.
      case (.embedding, "dropout"): []
      case (.prelu, "init"): ["alpha_initializer"]
      case (.separable, "init"): ["depthwise_initializer", "pointwise_initializer"]
      default: Keras1Names.dropped.contains(key) ? [] : [Keras1Names.fields[key] ?? key]
      }
    }
  }

  /// Keras 2's name of a class, where it is another.
  static let classes = [
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D", "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D", "Deconvolution2D": "Conv2DTranspose", "SeparableConvolution2D": "SeparableConv2D",
  ]

  /// The layers whose fields are translated.
  static let families = Dictionary(
    uniqueKeysWithValues: [
      "InputLayer", "Dense", "TimeDistributedDense", "Convolution1D", "Convolution2D", "Convolution3D",
      "AtrousConvolution1D", "AtrousConvolution2D", "Deconvolution2D", "ConvLSTM2D", "LocallyConnected1D",
      "LocallyConnected2D", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
      "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
      "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
      "GlobalAveragePooling2D", "GlobalAveragePooling3D", "SimpleRNN", "GRU", "LSTM", "Dropout", "SpatialDropout1D",
      "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "GaussianNoise", "BatchNormalization",
      "TimeDistributed", "Bidirectional",
    ].map { ($0, Family.common) } + [
      ("Embedding", .embedding), ("PReLU", .prelu), ("SeparableConvolution2D", .separable),
    ]
  )

  static let fields = [
    "output_dim": "units", "init": "kernel_initializer", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer", "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint", "bias": "use_bias", "dropout_W": "dropout", "dropout_U": "recurrent_dropout",
    "nb_filter": "filters", "filter_length": "kernel_size", "subsample": "strides", "subsample_length": "strides",
    "atrous_rate": "dilation_rate", "border_mode": "padding", "pool_length": "pool_size", "stride": "strides",
    "length": "size", "p": "rate", "sigma": "stddev", "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer",
  ]

  /// Fields that Keras 2 does without: what a first layer says is in `batch_input_shape`, and the type of an input, which is not
  /// that of a layer's weights, in the InputLayer.
  static let dropped: Set = ["consume_less", "input_dim", "input_dtype", "input_length", "mode", "output_shape"]

  /// Layers that have a data format and never wrote it.
  static let silentAboutFormat: Set = [
    "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D",
  ]
}
