import H5ConvDiagnostics

/// Weights in Keras 3's layout: for each object of the model its numbered variables, by the path of attributes that leads to it.
package struct VariableStore: Sendable {
  private let source: any VariableSource
  /// What the container of a model's layers is called: `layers`, or in files of Keras 2.12 to 2.14 another name.
  package let layersName: String
  /// Whether the variables are pickled Python objects, which no Keras reads back.
  package let isPickled: Bool

  init(_ source: some VariableSource) throws {
    self.source = source
    isPickled = source is PickledVariables
    let older = "_layer_checkpoint_dependencies"
    layersName = try source.children("").contains(older) ? older : "layers"
  }

  /// The variables of the object at `path` (empty for the model itself), in their order.
  package func variables(_ path: String) throws -> [StoredTensor] { try source.variables(path) }

  /// The name that the object at `path` has in Keras; older files do not tell.
  package func objectName(_ path: String) throws -> String? { try source.objectName(path) }

  /// Whether there is anything at `path`.
  package func has(_ path: String) throws -> Bool { try source.has(path) }

  /// Names of the objects that the one at `path` has.
  package func children(_ path: String) throws -> [String] { try source.children(path) }

  /// All objects below `path`, with their variables; itself first.
  package func objects(_ path: String) throws -> [(path: String, variables: [StoredTensor])] {
    var found: [(path: String, variables: [StoredTensor])] = []
    var pending = [(path, 0)]
    var visited: Set<GroupPlace> = []
    while let (next, depth) = pending.popLast() {
      // A group that is linked twice is one object: without this there are 2ⁿ paths through n groups, or no end.
      let places = try source.places(next)
      guard visited.isDisjoint(with: places) else { continue }
      visited.formUnion(places)
      guard found.count < 100_000, depth < 64 else {
        throw H5ConvError(.limit, "the file has more groups than are read", at: next)
      }
      found.append((next, try variables(next)))
      let children = try children(next).sorted(by: VariableStore.isBefore)
      pending += children.reversed().map { (next.isEmpty ? $0 : "\(next)/\($0)", depth + 1) }
    }
    return found
  }

  /// `conv2d` before `conv2d_2` before `conv2d_10`.
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    func key(_ name: String) -> (String, Int) {
      guard let cut = name.lastIndex(of: "_"), let number = Int(name[name.index(after: cut)...]) else {
        return (name, 0)
      }
      return (String(name[..<cut]), number)
    }
    return key(a) < key(b)
  }
}

/// A file in which a ``VariableStore`` finds its objects.
protocol VariableSource: Sendable {
  func variables(_ path: String) throws -> [StoredTensor]
  func objectName(_ path: String) throws -> String?
  func has(_ path: String) throws -> Bool
  func children(_ path: String) throws -> [String]
  /// Where the groups are that make up the object; empty where none can be linked twice.
  func places(_ path: String) throws -> [GroupPlace]
}

/// A group by its file and address.
struct GroupPlace: Hashable {
  let shard: Int
  let address: UInt64
}
