import H5ConvDiagnostics

/// The table of layers for the terminal: names left, numbers right, one line each.
package enum StatisticsTable {
  /// The headings of the columns, and which of them stand left.
  static let headings = ["#", "layer", "class", "shape", "min", "max", "mean", "std", "zeros", "flat", "not finite"]
  private static let leftColumns = 1...3

  /// The cells of a layer under ``headings``, not escaped.
  static func cells(_ layer: RenderedLayer) -> [String] {
    let statistics = layer.statistics
    return [
      String(layer.index), layer.name, layer.className + (layer.isBeforeActivation ? " (pre)" : ""),
      shapeText(layer.shape), statistics.minimum.inFigures(4), statistics.maximum.inFigures(4),
      statistics.mean.inFigures(4), statistics.standardDeviation.inFigures(4),
      (statistics.zeroFraction * 100).inPlaces(1) + " %",
      "\(statistics.flatChannels.count) of \(statistics.channelCount)",
      statistics.isFinite ? "-" : String(statistics.nanCount + statistics.infinityCount),
    ]
  }

  /// The table as text, each line ending in a line feed; names are escaped for the terminal.
  package static func text(_ layers: [RenderedLayer]) -> String {
    alignedText([headings] + layers.map(cells), left: Set(leftColumns))
  }
}

/// Rows of as many cells in columns, each line ending in a line feed; what is no text for a terminal is escaped.
///
/// - Parameter left: the columns whose cells stand left; numbers stand right.
package func alignedText(_ rows: [[String]], left: Set<Int>) -> String {
  let rows = rows.map { $0.map(\.escapedForTerminal) }
  // One name of a megabyte must not make every row as wide.
  let widths = (rows.first ?? []).indices.map { column in min(200, rows.map { $0[column].count }.max() ?? 0) }
  return rows.reduce(into: "") { text, row in
    let line = row.enumerated().map { column, cell in
      let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
      return left.contains(column) ? cell + padding : padding + cell
    }
    text += line.joined(separator: "  ") + "\n"
  }
}
