import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvModelFiles
import H5ConvTensors

/// What is cut out of a model.
public struct SliceOptions: Sendable {
  /// Layers at which the part begins, in the model's own names; empty to begin at its inputs.
  public var from: [String] = []
  /// What is put before the layers' names.
  public var prefix = ""

  /// The whole way from the inputs, names as they are.
  public init() {}
}

extension Model {
  /// Writes the part of the model that computes the outputs named by `patterns` as a model of its own, that Keras loads and that
  /// gives the same numbers.
  ///
  /// Layers and weights that the outputs do not need are gone. A nested model of which inner layers are asked for is dissolved: its
  /// layers become layers of the written model, under their own names where those are free.
  /// - Parameters:
  ///   - patterns: as in ``slice(outputs:)``; the outputs come in the order of the patterns.
  ///   - target: the file that is written; its name tells the kind, unless `conversion` does.
  /// - Throws: `H5ConvError`: `usage` for names that the model does not have or a cut that the outputs pass by; `badData`;
  ///   `cannotWrite`.
  public func writeSlice(
    outputs patterns: [String], to target: String, _ options: SliceOptions = SliceOptions(),
    _ conversion: ConversionOptions = ConversionOptions()
  ) throws -> ConversionResult {
    let format = try targetFormat(target, conversion)
    var warnings: [String] = []
    var changes: [String] = []
    let written = try naming(path) {
      let taps = try graph.select(patterns)
      let cut = try slicedArchitecture(taps, options)
      let translated = translated(cut.model, conversion)
      warnings += translated.problems.map(\.text)
      changes += translated.notes.map(\.text)
      // Weights are found by the layers' old paths, written under the new ones.
      let layers = try writtenLayers(cut.names, translated, format, conversion, &changes, &warnings)
      return WrittenModel(
        architecture: translated.architecture, dialect: translated.dialect, layers: layers,
        kerasVersion: writtenVersion(translated.dialect), backend: writtenBackend)
    }
    return try naming(path) {
      try writeModel(written, format, to: target, conversion, changes: changes, warnings: warnings)
    }
  }

  /// The part as an architecture, and the paths of its layers in this model by their paths there.
  private func slicedArchitecture(
    _ taps: [Tap], _ options: SliceOptions
  ) throws -> (model: Architecture, names: [[String]: [String]]) {
    let models = Dictionary(graph.modelCalls.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let counts = callCounts
    let places = taps.map { place(of: $0, models) }
    let cuts = try options.from.map { try cutPlace($0, models) }
    var dissolved = Set<[String]>()
    func dissolve(around path: [String]) {
      for count in 1..<max(1, path.count) { dissolved.insert(Array(path.prefix(count))) }
    }
    for path in places.map(\.path) + cuts.map(\.path) { dissolve(around: path) }
    for (tap, place) in zip(taps, places) where dissolved.contains(place.path) {
      dissolve(around: innerPlace(of: tap).path)
    }
    if let cut = cuts.first(where: { dissolved.contains($0.path) }) {
      let name = cut.path.joined(separator: "/")
      throw H5ConvError(
        .usage, "the part cannot begin at the model '\(name)' and have outputs inside it",
        remedy: "begin at a layer inside it, as --from \(name)/…")
    }
    let (inlined, names) = architecture.inlined(dissolved)
    func reference(_ place: Place) -> TensorReference {
      TensorReference(
        layer: names[place.path] ?? place.path.joined(separator: "/"),
        call: callNumber(place.path, place.calls, counts),
        output: place.output)
    }
    let outputs = zip(taps, places).map { tap, place in
      // The output of a model that is dissolved is that of a layer in it.
      reference(dissolved.contains(place.path) ? innerPlace(of: tap) : place)
    }
    let shapes = cuts.isEmpty ? nil : try Graph(inlined)
    var pruned = try inlined.pruned(to: unique(outputs), from: cuts.map(reference)) { reference in
      guard let shape = shapes?.shape(of: reference) else {
        throw H5ConvError(
          .unsupported, "the shape of what goes in at the cut is not known", at: "layer '\(reference.layer)'")
      }
      return .array(shape.sizes.map { $0.map { .int($0) } ?? .null })
    }
    var paths: [[String]: [String]] = [:]
    for (old, new) in names { paths[[options.prefix + new]] = old }
    if !options.prefix.isEmpty { pruned = pruned.prefixed(options.prefix) }
    return (pruned, paths)
  }

  private func unique(_ references: [TensorReference]) -> [TensorReference] {
    var seen = Set<TensorReference>()
    return references.filter { seen.insert($0).inserted }
  }

  /// A layer or nested model, which of its calls and outputs is meant.
  private struct Place {
    let path: [String]
    let calls: [Int]
    let output: Int
  }

  /// - Parameter models: the calls of nested models by their keys.
  private func place(of tap: Tap, _ models: [String: ModelCall]) -> Place {
    let base = tap.output == 0 ? tap.key : String(tap.key.dropLast(":\(tap.output)".count))
    if let model = models[base] {
      return Place(path: model.path, calls: model.callNumbers, output: tap.output)
    }
    return innerPlace(of: tap)
  }

  /// The layer that computes a tap, inside however many models.
  private func innerPlace(of tap: Tap) -> Place {
    let call = graph.calls[tap.tensor.call]
    return Place(path: graph.layers[call.layer].path, calls: call.callNumbers, output: tap.tensor.output)
  }

  private func cutPlace(_ name: String, _ models: [String: ModelCall]) throws -> Place {
    guard let tap = try graph.select([name]).first else {
      throw H5ConvError(.usage, "the model has no layer '\(name)'")
    }
    return place(of: tap, models)
  }

  /// How often each layer and nested model is called, by its path.
  private var callCounts: [[String]: Int] {
    var counts: [[String]: Int] = [:]
    var pending: [(model: Architecture, path: [String])] = [(architecture, [])]
    while let (model, path) = pending.popLast() {
      for layer in model.layers where counts[path + [layer.name]] == nil {
        counts[path + [layer.name]] = layer.calls.count
        if let nested = layer.nested { pending.append((nested, path + [layer.name])) }
      }
    }
    return counts
  }

  /// The number of a call once the models around it are dissolved: call c of a model makes the calls c·n … of a layer with n.
  private func callNumber(_ path: [String], _ calls: [Int], _ counts: [[String]: Int]) -> Int {
    var number = 0
    for (depth, call) in zip(1...max(1, path.count), calls) {
      guard let count = counts[Array(path.prefix(depth))] else { break }
      number = number * max(1, count) + call
    }
    return number
  }

  private func writtenLayers(
    _ names: [[String]: [String]], _ translated: TranslatedModel, _ format: ModelFormat,
    _ conversion: ConversionOptions, _ changes: inout [String], _ warnings: inout [String]
  ) throws -> [WrittenLayer] {
    let numbers = Dictionary(graph.layers.indices.map { (graph.layers[$0].path, $0) }, uniquingKeysWith: { a, _ in a })
    /// This model's paths by the written model's.
    func old(_ path: [String]) -> [String] {
      let path = translated.sourcePath(path)
      guard let top = path.first, let first = names[[top]] else { return path }
      return first + path.dropFirst()
    }
    var layers: [WrittenLayer] = []
    func visit(_ model: Architecture, _ path: [String]) throws {
      for spec in model.layers {
        let here = path + [spec.name]
        if let nested = spec.nested {
          try visit(nested, here)
          continue
        }
        guard let number = numbers[old(here)] else { continue }
        let weights = try writtenWeights(
          ofLayer: number, translated.weightChanges[here] ?? [], format, conversion, &changes, &warnings)
        if !weights.isEmpty { layers.append(WrittenLayer(path: here, weights: weights)) }
      }
    }
    try visit(translated.architecture, [])
    let unknown = unknownLayers
    for spec in translated.architecture.layers {
      let place = old([spec.name])
      guard place.count == 1, var kept = unknown[place[0]] else { continue }
      kept.path = [spec.name]
      layers.append(kept)
    }
    return layers
  }
}

extension Graph {
  /// The shape of a tensor of a graph without nested models around it.
  fileprivate func shape(of reference: TensorReference) -> PartialShape? {
    if let model = modelCalls.first(where: { $0.path == [reference.layer] && $0.callNumbers == [reference.call] }) {
      return model.outputs.indices.contains(reference.output) ? shape(of: model.outputs[reference.output]) : nil
    }
    return calls.indices.first {
      layers[calls[$0].layer].path == [reference.layer] && calls[$0].callNumbers == [reference.call]
    }.flatMap { shape(of: TensorID(call: $0, output: reference.output)) }
  }
}
