import H5ConvDiagnostics
import H5ConvGraph
import H5ConvImages
import H5ConvLayers
import H5ConvTensors
import H5ConvVisualization

extension SubModel {
  /// Finds for every channel the pictures that activate it most; memory does not grow with the number of pictures.
  ///
  /// A picture counts once for a channel, at the place where the channel is strongest; not where the channel is the same everywhere in
  /// it. Of equal ones the earlier is taken.
  ///
  /// - Parameters:
  ///   - items: pictures, from ``Model/inputItems(_:sample:seed:)``.
  ///   - options: what is looked for.
  ///   - image: how a picture becomes an input.
  ///   - threads: number of threads; nil for one per processor.
  ///   - progress: is told how many pictures are done.
  /// - Throws: `H5ConvError`: `usage` for arrays and for layers without channels, and what running throws.
  public func findTop(
    _ items: [InputItem], _ options: TopOptions = TopOptions(), image: ImageOptions = ImageOptions(),
    threads: Int? = nil, progress: (Int) -> Void = { _ in }
  ) throws -> TopActivations {
    let measure = try options.measure()
    if let array = items.first(where: { $0.arrays != nil }) {
      throw H5ConvError(
        .usage, "pictures are shown, and an array is none", remedy: "give PNG or JPEG files", file: array.path)
    }
    var searches: [LayerSearch] = []
    var fields: [[[Int]]: Footprint] = [:]
    var notes: [String] = []
    try forEachRun(items, image, threads: threads) { place, item, loaded, activations in
      let (inputs, preprocess) = (loaded.inputs, loaded.preprocess)
      guard let picture = loaded.picture else {
        throw H5ConvError(.internalFault, "an item without its picture", file: item.path)
      }
      if !notes.contains(preprocess) { notes.append(preprocess) }
      let shapes = inputs.map(\.shape)
      // Pictures of many sizes must not keep what is known of each.
      if fields[shapes] == nil { fields = [shapes: Footprint(model.graph, inputShapes: shapes)] }
      for (number, activation) in activations.enumerated() {
        let tap = taps[number]
        let maps = try activation.channelMaps(
          format: model.dataFormat(of: tap) ?? model.dataFormat, isBeforeActivation: tap.isBeforeActivation)
        if place == 0 { searches.append(LayerSearch(maps, options.count)) }
        let reaches = tap.output == 0 ? fields[shapes]?.calls[tap.tensor.call]?.reaches ?? [] : []
        try searches[number].add(
          maps, picture: place, by: measure, Fields(reaches, width: picture.width, height: picture.height))
      }
      progress(place + 1)
    }
    return TopActivations(
      options: options, pictures: items.map(\.path), preprocess: notes,
      layers: searches.map { $0.result(strongest: options.channels) }, subModel: self, image: image)
  }
}

/// What the elements of a layer see of a picture.
private struct Fields {
  private let reaches: [Reach]?
  private let width: Int
  private let height: Int

  init(_ reaches: [Reach?], width: Int, height: Int) {
    let known = reaches.compactMap { $0 }
    self.reaches = reaches.count == 2 && known.count == 2 ? known : nil
    (self.width, self.height) = (width, height)
  }

  /// The whole picture where the field is not known.
  func box(row: Int, column: Int) -> PixelBox {
    let (y, height) = span(0, at: row, length: height)
    let (x, width) = span(1, at: column, length: width)
    return PixelBox(x: x, y: y, width: width, height: height)
  }

  /// First pixel and count; all of an axis that the field is as long as.
  private func span(_ axis: Int, at place: Int, length: Int) -> (Int, Int) {
    guard let reach = reaches?[axis], reach.axis != nil, reach.size < Double(length) else { return (0, length) }
    let start = reach.start + reach.stride * Double(place)
    guard abs(start) < 1e9 else { return (0, length) }
    let (first, end) = (Int(start.rounded(.down)), Int((start + reach.size).rounded(.up)))
    return first < length && end > 0 ? (first, max(1, end - first)) : (0, length)
  }
}

/// The best pictures so far for the channels of a layer.
private struct LayerSearch {
  private let maps: (index: Int, name: String, className: String, shape: [Int])
  private let count: Int
  /// Best first, at most ``count`` for each channel.
  private var matches: [[TopActivations.Match]]
  private var minima: [Float]
  private var maxima: [Float]

  init(_ maps: FeatureMaps, _ count: Int) {
    self.maps = (maps.index, maps.name, maps.className, maps.shape)
    self.count = count
    let channels = maps.tensor.shape[2]
    matches = Array(repeating: [], count: channels)
    minima = Array(repeating: .infinity, count: channels)
    maxima = Array(repeating: -.infinity, count: channels)
  }

  mutating func add(_ maps: FeatureMaps, picture: Int, by measure: ChannelMeasure, _ fields: Fields) throws {
    guard maps.tensor.shape[2] == matches.count else {
      throw H5ConvError(
        .usage, "'\(maps.name)' has \(maps.tensor.shape[2]) channels here and \(matches.count) before",
        remedy: "bring all pictures to one size with --size")
    }
    let peaks = ChannelPeaks(maps)
    for channel in matches.indices {
      minima[channel] = min(minima[channel], peaks.minima[channel])
      maxima[channel] = max(maxima[channel], peaks.maxima[channel])
      let value = measure == .max ? Double(peaks.maxima[channel]) : peaks.means[channel]
      // A channel that is the same everywhere has no place where it is strongest.
      let isFlat = maps.tensor.count > matches.count && peaks.maxima[channel] == peaks.minima[channel]
      guard value.isFinite, !isFlat else { continue }
      if matches[channel].count == count {
        guard let last = matches[channel].last, value > last.value else { continue }
        matches[channel].removeLast()
      }
      let (row, column) = peaks.place(of: channel)
      let match = TopActivations.Match(
        picture: picture, value: value, row: row, column: column, field: fields.box(row: row, column: column))
      let place = matches[channel].firstIndex { $0.value < value } ?? matches[channel].count
      matches[channel].insert(match, at: place)
    }
  }

  /// - Parameter strongest: the number of channels, the strongest first; nil for all, in order.
  func result(strongest: Int?) -> TopActivations.Layer {
    var channels = matches.indices.map { channel in
      let isConstant = !(minima[channel] < maxima[channel])
      let isKnown = minima[channel] <= maxima[channel]
      return TopActivations.Channel(
        index: channel, minimum: isKnown ? minima[channel] : .nan, maximum: isKnown ? maxima[channel] : .nan,
        matches: isConstant ? [] : matches[channel])
    }
    if let strongest {
      func strength(_ channel: TopActivations.Channel) -> Double { channel.matches.first?.value ?? -.infinity }
      channels = Array(
        channels.sorted { (strength($1), $0.index) < (strength($0), $1.index) }.prefix(strongest))
    }
    return TopActivations.Layer(
      index: maps.index, name: maps.name, className: maps.className, shape: maps.shape, channels: channels,
      channelCount: matches.count)
  }
}

extension Activation {
  /// The maps of the only example; the units of a vector are channels of one element.
  fileprivate func channelMaps(format: DataFormat, isBeforeActivation: Bool) throws -> FeatureMaps {
    guard tensor.shape.count == 2 else {
      return try featureMaps(of: 0, format: format, isBeforeActivation: isBeforeActivation)
    }
    return try FeatureMaps(
      index: index, name: name, className: className, isBeforeActivation: isBeforeActivation, shape: tensor.shape,
      tensor: try tensor.reshaped(to: [1] + tensor.shape))
  }
}
