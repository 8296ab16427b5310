package import H5ConvInference
import H5ConvTensors

/// Where the time of runs goes: set it as ``Model/profile``, run slices of the model, and read ``text()``.
public final class Profile: Sendable {
  package let record = RunProfile()

  /// A profile of nothing yet.
  public init() {}

  /// A table with a line for each operation, in execution order: its layer, what was computed and how, milliseconds over all runs and
  /// the part of the whole, and for sums GFLOP/s and the part of this machine's peak.
  ///
  /// An addition or a multiplication is one FLOP, counted as convolutions are defined, so that Winograd's algorithm, which needs fewer,
  /// may exceed the peak. The peak is measured with matrix products in the first-level cache, on as many threads.
  ///
  /// - Parameter ofFastest: whether to show the fastest run of each operation, which other work on the machine disturbs least,
  ///   instead of the sum over all runs.
  public func text(ofFastest: Bool = false) throws -> String {
    let lines = record.lines
    let peak = try RunProfile.measuredPeak(record.threads)
    func seconds(_ line: RunProfile.Line) -> Double { ofFastest ? line.leastSeconds : line.seconds }
    func operations(_ line: RunProfile.Line) -> Double? {
      line.operations.map { ofFastest ? $0 / Double(line.runs) : $0 }
    }
    let total = lines.reduce(0) { $0 + seconds($1) }
    var rows = [["layer", "operation", "runs", "ms", "%", "GFLOP/s", "% of peak"]]
    func speed(_ operations: Double?, _ seconds: Double) -> [String] {
      guard let operations, seconds > 0 else { return ["", ""] }
      return [(operations / seconds / 1e9).fixed(1), (100 * operations / seconds / peak).fixed(0)]
    }
    for line in lines {
      rows.append(
        [
          line.layer, line.method, "\(line.runs)", (seconds(line) * 1000).fixed(3),
          (100 * seconds(line) / max(total, 1e-12)).fixed(1),
        ] + speed(operations(line), seconds(line)))
    }
    let all = lines.reduce(0) { $0 + (operations($1) ?? 0) }
    rows.append(["all", "", "", (total * 1000).fixed(3), "100.0"] + speed(all, total))
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < 2 ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
    }
    return table.joined(separator: "\n") + "\npeak: \((peak / 1e9).fixed(1)) GFLOP/s on \(record.threads.count) threads"
  }
}

extension Double {
  /// With `digits` behind the point.
  fileprivate func fixed(_ digits: Int) -> String {
    guard isFinite, abs(self) < 1e15 else { return "–" }
    let factor = [1.0, 10, 100, 1000][digits]
    let scaled = (abs(self) * factor).rounded()
    let text = String(Int(scaled))
    guard digits > 0 else { return (self < 0 ? "-" : "") + text }
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (self < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}
