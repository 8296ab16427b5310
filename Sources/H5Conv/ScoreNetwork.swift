import H5ConvAttribution
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvInference
import H5ConvLayers
import H5ConvTensors

/// A network that gives one picture scores for classes, run to see what the scores depend on.
struct ScoreNetwork {
  /// A class and its score.
  struct Target {
    let index: Int
    /// What the gradient of the score begins with: 1 for the class, or −1 for class 0 of a single output.
    let seed: Tensor
    let score: Float
  }

  let model: Model
  let input: Tensor
  let threads: Threads
  private let output: TensorID

  init(_ model: Model, _ input: Tensor, threads: Threads) throws {
    (self.model, self.input, self.threads) = (model, input, threads)
    let graph = model.graph
    guard graph.inputs.count == 1, let output = graph.outputs.first, input.shape.count == 4, input.shape[0] == 1 else {
      throw H5ConvError(
        .usage, "only networks that take one picture can be explained", remedy: "give one picture of batch size 1")
    }
    self.output = output
  }

  /// Compiles the gradient of the scores by `points`, with the values of `wanted` besides, for `batch` pictures.
  private func plan(wanted: [TensorID] = [], by points: [TensorID], batch: Int = 1) throws -> Plan {
    try Plan(
      model.graph, wanted: wanted, inputShapes: [[batch] + input.shape.dropFirst()], isExact: model.isExact,
      derivative: Derivative(of: output, by: points), weights: { try model.weights.tensor(layer: $0, $1) })
  }

  private var inputTensor: TensorID { TensorID(call: model.graph.inputs[0], output: 0) }

  func score(of input: Tensor, choosing index: Int?) throws -> Target {
    let classes = try classCount()
    let plan = try plan(by: [])
    let scores = try plan.run([input, try zeros([1] + classes.shape)], threads: threads)[0].values
    if scores.count == 1 {
      let index = index ?? (scores[0] >= 0 ? 1 : 0)
      guard (0...1).contains(index) else { throw noClass(index, of: 2) }
      let sign: Float = index == 1 ? 1 : -1
      return Target(
        index: index, seed: try Tensor(shape: [1] + classes.shape, values: [sign]), score: sign * scores[0])
    }
    let best = scores.indices.max { scores[$0] < scores[$1] || scores[$1].isNaN }
    let index = index ?? best ?? 0
    guard scores.indices.contains(index) else { throw noClass(index, of: scores.count) }
    var seed = Array(repeating: Float(0), count: scores.count)
    seed[index] = 1
    return Target(
      index: index, seed: try Tensor(shape: [1] + classes.shape, values: seed), score: scores[index])
  }

  private func noClass(_ index: Int, of count: Int) -> H5ConvError {
    H5ConvError(.usage, "there is no class \(index)", remedy: "the classes are 0 to \(count - 1)")
  }

  /// The shape of one example's scores.
  private func classCount() throws -> (shape: [Int], count: Int) {
    let shape = model.graph.shape(of: output)?.sizes.dropFirst().map { $0 ?? 0 } ?? []
    guard shape.filter({ $0 > 1 }).count <= 1, !shape.contains(0) else {
      throw H5ConvError(
        .usage, "the output of shape \(PartialShape(shape)) is not a vector of scores",
        remedy: "only classifiers can be explained")
    }
    return (shape, shape.reduce(1, *))
  }

  /// The layer called `name`, or the last convolution that the scores need.
  func layer(_ name: String?) throws -> Tap {
    let taps: [Tap]
    if let name {
      taps = try model.graph.select([name])
    } else {
      let needed = Set(model.graph.ancestors(of: [output]))
      taps = try model.graph.select([]).filter {
        needed.contains($0.tensor.call) && model.graph.shape(of: $0.tensor)?.rank == 4
      }.suffix(1)
    }
    guard taps.count == 1, let tap = taps.first, model.graph.shape(of: tap.tensor)?.rank == 4 else {
      throw H5ConvError(
        .usage, taps.count > 1 ? "'\(name ?? "")' stands for \(taps.count) layers" : "the layer has no feature maps",
        remedy: "name one convolution layer: METHOD:LAYER")
    }
    return tap
  }

  func explanation(
    _ target: Target, _ method: String, _ layer: String?, _ map: HeatMap, hasClass: Bool = true, gap: Double? = nil,
    notes: [String] = []
  ) -> Explanation {
    let tensor = (try? Tensor(shape: [map.height, map.width], values: map.values))
    return Explanation(
      method: method, layer: layer, classIndex: hasClass ? target.index : nil, score: target.score,
      map: tensor ?? input, completenessGap: gap, notes: notes)
  }

  private func zeros(_ shape: [Int]) throws -> Tensor {
    try Tensor(shape: shape, values: Array(repeating: 0, count: shape.reduce(1, *)))
  }

  // MARK: Maps of a layer

  /// The feature maps of `layer`.
  func maps(_ layer: Tap) throws -> Planes {
    let plan = try Plan(
      model.graph, wanted: [layer.tensor], inputShapes: [input.shape], isExact: model.isExact,
      weights: { try model.weights.tensor(layer: $0, $1) })
    return try planes(try plan.run([input], threads: threads)[0], model.dataFormat(of: layer) ?? model.dataFormat)
  }

  /// Feature maps and the gradients of a score by them.
  typealias Evidence = [TensorID: (maps: Tensor, gradients: Tensor)]

  /// The feature maps of `layers` and the gradients of the target's score by them, from one pass.
  func evidence(_ target: Target, _ layers: [Tap]) throws -> Evidence {
    let points = Array(Set(layers.map(\.tensor)))
    let results = try plan(wanted: points, by: points).run([input, target.seed], threads: threads)
    // The maps, the scores, the gradients.
    return Dictionary(
      uniqueKeysWithValues: points.indices.map { (points[$0], (results[$0], results[points.count + 1 + $0])) })
  }

  func activation(
    _ target: Target, _ method: ClassActivation, _ layer: Tap, _ evidence: Evidence
  ) throws -> Explanation {
    guard let known = evidence[layer.tensor] else {
      throw H5ConvError(.internalFault, "no gradients of layer '\(layer.key)' were computed")
    }
    let format = model.dataFormat(of: layer) ?? model.dataFormat
    let (activations, gradients) = (try planes(known.maps, format), try planes(known.gradients, format))
    var notes: [String] = []
    let map = method.map(activations, gradients)
    if map.values.allSatisfy({ $0 == 0 }) {
      let reason =
        gradients.values.allSatisfy { $0 == 0 }
        ? "the score does not depend on the layer here: every gradient is 0"
        : "all evidence at the layer counts against the class"
      notes.append("the map is 0 everywhere: \(reason)")
    }
    return explanation(target, method.rawValue, layer.key, map, notes: notes)
  }

  func scoreCAM(_ target: Target, _ layer: Tap) throws -> Explanation {
    let activations = try maps(layer)
    let picture = try planes(input, model.dataFormat)
    let masks = (0..<activations.channels).compactMap { channel in
      ScoreCAM.mask(activations, channel: channel).map { (channel, $0) }
    }
    let empty = try scores([zeros(input.shape).values], target)[0]
    let gains = try scores(
      masks.lazy.map { _, mask in
        let seen = mask.resized(height: picture.height, width: picture.width).values
        return layout(picture.values.enumerated().map { $1 * seen[$0 / picture.channels] }, picture)
      }, target
    ).map { $0 - empty }
    let map = ScoreCAM.map(activations, channels: masks.map(\.0), gains: gains)
    return explanation(target, "scorecam", layer.key, map)
  }

  /// The target's score for each of `pictures`, which are laid out as the network's input; several at once.
  private func scores(_ pictures: some Collection<[Float]>, _ target: Target) throws -> [Float] {
    let size = 8
    var result: [Float] = []
    var plans: [Int: Plan] = [:]
    let seeds = target.seed.values
    var rest = pictures[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(size))
      rest = rest.dropFirst(size)
      let plan = try plans[part.count] ?? plan(by: [], batch: part.count)
      plans[part.count] = plan
      let images = try Tensor(shape: [part.count] + input.shape.dropFirst(), values: part.flatMap { $0 })
      let seed = try zeros([part.count] + target.seed.shape.dropFirst())
      let scores = try plan.run([images, seed], threads: threads)[0].values
      for place in part.indices {
        result.append(zip(scores[(place * seeds.count)...], seeds).reduce(0) { $0 + $1.0 * $1.1 })
      }
    }
    return result
  }

  // MARK: Maps of the input

  func occlude(_ target: Target, _ options: ExplanationOptions) throws -> Explanation {
    let picture = try planes(input, model.dataFormat)
    let occlusion = Occlusion(
      height: picture.height, width: picture.width, patch: options.patch, stride: options.stride)
    // A patch of the picture's mean colour.
    let means = (0..<picture.channels).map { channel in
      Float(
        stride(from: channel, to: picture.values.count, by: picture.channels).reduce(0.0) {
          $0 + Double(picture.values[$1])
        } / Double(max(1, picture.area)))
    }
    let covered = try scores(
      occlusion.patches.lazy.map { patch in
        var values = picture.values
        for row in patch.rows {
          for column in patch.columns {
            for channel in 0..<picture.channels {
              values[(row * picture.width + column) * picture.channels + channel] = means[channel]
            }
          }
        }
        return layout(values, picture)
      }, target)
    return explanation(target, "occlusion", nil, occlusion.map(score: target.score, covered: covered))
  }

  func attribute(_ target: Target, _ options: ExplanationOptions) throws -> Explanation {
    let plan = try plan(by: [inputTensor])
    func gradient(_ values: [Float]) throws -> [Float] {
      try plan.run([try Tensor(shape: input.shape, values: values), target.seed], threads: threads)[1].values
    }
    func mean(_ count: Int, _ picture: (Int) -> [Float]) throws -> [Float] {
      var sums = Array(repeating: 0.0, count: input.count)
      for number in 0..<max(1, count) {
        for (place, value) in try gradient(picture(number)).enumerated() { sums[place] += Double(value) }
      }
      return sums.map { Float($0 / Double(max(1, count))) }
    }
    let values = input.values
    switch options.method {
    case "saliency":
      let map = InputAttribution.saliency(try planes(values: try gradient(values)))
      return explanation(target, options.method, nil, map)
    case "smoothgrad":
      let range = (values.max() ?? 0) - (values.min() ?? 0)
      var normal = NormalNumbers(seed: options.seed)
      let gradient = try mean(options.samples) { _ in
        values.map { $0 + options.noise * range * Float(normal.next()) }
      }
      let note =
        "the mean of \(options.samples) pictures with noise of \(options.noise) of the range, seed \(options.seed)"
      return explanation(
        target, options.method, nil, InputAttribution.saliency(try planes(values: gradient)), notes: [note])
    default:
      let path = InputAttribution.path(steps: max(1, options.steps))
      let gradient = try mean(path.count) { number in values.map { $0 * path[number] } }
      let zero = Array(repeating: Float(0), count: values.count)
      let map = InputAttribution.integrated(
        try planes(values: values), baseline: zero, meanGradient: try planes(values: gradient).values)
      let difference = Double(target.score - (try scores([zero], target)[0]))
      let gap = map.values.reduce(0.0) { $0 + Double($1) } - difference
      return explanation(
        target, options.method, nil, map, gap: difference == 0 ? nil : gap / difference,
        notes: ["\(path.count) steps from an input of zeros"])
    }
  }

  // MARK: Layouts

  private func planes(values: [Float]) throws -> Planes {
    try planes(try Tensor(shape: input.shape, values: values), model.dataFormat)
  }

  private func planes(_ tensor: Tensor, _ format: DataFormat) throws -> Planes {
    let last = format == .channelsFirst ? try tensor.transposed([0, 2, 3, 1]) : tensor
    return Planes(height: last.shape[1], width: last.shape[2], channels: last.shape[3], values: last.values)
  }

  /// Numbers (height, width, channels) as the network's input lies in memory.
  private func layout(_ values: [Float], _ picture: Planes) -> [Float] {
    guard model.isChannelsFirst else { return values }
    return (0..<picture.channels).flatMap { channel in
      (0..<picture.area).map { values[$0 * picture.channels + channel] }
    }
  }
}
