import H5ConvModelFiles

/// What the names of Keras 1's weights tell: `lstm_1_W_i:0` is `W_i` of the layer `lstm_1`, written on TensorFlow.
enum Keras1Weights {
  /// Whether the kernels are Theano's, which turns them over; nothing else in a file of Keras 1 says on what it ran.
  ///
  /// TensorFlow numbers the outputs of what made a variable (`conv_W:0`); Theano has the plain name that Keras gave (`conv_W`).
  static func areOfTheano(_ weights: LegacyWeights) throws -> Bool {
    for layer in weights.layerNames {
      let names = try weights.weightNames(layer) ?? []
      if names.contains(where: { $0.contains(":") }) { return false }
      if names.contains(where: { name in ["_W", "_W_i", "_W_z", "_gamma"].contains { name.hasSuffix($0) } }) {
        return true
      }
    }
    return false
  }

  /// `inner_conv_W:0` → `inner_conv/W:0` when there is a layer of that name.
  static func owned(_ name: String, by layers: some Sequence<String>) -> String {
    guard !name.contains("/"),
      let owner = layers.filter({ name.hasPrefix($0 + "_") }).max(by: { $0.count < $1.count })
    else { return name }
    return "\(owner)/\(name.dropFirst(owner.count + 1))"
  }

  /// The arrays of recurrent layers, one for each gate, joined as Keras has them since; other weights as they are.
  ///
  /// LSTM had W, U, b for the gates i, c, f, o in this order; Keras since has i, f, c, o side by side. GRU had z, r, h.
  /// - Parameters:
  ///   - expected: the number of weights today.
  ///   - isChannelsFirst: whether kernels of the layer of that name are (outputs, inputs, height, width).
  static func joinedGates(
    _ weights: [(name: String, tensor: StoredTensor)], expected: Int, isChannelsFirst: (String) -> Bool
  ) throws -> [(String, StoredTensor)] {
    var result: [(String, StoredTensor)] = []
    var place = 0
    while place < weights.count {
      let names = weights[place...].map { plain($0.name) }
      let isNumbered = weights.count > expected && names.allSatisfy { $0.hasPrefix("param_") }
      let found = [["i", "c", "f", "o"], ["z", "r", "h"]].first { gates in
        isNumbered ? weights.count == expected * gates.count : isRun(of: gates, names)
      }
      guard let gates = found else {
        result.append(weights[place])
        place += 1
        continue
      }
      let order = gates.count == 4 ? [0, 2, 1, 3] : [0, 1, 2]
      let owner = isNumbered ? names[0] : String(names[0].dropLast("_W_i".count))
      for (part, field) in ["kernel", "recurrent_kernel", "bias"].enumerated() {
        let parts = order.map { gate in
          let tensor = weights[place + gate * 3 + part].tensor
          return tensor.shape.count == 4 && isChannelsFirst(owner) ? tensor.permuted([2, 3, 1, 0]) : tensor
        }
        let path = "\(owner)/\(field)"
        result.append((path, try StoredTensor.joinedOnLastAxis(parts, path: path)))
      }
      place += gates.count * 3
    }
    return result
  }

  /// Whether `names` begin with W, U and b of each of `gates`.
  private static func isRun(of gates: [String], _ names: [String]) -> Bool {
    let suffixes = gates.flatMap { gate in ["W", "U", "b"].map { "\($0)_\(gate)" } }
    return names.count >= suffixes.count
      && zip(names, suffixes).allSatisfy { $0.hasSuffix("_" + $1) || $0.hasSuffix("/" + $1) }
  }

  /// The name without TensorFlow's number.
  private static func plain(_ name: String) -> String {
    name.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? name
  }
}
