import H5ConvConfig

/// For which Keras a model's config is written.
package enum Dialect: String, Sendable {
  /// A form that both Keras 3 and Keras 2 (2.12 and later, tf_keras) read: what the two share.
  case portable
  /// What only Keras 3 reads: operations, nested models, classes and fields of its own.
  case keras3
}

/// Something that was changed, or could not be, while a model was brought into another form.
package struct TranslationNote: Sendable, Hashable {
  /// The layer, as `outer/inner`.
  package let layer: String
  package let what: String
  /// Whether it also tells of the weights, and not of the architecture alone.
  package let concernsWeights: Bool

  package init(_ layer: String, _ what: String, concernsWeights: Bool = false) {
    self.layer = layer
    self.what = what
    self.concernsWeights = concernsWeights
  }
}
