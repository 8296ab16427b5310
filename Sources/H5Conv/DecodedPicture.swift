import H5ConvFiles
import H5ConvImages
import H5ConvInference
import H5ConvTensors

/// A picture that was decoded while its model was opened.
package final class DecodedPicture: Sendable {
  private let path: String
  private let image: Locked<DecodedImage?>

  fileprivate init(path: String, _ image: DecodedImage) {
    self.path = path
    self.image = Locked(image)
  }

  /// The picture at `path`, for the first who asks; nil when it is another, or was given away.
  func take(_ path: String) -> DecodedImage? {
    guard path == self.path else { return nil }
    return image.withLock { image in
      defer { image = nil }
      return image
    }
  }
}

extension Model {
  /// Opens a model; the picture of `inputs`, where there is but one, is decoded at the same time, which takes about as long.
  ///
  /// - Returns: the model, and the picture for ``ImageOptions/decoded``; nil where it is none, or cannot be decoded: whoever needs it tries
  ///   again, and says why.
  package static func open(
    _ path: String, architecture: String?, decoding inputs: [String], threads: Int?
  ) throws -> (model: Model, decoded: DecodedPicture?) {
    guard inputs.count == 1, !InputFile.isFolder(inputs[0]), !ArrayFile.isArray(inputs[0]) else {
      return (try Model(contentsOf: path, architecture: architecture), nil)
    }
    let model = Locked<Result<Model, any Error>?>(nil)
    let decoded = Locked<DecodedPicture?>(nil)
    Threads(threads).forEach(2) { item in
      if item == 0 {
        let opened = Result { try Model(contentsOf: path, architecture: architecture) }
        model.withLock { $0 = opened }
      } else if let image = try? DecodedImage.load(path: inputs[0]) {
        let picture = DecodedPicture(path: inputs[0], image)
        decoded.withLock { $0 = picture }
      }
    }
    guard let opened = model.withLock({ $0 }) else {
      return (try Model(contentsOf: path, architecture: architecture), nil)
    }
    return (try opened.get(), decoded.withLock { $0 })
  }
}
