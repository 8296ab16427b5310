// Made by tools/make_layer_fields.py from Keras 3.15.1 and tf_keras 2.21.0.

extension LayerFields {
  /// A class (with a star when it takes what every layer takes), which of Keras 3 and 2 have it, then the fields that both
  /// take, Keras 3 alone, Keras 2 alone.
  static let text = """
    Activation* 32: activation |  |
    ActivityRegularization* 32: l1 l2 |  |
    AdaptiveAveragePooling1D* 3:  | data_format output_size |
    AdaptiveAveragePooling2D* 3:  | data_format output_size |
    AdaptiveAveragePooling3D* 3:  | data_format output_size |
    AdaptiveMaxPooling1D* 3:  | data_format output_size |
    AdaptiveMaxPooling2D* 3:  | data_format output_size |
    AdaptiveMaxPooling3D* 3:  | data_format output_size |
    Add* 32:  |  |
    AdditiveAttention* 32: use_scale | dropout |
    AlphaDropout* 32: noise_shape rate seed |  |
    Attention* 32: score_mode use_scale | dropout seed |
    AugMix* 3:  | all_ops alpha chain_depth data_format factor interpolation num_chains seed value_range |
    AutoContrast* 3:  | value_range |
    Average* 32:  |  |
    AveragePooling1D* 32: data_format padding pool_size strides |  |
    AveragePooling2D* 32: data_format padding pool_size strides |  |
    AveragePooling3D* 32: data_format padding pool_size strides |  |
    BatchNormalization* 32: axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint
      gamma_initializer gamma_regularizer momentum moving_mean_initializer moving_variance_initializer scale
      synchronized | renorm renorm_clipping renorm_momentum |
    Bidirectional* 32: backward_layer layer merge_mode |  |
    CategoryEncoding* 32: num_tokens output_mode sparse |  |
    CenterCrop* 32: height width | data_format |
    Concatenate* 32: axis |  |
    ContrastLimitedAdaptiveHistogramEqualization* 3:  | clip_limit data_format tile_grid_size value_range |
    Conv1D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters groups
      kernel_constraint kernel_initializer kernel_regularizer kernel_size padding strides use_bias |  |
    Conv1DTranspose* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters
      kernel_constraint kernel_initializer kernel_regularizer kernel_size output_padding padding strides use_bias |  |
    Conv2D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters groups
      kernel_constraint kernel_initializer kernel_regularizer kernel_size padding strides use_bias |  |
    Conv2DTranspose* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters
      kernel_constraint kernel_initializer kernel_regularizer kernel_size output_padding padding strides use_bias |  |
    Conv3D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters groups
      kernel_constraint kernel_initializer kernel_regularizer kernel_size padding strides use_bias |  |
    Conv3DTranspose* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate filters
      kernel_constraint kernel_initializer kernel_regularizer kernel_size output_padding padding strides use_bias |  |
    ConvLSTM1D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate dropout
      filters go_backwards kernel_constraint kernel_initializer kernel_regularizer kernel_size padding
      recurrent_activation recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer
      return_sequences return_state stateful strides unit_forget_bias use_bias | seed |
    ConvLSTM2D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate dropout
      filters go_backwards kernel_constraint kernel_initializer kernel_regularizer kernel_size padding
      recurrent_activation recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer
      return_sequences return_state stateful strides unit_forget_bias use_bias | seed |
    ConvLSTM3D* 32: activation bias_constraint bias_initializer bias_regularizer data_format dilation_rate dropout
      filters go_backwards kernel_constraint kernel_initializer kernel_regularizer kernel_size padding
      recurrent_activation recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer
      return_sequences return_state stateful strides unit_forget_bias use_bias | seed |
    Cropping1D* 32: cropping |  |
    Cropping2D* 32: cropping data_format |  |
    Cropping3D* 32: cropping data_format |  |
    CutMix* 3:  | data_format factor seed |
    Dense* 32: activation bias_constraint bias_initializer bias_regularizer kernel_constraint kernel_initializer
      kernel_regularizer units use_bias | lora_alpha lora_rank quantization_config |
    DenseFeatures* 2:  |  | feature_columns
    DepthwiseConv1D* 32: activation bias_constraint bias_initializer bias_regularizer data_format depth_multiplier
      depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate kernel_size padding strides
      use_bias |  |
    DepthwiseConv2D* 32: activation bias_constraint bias_initializer bias_regularizer data_format depth_multiplier
      depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate kernel_size padding strides
      use_bias |  |
    Discretization 32: bin_boundaries dtype epsilon name num_bins output_mode sparse |  | activity_regularizer trainable
    Dot* 32: axes normalize |  |
    Dropout* 32: noise_shape rate seed |  |
    ELU* 32: alpha |  |
    EinsumDense* 32: activation bias_axes bias_constraint bias_initializer bias_regularizer equation kernel_constraint
      kernel_initializer kernel_regularizer output_shape | gptq_unpacked_column_size lora_alpha lora_rank
      quantization_config |
    Embedding* 32: embeddings_constraint embeddings_initializer embeddings_regularizer input_dim mask_zero output_dim |
      lora_alpha lora_rank quantization_config | input_length sparse
    Equalization* 3:  | bins data_format value_range |
    Flatten* 32: data_format |  |
    GRU* 32: activation bias_constraint bias_initializer bias_regularizer dropout go_backwards kernel_constraint
      kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint recurrent_dropout
      recurrent_initializer recurrent_regularizer reset_after return_sequences return_state stateful units unroll
      use_bias zero_output_for_mask | seed use_cudnn | time_major
    GRUCell* 32: activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint
      kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint recurrent_dropout
      recurrent_initializer recurrent_regularizer reset_after units use_bias | seed |
    GaussianDropout* 32: rate seed |  |
    GaussianNoise* 32: seed stddev |  |
    GlobalAveragePooling1D* 32: data_format | keepdims |
    GlobalAveragePooling2D* 32: data_format keepdims |  |
    GlobalAveragePooling3D* 32: data_format keepdims |  |
    GlobalMaxPooling1D* 32: data_format keepdims |  |
    GlobalMaxPooling2D* 32: data_format keepdims |  |
    GlobalMaxPooling3D* 32: data_format keepdims |  |
    GroupNormalization* 32: axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint
      gamma_initializer gamma_regularizer groups scale |  |
    GroupedQueryAttention* 3:  | bias_constraint bias_initializer bias_regularizer dropout flash_attention head_dim
      kernel_constraint kernel_initializer kernel_regularizer num_key_value_heads num_query_heads seed sliding_window
      use_bias use_gate |
    HashedCrossing* 32: num_bins output_mode sparse |  |
    Hashing* 32: mask_value num_bins output_mode salt sparse |  |
    Identity* 32:  |  | dynamic
    IntegerLookup* 32: idf_weights invert mask_token max_tokens num_oov_indices oov_token output_mode pad_to_max_tokens
      sparse vocabulary vocabulary_dtype | oov_method salt |
    LSTM* 32: activation bias_constraint bias_initializer bias_regularizer dropout go_backwards kernel_constraint
      kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint recurrent_dropout
      recurrent_initializer recurrent_regularizer return_sequences return_state stateful unit_forget_bias units unroll
      use_bias zero_output_for_mask | seed use_cudnn | time_major
    LSTMCell* 32: activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint
      kernel_initializer kernel_regularizer recurrent_activation recurrent_constraint recurrent_dropout
      recurrent_initializer recurrent_regularizer unit_forget_bias units use_bias | seed |
    Lambda* 32: arguments function mask output_shape |  |
    LayerNormalization* 32: axis beta_constraint beta_initializer beta_regularizer center epsilon gamma_constraint
      gamma_initializer gamma_regularizer scale |  |
    LeakyReLU* 32: alpha | negative_slope |
    LocallyConnected1D* 2:  |  | activation bias_constraint bias_initializer bias_regularizer data_format filters
      implementation kernel_constraint kernel_initializer kernel_regularizer kernel_size padding strides use_bias
    LocallyConnected2D* 2:  |  | activation bias_constraint bias_initializer bias_regularizer data_format filters
      implementation kernel_constraint kernel_initializer kernel_regularizer kernel_size padding strides use_bias
    Masking* 32: mask_value |  |
    MaxNumBoundingBoxes* 3:  | fill_value max_number |
    MaxPooling1D* 32: data_format padding pool_size strides |  |
    MaxPooling2D* 32: data_format padding pool_size strides |  |
    MaxPooling3D* 32: data_format padding pool_size strides |  |
    Maximum* 32:  |  |
    MelSpectrogram* 3:  | fft_length mag_exp max_freq min_freq min_power num_mel_bins power_to_db ref_power
      sampling_rate sequence_length sequence_stride top_db window |
    Minimum* 32:  |  |
    MixUp* 3:  | alpha data_format seed |
    MultiHeadAttention* 32: attention_axes bias_constraint bias_initializer bias_regularizer dropout kernel_constraint
      kernel_initializer kernel_regularizer key_dim num_heads output_shape use_bias value_dim | flash_attention seed
      sliding_window use_gate | softmax_robust_masking
    Multiply* 32:  |  |
    Normalization* 32: axis invert mean variance |  |
    PReLU* 32: alpha_constraint alpha_initializer alpha_regularizer shared_axes |  |
    Permute* 32: dims |  |
    RMSNormalization* 3:  | axis epsilon |
    RNN* 32: cell go_backwards return_sequences return_state stateful unroll zero_output_for_mask |  | time_major
    RandAugment* 3:  | data_format factor interpolation num_ops seed value_range |
    RandomBrightness* 32: factor seed value_range |  |
    RandomColorDegeneration* 3:  | data_format factor seed value_range |
    RandomColorJitter* 3:  | brightness_factor contrast_factor data_format hue_factor saturation_factor seed value_range
      |
    RandomContrast* 32: factor seed | value_range |
    RandomCrop* 32: height seed width | data_format |
    RandomElasticTransform* 3:  | data_format factor fill_mode fill_value interpolation scale seed value_range |
    RandomErasing* 3:  | data_format factor fill_value scale seed value_range |
    RandomFlip* 32: mode seed | data_format |
    RandomGaussianBlur* 3:  | data_format factor kernel_size seed sigma value_range |
    RandomGrayscale* 3:  | data_format factor seed |
    RandomHeight* 2:  |  | factor interpolation seed
    RandomHue* 3:  | data_format factor seed value_range |
    RandomInvert* 3:  | data_format factor seed value_range |
    RandomPerspective* 3:  | data_format factor fill_value interpolation scale seed |
    RandomPosterization* 3:  | data_format factor seed value_range |
    RandomRotation* 32: factor fill_mode fill_value interpolation seed | data_format |
    RandomSaturation* 3:  | data_format factor seed value_range |
    RandomSharpness* 3:  | data_format factor seed value_range |
    RandomShear* 3:  | data_format fill_mode fill_value interpolation seed x_factor y_factor |
    RandomTranslation* 32: fill_mode fill_value height_factor interpolation seed width_factor | data_format |
    RandomWidth* 2:  |  | factor interpolation seed
    RandomZoom* 32: fill_mode fill_value height_factor interpolation seed width_factor | data_format |
    ReLU* 32: max_value negative_slope threshold |  |
    RepeatVector* 32: n |  |
    Rescaling* 32: offset scale |  |
    Reshape* 32: target_shape |  |
    Resizing* 32: crop_to_aspect_ratio height interpolation width | antialias data_format fill_mode fill_value
      pad_to_aspect_ratio |
    ReversibleEmbedding* 3:  | embeddings_constraint embeddings_initializer embeddings_regularizer input_dim
      logit_soft_cap mask_zero output_dim reverse_dtype tie_weights |
    STFTSpectrogram* 3:  | data_format expand_dims fft_length frame_length frame_step mode padding periodic scaling
      window |
    SeparableConv1D* 32: activation bias_constraint bias_initializer bias_regularizer data_format depth_multiplier
      depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate filters kernel_size padding
      pointwise_constraint pointwise_initializer pointwise_regularizer strides use_bias |  |
    SeparableConv2D* 32: activation bias_constraint bias_initializer bias_regularizer data_format depth_multiplier
      depthwise_constraint depthwise_initializer depthwise_regularizer dilation_rate filters kernel_size padding
      pointwise_constraint pointwise_initializer pointwise_regularizer strides use_bias |  |
    SimpleRNN* 32: activation bias_constraint bias_initializer bias_regularizer dropout go_backwards kernel_constraint
      kernel_initializer kernel_regularizer recurrent_constraint recurrent_dropout recurrent_initializer
      recurrent_regularizer return_sequences return_state stateful units unroll use_bias zero_output_for_mask | seed |
    SimpleRNNCell* 32: activation bias_constraint bias_initializer bias_regularizer dropout kernel_constraint
      kernel_initializer kernel_regularizer recurrent_constraint recurrent_dropout recurrent_initializer
      recurrent_regularizer units use_bias | seed |
    Softmax* 32: axis |  | robust_masking
    Solarization* 3:  | addition_factor seed threshold_factor value_range |
    SpatialDropout1D 32: dtype name rate | seed | activity_regularizer trainable
    SpatialDropout2D 32: data_format dtype name rate | seed | activity_regularizer trainable
    SpatialDropout3D 32: data_format dtype name rate | seed | activity_regularizer trainable
    SpectralNormalization* 32: layer power_iterations |  |
    StackedRNNCells* 32: cells |  |
    StringLookup* 32: encoding idf_weights invert mask_token max_tokens num_oov_indices oov_token output_mode
      pad_to_max_tokens sparse vocabulary | salt |
    Subtract* 32:  |  |
    TextVectorization* 32: encoding idf_weights max_tokens ngrams output_mode output_sequence_length pad_to_max_tokens
      ragged sparse split standardize vocabulary |  |
    ThresholdedReLU* 2:  |  | theta
    TimeDistributed* 32: layer |  |
    UnitNormalization* 32: axis |  |
    UpSampling1D* 32: size |  |
    UpSampling2D* 32: data_format interpolation size |  |
    UpSampling3D* 32: data_format size |  |
    ZeroPadding1D* 32: padding | data_format |
    ZeroPadding2D* 32: data_format padding |  |
    ZeroPadding3D* 32: data_format padding |  |
    """
}
