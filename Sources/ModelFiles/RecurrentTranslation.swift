import H5ConvConfig
import H5ConvLayers

extension ModelTranslator {
  /// Brings a recurrent layer, or one that wraps one, into words of the dialect.
  mutating func translateRecurrence(_ layer: inout LayerSpec, _ name: String) {
    guard !RecurrentPart.all(in: layer.className, layer.config).isEmpty, layer.className != "TimeDistributed" else {
      return
    }
    separateInitialState(&layer, name)
    if layer.className == "Bidirectional" { stateBackwardLayer(&layer) }
  }

  /// `[x, h, c]` as the one argument of a recurrent layer of Keras 2: the states have an argument of their own in Keras 3.
  private mutating func separateInitialState(_ layer: inout LayerSpec, _ name: String) {
    for place in layer.calls.indices {
      // tf.keras writes the arguments that were not given, of which Keras 3 knows one no more.
      layer.calls[place].arguments.keywords.removeAll {
        ["initial_state", "constants"].contains($0.name) && $0.value.value?.isNull == true
      }
      let arguments = layer.calls[place].arguments
      guard arguments.positional.count == 1, case .list(let items) = arguments.positional[0], items.count > 1 else {
        continue
      }
      guard dialect == .keras3 else {
        configs.problem(name, "initial states, which Keras 2 and 3 write differently")
        return
      }
      layer.calls[place].arguments.positional = [items[0]]
      layer.calls[place].arguments.keywords.append(
        KeywordArgument(name: "initial_state", value: .list(Array(items.dropFirst()))))
    }
  }

  /// Keras 3 makes no backward layer of one that itself goes backwards; it is stated then.
  private func stateBackwardLayer(_ layer: inout LayerSpec) {
    guard layer.config["backward_layer"]?.object == nil, var backward = layer.config["layer"]?.object,
      var config = backward["config"]?.object, config["go_backwards"] == true
    else { return }
    config["go_backwards"] = false
    config["name"] = .string("backward_" + (config["name"]?.string ?? layer.name))
    backward["config"] = .object(config)
    layer.config["backward_layer"] = .object(backward)
  }

  /// A layer that has time before the batch, which Keras 3 has not: the axes are exchanged around it.
  mutating func turnTimeMajor(
    _ layer: inout LayerSpec, _ name: String, _ taken: inout Set<String>
  ) -> (before: [LayerSpec], after: [LayerSpec]) {
    guard layer.config["time_major"] == true, RecurrentPart.all(in: layer.className, layer.config).count == 1 else {
      return ([], [])
    }
    guard dialect == .keras3 else {
      configs.problem(name, "Keras 3 takes no time_major")
      return ([], [])
    }
    layer.config["time_major"] = false
    func exchange(_ name: String, _ calls: [LayerCall], isChained: Bool) -> LayerSpec {
      LayerSpec(
        name: name, className: "Transpose", module: OperationModules.module(of: "Transpose"),
        registeredName: "Transpose",
        config: ["name": .string(name), "axes": [1, 0, 2]], isTrainable: true, nested: nil, calls: calls,
        isChained: isChained)
    }
    // States come behind the sequence, and stay.
    let sequences = layer.calls.map { call in
      LayerCall(CallArguments(call.arguments.positional.first.map { [$0] } ?? []))
    }
    let before = exchange(ModelTranslator.fresh(layer.name + "_batch_major", &taken), sequences, isChained: false)
    for place in layer.calls.indices where !layer.calls[place].arguments.positional.isEmpty {
      layer.calls[place].arguments.positional[0] = .tensor(TensorReference(layer: before.name, call: place, output: 0))
    }
    configs.note(name, "time_major, which Keras 3 does not have, is a Transpose before and behind the layer now")
    guard layer.config["return_sequences"] == true else { return ([before], []) }
    let after = exchange(ModelTranslator.fresh(layer.name + "_time_major", &taken), layer.following, isChained: true)
    return ([before], [after])
  }

  /// What becomes of the weights of recurrent layers: gates whose weights and biases are multiplied by 1.2 give through Keras 3's
  /// hard_sigmoid what they gave before, and those of CuDNN's layers get the form of others.
  mutating func changeWeights(_ layer: inout LayerSpec, path: [String], _ name: String) {
    let parts = RecurrentPart.all(in: layer.className, layer.config)
    for part in parts {
      if part.isCuDNN {
        weightChanges[path, default: []].append(WeightChange(owner: part.owner, kind: .fromCuDNN(gates: part.gates)))
      }
      guard part.hasHardGates(configs.generation) || part.hasHardCandidate else { continue }
      // The portable form is of both, where the word means two things.
      guard dialect == .keras3 else {
        configs.problem(name, "hard_sigmoid means something else in Keras \(configs.generation < 3 ? 3 : 2)")
        continue
      }
      guard configs.generation < 3 else { continue }
      guard let factors = part.factors(configs.generation) else {
        configs.problem(
          name, "its activation is hard_sigmoid, which gives other numbers in Keras 3: 1.2·x goes where x went before")
        continue
      }
      weightChanges[path, default: []].append(WeightChange(owner: part.owner, kind: .scaled(factors)))
      configs.note(
        name, "the gates' weights are multiplied by 1.2, so that Keras 3's hard_sigmoid gives what Keras 2's gave",
        concernsWeights: true)
    }
  }
}
