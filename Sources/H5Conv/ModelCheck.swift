import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvModelFiles

/// Something that a check of a model file found.
public struct Finding: Sendable, Equatable {
  /// How bad it is.
  public enum Severity: String, Sendable, CaseIterable {
    /// The file is damaged, unsafe, or will not compute what it should.
    case error
    /// Some program refuses the file, or it may not compute what was meant.
    case warning
    /// Good to know.
    case info
  }

  /// How bad it is.
  public let severity: Severity
  /// What kind of finding it is, a stable word in snake_case.
  public let code: String
  /// The layer, weight or object; `file` for the file as a whole.
  ///
  /// Of many places these are the first ones, with how many there are.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it; nil when there is nothing to do, or the message says it.
  public let remedy: String?

  package init(
    _ severity: Severity, _ code: String, at place: String = "file", _ message: String, remedy: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.place = place
    self.message = message
    self.remedy = remedy
  }

  init(_ severity: Severity, _ code: String, at places: [String], _ message: String, remedy: String? = nil) {
    let shown = places.prefix(3).joined(separator: ", ")
    self.init(
      severity, code, at: places.count > 3 ? "\(shown), … (\(places.count) in all)" : shown, message, remedy: remedy)
  }
}

/// Everything that could go wrong with a model file, found without running it.
///
/// Every reader and every rule is tried; a file that is damaged makes findings, it does not throw.
///
/// ```swift
/// let check = try ModelCheck(contentsOf: "model.h5")
/// for finding in check.findings { print(finding.severity, finding.code, finding.place, finding.message) }
/// ```
public struct ModelCheck: Sendable {
  /// The file.
  public let path: String
  /// What kind of file it is, as ``Model/format``; nil for one that could not be opened.
  public private(set) var format: String?
  /// The version of Keras that wrote it, when it says so.
  public private(set) var kerasVersion: String?
  /// What was found, the worst first, otherwise in the order of the file.
  public private(set) var findings: [Finding] = []

  /// Whether nothing is an error.
  public var isGood: Bool { !findings.contains { $0.severity == .error } }

  /// Which of today's Keras will not load the file: `Keras 3.15`, `tf_keras 2.21`.
  ///
  /// The reasons are among the findings. Classes and functions that only their author's code defines do not count.
  public var refusedBy: [String] {
    [("Keras 3.15", Trap.refusedByKeras3), ("tf_keras 2.21", Trap.refusedByKeras2)].compactMap { name, codes in
      findings.contains { codes.contains($0.code) } ? name : nil
    }
  }

  /// Number of findings of a severity.
  public func count(of severity: Finding.Severity) -> Int { findings.count { $0.severity == severity } }

  /// What was found about something that is no model file, called `path`.
  package init(_ path: String, findings: [Finding]) {
    self.path = path
    self.findings = findings
  }

  /// Checks the file at `path`.
  ///
  /// - Parameters:
  ///   - path: a model, weights, or an architecture.
  ///   - architecture: the architecture of a file with weights only, as in ``Model/init(contentsOf:architecture:)``.
  /// - Throws: `H5ConvError`: `cannotRead` when there is no such file or it may not be read, and what is wrong with
  ///   `architecture`.
  public init(contentsOf path: String, architecture: String? = nil) throws {
    self.path = path
    let given = try architecture.map { try ModelFile.architecture(at: $0) }
    do {
      let file = try ModelFile(path: path)
      format = file.container.rawValue
      kerasVersion = file.kerasVersion
      findings += FileCheck(file).findings
      findings += CompatibilityCheck(file).findings
      findings += ModelCheck.model(file, given)
    } catch let error as H5ConvError where error.kind != .cannotRead && error.kind != .internalFault {
      findings.append(FileCheck.finding(for: error))
    }
    findings = Finding.Severity.allCases.flatMap { severity in findings.filter { $0.severity == severity } }
  }

  /// What is wrong with the architecture and the weights.
  private static func model(_ file: ModelFile, _ given: Architecture?) -> [Finding] {
    do {
      guard given != nil || file.architecture != nil else {
        guard file.weights != nil else { return [FileCheck.finding(for: file.noArchitecture)] }
        let missing = Finding(
          .info, "no_architecture", "the file holds weights but no architecture",
          remedy: "it can be run with --architecture")
        return [missing] + WeightCheck(file).findings
      }
      let architecture = try given ?? file.architecture?.get()
      guard file.weights != nil else {
        let isWanted = file.container != .architecture
        let missing = Finding(
          isWanted ? .error : .info, "no_weights", "the file holds an architecture but no weights",
          remedy: isWanted ? "save it again with model.save" : nil)
        guard let architecture else { return [missing] }
        return [missing] + GraphCheck(try naming(file.path) { try Graph(architecture) }).findings
      }
      let model = try Model(file, given)
      return GraphCheck(model.graph).findings + WeightCheck(model).findings
    } catch let error as H5ConvError {
      guard error.kind == .unsupported, file.weights != nil else { return [FileCheck.finding(for: error)] }
      let code = Finding(
        .warning, "architecture_is_code", at: error.place ?? "file", error.what, remedy: error.remedy)
      return [code] + WeightCheck(file).findings
    } catch {
      return [Finding(.error, "damaged", "\(error)")]
    }
  }
}
