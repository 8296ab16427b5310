import H5ConvHDF5
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvModelFiles
import H5ConvTensors

/// How a weight of one file stands to that of another.
public struct WeightDifference: Sendable {
  /// What came of the comparison.
  public enum Status: String, Sendable, CaseIterable {
    /// The same numbers (NaN is NaN).
    case equal
    /// Not the same, but within the tolerance.
    case close
    /// Further apart than the tolerance.
    case different
    /// The shapes differ.
    case shape
    /// Only the first file has it.
    case removed
    /// Only the second file has it.
    case added
    /// One of them cannot be read.
    case unreadable
  }

  /// Layer and name in the first file, `conv1/kernel`; in the second for a weight that only it has.
  public let path: String
  /// What came of it.
  public let status: Status
  /// Sizes of the axes in the first file; nil when it does not have the weight.
  public let firstShape: [Int]?
  /// Sizes of the axes in the second file; nil when it does not have the weight.
  public let secondShape: [Int]?
  /// NumPy's name of the type as the first file stores it.
  public let firstType: String?
  /// NumPy's name of the type as the second file stores it.
  public let secondType: String?
  /// What the comparison of elements found; nil when they were not compared.
  public let elements: ElementDifference?
  /// Why one of them is missing or cannot be read.
  public let problem: String?

  /// Whether they are the same numbers.
  public var isEqual: Bool { status == .equal }

  /// Whether the files are different for it.
  public var isSignificant: Bool { status != .equal && status != .close && status != .unreadable }
}

/// A weight of one file that can be compared.
struct ComparableWeight {
  let path: String
  /// The top-level layer.
  var layer: Substring { path.prefix { $0 != "/" } }
  let shape: [Int]
  let type: String
  /// Where the elements are; nil when they are not the weight itself (quantized ones are made floating point).
  let stored: StoredTensor?
  let read: () throws -> Tensor

  init(_ path: String, _ stored: StoredTensor, isQuantized: Bool = false, read: @escaping () throws -> Tensor) {
    self.path = path
    shape = stored.shape
    type = stored.type.description
    self.stored = isQuantized ? nil : stored
    self.read = read
  }
}

/// Compares the weights of two files, one pair in memory at a time.
struct WeightComparison {
  private(set) var differences: [WeightDifference] = []
  private let tolerance: Tolerance

  init(tolerance: Tolerance) { self.tolerance = tolerance }

  // MARK: - Files with architectures

  /// Compares by layers and names.
  ///
  /// - Parameter pairs: paths of layers that belong together.
  mutating func compare(_ a: Model, _ b: Model, pairs: [(a: [String], b: [String])]) {
    let places = (WeightComparison.places(a), WeightComparison.places(b))
    var done = (Set<Int>(), Set<Int>())
    for pair in pairs {
      guard let place = places.0[pair.a], let other = places.1[pair.b] else { continue }
      done.0.insert(place)
      done.1.insert(other)
      compareLayer(a, place, b, other)
    }
    for place in a.graph.layers.indices where !done.0.contains(place) { compareLayer(a, place, nil, 0) }
    for place in b.graph.layers.indices where !done.1.contains(place) { compareLayer(nil, 0, b, place) }
    let names = Dictionary(
      pairs.compactMap { pair in pair.a.first.flatMap { name in pair.b.first.map { (name, $0) } } },
      uniquingKeysWith: { first, _ in first })
    compare(
      WeightComparison.unclaimed(a, names: names), WeightComparison.unclaimed(b, names: [:]))
  }

  private static func places(_ model: Model) -> [[String]: Int] {
    Dictionary(model.graph.layers.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func compareLayer(_ a: Model?, _ placeA: Int, _ b: Model?, _ placeB: Int) {
    let layerA = a?.graph.layers[placeA]
    let layerB = b?.graph.layers[placeB]
    let specsB = (layerB?.weights ?? []).filter { b?.weights.lacks(layer: placeB, $0) == false }
    var left = specsB.map(\.name)
    for spec in layerA?.weights ?? [] where a?.weights.lacks(layer: placeA, spec) == false {
      let path = "\(layerA?.name ?? "")/\(spec.name)"
      left.removeAll { $0 == spec.name }
      let other = specsB.contains { $0.name == spec.name }
      compare(
        path, a.map { weight($0, placeA, spec.name) }, other ? b.map { weight($0, placeB, spec.name) } : nil)
    }
    for name in left { compare("\(layerB?.name ?? "")/\(name)", nil, b.map { weight($0, placeB, name) }) }
  }

  private func weight(_ model: Model, _ place: Int, _ name: String) -> Result<ComparableWeight, H5ConvError> {
    let layer = model.graph.layers[place]
    return Result { () throws(H5ConvError) in
      do {
        let stored = try model.weights.stored(layer: place, name)
        return ComparableWeight(
          "\(layer.name)/\(name)", stored, isQuantized: layer.quantization?.covers(name) == true
        ) { try model.weights.tensor(layer: place, name) }
      } catch let error as H5ConvError { throw error } catch {
        throw H5ConvError(.internalFault, "\(error)")
      }
    }
  }

  /// What is stored for layers that are not understood.
  private static func unclaimed(_ model: Model, names: [String: String]) -> [ComparableWeight] {
    model.weights.unclaimed.map { left in
      let layer = names[left.layer] ?? left.layer
      return ComparableWeight(key(of: left.tensor.path, in: layer, group: left.layer), left.tensor) {
        try left.tensor.tensor()
      }
    }
  }

  // MARK: - Files without

  /// Compares by the groups that the files have.
  mutating func compare(_ a: ModelFile, _ b: ModelFile) throws {
    func weights(_ file: ModelFile) throws -> [ComparableWeight] {
      try naming(file.path) {
        try file.completeWeightGroups().flatMap { group in
          group.weights.map { tensor in
            ComparableWeight(WeightComparison.key(of: tensor.path, in: group.name, group: group.name), tensor) {
              try tensor.tensor()
            }
          }
        }
      }
    }
    compare(try weights(a), try weights(b))
  }

  /// Compares by paths; what is left of a layer, which other containers name otherwise, by contents and else in order.
  private mutating func compare(_ a: [ComparableWeight], _ b: [ComparableWeight]) {
    var left = Dictionary(grouping: b.indices) { b[$0].path }
    var matches: [Int: Int] = [:]
    for place in a.indices {
      guard let other = left[a[place].path]?.first else { continue }
      left[a[place].path]?.removeFirst()
      matches[place] = other
    }
    var others = Dictionary(grouping: left.values.flatMap { $0 }.sorted()) { b[$0].layer }
    for (layer, places) in Dictionary(grouping: a.indices.filter { matches[$0] == nil }, by: { a[$0].layer }) {
      guard var rest = others[layer], rest.count == places.count, rest.count <= 64 else { continue }
      for place in places {
        guard let found = rest.firstIndex(where: { isEqual(a[place], b[$0]) }) else { continue }
        matches[place] = rest.remove(at: found)
      }
      for place in places where matches[place] == nil {
        guard let found = rest.firstIndex(where: { b[$0].shape == a[place].shape }) else { continue }
        matches[place] = rest.remove(at: found)
      }
      others[layer] = rest
    }
    for place in a.indices {
      compare(a[place].path, .success(a[place]), matches[place].map { .success(b[$0]) })
    }
    let taken = Set(matches.values)
    for place in b.indices where !taken.contains(place) { compare(b[place].path, nil, .success(b[place])) }
  }

  private func isEqual(_ a: ComparableWeight, _ b: ComparableWeight) -> Bool {
    guard a.shape == b.shape, let found = try? ElementDifference.between(a, b, tolerance) else { return false }
    return found.isEqual
  }

  /// Layer and name of a stored weight without what only some versions of Keras write: `:0`, scopes, names of Keras 1.
  static func key(of path: String, in layer: String, group: String) -> String {
    var parts = (path.hasPrefix(group + "/") ? String(path.dropFirst(group.count + 1)) : path).split(separator: "/")
      .map(
        String.init)
    var last = parts.popLast().map { $0.split(separator: ":").first.map(String.init) ?? $0 } ?? ""
    // Keras 1: conv_W in the group conv.
    if last.hasPrefix(group + "_") { last = String(last.dropFirst(group.count + 1)) }
    last = oldNames[last] ?? last
    // In the group conv, Keras writes conv/kernel, and later versions more scopes before it.
    if let place = parts.lastIndex(of: group) { parts.removeFirst(place + 1) }
    parts.removeAll { $0 == "vars" }
    return ([layer] + parts + [last]).joined(separator: "/")
  }

  private static let oldNames = [
    "W": "kernel", "b": "bias", "U": "recurrent_kernel", "running_mean": "moving_mean",
    "running_std": "moving_variance", "alphas": "alpha",
  ]

  // MARK: - One pair

  private mutating func compare(
    _ path: String, _ a: Result<ComparableWeight, H5ConvError>?, _ b: Result<ComparableWeight, H5ConvError>?
  ) {
    let (first, second) = (try? a?.get(), try? b?.get())
    var problem: String?
    if case .failure(let error) = a { problem = error.description }
    if case .failure(let error) = b { problem = error.description }
    var elements: ElementDifference?
    let status: WeightDifference.Status
    switch (first, second) {
    case (nil, nil): status = .unreadable
    case (_, nil): status = .removed
    case (nil, _): status = .added
    case (let first?, let second?):
      if first.shape != second.shape {
        status = .shape
      } else {
        do {
          let found = try ElementDifference.between(first, second, tolerance)
          elements = found
          status = found.isEqual ? .equal : found.isWithinTolerance ? .close : .different
        } catch {
          problem = "\(error)"
          status = .unreadable
        }
      }
    }
    differences.append(
      WeightDifference(
        path: path, status: status, firstShape: first?.shape, secondShape: second?.shape, firstType: first?.type,
        secondType: second?.type, elements: elements, problem: problem))
  }
}
