import H5ConvDiagnostics

/// Reads pickles of protocols 2 to 5 into ``Pickle``, without executing anything.
///
/// Source: `Lib/pickletools.py` of CPython, which says of every opcode what it does.
struct PickleReader {
  /// Limits, far above what the weights of one layer take.
  private static let objectLimit = 1 << 20
  private static let operationLimit = 1 << 23

  private var bytes: FileBytes
  private var objects: [Pickle.Object] = []
  private var stack: [Pickle.Reference] = []
  /// Heights of the stack at the marks that are open.
  private var marks: [Int] = []
  private var memo: [Int: Pickle.Reference] = [:]

  /// - Throws: ``H5ConvError``: `badData` for a pickle that is damaged or cut short, `unsupported` with the name of what it would
  ///   call, or of the opcode that Keras' weights have no use for, `limit`.
  static func read(_ bytes: FileBytes) throws -> Pickle {
    var reader = PickleReader(bytes: bytes)
    return try reader.run()
  }

  private init(bytes: FileBytes) { self.bytes = bytes }

  private mutating func run() throws -> Pickle {
    guard try byte() == 0x80, (2...5).contains(try byte()) else { throw damaged("no pickle of protocol 2 to 5") }
    for _ in 0..<PickleReader.operationLimit {
      let start = bytes.place
      let code = try byte()
      guard let operation = Operation(rawValue: code) else { throw refusal(of: code, at: start) }
      if operation == .stop {
        let root = try pop()
        return Pickle(objects: objects, root: root, bytes: bytes)
      }
      try perform(operation)
    }
    throw H5ConvError(.limit, "a pickle of more than \(PickleReader.operationLimit) operations")
  }

  // MARK: - Operations

  private enum Operation: UInt8 {
    case stop = 0x2e, mark = 0x28, pop = 0x30, popMark = 0x31, duplicate = 0x32
    case none = 0x4e, newTrue = 0x88, newFalse = 0x89
    case int4 = 0x4a, int1 = 0x4b, int2 = 0x4d, long1 = 0x8a, long4 = 0x8b, float8 = 0x47
    case text1 = 0x8c, text4 = 0x58, text8 = 0x8d
    case bytes1 = 0x43, bytes4 = 0x42, bytes8 = 0x8e, byteArray8 = 0x96
    case emptyDictionary = 0x7d, emptyList = 0x5d, emptyTuple = 0x29, emptySet = 0x8f
    case append = 0x61, appends = 0x65, setItem = 0x73, setItems = 0x75, addItems = 0x90
    case tuple = 0x74, tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87, frozenSet = 0x91
    case get1 = 0x68, get4 = 0x6a, put1 = 0x71, put4 = 0x72, memoize = 0x94
    case global = 0x63, stackGlobal = 0x93, reduce = 0x52, newObject = 0x81, build = 0x62
    case frame = 0x95
  }

  private mutating func perform(_ operation: Operation) throws {
    switch operation {
    case .stop: break
    case .frame: _ = try number(bytes: 8)
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    case .duplicate: stack.append(try top())
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .int1: try push(.int(try number(bytes: 1)))
    case .int2: try push(.int(try number(bytes: 2)))
    case .int4: try push(.int(Int(Int32(truncatingIfNeeded: try number(bytes: 4)))))
    case .long1: try push(.int(try long(bytes: try number(bytes: 1))))
    case .long4: try push(.int(try long(bytes: try number(bytes: 4))))
    case .float8: try push(.float(Double(bitPattern: try bigEndian())))
    case .text1: try push(.text(try span(lengthIn: 1)))
    case .text4: try push(.text(try span(lengthIn: 4)))
    case .text8: try push(.text(try span(lengthIn: 8)))
    case .bytes1: try push(.bytes(try span(lengthIn: 1)))
    case .bytes4: try push(.bytes(try span(lengthIn: 4)))
    case .bytes8, .byteArray8: try push(.bytes(try span(lengthIn: 8)))
    case .emptyDictionary: try push(.dictionary)
    case .emptyList, .emptyTuple, .emptySet: try push(.sequence)
    case .append: try add([try pop()], to: .sequence)
    case .appends, .addItems: try add(try popToMark(), to: .sequence)
    case .setItem:
      let value = try pop()
      try add([try pop(), value], to: .dictionary)
    case .setItems: try add(try popToMark(), to: .dictionary)
    case .tuple, .frozenSet: try push(.sequence, try popToMark())
    case .tuple1: try push(.sequence, try pop(count: 1))
    case .tuple2: try push(.sequence, try pop(count: 2))
    case .tuple3: try push(.sequence, try pop(count: 3))
    case .get1: try recall(try number(bytes: 1))
    case .get4: try recall(try number(bytes: 4))
    case .put1: try remember(try number(bytes: 1))
    case .put4: try remember(try number(bytes: 4))
    case .memoize: try remember(memo.count)
    case .global: try push(.name(try known(Pickle.Name(module: try line(), name: try line()))))
    case .stackGlobal:
      let (name, module) = (try text(try pop()), try text(try pop()))
      try push(.name(try known(Pickle.Name(module: module, name: name))))
    case .reduce, .newObject:
      let arguments = try pop()
      let callee = try pop()
      guard objects[arguments].kind == .sequence else { throw damaged("arguments that are no tuple") }
      try push(.call(callee: callee, arguments: arguments))
    case .build:
      let state = try pop()
      let object = try top()
      objects[object].state = state
    }
  }

  /// Adds to the container on the stack.
  private mutating func add(_ items: [Pickle.Reference], to kind: Pickle.Kind) throws {
    let container = try top()
    guard objects[container].kind == kind, kind == .sequence || items.count % 2 == 0 else {
      throw damaged("elements of what is no \(kind == .sequence ? "list" : "dictionary")")
    }
    objects[container].items += items
  }

  private mutating func remember(_ number: Int) throws {
    guard memo.count < PickleReader.objectLimit else {
      throw H5ConvError(.limit, "a pickle that refers to more than \(PickleReader.objectLimit) objects")
    }
    memo[number] = try top()
  }

  private mutating func recall(_ number: Int) throws {
    guard let reference = memo[number] else { throw damaged("a reference to what is not there") }
    stack.append(reference)
  }

  // MARK: - The stack

  private mutating func push(_ kind: Pickle.Kind, _ items: [Pickle.Reference] = []) throws {
    guard objects.count < PickleReader.objectLimit else {
      throw H5ConvError(.limit, "a pickle of more than \(PickleReader.objectLimit) objects")
    }
    objects.append(Pickle.Object(kind: kind, items: items))
    stack.append(objects.count - 1)
  }

  /// What is on top of the stack; what lies under a mark is out of reach.
  private func top() throws -> Pickle.Reference {
    guard let last = stack.last, stack.count > marks.last ?? 0 else { throw damaged("an empty stack") }
    return last
  }

  private mutating func pop() throws -> Pickle.Reference {
    let last = try top()
    stack.removeLast()
    return last
  }

  private mutating func pop(count: Int) throws -> [Pickle.Reference] {
    var popped: [Pickle.Reference] = []
    for _ in 0..<count { popped.append(try pop()) }
    return popped.reversed()
  }

  private mutating func popToMark() throws -> [Pickle.Reference] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw damaged("no mark on the stack") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  // MARK: - Operands

  private mutating func byte() throws -> UInt8 {
    guard let byte = try bytes.next() else { throw damaged("it is cut short") }
    return byte
  }

  /// An unsigned number, little-endian.
  private mutating func number(bytes count: Int) throws -> Int {
    var bits: UInt64 = 0
    for place in 0..<count { bits |= UInt64(try byte()) << (8 * place) }
    guard let number = Int(exactly: bits) else { throw damaged("it is cut short") }
    return number
  }

  private mutating func bigEndian() throws -> UInt64 {
    var bits: UInt64 = 0
    for _ in 0..<8 { bits = bits << 8 | UInt64(try byte()) }
    return bits
  }

  /// A number in two's complement of `count` bytes.
  private mutating func long(bytes count: Int) throws -> Int {
    guard count <= 8 else { throw H5ConvError(.unsupported, "a number of \(count) bytes in a pickle") }
    var bits: UInt64 = 0
    var last: UInt8 = 0
    for place in 0..<count {
      last = try byte()
      bits |= UInt64(last) << (8 * place)
    }
    if last & 0x80 != 0, count < 8 { bits |= ~0 << (8 * count) }
    return Int(bitPattern: UInt(bits))
  }

  private mutating func span(lengthIn count: Int) throws -> Pickle.Span {
    guard let span = bytes.skip(try number(bytes: count)) else { throw damaged("it is cut short") }
    return span
  }

  /// The bytes up to the end of a line.
  private mutating func line() throws -> String {
    var text: [UInt8] = []
    while text.count < 512 {
      let next = try byte()
      if next == UInt8(ascii: "\n") { return String(decoding: text, as: UTF8.self) }
      text.append(next)
    }
    throw damaged("a name of more than 512 bytes")
  }

  private func text(_ reference: Pickle.Reference) throws -> String {
    guard case .text(let span) = objects[reference].kind, span.count <= 512 else {
      throw damaged("a name that is no text")
    }
    return String(decoding: try bytes.read(span), as: UTF8.self)
  }

  // MARK: - Refusals

  /// `name`, when weights that Keras saved may have it.
  private func known(_ name: Pickle.Name) throws -> Pickle.Name {
    guard PickleReader.names.contains(name) || PickleReader.isOfKeras(name.module) else {
      throw H5ConvError(
        .badData, "the pickled weights would call \(name), which is never run", remedy: "do not trust the file",
        reason: .pickledCode)
    }
    return name
  }

  /// Classes of Keras itself: a variable, and its initializer, regularizer and constraint.
  private static func isOfKeras(_ module: String) -> Bool {
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    guard ["keras", "keras_core"].contains(parts.first), parts.dropFirst().first == "src", parts.count > 2 else {
      return false
    }
    return ["backend", "initializers", "regularizers", "constraints"].contains(parts[2])
  }

  /// What NumPy's arrays and the variables of the backends consist of.
  private static let names: Set<Pickle.Name> = Set(
    [
      ("numpy", ["ndarray", "dtype"]), ("numpy.core.multiarray", ["_reconstruct", "scalar"]),
      ("numpy._core.multiarray", ["_reconstruct", "scalar"]), ("numpy.core.numeric", ["_frombuffer"]),
      ("numpy._core.numeric", ["_frombuffer"]), ("_codecs", ["encode"]), ("builtins", ["set", "bytes", "bytearray"]),
      ("__builtin__", ["set", "bytes", "bytearray"]), ("functools", ["partial"]),
      ("ml_dtypes", ["bfloat16", "float8_e4m3fn", "float8_e5m2"]),
      ("tensorflow.python.ops.resource_variable_ops", ["ResourceVariable"]),
      ("tensorflow.python.framework.dtypes", ["as_dtype"]), ("jax._src.array", ["_reconstruct_array"]),
    ].flatMap { module, names in names.map { Pickle.Name(module: module, name: $0) } })

  private func refusal(of code: UInt8, at place: Int) -> H5ConvError {
    guard let name = PickleReader.refused[code] else { return damaged("an unknown opcode \(code) at byte \(place)") }
    return H5ConvError(
      .badData, "the pickled weights use the opcode \(name), which Keras has no use for",
      remedy: "do not trust the file", reason: .pickledCode)
  }

  /// Opcodes that load objects by other ways, or are of protocols 0 and 1.
  private static let refused: [UInt8: String] = [
    0x69: "INST", 0x6f: "OBJ", 0x50: "PERSID", 0x51: "BINPERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
    0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x80: "PROTO", 0x49: "INT", 0x4c: "LONG",
    0x53: "STRING", 0x54: "BINSTRING", 0x55: "SHORT_BINSTRING", 0x56: "UNICODE", 0x46: "FLOAT", 0x64: "DICT",
    0x6c: "LIST", 0x67: "GET", 0x70: "PUT",
  ]

  private func damaged(_ what: String) -> H5ConvError {
    H5ConvError(
      .badData, "the pickled weights are damaged: \(what), at byte \(bytes.place)", remedy: "get the file again",
      reason: .damagedPickle)
  }
}
