/// A layer's maps as planes, and what they are like: what its pictures and its part of a page are made of.
struct MeasuredMaps {
  let planar: PlanarMaps
  /// What each channel is like.
  let channels: [ChannelStatistics]
  let layer: LayerStatistics

  init(_ maps: FeatureMaps) { self.init(PlanarMaps(maps.tensor)) }

  init(_ planar: PlanarMaps) {
    var channels: [ChannelStatistics] = []
    planar.forEachChannel { channels.append(ChannelStatistics($1)) }
    self.planar = planar
    self.channels = channels
    layer = LayerStatistics(channels, count: planar.values.count)
  }
}
