package import H5ConvImages
import H5ConvTensors

/// Everything that one offline page shows: networks, pictures, and all that the chosen layers computed.
package struct Report: Sendable {
  /// The version of h5conv that made it.
  package var h5convVersion: String
  /// What was typed, to get it again.
  package var command: String
  package var models: [Model] = []
  /// Runs of one of the models on one picture each, in the order in which they were asked for.
  package var runs: [Run] = []
  /// The layers of the runs, in the order of execution.
  package var layers: [Layer] = []

  package init(h5convVersion: String, command: String) {
    self.h5convVersion = h5convVersion
    self.command = command
  }

  /// A network.
  package struct Model: Sendable {
    /// Its file, as the user named it.
    package var path: String
    package var name: String
    package var className: String
    /// Where it comes from, as `legacy-h5 of Keras 2.21.0`.
    package var origin: String
    package var parameters: Int
    /// Multiply-accumulate operations for one picture.
    package var multiplyAccumulates: Int?
    package var diagram: Diagram

    package init(
      path: String, name: String, className: String, origin: String, parameters: Int, multiplyAccumulates: Int?,
      diagram: Diagram
    ) {
      self.path = path
      self.name = name
      self.className = className
      self.origin = origin
      self.parameters = parameters
      self.multiplyAccumulates = multiplyAccumulates
      self.diagram = diagram
    }
  }

  /// A model on a picture.
  package struct Run: Sendable {
    /// Place in ``Report/models``.
    package var model: Int
    /// The picture's file, as the user named it.
    package var image: String
    /// How its pixels became the model's input, and why so.
    package var preprocess: String
    /// What the network saw, before the arithmetic of the preprocessing; nil for an array that is no picture.
    package var picture: Raster?
    /// The picture's file before it was fitted; nil when the network saw it as it is.
    package var original: Original?
    /// The input's height and width.
    package var height: Int
    package var width: Int
    /// The best classes, best first; empty when there are none to tell.
    package var scores: [Score]
    /// What there is to say about the scores, or about their absence.
    package var scoreNote: String?
    /// What each of ``Report/layers`` computed; nil for one that this model does not have.
    package var maps: [ByteMaps?]
    /// Which places of the picture count for a class.
    package var explanations: [Explanation] = []

    package init(
      model: Int, image: String, preprocess: String, picture: Raster?, height: Int, width: Int, scores: [Score],
      scoreNote: String?, maps: [ByteMaps?]
    ) {
      self.model = model
      self.image = image
      self.preprocess = preprocess
      self.picture = picture
      self.height = height
      self.width = width
      self.scores = scores
      self.scoreNote = scoreNote
      self.maps = maps
    }
  }

  /// A picture as its file has it.
  package struct Original: Sendable {
    package let width: Int
    package let height: Int
    /// The part that the network got, in the file's pixels.
    package let columns: Range<Int>
    package let rows: Range<Int>
    /// Whether black was added around it.
    package let isPadded: Bool
    /// The picture, made small.
    package let picture: Raster

    package init(
      width: Int, height: Int, columns: Range<Int>, rows: Range<Int>, isPadded: Bool, picture: Raster
    ) {
      (self.width, self.height, self.columns, self.rows) = (width, height, columns, rows)
      (self.isPadded, self.picture) = (isPadded, picture)
    }
  }

  /// Which places of a run's picture count for a class: one map in 8 bits, and what there is to say about it.
  package struct Explanation: Sendable {
    package let map: ExplanationMap
    package var bytes: ByteMaps

    /// - Throws: ``H5ConvError`` when the map has no cells.
    package init(_ map: ExplanationMap) throws {
      self.map = map
      let tensor = try Tensor(shape: [map.height, map.width, 1], values: map.values)
      bytes = ByteMaps(
        try FeatureMaps(index: 0, name: map.name, className: "", shape: [map.height, map.width], tensor: tensor))
    }
  }

  /// A class and its score.
  package struct Score: Sendable {
    package var index: Int
    package var label: String?
    package var score: Double

    package init(index: Int, label: String?, score: Double) {
      self.index = index
      self.label = label
      self.score = score
    }
  }

  /// A layer that the report shows.
  package struct Layer: Sendable {
    /// Place in the order of execution.
    package var index: Int
    package var name: String
    package var className: String
    /// Output shape as Keras gives it.
    package var shape: [Int]
    package var parameters: Int
    package var multiplyAccumulates: Int?
    /// What an activation sees of the picture's height and width; nil when that is not known.
    package var fields: [Field]
    /// The kernel, when the layer looks at the picture itself.
    package var kernel: Kernel?
    /// The kernel of a deeper layer.
    package var slices: KernelSlices?
    /// How the kernel is made of the layer's weights, in words; nil where it is one of them.
    package var kernelNote: String?
    /// Which of ``Report/models`` this is about.
    package var model = 0
    /// The same layer in further models.
    package var others: [Layer] = []

    package init(
      index: Int, name: String, className: String, shape: [Int], parameters: Int, multiplyAccumulates: Int?,
      fields: [Field], kernel: Kernel?
    ) {
      self.index = index
      self.name = name
      self.className = className
      self.shape = shape
      self.parameters = parameters
      self.multiplyAccumulates = multiplyAccumulates
      self.fields = fields
      self.kernel = kernel
    }
  }

  /// A receptive field along one axis: activation i sees the pixels from start + i · stride on, as many as `size`.
  package struct Field: Sendable {
    package var start: Double
    package var stride: Double
    package var size: Double
    /// Whether it may see fewer.
    package var isBound: Bool
    /// Whether everything else comes in through a factor for the whole map.
    package var isGated: Bool
    /// Whether it sees the whole axis; then the numbers say nothing.
    package var isWhole: Bool

    package init(start: Double, stride: Double, size: Double, isBound: Bool, isGated: Bool, isWhole: Bool) {
      self.start = start
      self.stride = stride
      self.size = size
      self.isBound = isBound
      self.isGated = isGated
      self.isWhole = isWhole
    }
  }

  /// A kernel over the picture's channels: (height, width, channels, filters).
  package struct Kernel: Sendable {
    package var shape: [Int]
    package var values: [Float]

    /// - Returns: nil when the sizes do not agree.
    package init?(shape: [Int], values: [Float]) {
      guard shape.count == 4, values.count == shape.reduce(1, *) else { return nil }
      self.shape = shape
      self.values = values
    }
  }
}
