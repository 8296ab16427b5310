import Foundation
import FoundationXML
import H5ConvVisualization
import Testing

@Suite("Pictures of architectures")
struct DiagramTests {
  private let diagram = Diagram(
    title: "m \"1\"",
    nodes: [
      Diagram.Node(name: "x", className: "InputLayer", facts: ["(None, 8)"], inputs: []),
      Diagram.Node(name: "<a & \"b\">", className: "Conv2D", facts: ["9 params"], inputs: [0]),
      Diagram.Node(name: "c", className: "Add", facts: [], inputs: [0, 1]),
    ])

  @Test func dot() {
    #expect(diagram.dot.contains("n1 [label=\"<a & \\\"b\\\"> (Conv2D)\\n9 params\"];"))
    #expect(diagram.dot.contains("n0 -> n2;") && diagram.dot.contains("n1 -> n2;"))
  }

  @Test func mermaid() {
    #expect(diagram.mermaid.hasPrefix("flowchart TD\n"))
    #expect(diagram.mermaid.contains("n1[\"#60;a #38; #34;b#34;#62; (Conv2D)<br/>9 params\"]"))
    #expect(diagram.mermaid.contains("n1 --> n2"))
  }

  /// Well-formed, nothing of strangers in it that is markup, and every arrow there.
  @Test func svg() throws {
    let parser = XMLParser(data: Data(diagram.svg.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(diagram.svg.contains("&lt;a &amp; &quot;b&quot;&gt;"))
    #expect(diagram.svg.components(separatedBy: "<path ").count == 4)
  }

  /// Many arrows over many rows end soon.
  @Test func aNetworkOfManyWays() {
    let nodes = (0..<400).map { place in
      Diagram.Node(name: "\(place)", className: "Add", facts: [], inputs: Array(0..<place))
    }
    #expect(Diagram(title: "", nodes: nodes).svg.hasSuffix("</svg>\n"))
  }
}
