import Testing

/// The smallest good use of a class of layers.
package struct LayerExample: CustomTestStringConvertible, Sendable {
  package let className: String
  /// The config as JSON.
  package let config: String
  /// Shapes of the inputs, batch first.
  package let inputs: [[Int]]
  /// Which Keras the config is of.
  package let generation: Int

  package var testDescription: String { className }

  private init(_ className: String, _ config: String, _ inputs: [Int]..., generation: Int = 3) {
    (self.className, self.config, self.inputs, self.generation) = (className, config, inputs, generation)
  }

  /// An example of every class that can be run, but for other names of the same.
  package static let all: [LayerExample] =
    convolutions + pooling + sizes + elements + sequences
    + identities.map { LayerExample($0, "{}", [2, 4, 4, 3]) }

  private static let series = [2, 6, 4]
  private static let image = [2, 6, 5, 4]
  private static let volume = [2, 4, 5, 6, 4]
  private static let row = [2, 4]

  private static let convolutions = [
    LayerExample("Conv1D", #"{"filters": 2, "kernel_size": 3}"#, series),
    LayerExample("Conv2D", #"{"filters": 2, "kernel_size": 3}"#, image),
    LayerExample("Conv3D", #"{"filters": 2, "kernel_size": 3}"#, volume),
    LayerExample("AtrousConvolution1D", #"{"filters": 2, "kernel_size": 3, "dilation_rate": 2}"#, series),
    LayerExample("AtrousConvolution2D", #"{"filters": 2, "kernel_size": 2, "dilation_rate": 2}"#, image),
    LayerExample("DepthwiseConv1D", #"{"kernel_size": 3}"#, series),
    LayerExample("DepthwiseConv2D", #"{"kernel_size": 3}"#, image),
    LayerExample("SeparableConv1D", #"{"filters": 2, "kernel_size": 3}"#, series),
    LayerExample("SeparableConv2D", #"{"filters": 2, "kernel_size": 3}"#, image),
    LayerExample("Conv1DTranspose", #"{"filters": 2, "kernel_size": 3}"#, series),
    LayerExample("Conv2DTranspose", #"{"filters": 2, "kernel_size": 3}"#, image),
    LayerExample("Conv3DTranspose", #"{"filters": 2, "kernel_size": 3}"#, volume),
    LayerExample("Deconvolution2D", #"{"filters": 2, "kernel_size": 3}"#, image),
    LayerExample("Deconvolution3D", #"{"filters": 2, "kernel_size": 3}"#, volume),
    LayerExample("LocallyConnected1D", #"{"filters": 2, "kernel_size": 3}"#, series),
    LayerExample("LocallyConnected2D", #"{"filters": 2, "kernel_size": 3}"#, image),
    LayerExample("LocallyConnected1D", #"{"filters": 2, "kernel_size": 3, "implementation": 2}"#, series),
    LayerExample("LocallyConnected2D", #"{"filters": 2, "kernel_size": 3, "implementation": 3}"#, image),
  ]

  private static let pooling = [("1D", series), ("2D", image), ("3D", volume)].flatMap { rank, input in
    [
      LayerExample("MaxPooling\(rank)", #"{"pool_size": 2}"#, input),
      LayerExample("AveragePooling\(rank)", #"{"pool_size": 2}"#, input),
      LayerExample("GlobalMaxPooling\(rank)", "{}", input), LayerExample("GlobalAveragePooling\(rank)", "{}", input),
      LayerExample("AdaptiveMaxPooling\(rank)", #"{"output_size": 2}"#, input),
      LayerExample("AdaptiveAveragePooling\(rank)", #"{"output_size": 2}"#, input),
    ]
  }

  private static let sizes =
    [("1D", series), ("2D", image), ("3D", volume)].flatMap { rank, input in
      [
        LayerExample("ZeroPadding\(rank)", #"{"padding": 1}"#, input),
        LayerExample("Cropping\(rank)", #"{"cropping": 1}"#, input),
        LayerExample("UpSampling\(rank)", #"{"size": 2}"#, input),
      ]
    } + [
      LayerExample("Resizing", #"{"height": 3, "width": 7}"#, image),
      LayerExample("CenterCrop", #"{"height": 3, "width": 2}"#, image),
      LayerExample("RandomCrop", #"{"height": 3, "width": 2}"#, image, generation: 2),
      LayerExample("Flatten", "{}", image), LayerExample("Reshape", #"{"target_shape": [4, 6]}"#, series),
      LayerExample("Permute", #"{"dims": [2, 1]}"#, series), LayerExample("RepeatVector", #"{"n": 3}"#, row),
    ]

  private static let elements = [
    LayerExample("InputLayer", #"{"batch_shape": [null, 4]}"#, row), LayerExample("Dense", #"{"units": 3}"#, row),
    LayerExample("MaxoutDense", #"{"output_dim": 3, "nb_feature": 2}"#, row, generation: 2),
    LayerExample("Highway", #"{"activation": "relu"}"#, row, generation: 2),
    LayerExample("EinsumDense", #"{"equation": "ab,bc->ac", "output_shape": [3], "bias_axes": "c"}"#, row),
    LayerExample("Embedding", #"{"input_dim": 5, "output_dim": 3}"#, row),
    LayerExample("ReversibleEmbedding", #"{"input_dim": 5, "output_dim": 3, "tie_weights": false}"#, row),
    LayerExample("Activation", #"{"activation": "relu"}"#, image), LayerExample("ReLU", #"{"max_value": 6}"#, image),
    LayerExample("LeakyReLU", #"{"negative_slope": 0.1}"#, image), LayerExample("ELU", #"{"alpha": 1.0}"#, image),
    LayerExample("PReLU", #"{"shared_axes": [1, 2]}"#, image), LayerExample("Softmax", #"{"axis": -1}"#, image),
    LayerExample("ThresholdedReLU", #"{"theta": 1.0}"#, image, generation: 2),
    LayerExample("BatchNormalization", #"{"axis": -1, "epsilon": 0.001}"#, image),
    LayerExample("SyncBatchNormalization", #"{"axis": [3]}"#, image, generation: 2),
    LayerExample("LayerNormalization", #"{"axis": -1}"#, image),
    LayerExample("GroupNormalization", #"{"groups": 2}"#, image), LayerExample("UnitNormalization", "{}", image),
    LayerExample("RMSNormalization", #"{"axis": -1}"#, image),
    LayerExample(
      "SpectralNormalization",
      #"{"layer": {"class_name": "Dense", "config": {"units": 3, "name": "d", "trainable": true}}}"#, row),
    LayerExample("Normalization", #"{"axis": -1}"#, image), LayerExample("Rescaling", #"{"scale": 0.5}"#, image),
    LayerExample("LayerScale", #"{"projection_dim": 4}"#, image),
    LayerExample("CustomScaleLayer", #"{"scale": 0.3}"#, image, image),
    LayerExample("Add", "{}", row, row), LayerExample("Subtract", "{}", row, row),
    LayerExample("Multiply", "{}", row, row), LayerExample("Average", "{}", row, row),
    LayerExample("Maximum", "{}", row, row), LayerExample("Minimum", "{}", row, row),
    LayerExample("Concatenate", #"{"axis": -1}"#, row, row), LayerExample("Dot", #"{"axes": 1}"#, row, row),
    LayerExample("Discretization", #"{"bin_boundaries": [0.5, 1.5]}"#, row),
    LayerExample("IntegerLookup", #"{"vocabulary": [4, 7], "output_mode": "multi_hot"}"#, row),
    LayerExample("AutoContrast", "{}", image),
    LayerExample("ContrastLimitedAdaptiveHistogramEqualization", #"{"tile_grid_size": [2, 2]}"#, image),
    LayerExample("Pipeline", #"{"layers": [{"class_name": "AutoContrast", "config": {}}]}"#, image),
    LayerExample("STFTSpectrogram", #"{"frame_length": 4}"#, series),
    LayerExample("MelSpectrogram", #"{"fft_length": 4, "sequence_stride": 2, "num_mel_bins": 3}"#, row),
    LayerExample("CategoryEncoding", #"{"num_tokens": 5, "output_mode": "multi_hot"}"#, row),
  ]

  private static let sequences =
    ["SimpleRNN", "GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM"].map {
      LayerExample($0, #"{"units": 3}"#, series, generation: $0.hasPrefix("CuDNN") ? 2 : 3)
    } + [
      LayerExample(
        "RNN", #"{"cell": {"class_name": "GRUCell", "config": {"units": 3, "name": "c", "trainable": true}}}"#, series),
      LayerExample(
        "Bidirectional",
        #"{"layer": {"class_name": "LSTM", "config": {"units": 3, "name": "l", "trainable": true}}}"#, series),
      LayerExample(
        "TimeDistributed",
        #"{"layer": {"class_name": "Dense", "config": {"units": 3, "name": "d", "trainable": true}}}"#, series),
      LayerExample("ConvLSTM1D", #"{"filters": 2, "kernel_size": 2}"#, [2, 3, 5, 4]),
      LayerExample("ConvLSTM2D", #"{"filters": 2, "kernel_size": 2}"#, [2, 3, 5, 4, 3]),
      LayerExample("ConvLSTM3D", #"{"filters": 2, "kernel_size": 2}"#, [2, 3, 4, 4, 3, 2]),
      LayerExample("Masking", #"{"mask_value": 0.0}"#, series),
      LayerExample("Attention", #"{"use_scale": true}"#, series, series),
      LayerExample("AdditiveAttention", #"{"use_scale": true}"#, series, series),
      LayerExample("MultiHeadAttention", #"{"num_heads": 2, "key_dim": 3}"#, series, series),
      LayerExample(
        "GroupQueryAttention", #"{"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}"#, series, series),
      LayerExample(
        "GroupedQueryAttention", #"{"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}"#, series, series),
    ]

  private static let identities = [
    "ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout", "Equalization", "FixedDropout",
    "GaussianDropout", "GaussianNoise", "Identity", "MixUp", "RandAugment", "RandomBrightness",
    "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing",
    "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert",
    "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear",
    "RandomTranslation", "RandomWidth", "RandomZoom", "Solarization", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "StochasticDepth",
  ]
}
