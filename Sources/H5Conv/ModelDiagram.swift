import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors
import H5ConvVisualization

/// A kind of file that shows a network's architecture.
public enum GraphFormat: String, CaseIterable, Sendable {
  /// A picture.
  case svg
  /// For Graphviz.
  case dot
  /// For Mermaid.
  case mmd

  /// The format that the name of a file tells.
  ///
  /// - Throws: `H5ConvError` of kind `usage`.
  public init(ofFileAt path: String) throws {
    guard let format = GraphFormat.allCases.first(where: { path.lowercased().hasSuffix("." + $0.rawValue) }) else {
      throw H5ConvError(
        .usage, "the name does not tell what kind of graph to write", remedy: "end it in .svg, .dot or .mmd", file: path
      )
    }
    self = format
  }
}

extension Model {
  /// The architecture with inferred shapes, parameters, operations and receptive fields, nested models unfolded.
  public func graphText(_ format: GraphFormat) -> String {
    let diagram = diagram(Footprint(graph), showsAssumed: false)
    return switch format {
    case .svg: diagram.svg
    case .dot: diagram.dot
    case .mmd: diagram.mermaid
    }
  }

  /// Writes ``graphText(_:)`` to the file at `path`, whose name tells the format.
  ///
  /// - Throws: `H5ConvError`: `usage` for another name, `cannotWrite`, `inputOutput`.
  public func writeGraph(to path: String, replaces: Bool = false) throws {
    let format = try GraphFormat(ofFileAt: path)
    try OutputFile(path, replaces: replaces).write(Array(graphText(format).utf8))
  }

  /// - Parameter showsAssumed: whether operations are told that hold for the footprint's input only.
  func diagram(_ footprint: Footprint, showsAssumed: Bool) -> Diagram {
    let nodes = graph.calls.enumerated().map { number, call in
      let layer = graph.layers[call.layer]
      var facts: [String] = []
      if case .success(let shapes) = call.outputShapes {
        facts.append(shapes.count == 1 ? shapes[0].description : "\(shapes.count) outputs")
      } else {
        facts.append("shape not known")
      }
      let parameters = layer.weights.reduce(0) { $0.clampedSum($1.shape.product(of: 0..<$1.shape.rank) ?? 0) }
      let footprints = footprint.calls[number]
      let isKnown = showsAssumed || !footprint.isAssumed
      let operations = isKnown ? footprints?.multiplyAccumulates ?? 0 : 0
      let costs =
        (parameters > 0 ? ["\(parameters.grouped) params"] : [])
        + (operations > 0 ? ["\(operations.inUnits) MACs"] : [])
      if !costs.isEmpty { facts.append(costs.joined(separator: " · ")) }
      if let reaches = footprints?.reaches, !graph.isInput(number), reaches.contains(where: { $0 != nil }) {
        facts.append("field \(reaches.fieldText), stride \(reaches.strideText)")
      }
      return Diagram.Node(
        name: call.key, className: layer.className, facts: facts,
        inputs: call.inputs.map(\.call).reduce(into: [Int]()) { inputs, input in
          if !inputs.contains(input) { inputs.append(input) }
        })
    }
    return Diagram(title: "\(name) (\(architecture.className))", nodes: nodes)
  }
}
