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
  /// The explanation drawn over `picture`, what the network saw.
  func drawn(
    over picture: Raster, named fileName: String, labels: [String], colorMap: ColorMap?, dpi: Int
  ) throws -> ExplanationPicture {
    let heat = HeatMap(height: map.shape[0], width: map.shape[1], values: map.values)
    let label = classIndex.flatMap { labels.indices.contains($0) ? labels[$0] : nil }
    let data = ExplanationMap(
      method: method, layer: layer, classIndex: classIndex, label: label, score: Double(score), values: heat.values,
      height: heat.height, width: heat.width, completenessGap: completenessGap, notes: notes)
    return try ExplanationPicture(data, over: picture, named: fileName, colorMap: colorMap, dpi: dpi) {
      heat.resized(height: $0, width: $1).values
    }
  }
}

extension Visualizer {
  /// Draws what counts for a class at the picture that `inputs` came from.
  func explain(
    _ inputs: [Tensor], _ picture: Raster?, dpi: Int, _ colorMap: ColorMap?, progress: () -> Void
  ) throws -> [ExplanationPicture] {
    guard !explanations.isEmpty else { return [] }
    guard let picture, let input = inputs.first, inputs.count == 1 else {
      throw H5ConvError(
        .usage, "--explain draws over a picture, and an array is none", remedy: "give a PNG or JPEG of the input")
    }
    let names = PictureNames.make(
      for: explanations.enumerated().map { place, options in
        (place, [options.method, options.layer].compactMap { $0 }.joined(separator: "_"))
      })
    return try zip(explanations, names).map { options, name in
      progress()
      return try subModel.model.explain(input, options, threads: threads)
        .drawn(over: picture, named: "explain_\(name).png", labels: report.labels, colorMap: colorMap, dpi: dpi)
    }
  }
}
