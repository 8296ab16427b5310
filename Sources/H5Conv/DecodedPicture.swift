import H5ConvDiagnostics
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
    var opened: Result<Model, any Error>?
    var decoded: DecodedPicture?
    Threads(threads).forEach(2) { item in
      if item == 0 {
        opened = Result { try Model(contentsOf: path, architecture: architecture) }
      } else if let image = try? DecodedImage.load(path: inputs[0]) {
        decoded = DecodedPicture(path: inputs[0], image)
      }
    }
    guard let opened else { throw H5ConvError(.internalFault, "the model was not opened", file: path) }
    return (try opened.get(), decoded)
  }
}
