package import H5ConvConfig
package import H5ConvTensors

/// A layer that does something in training only: dropout, noise, random augmentation.
struct IdentityAtInference: Layer {
  init(_ config: ConfigReader) {}

  package var isIdentity: Bool { true }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { inputs }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] { inputs }
}

/// The place where a tensor enters the network; `batch_shape` (Keras 3) or `batch_input_shape` gives its shape.
package struct InputLayer: Layer {
  /// Shape of the tensor, batch first; nil when the config does not tell.
  package let shape: PartialShape?

  package init(_ config: ConfigReader) throws { shape = try config.inputShape() }

  /// The shape that an input layer's config declares; nil when there is none that can be read.
  package static func declaredShape(_ config: JSONObject) -> PartialShape? {
    (try? ConfigReader(config, at: "InputLayer").inputShape()) ?? nil
  }

  package func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] { shape.map { [$0] } ?? inputs }

  package func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] { inputs }
}

extension ConfigReader {
  /// The input shape that a config declares, batch first; nil when it declares none.
  package func inputShape() throws -> PartialShape? {
    for (field, hasBatch) in [
      ("batch_shape", true), ("batch_input_shape", true), ("input_shape", false), ("shape", false),
    ] {
      guard let value = self[field] else { continue }
      guard let items = ConfigReader.unwrapped(value).array else {
        throw error(field, "is \(value.kindName) where a list was expected")
      }
      let sizes = try items.map { item -> Int? in
        if item.isNull { return nil }
        guard let size = item.integer, (0...1 << 40).contains(size) else {
          throw error(field, "has a size that is not a whole number")
        }
        return size
      }
      return PartialShape(hasBatch ? sizes : [nil] + sizes)
    }
    return nil
  }
}
