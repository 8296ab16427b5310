import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Attention and AdditiveAttention: for each query the values, weighted by how well their keys match.
///
/// Inputs: query (batch, queries, features), value (batch, values, features), and key like value where it is given; there may be
/// more axes before rows and features, or none.
struct Attention: Layer {
  private enum Score {
    /// q · k
    case dot
    /// The sum of tanh(scale · (q + k)), times a learned number.
    case concat
    /// The sum of scale · tanh(q + k), with a learned scale for each feature.
    case additive
  }

  private let score: Score
  private let usesScale: Bool
  private let isCausal: Bool
  private let generation: Int
  private let hasDropout: Bool
  private var isCausalCall = false
  private var returnsScores = false
  /// Places of query, value and key, and of their masks among the call's inputs.
  private var places = [0, 1]
  private var maskPlaces: [Int?]?

  init(_ config: ConfigReader) throws { try self.init(config, isAdditive: false) }

  init(_ config: ConfigReader, isAdditive: Bool) throws {
    switch isAdditive ? "additive" : try config.string("score_mode", default: "dot") {
    case "additive": score = .additive
    case "dot": score = .dot
    case "concat": score = .concat
    case let other: throw config.error("score_mode", "'\(other)' is neither dot nor concat")
    }
    usesScale = try config.bool("use_scale", default: isAdditive)
    isCausal = try config.bool("causal", default: false)
    hasDropout = try config.float("dropout", default: 0) != 0
    generation = config.generation
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    guard let inputs = arguments.argument("inputs", at: 0), inputs.isTensors, (2...3).contains(inputs.tensors.count)
    else {
      throw H5ConvError(.badData, "a call with other inputs than query, value and key")
    }
    if hasDropout, arguments.argument("training")?.value?.bool == true {
      throw H5ConvError(.unsupported, "a call with training=True is not supported")
    }
    var copy = self
    copy.places = inputs.tensors
    if case .list(let items) = arguments.argument("mask", at: 1) { copy.maskPlaces = items.map(\.tensor) }
    copy.isCausalCall = arguments.argument("use_causal_mask")?.value?.bool ?? false
    copy.returnsScores = arguments.argument("return_attention_scores")?.value?.bool ?? false
    return copy
  }

  /// Query, value and key with one axis before their rows and features.
  private func shapes(_ inputs: [PartialShape]) throws -> (query: PartialShape, value: PartialShape, key: PartialShape)
  {
    guard places.allSatisfy(inputs.indices.contains), (maskPlaces ?? []).allSatisfy({ $0 ?? 0 < inputs.count }) else {
      throw H5ConvError(.badData, "\(inputs.count) inputs where more were expected")
    }
    let given = places.map { inputs[$0] }
    guard given[0].rank >= 2, given.allSatisfy({ $0.rank == given[0].rank }) else {
      throw H5ConvError(
        .unsupported, "query, value and key of shapes \(given.map(\.description).joined(separator: ", "))")
    }
    let before = try leading(inputs)
    if given[0].rank == 3, given.contains(where: { $0[0] != nil && before[0] != nil && $0[0] != before[0] }) {
      throw H5ConvError(
        .unsupported, "inputs of shapes \(given.map(\.description).joined(separator: ", ")), which are broadcast")
    }
    let chosen = given.map { PartialShape([folded(before)] + $0.sizes.suffix(2)) }
    let (query, value, key) = (chosen[0], chosen[1], chosen.count > 2 ? chosen[2] : chosen[1])
    if let a = query[2], let b = key[2], a != b {
      throw H5ConvError(.badData, "a query of \(a) features and a key of \(b)")
    }
    if let a = value[1], let b = key[1], a != b { throw H5ConvError(.badData, "\(a) values and \(b) keys") }
    return (query, value, key)
  }

  /// The axes before rows and features, broadcast: the batch, none, or more.
  ///
  /// Without any the examples attend to each other.
  private func leading(_ inputs: [PartialShape]) throws -> [Int?] {
    try Merging.numpyBroadcast(places.map { PartialShape(inputs[$0].sizes.dropLast(2)) }).sizes
  }

  private func folded(_ sizes: [Int?]) -> Int? {
    sizes.reduce(1) { product, size in
      guard let product, let size else { return nil }
      let (result, overflows) = product.multipliedReportingOverflow(by: size)
      return overflows ? nil : result
    }
  }

  /// Keras 3 declares the query's axes whatever the values are broadcast to.
  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    generation < 3
      ? try computedShapes(for: inputs) : try outputShapes(inputs) { $0[places[0]].sizes.dropLast(2) }
  }

  func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] { try outputShapes(inputs, leading) }

  private func outputShapes(
    _ inputs: [PartialShape], _ leading: ([PartialShape]) throws -> [Int?]
  ) throws -> [PartialShape] {
    let (query, value, key) = try shapes(inputs)
    let before = try leading(inputs)
    return [PartialShape(before + [query[1], value[2]])]
      + (returnsScores ? [PartialShape(before + [query[1], key[1]])] : [])
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let features = try shapes(inputs).query[2]
    return (usesScale ? [WeightSpec("scale", score == .additive ? [features] : [])] : [])
      + (score == .concat ? [WeightSpec("concat_score_weight", [])] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    if inputs[places[0]].shape.count == 3 { return try lowerSequences(inputs, to: &lowering) }
    guard maskPlaces == nil, lowering.inputMasks.allSatisfy({ $0 == nil }) else {
      throw H5ConvError(.unsupported, "a mask for inputs of another form than (batch, time, features) is not supported")
    }
    let shapes = try computedShapes(for: inputs.map { PartialShape($0.shape) })
    let before = try leading(inputs.map { PartialShape($0.shape) }).map { $0 ?? 1 }
    let folded = inputs.enumerated().map { place, value in
      guard places.contains(place) else { return value }
      let rows = Array(value.shape.suffix(2))
      let times = zip(before, value.shape).map { $0 == $1 ? 1 : $0 } + [1, 1]
      let whole = lowering.emit(.repeatElements(times: times), [value], shape: before + rows)
      return lowering.emit(.reshape, [whole], shape: [before.reduce(1, *)] + rows)
    }
    return zip(try lowerSequences(folded, to: &lowering), shapes).map { value, shape in
      lowering.emit(.reshape, [value], shape: shape.known ?? value.shape)
    }
  }

  private func lowerSequences(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let (query, value) = (inputs[places[0]], inputs[places[1]])
    let key = places.count > 2 ? inputs[places[2]] : value
    var scores = scores(query, key, in: &lowering)
    let masks = places.prefix(2).enumerated().map { number, place -> Value? in
      guard let maskPlaces else {
        return lowering.inputMasks.indices.contains(place) ? lowering.inputMasks[place] : nil
      }
      return maskPlaces.indices.contains(number) ? maskPlaces[number].map { inputs[$0] } : nil
    }
    let (batch, queries, keys) = (query.shape[0], query.shape[1], key.shape[1])
    var mask: Value?
    if let given = masks[1] { mask = lowering.emit(.reshape, [given], shape: [batch, 1, keys]) }
    if isCausal || isCausalCall { mask = lowering.both(mask, try lowering.causalMask(queries, keys)) }
    if let mask { scores = lowering.masked(scores, mask) }
    let weights = lowering.emit(.softmax(axes: [2]), [scores], shape: scores.shape)
    var result = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: false)), [weights, value], shape: [batch, queries, value.shape[2]])
    if let given = masks[0] {
      let column = lowering.emit(.reshape, [given], shape: [batch, queries, 1])
      result = lowering.emit(.binary(.multiply), [result, column], shape: result.shape)
      lowering.outputMasks = [given]
    }
    return [result] + (returnsScores ? [weights] : [])
  }

  private func scores(_ query: Value, _ key: Value, in lowering: inout Lowering) -> Value {
    let (batch, queries, keys, features) = (query.shape[0], query.shape[1], key.shape[1], query.shape[2])
    if score == .dot {
      let product = lowering.emit(
        .tensor(.matrixProduct(transposingSecond: true)), [query, key], shape: [batch, queries, keys])
      guard usesScale else { return product }
      let scale = lowering.stored("scale", shape: [1])
      return lowering.emit(.binary(.multiply), [product, scale], shape: product.shape)
    }
    let shape = [batch, queries, keys, features]
    let rows = lowering.emit(.reshape, [query], shape: [batch, queries, 1, features])
    let columns = lowering.emit(.reshape, [key], shape: [batch, 1, keys, features])
    var sum = lowering.emit(.binary(.add), [rows, columns], shape: shape)
    let scale = usesScale ? lowering.stored("scale", shape: [score == .additive ? features : 1]) : nil
    if let scale, score == .concat { sum = lowering.emit(.binary(.multiply), [sum, scale], shape: shape) }
    var bounded = lowering.emit(.activation(.tanh), [sum], shape: shape)
    if let scale, score == .additive { bounded = lowering.emit(.binary(.multiply), [bounded, scale], shape: shape) }
    let total = lowering.emit(.tensor(.reduce(.sum, axes: [3])), [bounded], shape: [batch, queries, keys])
    guard score == .concat else { return total }
    let weight = lowering.stored("concat_score_weight", shape: [1])
    return lowering.emit(.binary(.multiply), [total, weight], shape: total.shape)
  }
}

extension Lowering {
  /// (1, queries, keys): 1 where the key is not behind the query.
  mutating func causalMask(_ queries: Int, _ keys: Int) throws -> Value {
    try windowMask(queries, keys) { $1 <= $0 }
  }

  /// (1, queries, keys): 1 where `isSeen` says so of the places of query and key.
  mutating func windowMask(_ queries: Int, _ keys: Int, _ isSeen: (Int, Int) -> Bool) throws -> Value {
    guard let count = Tensor.elementCount(of: [queries, keys]), count <= Int32.max else {
      throw H5ConvError(.limit, "a mask of \(queries) × \(keys) elements")
    }
    let values = (0..<queries).flatMap { query in (0..<keys).map { isSeen(query, $0) ? Float(1) : 0 } }
    let shape = [1, queries, keys]
    return emit(.parameter(.constant(values, shape: shape)), [], shape: shape)
  }

  /// Both masks joined by and; a missing one hides nothing.
  mutating func both(_ a: Value?, _ b: Value) -> Value {
    guard let a else { return b }
    let rank = max(a.shape.count, b.shape.count)
    let shapes = [a, b].map { Array(repeating: 1, count: rank - $0.shape.count) + $0.shape }
    let aligned = zip([a, b], shapes).map { emit(.reshape, [$0], shape: $1) }
    return emit(.tensor(.combine(.and)), aligned, shape: zip(shapes[0], shapes[1]).map { $0 == 1 ? $1 : $0 })
  }

  /// Scores with a large negative number where the mask is 0: a row without any other becomes the mean, as in Keras.
  mutating func masked(_ scores: Value, _ mask: Value) -> Value {
    let hidden = number(-1e9)
    return emit(.tensor(.select), [mask, scores, hidden], shape: scores.shape)
  }
}
