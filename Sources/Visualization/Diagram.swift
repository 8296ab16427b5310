import H5ConvDiagnostics

/// A network as boxes and arrows, for ``Diagram/svg``, ``Diagram/dot`` and ``Diagram/mermaid``.
package struct Diagram: Sendable {
  /// A layer.
  package struct Node: Sendable {
    /// Its name; any text, since strangers write it.
    package let name: String
    package let className: String
    /// Further lines, as `(None, 56, 56, 256)` and `295,168 params`.
    package let facts: [String]
    /// Places of the nodes whose outputs go in; all before this one.
    package let inputs: [Int]

    package init(name: String, className: String, facts: [String], inputs: [Int]) {
      self.name = name
      self.className = className
      self.facts = facts
      self.inputs = inputs
    }

    /// Name and class as they are shown: safe, and not endless.
    var title: String { name.shortened(to: 48) }
    var subtitle: String { className.shortened(to: 40) }
  }

  package let title: String
  /// In an order in which they can be computed.
  package let nodes: [Node]

  package init(title: String, nodes: [Node]) {
    self.title = title
    self.nodes = nodes
  }

  /// For Graphviz.
  package var dot: String {
    var text = """
      digraph model {
        label=\(title.shortened(to: 200).inDOT); labelloc=t; rankdir=TB;
        node [shape=box, style="rounded,filled", fillcolor="#f4f6fb", color="#8a93a6", fontname="sans-serif", fontsize=11];
        edge [color="#5a5e68"];

      """
    for (place, node) in nodes.enumerated() {
      let lines = ["\(node.title) (\(node.subtitle))"] + node.facts
      text += "  n\(place) [label=\(lines.joined(separator: "\n").inDOT)];\n"
    }
    for (place, node) in nodes.enumerated() { for input in node.inputs { text += "  n\(input) -> n\(place);\n" } }
    return text + "}\n"
  }

  /// For Mermaid, which GitHub and others show in Markdown.
  package var mermaid: String {
    var text = "flowchart TD\n"
    for (place, node) in nodes.enumerated() {
      let lines = (["\(node.title) (\(node.subtitle))"] + node.facts).map(\.inMermaid)
      text += "  n\(place)[\"\(lines.joined(separator: "<br/>"))\"]\n"
    }
    for (place, node) in nodes.enumerated() { for input in node.inputs { text += "  n\(input) --> n\(place)\n" } }
    return text
  }
}

extension String {
  /// The text with control characters made visible, at most `length` characters of it.
  func shortened(to length: Int) -> String {
    // Not the whole of a name of megabytes is looked at.
    let text = String(prefix(length + 1)).escapedForTerminal
    return text.count <= length ? text : text.prefix(length - 1) + "…"
  }

  /// A quoted string of DOT, in which a line feed centres what was before it.
  fileprivate var inDOT: String {
    let escaped = reduce(into: "") { text, character in
      switch character {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      default: text.append(character)
      }
    }
    return "\"\(escaped)\""
  }

  /// Text within quotes of Mermaid, where entities are written with `#`, and everything else could be markup.
  fileprivate var inMermaid: String {
    unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", " ", "_", "-", ".", ",", "(", ")", "/", "@", ":", "×", "+", "=":
        text.unicodeScalars.append(scalar)
      default: text += "#\(scalar.value);"
      }
    }
  }
}
