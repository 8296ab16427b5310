import CHDF5
package import H5ConvDiagnostics

/// A group of an HDF5 file.
package final class Group: AttributeOwner, Sendable {
  private let handle: Handle
  /// Absolute path in the file.
  package let path: String
  /// Address of the object in the file, by which one that is linked twice is known.
  package let address: UInt64

  package var objectID: Int64 { handle.id }

  init(_ handle: Handle, path: String, address: UInt64) {
    self.handle = handle
    self.path = path
    self.address = address
  }

  /// What stands under a name of a group.
  package enum Link: String, Sendable {
    case soft = "soft link"
    case external = "external link"
    case userDefined = "user-defined link"
  }

  package enum Member: Sendable, Equatable {
    case group
    case dataset
    /// A named type or something else that is neither group nor dataset.
    case other
    /// A soft, external or user-defined link: never followed.
    case link(Link)
  }

  /// Names of the members, in HDF5's order of names (not the order of layers).
  package func memberNames() throws(H5ConvError) -> [String] {
    let list = NameList()
    var place: hsize_t = 0
    _ = try Library.call("list the group \(path)") {
      H5Literate(
        objectID, H5_INDEX_NAME, H5_ITER_INC, &place,
        { _, name, _, context in
          NameList.append(name, to: context)
        }, list.context)
    }
    return try list.checked("group \(path)")
  }

  /// What stands under `name`; nil when nothing does.
  package func member(_ name: String) throws(H5ConvError) -> Member? {
    guard Group.isName(name) else { return nil }
    var info = h5c_link()
    guard try Library.call("look at \(pathOf(name))", { h5c_link_info(objectID, name, &info) }) > 0 else { return nil }
    return Group.member(info)
  }

  /// The object under `name`, opened when its kind is `expected`; nil when there is none.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when it is something else.
  private func open(_ name: String, _ expected: Member) throws(H5ConvError) -> (handle: Handle, address: UInt64)? {
    guard Group.isName(name) else { return nil }
    var info = h5c_link()
    let id = try Library.call("open \(pathOf(name))") { h5c_open_link(objectID, name, &info) }
    let handle = id > 0 ? Handle(id) { H5Oclose($0) } : nil
    if info.link == H5L_TYPE_ERROR { return nil }
    let member = Group.member(info)
    guard let handle, member == expected else { throw mismatch(member, expected, name) }
    return (handle, UInt64(info.address))
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
  }

  private static func member(_ info: h5c_link) -> Member {
    switch info.link {
    case H5L_TYPE_HARD:
      switch info.object {
      case H5O_TYPE_GROUP: .group
      case H5O_TYPE_DATASET: .dataset
      default: .other
      }
    case H5L_TYPE_SOFT: .link(.soft)
    case H5L_TYPE_EXTERNAL: .link(.external)
    default: .link(.userDefined)
    }
  }

  /// The group at `path` below this one; nil when there is none.
  ///
  /// The path is followed one component at a time and only through hard links.
  /// - Throws: ``H5ConvError`` of kind `badData` when the way leads through a link or the target is not a group.
  package func group(_ path: String) throws(H5ConvError) -> Group? {
    var group = self
    for name in Group.components(path) {
      guard let next = try group.child(name) else { return nil }
      group = next
    }
    return group
  }

  /// The dataset at `path` below this group; nil when there is none.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when the way leads through a link or the target is not a dataset.
  package func dataset(_ path: String) throws(H5ConvError) -> Dataset? {
    let names = Group.components(path)
    guard let name = names.last else { return nil }
    var group = self
    for name in names.dropLast() {
      guard let next = try group.child(name) else { return nil }
      group = next
    }
    guard let found = try group.open(name, .dataset) else { return nil }
    return try Dataset(found.handle, path: group.pathOf(name))
  }

  private func child(_ name: String) throws(H5ConvError) -> Group? {
    guard let found = try open(name, .group) else { return nil }
    return Group(found.handle, path: pathOf(name), address: found.address)
  }

  private func mismatch(_ member: Member, _ expected: Member, _ name: String) -> H5ConvError {
    let found =
      switch member {
      case .link(let kind): "is a \(kind.rawValue), which is never followed"
      case .group: "is a group where a dataset was expected"
      case .dataset: "is a dataset where a group was expected"
      case .other: "is neither a group nor a dataset"
      }
    return H5ConvError(.badData, "\(pathOf(name)) \(found)")
  }

  func pathOf(_ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }

  private static func components(_ path: String) -> [String] {
    path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
  }
}
