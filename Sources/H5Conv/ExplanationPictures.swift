import H5ConvAttribution
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvImages
import H5ConvTensors
import H5ConvVisualization

extension ExplanationOptions {
  /// Methods that look at the feature maps of a layer.
  static let layerMethods = ClassActivation.allCases.map(\.rawValue) + ["eigencam", "scorecam"]

  /// What a command line asks for: `gradcam`, `gradcam:block5_conv3,ig`, `layercam:block?_conv3`, or `all` for every method.
  ///
  /// - Parameters:
  ///   - text: methods with commas between them, each with a layer or a pattern behind a colon if it looks at one.
  ///   - target: a class's number or its name in `labels`; `top` for the best one.
  ///   - labels: names of the classes.
  ///   - model: the network, whose layers the patterns choose.
  /// - Throws: `H5ConvError` of kind `usage` for an unknown method, layer or class.
  public static func list(_ text: String, class target: String, labels: [String], for model: Model) throws -> [Self] {
    let index = try classIndex(target, labels)
    return try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part -> [Self] in
      let colon = part.firstIndex(of: ":")
      let method = String(part[..<(colon ?? part.endIndex)])
      let pattern = colon.map { String(part[part.index(after: $0)...]) }
      let names = method == "all" ? methods : [method]
      return try names.flatMap { name -> [Self] in
        guard methods.contains(name) else {
          throw H5ConvError(
            .usage, "there is no method '\(name)'", at: "--explain",
            remedy: "use \(methods.joined(separator: ", ")) or all")
        }
        let looksAtLayer = layerMethods.contains(name)
        guard pattern == nil || looksAtLayer || method == "all" else {
          throw H5ConvError(
            .usage, "\(name) looks at the input and not at a layer", at: "--explain",
            remedy: "leave out ':\(pattern ?? "")'")
        }
        var options = Self()
        options.method = name
        options.classIndex = index
        guard let pattern, looksAtLayer else { return [options] }
        let taps = try model.graph.select([pattern]).filter { model.graph.shape(of: $0.tensor)?.rank == 4 }
        guard !taps.isEmpty else {
          throw H5ConvError(
            .usage, "'\(pattern)' chooses no layer with feature maps", at: "--explain",
            remedy: "name convolution layers: \(name):LAYER")
        }
        return taps.map { tap in
          options.layer = tap.key
          return options
        }
      }
    }
  }

  private static func classIndex(_ target: String, _ labels: [String]) throws -> Int? {
    if target == "top" { return nil }
    if let number = Int(target), number >= 0 { return number }
    if let place = labels.firstIndex(of: target) ?? labels.firstIndex(where: { $0.lowercased() == target.lowercased() })
    {
      return place
    }
    guard !labels.isEmpty else {
      throw H5ConvError(
        .usage, "the class '\(target)' is no number", at: "--class",
        remedy: "give the names of the classes with --labels")
    }
    let nearest = labels.nearest(to: target, count: 3)
    throw H5ConvError(
      .usage, "no class is called '\(target)'", at: "--class",
      remedy: nearest.isEmpty ? nil : "the nearest names are \(nearest.joined(separator: ", "))")
  }
}

extension Explanation {
  /// The explanation as it is drawn, with the class's name.
  func map(_ labels: [String]) -> ExplanationMap {
    ExplanationMap(
      method: method, layer: layer, classIndex: classIndex,
      label: classIndex.flatMap { labels.indices.contains($0) ? labels[$0] : nil }, score: Double(score),
      values: map.values, height: map.shape[0], width: map.shape[1], completenessGap: completenessGap, notes: notes)
  }
}

extension Visualizer {
  /// Finds what counts for a class in one example of `run`.
  func explain(_ run: VisualizerRun, example: Int, progress: () -> Void) throws -> [ExplanationMap] {
    guard !explanations.isEmpty else { return [] }
    let input = try run.input(of: example)
    return try subModel.model.explain(input, explanations, threads: threads, progress: progress)
      .map { $0.map(report.labels) }
  }

  /// Draws `maps` over what the network saw.
  func draw(
    _ maps: [ExplanationMap], over picture: Raster, dpi: Int, _ colorMap: ColorMap?
  ) throws -> [ExplanationPicture] {
    let names = PictureNames.make(
      for: maps.enumerated().map { place, map in
        (place, [map.method, map.layer].compactMap { $0 }.joined(separator: "_"))
      })
    return try zip(maps, names).map { map, name in
      let heat = HeatMap(height: map.height, width: map.width, values: map.values)
      return try ExplanationPicture(
        map, over: picture, named: "explain_\(name).png", colorMap: colorMap, dpi: dpi,
        resize: { heat.resized(height: $0, width: $1).values })
    }
  }
}
