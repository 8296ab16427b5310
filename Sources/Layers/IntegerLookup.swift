import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// The places of whole numbers in a vocabulary, or the other way round; numbers outside it share the places before it.
struct IntegerLookup: Layer {
  /// The mask, which has place 0, and the vocabulary.
  private let tokens: [Float]
  private let hasMask: Bool
  /// Places for numbers outside the vocabulary.
  private let strangers: Int
  private let stranger: Float
  private let inverts: Bool
  private let encoding: Encoding
  private let depth: Int

  init(_ config: ConfigReader) throws {
    guard config["vocabulary"]?.array != nil else {
      throw config.error("vocabulary", "is missing; one that was adapted is not read", kind: .unsupported)
    }
    strangers = try config.int("num_oov_indices", default: 1, in: 0...sizeLimit)
    if strangers > 1, try config.string("oov_method", default: "floormod") != "floormod" {
      throw config.error("oov_method", "by hashes is not supported", kind: .unsupported)
    }
    let mask = config.has("mask_token") ? Float(try config.float("mask_token")) : nil
    let stranger = Float(try config.float("oov_token", default: -1))
    (hasMask, self.stranger) = (mask != nil, stranger)
    let special = (mask.map { [$0] } ?? []) + Array(repeating: stranger, count: strangers)
    var vocabulary = try config.floats("vocabulary").map { Float($0) }
    // A vocabulary may have the special tokens in front.
    if vocabulary.starts(with: special) { vocabulary.removeFirst(special.count) }
    tokens = (mask.map { [$0] } ?? []) + vocabulary
    inverts = try config.bool("invert", default: false)
    encoding = try Encoding(config, default: "int")
    let size = tokens.count + strangers
    depth = try config.bool("pad_to_max_tokens", default: false) ? config.int("max_tokens", in: size...sizeLimit) : size
    if inverts, encoding != .int { throw config.error("output_mode", "must be int when invert is true") }
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [try encoding.shape(try single(inputs), depth: depth)]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shape = inputs[0].shape
    let column = lowering.emit(.reshape, inputs, shape: shape + [1])
    let first = hasMask ? 1 : 0
    // (token, place) of everything that is known.
    let places = tokens.indices.map { Float($0 < first ? 0 : $0 + strangers) }
    let (from, to) = inverts ? (places, tokens) : (tokens, places)
    let isToken = try lowering.combine(.equal, column, lowering.constant(from, shape: [from.count]))
    let found = try lowering.binary(.multiply, isToken, lowering.constant(to, shape: [to.count]))
    let axis = shape.count
    let sum = lowering.emit(.tensor(.reduce(.sum, axes: [axis])), [found], shape: shape)
    let isKnown = lowering.emit(.tensor(.reduce(.any, axes: [axis])), [isToken], shape: shape)
    var other = lowering.number(inverts ? stranger : strangers == 0 ? -1 : Float(first))
    if strangers > 1, !inverts {
      let rest = try lowering.combine(.remainder, inputs[0], lowering.number(Float(strangers)))
      other = lowering.scaled(rest, by: 1, plus: Float(first))
    }
    let result = try lowering.select(isKnown, sum, other)
    return [try encoding.lower(result, depth: depth, to: &lowering)]
  }
}
