import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// MultiHeadAttention and GroupedQueryAttention: several attentions side by side, on projections of query, key and value.
///
/// Kernels (features, heads, size), biases (heads, size); the output's kernel (heads, size, features). Scores are divided by the root
/// of the key's size.
struct MultiHeadAttention: Layer {
  private let heads: Int
  /// Heads of key and value; each serves as many heads of the query.
  private let keyHeads: Int
  private let keySize: Int
  private let valueSize: Int
  private let outputShape: [Int]?
  private let usesBias: Bool
  private let usesGate: Bool
  private let window: Int?
  private let attentionAxes: [Int]?
  private let isGrouped: Bool
  private let generation: Int
  private let hasDropout: Bool
  private var call = Call()

  /// What one call gives: places among its inputs.
  private struct Call: Sendable {
    var query = 0
    var value = 1
    var key: Int?
    var masks: [String: Int] = [:]
    var isCausal = false
    var returnsScores = false
  }

  init(_ config: ConfigReader) throws { try self.init(config, isGrouped: false) }

  init(_ config: ConfigReader, isGrouped: Bool) throws {
    self.isGrouped = isGrouped
    heads = try config.int(isGrouped ? "num_query_heads" : "num_heads", in: 1...sizeLimit)
    keyHeads = isGrouped ? try config.int("num_key_value_heads", in: 1...sizeLimit) : heads
    if heads % keyHeads != 0 {
      throw config.error("num_query_heads", "\(heads) is not a multiple of \(keyHeads) heads of the keys")
    }
    keySize = try config.int(isGrouped ? "head_dim" : "key_dim", in: 1...sizeLimit)
    valueSize = isGrouped ? keySize : try config.int("value_dim", default: keySize, in: 1...sizeLimit)
    usesBias = try config.bool("use_bias", default: true)
    usesGate = try config.bool("use_gate", default: false)
    window = config.has("sliding_window") ? try config.int("sliding_window", in: 1...sizeLimit) : nil
    outputShape = !isGrouped && config.has("output_shape") ? try config.ints("output_shape") : nil
    if let outputShape, !outputShape.allSatisfy({ (1...sizeLimit).contains($0) }) || outputShape.isEmpty {
      throw config.error("output_shape", "\(outputShape) is no shape")
    }
    attentionAxes = !isGrouped && config.has("attention_axes") ? try config.ints("attention_axes") : nil
    hasDropout = try config.float("dropout", default: 0) != 0
    generation = config.generation
  }

  func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    func tensor(_ name: String, _ place: Int?) throws -> Int? {
      guard let argument = arguments.argument(name, at: place) else { return nil }
      if let tensor = argument.tensor { return tensor }
      guard argument.value?.isNull == true else {
        throw H5ConvError(.unsupported, "\(name) is something else than a tensor, which is not supported")
      }
      return nil
    }
    guard let query = try tensor("query", 0), let value = try tensor("value", 1) else {
      throw H5ConvError(.badData, "a call without query and value")
    }
    if hasDropout, arguments.argument("training")?.value?.bool == true {
      throw H5ConvError(.unsupported, "a call with training=True is not supported")
    }
    var call = Call()
    (call.query, call.value, call.key) = (query, value, try tensor("key", 2))
    // Up to Keras 2 attention_mask is the fourth argument, since Keras 3 the masks of query, value and key come before it.
    let names = generation < 3 ? ["attention_mask"] : ["query_mask", "value_mask", "key_mask", "attention_mask"]
    for (number, name) in names.enumerated() {
      if let place = try tensor(name, 3 + number) { call.masks[name] = place }
    }
    call.isCausal = arguments.argument("use_causal_mask")?.value?.bool ?? false
    call.returnsScores = arguments.argument("return_attention_scores")?.value?.bool ?? false
    var copy = self
    copy.call = call
    return copy
  }

  private func shapes(_ inputs: [PartialShape]) throws -> (query: PartialShape, value: PartialShape, key: PartialShape)
  {
    let places = [call.query, call.value, call.key ?? 0] + call.masks.values
    guard places.allSatisfy(inputs.indices.contains) else {
      throw H5ConvError(.badData, "\(inputs.count) inputs where more were expected")
    }
    let (query, value) = (inputs[call.query], inputs[call.value])
    let key = call.key.map { inputs[$0] } ?? value
    guard query.rank >= 3, value.rank == query.rank, key.rank == query.rank else {
      throw H5ConvError(.unsupported, "query, value and key of shapes \(query), \(value), \(key)")
    }
    if query.rank > 3,
      isGrouped || call.returnsScores || !call.masks.isEmpty || call.isCausal || window != nil
        || !isOverAllAxes(query.rank)
    {
      throw H5ConvError(.unsupported, "masks, scores and attention_axes of a query with \(query.rank) axes")
    }
    for axis in 1..<query.rank - 1 {
      if let a = value[axis], let b = key[axis], a != b { throw H5ConvError(.badData, "\(a) values and \(b) keys") }
    }
    return (query, value, key)
  }

  private func isOverAllAxes(_ rank: Int) -> Bool {
    guard let attentionAxes else { return true }
    return Set(attentionAxes.map { $0 < 0 ? $0 + rank : $0 }) == Set(1..<rank - 1)
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let (query, _, key) = try shapes(inputs)
    let features: [Int?] = outputShape ?? [query.sizes.last ?? nil]
    return [PartialShape(query.sizes.dropLast() + features)]
      + (call.returnsScores ? [[query[0], heads, query[1], key[1]]] : [])
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let (query, value, key) = try shapes(inputs)
    func projection(_ name: String, _ input: PartialShape, _ heads: Int, _ size: Int, owner: String) -> [WeightSpec] {
      specs(name, [input.sizes.last ?? nil, heads, size], bias: [heads, size], owner: owner)
    }
    let output: [Int?] = outputShape ?? [query.sizes.last ?? nil]
    // GroupedQueryAttention keeps its parts in private attributes.
    let prefix = isGrouped ? "_" : ""
    return projection("query", query, heads, keySize, owner: prefix + "query_dense")
      + projection("key", key, keyHeads, keySize, owner: prefix + "key_dense")
      + (usesGate ? projection("gate", query, heads, valueSize, owner: "_gate_dense") : [])
      + projection("value", value, keyHeads, valueSize, owner: prefix + "value_dense")
      + specs(
        "attention_output", [heads, valueSize] + output, bias: output, owner: prefix + "output_dense")
  }

  private func specs(_ name: String, _ kernel: [Int?], bias: [Int?], owner: String) -> [WeightSpec] {
    [WeightSpec(name + "_kernel", PartialShape(kernel), aliases: ["kernel"], owner: [owner])]
      + (usesBias ? [WeightSpec(name + "_bias", PartialShape(bias), aliases: ["bias"], owner: [owner])] : [])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shapes = try knownOutputShapes(for: inputs)
    let (query, value) = (inputs[call.query], inputs[call.value])
    let key = call.key.map { inputs[$0] } ?? value
    let q = split(project(query, "query", heads, keySize, in: &lowering), heads, keySize, in: &lowering)
    let k = split(project(key, "key", keyHeads, keySize, in: &lowering), keyHeads, keySize, in: &lowering)
    let v = split(project(value, "value", keyHeads, valueSize, in: &lowering), keyHeads, valueSize, in: &lowering)
    let (batch, queries, keys) = (q.shape[0], q.shape[2], k.shape[2])
    let scaled = lowering.emit(.scale(by: 1 / Float(keySize).squareRoot(), plus: 0), [q], shape: q.shape)
    var scores = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: true)), [scaled, k], shape: [batch, heads, queries, keys])
    if let mask = try mask(inputs, queries, keys, in: &lowering) { scores = lowering.masked(scores, mask) }
    let weights = lowering.emit(.softmax(axes: [3]), [scores], shape: scores.shape)
    let mixed = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: false)), [weights, v], shape: [batch, heads, queries, valueSize])
    let turned = lowering.emit(
      .transpose(axes: [0, 2, 1, 3]), [mixed], shape: [batch, queries, heads, valueSize])
    var joined = lowering.emit(.reshape, [turned], shape: [batch, queries, heads * valueSize])
    if usesGate {
      let raw = project(query, "gate", heads, valueSize, in: &lowering)
      let gate = lowering.emit(.activation(.sigmoid), [raw], shape: raw.shape)
      let flat = lowering.emit(.reshape, [gate], shape: joined.shape)
      joined = lowering.emit(.binary(.multiply), [joined, flat], shape: joined.shape)
    }
    let features = Array(shapes[0].dropFirst(query.shape.count - 1))
    let columns = features.reduce(1, *)
    let kernel = lowering.stored("attention_output_kernel", shape: [heads * valueSize, columns])
    var result = lowering.product(joined, kernel)
    if usesBias {
      let bias = lowering.stored("attention_output_bias", shape: [columns])
      result = lowering.emit(.binary(.add), [result, bias], shape: result.shape)
    }
    let output = lowering.emit(.reshape, [result], shape: shapes[0])
    return [output] + (call.returnsScores ? [weights] : [])
  }

  /// The input projected: (batch, positions, heads · size).
  private func project(
    _ input: Value, _ name: String, _ heads: Int, _ size: Int, in lowering: inout Lowering
  ) -> Value {
    let features = input.shape[input.shape.count - 1]
    let positions = input.shape.dropFirst().dropLast().reduce(1, *)
    let flat = lowering.emit(.reshape, [input], shape: [input.shape[0], positions, features])
    let product = lowering.product(flat, lowering.stored(name + "_kernel", shape: [features, heads * size]))
    guard usesBias else { return product }
    let bias = lowering.stored(name + "_bias", shape: [heads * size])
    return lowering.emit(.binary(.add), [product, bias], shape: product.shape)
  }

  /// The projection head by head: (batch, heads of the query, positions, size).
  private func split(_ value: Value, _ count: Int, _ size: Int, in lowering: inout Lowering) -> Value {
    let (batch, positions) = (value.shape[0], value.shape[1])
    let parts = lowering.emit(.reshape, [value], shape: [batch, positions, count, size])
    let turned = lowering.emit(.transpose(axes: [0, 2, 1, 3]), [parts], shape: [batch, count, positions, size])
    guard count != heads else { return turned }
    return lowering.emit(
      .repeatElements(times: [1, heads / count, 1, 1]), [turned], shape: [batch, heads, positions, size])
  }

  /// What of query, value and key is seen: (batch or 1, heads or 1, queries, keys); nil when everything is.
  private func mask(
    _ inputs: [Value], _ queries: Int, _ keys: Int, in lowering: inout Lowering
  ) throws -> Value? {
    func implied(_ place: Int) -> Value? {
      lowering.inputMasks.indices.contains(place) ? lowering.inputMasks[place] : nil
    }
    func explicit(_ name: String) -> Value? { call.masks[name].map { inputs[$0] } }
    let batch = inputs[call.query].shape[0]
    // MultiHeadAttention of Keras 3 looks only at the mask that the query itself brings, and takes the masks off its inputs.
    let ofQuery = isGrouped ? explicit("query_mask") ?? implied(call.query) : implied(call.query)
    let ofValue = explicit("value_mask") ?? implied(call.value)
    let ofKey = explicit("key_mask") ?? call.key.flatMap(implied)
    lowering.outputMasks = ofQuery.map { [$0] } ?? []
    lowering.deletesInputMasks = generation >= 3 && !isGrouped
    guard inputs[call.query].shape.count == 3 || (ofQuery ?? ofValue ?? ofKey) == nil else {
      throw H5ConvError(.unsupported, "a mask for a query with \(inputs[call.query].shape.count) axes is not supported")
    }
    var mask: Value?
    if let ofQuery { mask = lowering.emit(.reshape, [ofQuery], shape: [batch, queries, 1]) }
    for given in [ofValue, ofKey].compactMap({ $0 }) {
      mask = lowering.both(mask, lowering.emit(.reshape, [given], shape: [batch, 1, keys]))
    }
    if call.isCausal { mask = lowering.both(mask, try lowering.causalMask(queries, keys)) }
    if let window { mask = lowering.both(mask, try lowering.windowMask(queries, keys) { abs($0 - $1) < window }) }
    if let given = explicit("attention_mask") { mask = lowering.both(mask, given) }
    guard let mask else { return nil }
    // (batch, queries, keys) holds for all heads.
    guard mask.shape.count == 3 else {
      guard mask.shape.count == 4 else {
        throw H5ConvError(.unsupported, "an attention_mask of shape \(mask.shape) is not supported")
      }
      return mask
    }
    return lowering.emit(.reshape, [mask], shape: [mask.shape[0], 1, mask.shape[1], mask.shape[2]])
  }
}
