import H5ConvDiagnostics
import H5ConvGraph
import H5ConvTensors

/// How the outputs of a layer of two models stand to each other, over all inputs.
public struct ActivationDifference: Sendable {
  /// The layer in the first model, as results are named.
  public let layer: String
  /// The layer's class.
  public let className: String
  /// Whether the outputs have the same shapes; only then are elements compared.
  public let hasSameShape: Bool
  /// What the comparison of elements found; nil for other shapes.
  public internal(set) var elements: ElementDifference?

  /// Whether the layer departs: the shapes differ, or elements are further apart than the tolerance.
  public var isDeparture: Bool { !hasSameShape || elements?.isWithinTolerance == false }
}

/// What the layers of two models compute for the same inputs.
public struct ActivationComparison: Sendable {
  /// The layers that both models have, in the first one's execution order.
  public private(set) var layers: [ActivationDifference] = []
  /// What was done to the pictures, each once.
  public private(set) var preprocess: [String] = []
  /// Number of layers that both have and one of them cannot run.
  public let notRunCount: Int

  /// The first layer in execution order that departs: what follows may only be a consequence.
  public var firstDeparture: ActivationDifference? { layers.first(where: \.isDeparture) }

  init(
    _ a: Model, _ b: Model, names: [String: String], inputs: [String], _ options: ImageOptions, tolerance: Tolerance,
    threads: Int?
  ) throws {
    func other(_ key: String) -> String {
      // conv1@1 and conv1:1 are calls and outputs of conv1.
      let cut = key.lastIndex { $0 == "@" || $0 == ":" }
      guard names[key] == nil, let cut, let name = names[String(key[..<cut])] else {
        return renamed(key, names[key])
      }
      return renamed(String(key[..<cut]), name) + key[cut...]
    }
    func renamed(_ key: String, _ name: String?) -> String {
      guard let name else { return key }
      return key.lastIndex(of: "/").map { key[...$0] + name } ?? name
    }
    let tapsB = Dictionary(b.graph.taps.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let common = a.graph.taps.compactMap { tap in
      tap.isInput ? nil : tapsB[other(tap.key)].map { (a: tap, b: $0) }
    }
    let (runnableA, runnableB) = (
      ActivationComparison.runnableCalls(a.graph), ActivationComparison.runnableCalls(b.graph)
    )
    let run = common.filter { runnableA[$0.a.tensor.call] && runnableB[$0.b.tensor.call] }
    notRunCount = common.count - run.count
    guard !run.isEmpty else {
      throw H5ConvError(
        .unsupported, "the models have no layer in common that can be run", remedy: "leave --input out", file: b.path)
    }
    let slices = (SubModel(a, run.map(\.a)), SubModel(b, run.map(\.b)))
    for item in try a.inputItems(inputs) {
      let (tensors, note) = try a.load(item, options)
      if !preprocess.contains(note) { preprocess.append(note) }
      let results = (
        try slices.0.run(tensors, threads: threads),
        try slices.1.run(ActivationComparison.ordered(tensors, a, b), threads: threads)
      )
      add(results.0, results.1, tolerance)
    }
  }

  private mutating func add(_ a: [Activation], _ b: [Activation], _ tolerance: Tolerance) {
    let isFirst = layers.isEmpty
    for (place, (first, second)) in zip(a, b).enumerated() {
      let isSame = first.tensor.shape == second.tensor.shape
      let elements = isSame ? ElementDifference.between(first.tensor, second.tensor, tolerance) : nil
      if isFirst {
        layers.append(
          ActivationDifference(
            layer: first.name, className: first.className, hasSameShape: isSame, elements: elements))
      } else if let elements {
        layers[place].elements?.add(elements)
      }
    }
  }

  /// The first model's inputs in the order of the second's: by name, or by place where the names differ.
  private static func ordered(_ tensors: [Tensor], _ a: Model, _ b: Model) -> [Tensor] {
    let names = a.inputs.map(\.name)
    let places = b.inputs.map { names.firstIndex(of: $0.name) }
    guard places.count == tensors.count, !places.contains(nil) else { return tensors }
    return places.compactMap { $0.map { tensors[$0] } }
  }

  /// For each call whether it and everything that it needs can be run.
  private static func runnableCalls(_ graph: Graph) -> [Bool] {
    var runnable: [Bool] = []
    // In execution order: what a call needs comes before it.
    for call in graph.calls {
      let isRun = if case .success = call.applied { true } else { false }
      runnable.append(isRun && call.inputs.allSatisfy { runnable[$0.call] })
    }
    return runnable
  }
}
