import H5ConvDiagnostics
import H5ConvFiles
import H5ConvTensors

/// Weights in Keras' layout of objects within a `.npz`: for each object one member, a pickled dictionary of its variables by number.
///
/// This is what `model.weights.npz` of a `.keras` archive is (`NpzIOStore` in `saving_lib.py`). Keras writes it when asked to,
/// and cannot read it back: it takes the model's own variables for a list.
struct PickledVariables: VariableSource {
  /// The variables of each object, by its path; the model itself is at the empty one.
  private let objects: [String: [StoredTensor]]
  /// Names of the objects that each object has.
  private let names: [String: [String]]

  /// Whether an archive without `config.json` is such.
  static func isIn(_ archive: ZipArchive) -> Bool { archive.member(rootName) != nil }

  private static let rootName = "__root__.npy"

  init(_ archive: ZipArchive) throws {
    var objects: [String: [StoredTensor]] = [:]
    for member in archive.members where member.name.hasSuffix(".npy") {
      let name = String(member.name.dropLast(4))
      let path = member.name == PickledVariables.rootName ? "" : name
      objects[path] = try PickledVariables.located(member) {
        try PickledVariables.variables(member, in: archive, path: path)
      }
    }
    var names: [String: [String]] = ["": []]
    for path in objects.keys.sorted() {
      let parts = path.split(separator: "/").map(String.init)
      guard parts.count <= 64 else { throw H5ConvError(.limit, "objects nested deeper than 64", at: path) }
      // An object without variables of its own may have no member.
      for depth in parts.indices {
        let (owner, own) = (parts[..<depth].joined(separator: "/"), parts[...depth].joined(separator: "/"))
        guard names[own] == nil else { continue }
        names[own] = []
        names[owner, default: []].append(parts[depth])
      }
    }
    self.objects = objects
    self.names = names
  }

  private static func variables(
    _ member: ZipArchive.Member, in archive: ZipArchive, path: String
  ) throws -> [StoredTensor] {
    let (window, length) = try archive.window(member)
    let start = try NPYHeader.objectOffset(in: try window.file.bytes(at: window.offset, count: min(length, 1 << 12)))
    let bytes = FileBytes(window, count: length, from: start)
    let pickle = try PickleReader.read(bytes)
    let array = PickledArray(pickle: pickle, bytes: bytes, place: member.name)
    guard let dictionary = try array.single(pickle.root), let entries = pickle.entries(dictionary) else {
      throw H5ConvError(.unsupported, "pickled weights that are no dictionary")
    }
    var found: [(number: Int, tensor: StoredTensor)] = []
    for (key, value) in entries {
      guard let number = try pickle.text(key).flatMap({ Int($0) }) else { continue }
      let name = path.isEmpty ? "vars/\(number)" : "\(path)/vars/\(number)"
      found.append((number, try array.tensor(value, path: name)))
    }
    return found.sorted { $0.number < $1.number }.map(\.tensor)
  }

  private static func located<Value>(_ member: ZipArchive.Member, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as H5ConvError {
      throw H5ConvError(
        error.kind, error.what, at: error.place ?? member.name, remedy: error.remedy, reason: error.reason)
    }
  }

  func variables(_ path: String) throws -> [StoredTensor] { objects[path] ?? [] }

  func objectName(_ path: String) throws -> String? { nil }

  func has(_ path: String) throws -> Bool { names[path] != nil }

  func places(_ path: String) throws -> [GroupPlace] { [] }

  func children(_ path: String) throws -> [String] { names[path] ?? [] }
}
