import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles

/// The groups, datasets and attributes of an HDF5 file.
public enum HDF5Tree {
  /// Levels and objects that are shown; a file may nest and link without end.
  private static let limits = (depth: 64, objects: 100_000)

  /// The tree of the HDF5 file at `path` as indented text: attributes begin with `@`, links are named and not followed.
  ///
  /// - Throws: `H5ConvError`: `cannotRead`, or `badData` for a file that is not HDF5.
  public static func text(ofFileAt path: String) throws -> String {
    guard let file = try ModelFile(path: path).hdf5 else {
      throw H5ConvError(.badData, "this file has no HDF5 tree", remedy: "give an .h5 or .keras file", file: path)
    }
    return try naming(path) {
      var lines = ["/"] + (try attributes(of: file.root, indent: "  "))
      try walk(file.root) { depth, name, item in
        let indent = String(repeating: "  ", count: depth)
        switch item {
        case .group(let group):
          lines.append("\(indent)\(name)/")
          lines += try attributes(of: group, indent: indent + "  ")
        case .dataset(let dataset):
          let shape = dataset.shape.map(String.init).joined(separator: ", ")
          lines.append("\(indent)\(name)  (\(shape)) \(dataset.elementType), \(try dataset.storageDescription())")
          lines += try attributes(of: dataset, indent: indent + "  ")
        case .link(let kind): lines.append("\(indent)\(name)  (a \(kind.rawValue), not followed)")
        case .other(let what): lines.append("\(indent)\(name)  \(what)")
        }
      }
      return lines.map(\.escapedForTerminal).joined(separator: "\n")
    }
  }

  private static func attributes(of owner: some AttributeOwner, indent: String) throws -> [String] {
    try owner.attributeNames().map { name in
      guard let texts = try? owner.stringsAttribute(name) else { return "\(indent)@\(name)" }
      let text = texts.count == 1 ? texts[0] : "[\(texts.count)] " + texts.prefix(4).joined(separator: ", ")
      return "\(indent)@\(name) = \(text.count > 72 ? text.prefix(72) + "…" : text[...])"
    }
  }

  /// All datasets with their paths below the root, without a leading slash.
  static func datasets(of file: File) throws -> [(path: String, dataset: Dataset)] {
    var found: [(path: String, dataset: Dataset)] = []
    try walk(file.root) { _, _, item in
      if case .dataset(let dataset) = item { found.append((String(dataset.path.dropFirst()), dataset)) }
    }
    return found
  }

  enum Item {
    case group(Group)
    case dataset(Dataset)
    case link(Group.Link)
    case other(String)
  }

  /// Visits what is below `root`, members in HDF5's order of names, each group once.
  static func walk(_ root: Group, _ visit: (_ depth: Int, _ name: String, Item) throws -> Void) throws {
    var visited: Set<UInt64> = []
    var count = 0
    var pending: [(depth: Int, name: String, parent: Group)] = try root.memberNames().reversed().map { (1, $0, root) }
    while let (depth, name, parent) = pending.popLast() {
      count += 1
      guard count <= limits.objects else {
        throw H5ConvError(.limit, "the file has more than \(limits.objects) objects")
      }
      switch try parent.member(name) {
      case .dataset:
        if let dataset = try parent.dataset(name) { try visit(depth, name, .dataset(dataset)) }
      case .group:
        guard let group = try parent.group(name) else { continue }
        guard visited.insert(group.address).inserted else {
          try visit(depth, name, .other("(a group shown before)"))
          continue
        }
        try visit(depth, name, .group(group))
        guard depth < limits.depth else { continue }
        pending += try group.memberNames().reversed().map { (depth + 1, $0, group) }
      case .link(let kind): try visit(depth, name, .link(kind))
      case .other: try visit(depth, name, .other("(a named type)"))
      case nil: continue
      }
    }
  }
}
