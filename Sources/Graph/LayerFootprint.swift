package import H5ConvLayers
import H5ConvTensors

/// What a layer or nested model costs in one run, all its calls together, and what its first output sees of the picture.
package struct LayerFootprint: Sendable, Equatable {
  /// As in ``Footprint/Call``.
  package var multiplyAccumulates: Int?
  /// Bytes of the outputs of the first call, as float32, for one example.
  package var memory: Int?
  /// For each spatial axis of the picture; empty when they are not known.
  package var reaches: [Reach?]
}

extension Footprint {
  /// The footprints of layers and nested models by path; nothing for those that are not understood.
  package func layers(of graph: Graph) -> [[String]: LayerFootprint] {
    var layers: [[String]: LayerFootprint] = [:]
    for (number, call) in graph.calls.enumerated() {
      guard let footprint = calls[number] else { continue }
      let path = graph.layers[call.layer].path
      if let known = layers[path] {
        layers[path]?.multiplyAccumulates = sum(known.multiplyAccumulates, footprint.multiplyAccumulates)
      } else {
        layers[path] = LayerFootprint(
          multiplyAccumulates: footprint.multiplyAccumulates, memory: footprint.memory, reaches: footprint.reaches)
      }
    }
    for call in graph.modelCalls where layers[call.path] == nil {
      let inner = graph.layers.filter { $0.path.starts(with: call.path) && $0.path.count > call.path.count }
      let parts = inner.map { layers[$0.path] }
      let outputs = call.outputs.compactMap { calls[$0.call]?.shapes[safely: $0.output] }
      layers[call.path] = LayerFootprint(
        multiplyAccumulates: parts.reduce(0) { sum($0, $1?.multiplyAccumulates) },
        memory: outputs.count == call.outputs.count
          ? Call(shapes: outputs, multiplyAccumulates: 0, reaches: []).memory : nil,
        reaches: call.outputs.first.flatMap { calls[$0.call]?.reaches } ?? [])
    }
    return layers
  }

  /// Multiply-accumulate operations of the whole graph; nil when one call's are not known.
  package var multiplyAccumulates: Int? { calls.reduce(0) { sum($0, $1?.multiplyAccumulates) } }
}

private func sum(_ a: Int?, _ b: Int?) -> Int? { a.flatMap { a in b.map { a.clampedSum($0) } } }

extension Array {
  fileprivate subscript(safely place: Int) -> Element? { indices.contains(place) ? self[place] : nil }
}
