import H5ConvLayers

extension Architecture {
  /// The layers in the order in which Keras has them after it rebuilt the graph from a config.
  ///
  /// Keras pairs stored weights with layers by this order, so that a config must list them in it. Layers that no output needs
  /// are left out, inputs excepted.
  ///
  /// Source: `map_graph` in keras/src/ops/function.py: layers by decreasing depth below the outputs, those of one depth in the
  /// order in which a search from the outputs to the inputs meets them.
  package func inKerasOrder() -> Architecture {
    guard kind == .functional else { return self }
    let names = Dictionary(layers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    struct Node: Hashable {
      let layer: Int
      let call: Int
    }
    func node(_ reference: TensorReference) -> Node? {
      guard let layer = names[reference.layer], layers[layer].calls.indices.contains(reference.call) else { return nil }
      return Node(layer: layer, call: reference.call)
    }
    let inputNodes = Set(inputs.compactMap(node))
    var indices: [Int: Int] = [:]
    var finished = Set<Node>()
    var order: [Node] = []
    // A search with a stack of its own: the nesting of a graph is the file's choice.
    for output in outputs {
      guard let root = node(output), !finished.contains(root) else { continue }
      var stack: [(node: Node, parents: [Node], next: Int)] = []
      func enter(_ node: Node) -> (node: Node, parents: [Node], next: Int) {
        if indices[node.layer] == nil { indices[node.layer] = indices.count }
        return (node, inputNodes.contains(node) ? [] : parents(node), 0)
      }
      func parents(_ node: Node) -> [Node] {
        layers[node.layer].calls[node.call].inputs.compactMap { reference in
          guard let layer = names[reference.layer], layers[layer].calls.indices.contains(reference.call) else {
            return nil
          }
          return Node(layer: layer, call: reference.call)
        }
      }
      stack.append(enter(root))
      var entered: Set<Node> = [root]
      while var top = stack.popLast() {
        if top.next < top.parents.count {
          let parent = top.parents[top.next]
          top.next += 1
          stack.append(top)
          if !finished.contains(parent), entered.insert(parent).inserted { stack.append(enter(parent)) }
        } else {
          finished.insert(top.node)
          order.append(top.node)
        }
      }
    }
    var nodeDepths: [Node: Int] = [:]
    var layerDepths: [Int: Int] = [:]
    for node in order.reversed() {
      let depth = max(nodeDepths[node, default: 0], layerDepths[node.layer, default: 0])
      layerDepths[node.layer] = depth
      nodeDepths[node] = depth
      guard !inputNodes.contains(node) else { continue }
      for reference in layers[node.layer].calls[node.call].inputs {
        guard let layer = names[reference.layer] else { continue }
        let parent = Node(layer: layer, call: reference.call)
        nodeDepths[parent] = max(depth + 1, nodeDepths[parent, default: 0])
      }
    }
    for input in inputNodes where layerDepths[input.layer] == nil {
      layerDepths[input.layer] = 0
      indices[input.layer] = -1
    }
    let kept = layers.indices.filter { layerDepths[$0] != nil }.sorted { a, b in
      let (first, second) = (layerDepths[a, default: 0], layerDepths[b, default: 0])
      return first != second ? first > second : (indices[a, default: 0], a) < (indices[b, default: 0], b)
    }
    var result = self
    result.layers = kept.map { layers[$0] }
    return result
  }
}
