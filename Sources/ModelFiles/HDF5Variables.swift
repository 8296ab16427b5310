import H5ConvHDF5

/// Weights in `.weights.h5`: for each object of the model a group `…/vars` with datasets `0`, `1`, ….
///
/// Sharded weights are several files, whose groups are put together.
struct HDF5Variables: VariableSource {
  private let shards: [(root: Group, window: FileWindow?)]
  /// Keras on Windows joined the names of a path with backslashes, so that they are one group's name.
  private var hasBackslashes: Bool { flatChildren != nil }
  /// The children of each path in such a file.
  private let flatChildren: [String: [String]]?

  init(_ shards: [(root: Group, window: FileWindow?)]) throws {
    self.shards = shards
    let names = try shards.flatMap { try $0.root.memberNames() }
    flatChildren = names.contains { $0.contains("\\") } ? HDF5Variables.children(ofFlat: names) : nil
  }

  /// The children of each path that names joined with backslashes lead to, without `vars`.
  private static func children(ofFlat names: [String]) -> [String: [String]] {
    var children: [String: [String]] = [:]
    var seen: Set<String> = []
    for name in names {
      var path = ""
      // Nobody follows more levels.
      for part in name.split(separator: "\\").prefix(65) {
        if part == "vars" { break }
        let own = path.isEmpty ? String(part) : "\(path)/\(part)"
        if seen.insert(own).inserted { children[path, default: []].append(String(part)) }
        path = own
      }
    }
    return children
  }

  /// The variables of the object at `path` (empty for the model itself), in their order.
  func variables(_ path: String) throws -> [StoredTensor] {
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
  func objectName(_ path: String) throws -> String? {
    for (root, _) in shards {
      if let name = try variableGroup(root, path)?.stringAttribute("name") { return name }
    }
    return nil
  }

  /// Whether there is anything at `path`.
  func has(_ path: String) throws -> Bool { try shards.contains { try group($0.root, path) != nil } }

  func places(_ path: String) throws -> [GroupPlace] {
    // Names with backslashes are no groups in groups: they cannot be linked twice on the way.
    if path.isEmpty || hasBackslashes { return [] }
    return try shards.enumerated().compactMap { shard, file in
      try group(file.root, path).map { GroupPlace(shard: shard, address: $0.address) }
    }
  }

  /// Names of the groups below `path`, without `vars`.
  func children(_ path: String) throws -> [String] {
    if let flatChildren { return flatChildren[path] ?? [] }
    var names: [String] = []
    var seen: Set<String> = []
    for (root, _) in shards {
      guard let group = try group(root, path) else { continue }
      for name in try group.memberNames() where name != "vars" && !seen.contains(name) {
        if try group.member(name) == .group {
          names.append(name)
          seen.insert(name)
        }
      }
    }
    return names
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
