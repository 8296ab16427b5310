import H5ConvDiagnostics
package import H5ConvHDF5

/// Weights in Keras 3's layout (`.weights.h5`): for each object of the model a group `…/vars` with datasets `0`, `1`, ….
///
/// Sharded weights are several files, whose groups are put together.
package struct VariableStore: Sendable {
  private let shards: [(root: Group, window: FileWindow?)]
  /// Keras on Windows joined the names of a path with backslashes, so that they are one group's name.
  private let hasBackslashes: Bool
  /// What the container of a model's layers is called: `layers`, or in files of Keras 2.12 to 2.14 another name.
  package let layersName: String

  package init(_ shards: [(root: Group, window: FileWindow?)]) throws {
    self.shards = shards
    hasBackslashes = try shards.contains { try $0.root.memberNames().contains { $0.contains("\\") } }
    let older = "_layer_checkpoint_dependencies"
    layersName =
      try shards.contains { shard in
        try shard.root.member(older) == .group || shard.root.memberNames().contains { $0.hasPrefix(older + "\\") }
      } ? older : "layers"
  }

  /// The variables of the object at `path` (empty for the model itself), in their order.
  package func variables(_ path: String) throws -> [StoredTensor] {
    var found: [(number: Int, tensor: StoredTensor)] = []
    for (root, window) in shards {
      guard let group = try variableGroup(root, path) else { continue }
      for name in try group.memberNames() {
        guard let number = Int(name), try group.member(name) == .dataset, let dataset = try group.dataset(name) else {
          continue
        }
        let place = path.isEmpty ? "vars/\(name)" : "\(path)/vars/\(name)"
        found.append((number, StoredTensor(place, dataset, in: window)))
      }
    }
    return found.sorted { $0.number < $1.number }.map(\.tensor)
  }

  /// The name that the object at `path` has in Keras; older files do not tell.
  package func objectName(_ path: String) throws -> String? {
    for (root, _) in shards {
      if let name = try variableGroup(root, path)?.stringAttribute("name") { return name }
    }
    return nil
  }

  /// Whether there is anything at `path`.
  package func has(_ path: String) throws -> Bool { try shards.contains { try group($0.root, path) != nil } }

  /// Names of the groups below `path`, without `vars`.
  package func children(_ path: String) throws -> [String] {
    var names: [String] = []
    for (root, _) in shards {
      if hasBackslashes {
        // What follows the path in the names of the root's members, up to the next backslash.
        let prefix = path.isEmpty ? "" : path.split(separator: "/").joined(separator: "\\") + "\\"
        for member in try root.memberNames() where member.hasPrefix(prefix) {
          let name = member.dropFirst(prefix.count).split(separator: "\\").first.map(String.init) ?? ""
          if !name.isEmpty, name != "vars", !names.contains(name) { names.append(name) }
        }
        continue
      }
      guard let group = try group(root, path) else { continue }
      for name in try group.memberNames() where name != "vars" && !names.contains(name) {
        if try group.member(name) == .group { names.append(name) }
      }
    }
    return names
  }

  /// All objects below `path`, with their variables; itself first.
  package func objects(_ path: String) throws -> [(path: String, variables: [StoredTensor])] {
    var found: [(path: String, variables: [StoredTensor])] = []
    var pending = [(path, 0)]
    var visited: Set<Place> = []
    while let (next, depth) = pending.popLast() {
      // A group that is linked twice is one object: without this there are 2ⁿ paths through n groups, or no end.
      let places = try places(next)
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

  /// A group by its file and address.
  private struct Place: Hashable {
    let shard: Int
    let address: UInt64
  }

  private func places(_ path: String) throws -> [Place] {
    // Names with backslashes are no groups in groups: they cannot be linked twice on the way.
    if path.isEmpty || hasBackslashes { return [] }
    return try shards.enumerated().compactMap { shard, file in
      try group(file.root, path).map { Place(shard: shard, address: $0.address) }
    }
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

  private func group(_ root: Group, _ path: String) throws -> Group? {
    if path.isEmpty { return root }
    return try root.group(hasBackslashes ? path.split(separator: "/").joined(separator: "\\") : path)
  }

  private func variableGroup(_ root: Group, _ path: String) throws -> Group? {
    guard let object = try group(root, path), try object.member("vars") == .group else { return nil }
    return try object.group("vars")
  }
}
