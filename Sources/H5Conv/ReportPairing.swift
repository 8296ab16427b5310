import H5ConvVisualization

/// Which layers of several models are shown side by side.
struct ReportPairing {
  /// For each layer of the page its number in each model; nil in a model that does not have it.
  let rows: [[Int?]]
  /// Whether layers of different names stand together.
  let isByOrder: Bool

  /// Models whose layers have the same classes and channels in the same order are taken to be of the same architecture, whatever Keras
  /// numbered their layers; of others those layers stand together that have the same name and number of channels.
  init(_ models: [[FeatureMaps]]) {
    let first = models.first ?? []
    func form(_ maps: FeatureMaps) -> [String] { [maps.className, "\(maps.tensor.shape[2])"] }
    guard !models.dropFirst().allSatisfy({ $0.map(form) == first.map(form) }) else {
      rows = first.indices.map { place in models.map { _ in place } }
      isByOrder = models.contains { $0.map(\.name) != first.map(\.name) }
      return
    }
    struct Key: Hashable {
      let name: String
      let channels: Int
    }
    var rows: [[Int?]] = []
    var places: [Key: Int] = [:]
    for (model, layers) in models.enumerated() {
      // A layer that only this model has comes behind the one before it.
      var last = -1
      for (number, maps) in layers.enumerated() {
        let key = Key(name: maps.name, channels: maps.tensor.shape[2])
        if let place = places[key], rows[place][model] == nil {
          rows[place][model] = number
          last = place
          continue
        }
        last += 1
        rows.insert((0..<models.count).map { $0 == model ? number : nil }, at: last)
        for (other, place) in places where place >= last { places[other] = place + 1 }
        places[key] = last
      }
    }
    self.rows = rows
    isByOrder = false
  }
}
