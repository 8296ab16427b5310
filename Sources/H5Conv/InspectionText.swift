import H5ConvHDF5
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import H5ConvTensors

extension Inspection {
  /// The summary as text, as Keras prints it, with the file's origin and the warnings behind it.
  ///
  /// - Parameters:
  ///   - weights: whether a table of all weights with their statistics follows; it reads them all.
  ///   - columns: what the table of layers tells besides.
  public func text(weights: Bool = false, columns: [LayerColumn] = []) throws -> String {
    var parts: [String] = []
    if let model, let summary {
      parts.append("Model: \"\(model.name)\" (\(model.architecture.className))")
      let footprint = columns.isEmpty ? nil : Footprint(model.graph)
      parts.append(summary.table(columns, footprint, model.graph))
      parts.append(totals(summary, columns.contains(.macs) ? footprint : nil))
    } else {
      parts.append(try groupTable())
    }
    let width = origin.map(\.name.count).max() ?? 0
    parts.append(
      origin.map { "\(($0.name + ":").padded(to: width + 2))\($0.value)" }.joined(separator: "\n"))
    if !warnings.isEmpty { parts.append(warnings.map { "warning: \($0)" }.joined(separator: "\n")) }
    if weights { parts.append(try weightTable()) }
    return parts.map { part in
      part.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).escapedForTerminal }.joined(
        separator: "\n")
    }.joined(separator: "\n\n")
  }

  private func totals(_ summary: Summary, _ footprint: Footprint?) -> String {
    var lines = parameterTotals(summary)
    if let footprint {
      let total = footprint.isAssumed ? nil : footprint.multiplyAccumulates
      lines += "\n" + "Total MACs:".padded(to: 22) + (total?.grouped ?? "not known: the input's size is open")
    }
    return lines
  }

  private func parameterTotals(_ summary: Summary) -> String {
    let rows = [
      ("Total params:", summary.totalParameters), ("Trainable params:", summary.trainableParameters),
      ("Non-trainable params:", summary.nonTrainableParameters),
    ]
    return rows.map { "\($0.0.padded(to: 22))\($0.1.grouped)" }.joined(separator: "\n")
  }

  /// Layer groups of a file without an architecture.
  private func groupTable() throws -> String {
    var table = TextTable(columns: ["Layer", "Looks like", "Weight", "Shape", "Type"])
    for group in try file.weightGroups() {
      for (place, weight) in group.weights.enumerated() {
        let name =
          weight.path.hasPrefix(group.name + "/") ? String(weight.path.dropFirst(group.name.count + 1)) : weight.path
        table.add([
          place == 0 ? group.name : "", place == 0 ? group.className ?? "?" : "", name,
          PartialShape(weight.shape).description, weight.type.description,
        ])
      }
    }
    return table.text
  }

  private func weightTable() throws -> String {
    var table = TextTable(
      columns: ["Weight", "Shape", "Type", "Min", "Max", "Mean", "Std", "Zeros", "NaN", "Inf"], rightAligned: 3...9)
    for weight in try file.storedWeights(skipsMissing: true) {
      let name = [weight.path, PartialShape(weight.shape).description, weight.dtype]
      guard let statistics = try? naming(file.path, { try weight.statistics() }) else {
        table.add(name + Array(repeating: "unreadable", count: 7))
        continue
      }
      table.add(
        name
          + [statistics.minimum, statistics.maximum, statistics.mean, statistics.standardDeviation].map(\.shortText)
          + [statistics.zeroCount, statistics.nanCount, statistics.infinityCount].map(\.grouped))
    }
    return table.text
  }
}

extension Summary {
  fileprivate func table(_ columns: [LayerColumn], _ footprint: Footprint?, _ graph: Graph) -> String {
    let footprints = footprint?.layers(of: graph) ?? [:]
    var lines = TextTable(
      columns: ["#", "Layer (type)", "Output Shape", "Param #"] + columns.map(\.title) + ["Connected to"],
      rightAligned: 3...(3 + columns.count))
    func add(_ rows: [Row], path: [String], indent: String) {
      for row in rows {
        let shapes = row.outputShapes.map(\.description)
        let shape = shapes.count > 1 ? "[\(shapes.joined(separator: ", "))]" : shapes.first ?? "?"
        lines.add(
          [
            row.index.map(String.init) ?? "", "\(indent)\(row.name) (\(row.className))\(row.isSupported ? "" : " †")",
            shape, row.parameters.grouped,
          ] + columns.map { $0.cell(footprints[path + [row.name]], isAssumed: footprint?.isAssumed ?? true) }
            + [row.inbound.joined(separator: ", ")])
        add(row.nested, path: path + [row.name], indent: indent + "  ")
      }
    }
    add(rows, path: [], indent: "")
    let hasUnsupported = rows.contains { !$0.isSupported }
    return lines.text + (hasUnsupported ? "\n† not run by h5conv" : "")
  }
}

/// Columns of text under a head.
struct TextTable {
  private let columns: [String]
  private let rightAligned: ClosedRange<Int>?
  private var rows: [[String]] = []

  init(columns: [String], rightAligned: ClosedRange<Int>? = nil) {
    self.columns = columns
    self.rightAligned = rightAligned
  }

  /// Widest column that the others are lined up with: one name of a megabyte must not make every row as wide.
  private static let widest = 200

  mutating func add(_ row: [String]) { rows.append(row.map(\.escapedForTerminal)) }

  var text: String {
    let widths = columns.indices.map { column in
      min(TextTable.widest, ([columns] + rows).map { $0[column].count }.max() ?? 0)
    }
    func line(_ row: [String]) -> String {
      let cells = row.indices.map { column in
        rightAligned?.contains(column) == true
          ? String(repeating: " ", count: max(0, widths[column] - row[column].count)) + row[column]
          : row[column].padded(to: widths[column])
      }
      let text = cells.joined(separator: "  ")
      return String(text.prefix(text.count - text.reversed().prefix { $0 == " " }.count))
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "──")
    return ([line(columns), rule] + rows.map(line) + [rule]).joined(separator: "\n")
  }
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Int {
  /// With a comma between thousands: `2,320`.
  var grouped: String {
    let digits = String(magnitude)
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return self < 0 ? "-" + text : text
  }
}

extension Double {
  /// About five digits: `0.01234`, `-1.5e-07`, `nan`.
  var shortText: String {
    guard isFinite else { return "\(self)" }
    if self == 0 { return "0" }
    var digits = 0
    var scaled = magnitude
    while scaled < 10_000, digits < 12 {
      scaled *= 10
      digits += 1
    }
    while scaled >= 100_000 {
      scaled /= 10
      digits -= 1
    }
    var factor = 1.0
    for _ in 0..<abs(digits) { factor *= 10 }
    let rounded = digits >= 0 ? (self * factor).rounded() / factor : (self / factor).rounded() * factor
    return "\(rounded)"
  }
}
