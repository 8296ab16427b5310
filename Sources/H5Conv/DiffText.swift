import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

extension ModelDiff {
  /// What differs, for people: the answer in one line, then tables.
  ///
  /// - Parameter limit: rows of each table; how many more there are is told.
  public func text(limit: Int = 20) -> String {
    var parts = [headline]
    let rows = (architecture ?? []).filter(\.isSignificant)
    if !rows.isEmpty {
      var table = TextTable(columns: ["Layer", "Difference", "A", "B"])
      for row in rows.prefix(limit) {
        table.add([
          row.layer.isEmpty ? "(model)" : row.layer, row.title, row.first.map(shortened) ?? "–",
          row.second.map(shortened) ?? "–",
        ])
      }
      parts.append(table.text + more(rows.count, limit))
    }
    let told = (weights ?? []).filter { !$0.isEqual }
    if !told.isEmpty {
      var table = TextTable(columns: ["Weight", "Difference", "Max |a−b|", "Mean |a−b|"], rightAligned: 2...3)
      for row in told.prefix(limit) {
        table.add([row.path, row.title, row.elements?.maximum.shortText ?? "", row.elements?.mean.shortText ?? ""])
      }
      parts.append(table.text + more(told.count, limit))
    }
    if let activations { parts.append(activations.text(limit: limit)) }
    let asides = (architecture ?? []).filter { !$0.isSignificant }
    var lines = asides.prefix(limit).map { row in
      "\(row.kind == .training ? "only in training" : "note"): "
        + "\(row.layer.isEmpty ? "model" : row.layer) \(row.field ?? ""): \(row.first.map(shortened) ?? "–") → "
        + "\(row.second.map(shortened) ?? "–")"
    }
    if asides.count > limit { lines.append("… and \(asides.count - limit) more of these") }
    lines += notes.map { "note: \($0)" }
    if !lines.isEmpty { parts.append(lines.map(\.escapedForTerminal).joined(separator: "\n")) }
    return parts.joined(separator: "\n\n")
  }

  private var headline: String {
    var compared: [String] = []
    if architecture != nil { compared.append(counted(layerCount, "layer")) }
    if let weights { compared.append(counted(weights.count, "weight")) }
    if let activations { compared.append("\(counted(activations.layers.count, "output")) computed") }
    let all = compared.joined(separator: ", ")
    switch verdict {
    case .same:
      let close = (weights ?? []).filter { $0.status == .close }.count
      return "same: \(all)" + (close > 0 ? " (\(counted(close, "weight")) within the tolerance, not equal)" : "")
    case .unknown(let reason): return "cannot tell: \(reason)".escapedForTerminal
    case .different:
      var found: [String] = []
      let layers = (architecture ?? []).filter(\.isSignificant).count
      if layers > 0 { found.append(counted(layers, "difference") + " of architecture") }
      let differing = (weights ?? []).filter(\.isSignificant).count
      if differing > 0 { found.append("\(differing) of \(counted(weights?.count ?? 0, "weight"))") }
      if let layer = activations?.firstDeparture?.layer { found.append("what '\(layer)' computes") }
      return "different: \(found.joined(separator: ", "))".escapedForTerminal
    }
  }

  private func counted(_ count: Int, _ noun: String) -> String { "\(count.grouped) \(noun)\(count == 1 ? "" : "s")" }

  private func shortened(_ text: String) -> String { text.count > 48 ? text.prefix(47) + "…" : text }
}

/// The line that says how many rows are left out.
private func more(_ count: Int, _ limit: Int) -> String { count > limit ? "\n… and \(count - limit) more" : "" }

extension ArchitectureDifference {
  fileprivate var title: String {
    switch kind {
    case .removed: "only in A"
    case .added: "only in B"
    case .renamed: "another name"
    case .changed, .connections, .training, .note: field ?? ""
    }
  }
}

extension WeightDifference {
  fileprivate var title: String {
    func shape(_ sizes: [Int]?) -> String { sizes.map { PartialShape($0).description } ?? "?" }
    switch status {
    case .equal: return "equal"
    case .close: return "within the tolerance"
    case .different:
      guard let elements else { return "differs" }
      return "\(elements.unequalCount.grouped) of \((Tensor.elementCount(of: firstShape ?? []) ?? 0).grouped) elements"
        + (elements.notFiniteCount > 0 ? ", \(elements.notFiniteCount.grouped) not finite in one" : "")
    case .shape: return "\(shape(firstShape)) → \(shape(secondShape))"
    case .removed: return problem == nil ? "only in A" : "not readable in B"
    case .added: return problem == nil ? "only in B" : "not readable in A"
    case .unreadable: return "cannot be read"
    }
  }
}

extension ActivationComparison {
  fileprivate func text(limit: Int) -> String {
    let skipped = notRunCount > 0 ? "; \(notRunCount) more cannot be run" : ""
    let departing = layers.filter(\.isDeparture)
    guard let first = departing.first else {
      let worst = layers.compactMap(\.elements?.maximum).max() ?? 0
      return
        "outputs: all \(layers.count) layers compute the same, the largest difference is \(worst.shortText)\(skipped)"
    }
    var table = TextTable(columns: ["Output", "Class", "Max |a−b|", "Mean |a−b|"], rightAligned: 2...3)
    for row in departing.prefix(limit) {
      table.add([
        row.layer, row.className, row.elements?.maximum.shortText ?? "other shape",
        row.elements?.mean.shortText ?? "",
      ])
    }
    return "first to depart: '\(first.layer)'\(skipped)".escapedForTerminal + "\n" + table.text
      + more(departing.count, limit)
  }
}
