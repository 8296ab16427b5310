import H5ConvDiagnostics

/// What a layer does with a mask that comes along with its input.
///
/// Keras sends a mask (batch, time) with the output of Masking and of Embedding(mask_zero=True); most layers drop it, some hand it
/// on (`supports_masking`), a few look at it.
package enum MaskRule: Sendable, Equatable {
  /// The output has none.
  case drops
  /// The output has that of the first input.
  case passes
  /// The layer reads `Lowering.inputMasks` and sets `Lowering.outputMasks` itself.
  case own
  /// The layer's result depends on it in a way that is not supported.
  case refuses

  /// The rule of the class `className`, as `supports_masking` and `compute_mask` of Keras 3.15 and tf_keras 2.21 have it.
  ///
  /// - Parameter generation: which Keras wrote the file: 1, 2 or 3.
  package static func of(_ className: String, generation: Int) -> MaskRule {
    switch className {
    case "Masking", "Embedding", "ReversibleEmbedding", "SimpleRNN", "GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM", "RNN",
      "ConvLSTM1D",
      "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "TimeDistributed", "MultiHeadAttention", "GroupQueryAttention",
      "GroupedQueryAttention", "Attention", "AdditiveAttention", "Add", "Subtract", "Multiply", "Average", "Maximum",
      "Minimum", "GlobalAveragePooling1D", "GlobalAvgPool1D",
      "Concatenate":
      .own
    case "Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "ThresholdedReLU", "Dense", "Identity", "Dropout",
      "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
      "ActivityRegularization", "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2",
      "SyncBatchNormalization",
      "LayerNormalization", "UnitNormalization":
      .passes
    case "Normalization", "Rescaling": generation >= 3 ? .passes : .drops
    // In Keras 2 its statistics leave out what is masked, after broadcasting the mask along the features' axis.
    case "GroupNormalization": generation >= 3 ? .passes : .refuses
    // Softmax leaves masked elements out; what Python code does nobody knows.
    case "Softmax", "Lambda": .refuses
    default: .drops
    }
  }

  /// Whether a layer of this rule computes something else when its input has a mask, or may.
  package var looksAtMask: Bool { self == .own || self == .refuses }
}

extension Lowering {
  /// The masks of the outputs of the layer that was lowered last.
  package func masks(of className: String, generation: Int) throws -> [Value?] {
    guard inputMasks.contains(where: { $0 != nil }) else { return outputMasks }
    switch MaskRule.of(className, generation: generation) {
    case .own: return outputMasks
    case .drops: return []
    case .passes: return [inputMasks[0]]
    case .refuses:
      throw H5ConvError(.unsupported, "a mask that comes with the input is not supported here")
    }
  }

  /// Gives the output the joined masks of all inputs: up to Keras 2 a step counts when it counts in all that have a mask, since
  /// Keras 3 when it counts in any, and only where all have one.
  mutating func joinMasks(_ generation: Int) throws {
    let given = inputMasks.compactMap { $0 }
    guard let first = given.first, generation < 3 || given.count == inputMasks.count else { return }
    let function = generation < 3 ? ElementCombination.and : .or
    outputMasks = [try given.dropFirst().reduce(first) { try combine(function, $0, $1) }]
  }
}
