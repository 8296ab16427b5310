import H5ConvConfig
import H5ConvLayers

/// One call of a layer.
struct CallPlace: Hashable {
  let layer: String
  let call: Int
}

/// A mask (batch, time) that Keras 2 sends along with a tensor.
struct TensorMask: Equatable {
  /// Makers and departures that one mask may have; with more it is nobody's.
  static let limit = 256

  /// The layers that made it; a step counts when it counts for all of them.
  var makers: Set<CallPlace> = []
  /// Whether it can be computed anew from what goes into its makers.
  var isPlain = true
  /// Where Keras 3 would get another mask, or none.
  var departures: Set<CallPlace> = []
}

/// Follows masks through a functional model as Keras 2 sends them, and finds where Keras 3 would send others.
///
/// Merging layers join masks with "and" in Keras 2, those that there are; in Keras 3 with "or", and only where all inputs have
/// one. A recurrent layer of Keras 3 that is given states does not see the mask of its sequence, and a MultiHeadAttention takes
/// the masks off its inputs. Source: `compute_mask` of both, `Layer.__call__` in keras/src/layers/layer.py.
struct MaskFlow {
  /// Merging layers that need a mask of their own, and what it is.
  private(set) var joins: [CallPlace: TensorMask] = [:]
  /// Recurrent layers that need to be given the mask of their sequence.
  private(set) var given: [CallPlace: TensorMask] = [:]
  /// Attention layers that take a mask off a tensor that others look at.
  private(set) var attention: [CallPlace: [TensorReference]] = [:]
  /// Merging layers whose numbers Keras 3 would change where steps do not count: they must not see the masks of these inputs.
  private(set) var bare: [CallPlace: [TensorReference]] = [:]
  /// Layers that must not see the masks of these inputs, since Keras 3 would hand on what Keras 2 drops.
  private(set) var dropping: [CallPlace: [TensorReference]] = [:]
  /// Layers whose result depends on a mask that Keras 3 would not send, and that cannot be given one.
  private(set) var lost: [CallPlace] = []
  private(set) var outputMasks: [TensorMask?] = []

  private var masks: [TensorReference: TensorMask] = [:]
  private var isLost: Set<CallPlace> = []
  private var candidates: [CallPlace: TensorMask] = [:]
  /// Inputs with a mask that Keras 2 drops at a call, and Keras 3 hands on.
  private var dropped: [CallPlace: [TensorReference]] = [:]

  /// - Parameter inputs: masks that come with the inputs, by the names of their layers.
  init(_ model: Architecture, inputs: [String: TensorMask] = [:], depth: Int = 0) {
    var users: [TensorReference: [(place: CallPlace, className: String)]] = [:]
    for (place, layer) in model.callsInOrder {
      let className = LayerRegistry.kerasName(ConfigReader.plainName(layer.className))
      let call = layer.calls[place.call]
      for reference in Set(call.inputs) { users[reference, default: []].append((place, className)) }
      let given = call.inputs.map { masks[$0] }
      for (output, mask) in results(of: layer, className, at: place, call, given, inputs, depth: depth).enumerated() {
        masks[TensorReference(layer: place.layer, call: place.call, output: output)] = mask
      }
    }
    outputMasks = model.outputs.map { masks[$0] }
    for (reference, found) in users where masks[reference] != nil {
      let heads = found.filter { $0.className == "MultiHeadAttention" }
      guard !heads.isEmpty,
        found.contains(where: { MaskRule.of($0.className, generation: 2) != .drops && $0.place != heads[0].place })
      else { continue }
      for head in heads { attention[head.place, default: []].append(reference) }
    }
  }

  var needsNothing: Bool {
    joins.isEmpty && given.isEmpty && attention.isEmpty && bare.isEmpty && dropping.isEmpty && lost.isEmpty
  }

  // MARK: - One call

  /// The masks of a call's outputs.
  private mutating func results(
    of layer: LayerSpec, _ className: String, at place: CallPlace, _ call: LayerCall, _ given: [TensorMask?],
    _ inputs: [String: TensorMask], depth: Int
  ) -> [TensorMask?] {
    if className == "InputLayer" { return [inputs[layer.name]] }
    if let nested = layer.nested { return results(of: nested, at: place, given, depth: depth) }
    let first = given.first ?? nil
    if OperationTranslator.function(of: layer) != nil { return [unwanted(given, call, at: place)] }
    switch className {
    case "Masking": return [TensorMask(makers: [place])]
    case "Embedding": return [layer.config["mask_zero"] == true ? TensorMask(makers: [place]) : nil]
    case "Multiply", "Maximum", "Minimum":
      let masked = zip(call.inputs, given).filter { $1 != nil }.map(\.0)
      if !masked.isEmpty { bare[place] = masked }
      return [joined(given, at: place, isLost: true)]
    case "Add", "Subtract", "Average": return [joined(given, at: place)]
    case "Concatenate":
      if (layer.config["axis"]?.integer ?? -1) == -1 { return [joined(given, at: place)] }
      guard first != nil else { return [nil] }
      // Along the time, as in Keras 3.
      return [TensorMask(makers: [place], isPlain: false, departures: given.departures)]
    case "Rescaling", "Normalization": return [unwanted(given, call, at: place)]
    case "Lambda": return [nil]
    default: break
    }
    let parts = RecurrentPart.all(in: className, layer.config)
    if !parts.isEmpty, className != "TimeDistributed" {
      if let first, call.inputs.count > 1 {
        if first.isPlain { self.given[place] = first } else { lose(place) }
      } else {
        look(at: [first], from: place)
      }
      let options = className == "Bidirectional" ? layer.config["layer"]?["config"]?.object : layer.config
      return [options?["return_sequences"] == true ? first : nil]
    }
    let inner = layer.config["layer"]?["class_name"]?.string.map(ConfigReader.plainName)
    if MaskRule.of(className == "TimeDistributed" ? inner ?? className : className, generation: 2).looksAtMask {
      look(at: given, from: place)
    }
    switch MaskRule.of(className, generation: 2) {
    case .passes: return [first]
    case .own: return [className.hasPrefix("Global") ? nil : first]
    case .drops, .refuses: return [nil]
    }
  }

  private func results(
    of model: Architecture, at place: CallPlace, _ given: [TensorMask?], depth: Int
  ) -> [TensorMask?] {
    guard model.kind == .functional || model.inputs.count == 1, depth < 64 else { return [] }
    var inputs: [String: TensorMask] = [:]
    for (input, mask) in zip(model.inputs, given) { inputs[input.layer] = mask }
    return MaskFlow(model, inputs: inputs, depth: depth + 1).outputMasks.map { mask in
      mask.map { TensorMask(makers: [place], isPlain: false, departures: $0.departures.isEmpty ? [] : [place]) }
    }
  }

  /// A mask that Keras 2 drops at a call and Keras 3 hands on.
  private mutating func unwanted(_ given: [TensorMask?], _ call: LayerCall, at place: CallPlace) -> TensorMask? {
    let masked = zip(call.inputs, given).filter { $1 != nil }.map(\.0)
    guard !masked.isEmpty else { return nil }
    dropped[place] = masked
    return TensorMask(isPlain: false, departures: [place])
  }

  /// What a merging layer makes of its inputs' masks.
  ///
  /// - Parameter isLost: whether Keras 3 sends none at all.
  private mutating func joined(_ given: [TensorMask?], at place: CallPlace, isLost: Bool = false) -> TensorMask? {
    let found = given.compactMap { $0 }
    guard let first = found.first else { return nil }
    // What Keras 2 has no mask for counts everywhere.
    let real = found.filter { !$0.makers.isEmpty }
    var mask = TensorMask(
      makers: real.reduce(into: []) { $0.formUnion($1.makers) }, isPlain: real.allSatisfy(\.isPlain))
    guard !real.isEmpty else {
      // Keras 2 sends none: neither does Keras 3 when those that it hands on are taken off.
      mask.departures = found.departures
      mask.isPlain = false
      if mask.departures.count > TensorMask.limit { mask.departures = [place] }
      return mask
    }
    if mask.makers.count > TensorMask.limit { mask = TensorMask(makers: [place], isPlain: false) }
    if isLost || given.contains(nil) || found.contains(where: { $0.makers != first.makers || !$0.departures.isEmpty }) {
      candidates[place] = mask
      mask.departures = [place]
    }
    return mask
  }

  private mutating func lose(_ place: CallPlace) { if isLost.insert(place).inserted { lost.append(place) } }

  /// Notes that the result of the call at `place` depends on `masks`.
  private mutating func look(at masks: [TensorMask?], from place: CallPlace) {
    for departure in masks.compactMap({ $0 }).departures {
      if let references = dropped[departure] {
        dropping[departure] = references
        continue
      }
      guard let mask = candidates[departure], mask.isPlain, !mask.makers.isEmpty else {
        lose(place)
        continue
      }
      joins[departure] = mask
    }
  }
}

extension Architecture {
  /// All calls, each behind those that it takes something from; calls in a circle are left out.
  var callsInOrder: [(CallPlace, LayerSpec)] {
    var waiting: [CallPlace: Int] = [:]
    var users: [CallPlace: [CallPlace]] = [:]
    var ready: [CallPlace] = []
    let byName = Dictionary(layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for layer in layers {
      for call in layer.calls.indices {
        let place = CallPlace(layer: layer.name, call: call)
        let sources = Set(layer.calls[call].inputs.map { CallPlace(layer: $0.layer, call: $0.call) })
        waiting[place] = sources.count
        for source in sources { users[source, default: []].append(place) }
        if sources.isEmpty { ready.append(place) }
      }
    }
    var order: [(CallPlace, LayerSpec)] = []
    while let place = ready.popLast() {
      guard let layer = byName[place.layer] else { continue }
      order.append((place, layer))
      for user in users[place] ?? [] {
        waiting[user, default: 1] -= 1
        if waiting[user] == 0 { ready.append(user) }
      }
    }
    return order
  }
}

extension Sequence<TensorMask?> {
  fileprivate var departures: Set<CallPlace> { reduce(into: []) { $0.formUnion($1?.departures ?? []) } }
}
extension Sequence<TensorMask> {
  fileprivate var departures: Set<CallPlace> { reduce(into: []) { $0.formUnion($1.departures) } }
}
