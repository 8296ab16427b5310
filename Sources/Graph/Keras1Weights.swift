import H5ConvModelFiles

/// What the names of Keras 1's weights tell: `lstm_1_W_i_2:0` is `W_i` of the layer `lstm_1`, written on TensorFlow, where it was
/// the third of that name.
enum Keras1Weights {
  /// Whether the kernels are Theano's, which turns them over; nothing else in a file of Keras 1 says on what it ran.
  ///
  /// TensorFlow numbers the outputs of what made a variable (`conv_W:0`), Theano has the plain name that Keras gave (`conv_W`).
  /// Numbers for names (`param_0`) are of Theano too: variables of TensorFlow cannot be without a name, and before 1.0, when
  /// all files had numbers, Theano was what Keras ran on unless told otherwise.
  static func areOfTheano(_ weights: LegacyWeights) throws -> Bool {
    for layer in weights.layerNames {
      let names = try weights.weightNames(layer) ?? []
      if names.contains(where: { $0.contains(":") }) { return false }
      if names.contains(where: { $0.hasPrefix("param_") || split($0) != nil }) { return true }
    }
    return false
  }

  /// Names that Keras 1 gives weights behind the layer's name.
  private static let suffixes: Set = [
    "W", "U", "b", "gamma", "beta", "running_mean", "running_std", "alphas", "depthwise_kernel", "pointwise_kernel",
    "W_carry", "b_carry", "t_left", "a_left", "t_right", "a_right", "betas",
    "W_i", "U_i", "b_i", "W_c", "U_c", "b_c", "W_f", "U_f", "b_f", "W_o", "U_o", "b_o",
    "W_z", "U_z", "b_z", "W_r", "U_r", "b_r", "W_h", "U_h", "b_h",
  ]

  /// `inner_conv_W_1:0` → `inner_conv`, `W`; nil for names that Keras 1 does not give.
  private static func split(_ name: String) -> (layer: String, weight: String)? {
    guard let plain = name.split(separator: ":", omittingEmptySubsequences: false).first else { return nil }
    var words = plain.split(separator: "_", omittingEmptySubsequences: false)
    for _ in 0..<2 {
      // The longest suffix that leaves a layer's name; a kernel of a SeparableConvolution2D has two words.
      for count in [2, 1] where words.count > count {
        let suffix = words.suffix(count).joined(separator: "_")
        if suffixes.contains(suffix) { return (words.dropLast(count).joined(separator: "_"), suffix) }
      }
      guard let last = words.last, !last.isEmpty, last.allSatisfy(\.isNumber) else { return nil }
      words.removeLast()
    }
    return nil
  }

  /// The weights under names as today's: `lstm_1/kernel`, the arrays of recurrent layers, one for each gate, joined.
  ///
  /// LSTM had W, U, b for the gates i, c, f, o in this order; Keras since has i, f, c, o side by side. GRU had z, r, h.
  /// - Parameters:
  ///   - expected: the number of weights today.
  ///   - isChannelsFirst: whether kernels of the layer of that name are (outputs, inputs, height, width).
  static func modern(
    _ weights: [(name: String, tensor: StoredTensor)], expected: Int, isChannelsFirst: (String) -> Bool
  ) throws -> [(String, StoredTensor)] {
    let names = weights.map { split($0.name) }
    let isNumbered = weights.count > expected && weights.allSatisfy { $0.name.hasPrefix("param_") }
    let recurrent = Set(names.compactMap { $0?.weight == "U" ? $0?.layer : nil })
    var result: [(String, StoredTensor)] = []
    var place = 0
    while place < weights.count {
      let found = [["i", "c", "f", "o"], ["z", "r", "h"]].first { gates in
        isNumbered
          ? weights.count == expected * gates.count
          : isRun(of: gates, names[place...].map { $0?.weight })
      }
      guard let gates = found else {
        result.append((name(names[place], recurrent) ?? weights[place].name, weights[place].tensor))
        place += 1
        continue
      }
      let order = gates.count == 4 ? [0, 2, 1, 3] : [0, 1, 2]
      let owner = names[place]?.layer ?? weights[place].name
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
    return Set(result.map(\.0)).count == result.count ? result : weights
  }

  private static func name(_ split: (layer: String, weight: String)?, _ recurrent: Set<String>) -> String? {
    guard let (layer, weight) = split else { return nil }
    guard recurrent.contains(layer) else { return "\(layer)/\(weight)" }
    return "\(layer)/\(["W": "kernel", "U": "recurrent_kernel", "b": "bias"][weight] ?? weight)"
  }

  /// Whether `weights` begin with W, U and b of each of `gates`.
  private static func isRun(of gates: [String], _ weights: [String?]) -> Bool {
    let run = gates.flatMap { gate in ["W", "U", "b"].map { "\($0)_\(gate)" } }
    return weights.count >= run.count && zip(weights, run).allSatisfy { $0 == $1 }
  }
}
