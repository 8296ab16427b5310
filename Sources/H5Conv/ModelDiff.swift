import H5ConvGraph
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvModelFiles
import H5ConvTensors

/// What two model files have in common and in what they differ: architecture, weights, and what their layers compute.
///
/// Containers and versions of Keras do not count: a `.keras` file and the `.h5` that was made of it are the same. What both
/// files hold is compared, so that a file of weights can be held against a whole model.
///
/// ```swift
/// let diff = try ModelDiff("before.h5", "after.keras")
/// if diff.verdict != .same { print(diff.text()) }
/// ```
public struct ModelDiff: Sendable {
  /// The answer.
  public enum Verdict: Sendable, Equatable {
    /// Everything that both files hold is the same: layers and their names, what they compute, weights within the tolerance.
    case same
    /// Something differs.
    case different
    /// Nothing differs as far as could be seen, but something could not be compared.
    case unknown(reason: String)
  }

  /// The first file.
  public let first: String
  /// The second file.
  public let second: String
  /// Differences of the architectures, in the order of the first model's layers; nil when one file has none.
  public let architecture: [ArchitectureDifference]?
  /// Number of layers that were compared.
  public let layerCount: Int
  /// All weights, equal ones too, in the order of the first model's layers; nil when one file has none.
  public let weights: [WeightDifference]?
  /// What layers compute for the inputs that were given, in execution order; nil without inputs.
  public private(set) var activations: ActivationComparison?
  /// What could not be compared, and why.
  public private(set) var notes: [String] = []

  private let models: (a: Model, b: Model)?
  private let containers: Set<ModelFile.Container>
  private let tolerance: Tolerance

  /// Compares the files at `first` and `second`.
  ///
  /// - Parameters:
  ///   - architecture: the architecture of a file with weights only, as in ``Model/init(contentsOf:architecture:)``. Without it
  ///     such a file is read with the other one's architecture.
  ///   - tolerance: how far weights and activations may be apart.
  /// - Throws: `H5ConvError` when a file cannot be read or is no model.
  public init(
    _ first: String, _ second: String, architecture: String? = nil, tolerance: Tolerance = Tolerance()
  ) throws {
    self.first = first
    self.second = second
    self.tolerance = tolerance
    let given = try architecture.map { try ModelFile.architecture(at: $0) }
    let a = try ComparedFile(first, given)
    let b = try ComparedFile(second, given)
    notes += a.notes + b.notes
    containers = [a.file.container, b.file.container]
    let own = (try a.model(a.architecture), try b.model(b.architecture))
    var comparison = WeightComparison(tolerance: tolerance)
    if let modelA = own.0, let modelB = own.1 {
      let layers = ArchitectureComparison(modelA, modelB)
      self.architecture = layers.differences
      layerCount = layers.layerCount
      models = (modelA, modelB)
      if a.file.weights != nil, b.file.weights != nil { comparison.compare(modelA, modelB, pairs: layers.pairs) }
    } else {
      self.architecture = nil
      layerCount = 0
      models = nil
      if a.file.weights != nil, b.file.weights != nil {
        // Weights alone are read with the other file's architecture, where there is one.
        let borrowed = (try a.model(a.architecture ?? b.architecture), try b.model(b.architecture ?? a.architecture))
        if let modelA = borrowed.0, let modelB = borrowed.1 {
          comparison.compare(modelA, modelB, pairs: modelA.graph.layers.map { ($0.path, $0.path) })
        } else {
          try comparison.compare(a.file, b.file)
        }
      }
    }
    let hasWeights = a.file.weights != nil && b.file.weights != nil
    weights = hasWeights ? comparison.differences : nil
    for (file, other) in [(a, b), (b, a)] {
      if file.file.weights == nil, other.file.weights != nil { notes.append("\(file.file.path) has no weights") }
      if file.architecture == nil, other.architecture != nil {
        notes.append("\(file.file.path) has no architecture")
      }
    }
  }

  /// Runs both models on `inputs` and compares what every layer computes.
  ///
  /// Both get the numbers that the first model's preprocessing makes of a picture; `exact` is ``Model/isExact`` for both.
  /// - Throws: `H5ConvError`: `usage` when a file has no architecture or weights or the inputs do not fit, `unsupported` when
  ///   nothing can be run.
  public mutating func compareActivations(
    on inputs: [String], _ options: ImageOptions = ImageOptions(), threads: Int? = nil,
    exact: Bool = false
  ) throws {
    guard var models, weights != nil else {
      throw H5ConvError(
        .usage, "both files need an architecture and weights to be run",
        remedy: "leave --input out, or give --architecture")
    }
    (models.a.isExact, models.b.isExact) = (exact, exact)
    let names = Dictionary(
      (architecture ?? []).filter { $0.kind == .renamed }.map { ($0.layer, $0.second ?? "") },
      uniquingKeysWith: { first, _ in first })
    activations = try ActivationComparison(
      models.a, models.b, names: names, inputs: inputs, options, tolerance: tolerance, threads: threads)
  }

  /// Whether the files are the same, as far as they can be compared.
  public var verdict: Verdict {
    if architecture == nil, containers.count > 1, let weights,
      weights.allSatisfy({ $0.firstShape == nil || $0.secondShape == nil })
    {
      return .unknown(
        reason:
          "no weight has a name in common; with --architecture they can be told apart by the layers they belong to")
    }
    if architecture?.contains(where: \.isSignificant) == true || weights?.contains(where: \.isSignificant) == true
      || activations?.firstDeparture != nil
    {
      return .different
    }
    if let unreadable = weights?.first(where: { $0.status == .unreadable }) {
      return .unknown(reason: "the weight '\(unreadable.path)' cannot be compared: \(unreadable.problem ?? "")")
    }
    if architecture == nil, weights == nil {
      return .unknown(reason: "one file has only weights and the other only an architecture")
    }
    return .same
  }
}

/// A file with its architecture, when it has one that can be understood.
private struct ComparedFile {
  let file: ModelFile
  let architecture: Architecture?
  var notes: [String] = []

  init(_ path: String, _ given: Architecture?) throws {
    let file = try ModelFile(path: path)
    self.file = file
    if file.architecture == nil, file.weights == nil { throw file.noArchitecture }
    do { architecture = try naming(path) { try file.architecture?.get() } ?? given } catch let error as H5ConvError
      where error.kind == .unsupported && file.weights != nil
    {
      // A model that is Python code: its weights can be compared.
      architecture = given
      notes.append(error.description)
    }
  }

  func model(_ architecture: Architecture?) throws -> Model? { try architecture.map { try Model(file, for: $0) } }
}

extension Model {
  /// The file's weights with `architecture`, or the architecture alone.
  fileprivate init(_ file: ModelFile, for architecture: Architecture) throws {
    try self.init(file, file.weights == nil ? nil : architecture)
  }
}
