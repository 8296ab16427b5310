import H5ConvConfig
import H5ConvDiagnostics
import H5ConvVisualization

/// What is looked for among many pictures.
public struct TopOptions: Sendable {
  /// Pictures for each channel.
  public var count = 9
  /// `max` (the greatest activation of a channel) or `mean`: what makes a channel strong on a picture.
  public var by = "max"
  /// Only so many channels of each layer, the strongest; nil for all.
  public var channels: Int?

  /// Nine pictures for every channel, by its greatest activation.
  public init() {}

  func measure() throws -> ChannelMeasure {
    guard (1...1000).contains(count) else {
      throw H5ConvError(.usage, "\(count) pictures for each channel cannot be shown", remedy: "give 1 to 1000")
    }
    return try .named(by)
  }
}

extension ChannelMeasure {
  static func named(_ name: String) throws -> ChannelMeasure {
    guard let measure = ChannelMeasure(rawValue: name) else {
      throw H5ConvError(.usage, "channels are not compared by '\(name)'", remedy: "use max or mean")
    }
    return measure
  }
}

/// The pictures that activate each channel most, and where in them.
public struct TopActivations: Sendable {
  /// A picture for a channel.
  public struct Match: Sendable {
    /// Place of the picture in ``TopActivations/pictures``.
    public let picture: Int
    /// What the pictures are compared by.
    public let value: Double
    /// Row of the greatest activation in the feature map.
    public let row: Int
    /// Its column.
    public let column: Int
    /// What that place sees of the picture, in pixels of the network's input; it may reach beyond the borders.
    public let field: PixelBox
  }

  /// A channel of a layer.
  public struct Channel: Sendable {
    /// The channel's number in its layer.
    public let index: Int
    /// Least finite activation on all pictures; NaN when there was none.
    public let minimum: Float
    /// Greatest finite activation on all pictures; NaN when there was none.
    public let maximum: Float
    /// The best pictures, best first; empty for a channel that was the same everywhere on all of them.
    public let matches: [Match]

    /// Whether the channel was the same everywhere on all pictures.
    public var isConstant: Bool { !(minimum < maximum) }
  }

  /// A layer.
  public struct Layer: Sendable {
    /// Place in the order of execution, from 0.
    public let index: Int
    /// The layer's name, as results are keyed.
    public let name: String
    /// Keras' class of the layer.
    public let className: String
    /// As Keras gives it, for one picture; of the first picture where they differ.
    public let shape: [Int]
    /// In order, or the strongest first when only some were asked for.
    public let channels: [Channel]
    /// Number of the layer's channels.
    public let channelCount: Int
  }

  /// What was looked for.
  public let options: TopOptions
  /// The pictures' paths.
  public let pictures: [String]
  /// What was done to the pictures, each once.
  public let preprocess: [String]
  /// In the order asked for.
  public let layers: [Layer]
  let subModel: SubModel
  let image: ImageOptions
}

/// A rectangle of pixels.
public struct PixelBox: Sendable, Equatable {
  /// Left edge; negative left of the picture.
  public let x: Int
  /// Upper edge; negative above the picture.
  public let y: Int
  /// At least 1.
  public let width: Int
  /// At least 1.
  public let height: Int
}
