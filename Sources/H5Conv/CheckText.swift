import H5ConvConfig
import H5ConvDiagnostics

extension ModelCheck {
  /// The findings for people: one line each, the worst first, and a line with their counts.
  public var text: String {
    var lines: [String] = []
    for severity in Finding.Severity.allCases {
      let found = findings.filter { $0.severity == severity }
      guard !found.isEmpty else { continue }
      lines.append("\(severity == .info ? "for information" : severity.rawValue + "s"):")
      let width = found.map(\.code.count).max() ?? 0
      for finding in found {
        lines.append(
          "  \(finding.code.padded(to: width))  \(finding.place): \(finding.message)"
            + (finding.remedy.map { " – \($0)" } ?? ""))
      }
    }
    lines.append(summary)
    return lines.map(\.escapedForTerminal).joined(separator: "\n")
  }

  private var summary: String {
    let what = [format, kerasVersion.map { "Keras \($0)" }].compactMap { $0 }.joined(separator: ", ")
    func counted(_ severity: Finding.Severity, _ noun: String) -> String {
      let count = count(of: severity)
      return "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
    return "\(path)\(what.isEmpty ? "" : " (\(what))"): "
      + (refusedBy.isEmpty ? "" : "refused by \(refusedBy.joined(separator: " and ")); ")
      + "\(counted(.error, "error")), \(counted(.warning, "warning")), \(counted(.info, "remark"))"
  }

  /// The findings as JSON, described by `schemas/check.schema.json`.
  public var json: String {
    let object: JSONObject = [
      "version": 1, "file": .string(path), "format": .optional(format), "keras_version": .optional(kerasVersion),
      "good": .bool(isGood), "refused_by": .array(refusedBy.map { .string($0) }),
      "findings": .array(
        findings.map { finding in
          [
            "severity": .string(finding.severity.rawValue), "code": .string(finding.code),
            "where": .string(finding.place), "message": .string(finding.message), "remedy": .optional(finding.remedy),
          ]
        }),
    ]
    return JSONValue.object(object).text(pretty: true)
  }
}
