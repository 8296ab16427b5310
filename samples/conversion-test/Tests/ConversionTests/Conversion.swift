import Foundation
import H5Conv

/// A network that Keras 2.0.5 saved, and what convert makes of it for today's Keras.
final class Conversion: Sendable {
  let original: Model
  let converted: Model
  /// A face in the size and scale that the network takes.
  let inputs: [Tensor]

  init() throws {
    original = try Model(contentsOf: Conversion.sample("emotion_model.hdf5"))
    let target = NSTemporaryDirectory() + "emotions-\(UUID().uuidString).keras"
    converted = try Model(contentsOf: try original.write(to: target).path)
    inputs = try original.load(try original.inputItems([Conversion.sample("face.png")])[0]).inputs
  }

  deinit { try? FileManager.default.removeItem(atPath: converted.path) }

  /// The path of a file in the repository's folder `samples`.
  private static func sample(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../\(name)").standardized.path
  }
}
