import H5ConvDiagnostics

/// What a pickle says, as data: Python's virtual machine without Python.
///
/// A pickle is a program that builds objects by calling whatever functions it names. Here calls are only noted: a name is a name, a
/// call is a record of what would be called with what. Nothing is looked up, imported or run, so that reading is safe whatever
/// the file says; ``PickleReader`` refuses names that Keras' weights have no use for all the same.
///
/// Objects are places in one list, which refer to each other by number: cycles and sharing cost nothing, and nobody follows them
/// to the end.
struct Pickle {
  /// Number of an object in ``objects``.
  typealias Reference = Int

  /// Bytes of the file, by place; large ones are never loaded for the pickle's sake.
  struct Span: Equatable {
    let offset: Int
    let count: Int
  }

  /// Python's `module.name`.
  struct Name: Hashable, CustomStringConvertible {
    let module: String
    let name: String
    var description: String { "\(module).\(name)" }
  }

  enum Kind: Equatable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    /// UTF-8 in the file.
    case text(Span)
    case bytes(Span)
    /// A list, tuple or set; ``Object/items`` are its elements.
    case sequence
    /// ``Object/items`` are keys and values in turn.
    case dictionary
    case name(Name)
    /// What calling `callee` with `arguments` would give.
    case call(callee: Reference, arguments: Reference)
  }

  struct Object {
    var kind: Kind
    /// Elements of a container; small ones in place, so that adding to them is cheap.
    var items: [Reference] = []
    /// What BUILD would set on it.
    var state: Reference?
  }

  let objects: [Object]
  /// The object that the pickle stands for.
  let root: Reference
  private let bytes: FileBytes

  init(objects: [Object], root: Reference, bytes: FileBytes) {
    self.objects = objects
    self.root = root
    self.bytes = bytes
  }

  subscript(reference: Reference) -> Object { objects[reference] }

  /// The elements of a list or tuple; nil for anything else.
  func items(_ reference: Reference) -> [Reference]? {
    self[reference].kind == .sequence ? self[reference].items : nil
  }

  /// The value of `key` in a dictionary, the last one when there are several.
  ///
  /// - Throws: ``H5ConvError`` of kind `limit` for a dictionary larger than any object's state: all objects may share one.
  func value(_ key: String, in dictionary: Reference) throws -> Reference? {
    guard self[dictionary].items.count <= 2048 else {
      throw H5ConvError(.limit, "a pickled object with \(self[dictionary].items.count / 2) attributes")
    }
    return try entries(dictionary)?.last { try text($0.key) == key }?.value
  }

  /// Keys and values of a dictionary; nil for anything else.
  func entries(_ reference: Reference) -> [(key: Reference, value: Reference)]? {
    let object = self[reference]
    guard object.kind == .dictionary else { return nil }
    return stride(from: 0, to: object.items.count - 1, by: 2).map { (object.items[$0], object.items[$0 + 1]) }
  }

  func int(_ reference: Reference) -> Int? {
    if case .int(let value) = self[reference].kind { value } else { nil }
  }

  /// A text of a length that names have; nil for others and anything else.
  func text(_ reference: Reference) throws -> String? {
    guard case .text(let span) = self[reference].kind, span.count <= 4096 else { return nil }
    return String(decoding: try bytes.read(span), as: UTF8.self)
  }

  /// The name that `reference` is; nil for anything else.
  func name(_ reference: Reference) -> Name? {
    if case .name(let name) = self[reference].kind { name } else { nil }
  }

  /// What is called, by name, and with which arguments; nil for what is no call of something with a name.
  func call(_ reference: Reference) -> (name: Name, arguments: [Reference])? {
    guard case .call(let callee, let arguments) = self[reference].kind, let name = name(callee),
      let arguments = items(arguments)
    else { return nil }
    return (name, arguments)
  }
}
