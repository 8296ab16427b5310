import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvTensors

/// Reads a NumPy array, or a variable of Keras around one, out of a ``Pickle``.
struct PickledArray {
  let pickle: Pickle
  let bytes: FileBytes
  /// The file and member, for messages.
  let place: String

  /// The array that `reference` stands for, under `path`; its elements are read when they are asked for.
  ///
  /// Keras up to 2.15 pickled arrays, Keras 3 its variables: in TensorFlow a call of ResourceVariable with the array as
  /// `initial_value`, in the other backends an object around the array.
  /// - Throws: ``H5ConvError`` of kind `unsupported` for anything else, with the name of its class.
  func tensor(_ reference: Pickle.Reference, path: String) throws -> StoredTensor {
    var value = reference
    // A variable of Keras around one of TensorFlow around an array; no object has more around it.
    for _ in 0..<4 {
      guard let inner = try content(of: value) else { break }
      value = inner
    }
    if let array = try array(value) { return try array.tensor(path, bytes) }
    let name = pickle.call(value)?.name.description ?? pickle.name(value)?.description ?? "no object"
    throw H5ConvError(.unsupported, "pickled weights that are no array (\(name))", at: "\(place), '\(path)'")
  }

  /// The one object of an array of objects without axes: what NumPy makes of a dictionary.
  func single(_ reference: Pickle.Reference) throws -> Pickle.Reference? {
    guard pickle.call(reference)?.name.name == "_reconstruct", let state = pickle[reference].state,
      let parts = pickle.items(state), parts.count == 5, pickle.items(parts[1])?.isEmpty == true
    else { return nil }
    return pickle.items(parts[4]).flatMap { $0.count == 1 ? $0[0] : nil }
  }

  /// What a variable holds; nil for what is no variable.
  private func content(of reference: Pickle.Reference) throws -> Pickle.Reference? {
    guard let (name, _) = pickle.call(reference) else { return try contentOfPartial(reference) }
    guard name.name.hasSuffix("Variable"), let state = pickle[reference].state else { return nil }
    return try pickle.value("_value", in: state)
  }

  /// The `initial_value` of a call of `functools.partial(ResourceVariable, …)`, whose arguments are its state.
  private func contentOfPartial(_ reference: Pickle.Reference) throws -> Pickle.Reference? {
    guard case .call(let callee, _) = pickle[reference].kind, pickle.call(callee)?.name.name == "partial",
      let state = pickle[callee].state, let parts = pickle.items(state), parts.count >= 3
    else { return nil }
    return try pickle.value("initial_value", in: parts[2])
  }

  // MARK: - Arrays

  private struct Array {
    let shape: [Int]
    let type: ElementType
    let isBigEndian: Bool
    let isFortran: Bool
    let data: Data

    enum Data {
      case raw(Pickle.Span)
      /// Bytes as characters, in UTF-8: how protocol 2 has them.
      case latin1(Pickle.Span)
    }

    func tensor(_ path: String, _ bytes: FileBytes) throws -> StoredTensor {
      guard let count = Tensor.elementCount(of: shape), let size = type.byteCount,
        case (let total, false) = count.multipliedReportingOverflow(by: size)
      else { throw H5ConvError(.limit, "a weight of shape \(shape)", at: path) }
      let source: any TensorSource
      switch data {
      case .raw(let span):
        guard span.count == total else {
          throw H5ConvError(.badData, "\(span.count) bytes for an array of \(total)", at: path, reason: .damagedPickle)
        }
        let stored = FileSource(bytes.window.file, offset: bytes.window.offset + span.offset, count: total)
        source = isBigEndian ? MadeSource { swapped(try stored.bytes(count: total, path: path), size) } : stored
      case .latin1(let span):
        // A character has one or two bytes.
        guard span.count >= total, span.count <= total.clampedSum(total) else {
          throw H5ConvError(.badData, "\(span.count) bytes for an array of \(total)", at: path, reason: .damagedPickle)
        }
        let isBigEndian = isBigEndian
        source = MadeSource {
          let raw = String(decoding: try bytes.read(span), as: UTF8.self).unicodeScalars.compactMap {
            UInt8(exactly: $0.value)
          }
          guard raw.count == total else {
            throw H5ConvError(
              .badData, "\(raw.count) bytes for an array of \(total)", at: path, reason: .damagedPickle)
          }
          return isBigEndian ? swapped(raw, size) : raw
        }
      }
      let stored = StoredTensor(path, shape: isFortran ? shape.reversed() : shape, type: type, source)
      return isFortran ? stored.permuted(Swift.Array(stored.shape.indices.reversed())) : stored
    }
  }

  private func array(_ reference: Pickle.Reference) throws -> Array? {
    guard let (name, arguments) = pickle.call(reference) else { return nil }
    switch (name.name, arguments.count) {
    case ("_reconstruct", _):
      guard let state = pickle[reference].state else { return nil }
      return try array(state: state)
    case ("_reconstruct_array", 4):
      // JAX: what NumPy would call, with what, the array's state, and JAX' own.
      return try array(state: arguments[2])
    case ("_frombuffer", 4):
      // Protocol 5: buffer, type, shape, order.
      return try make(
        shape: arguments[2], type: arguments[1], data: arguments[0], isFortran: try pickle.text(arguments[3]) == "F")
    case ("scalar", 2):
      guard let (type, isBigEndian) = try elementType(arguments[0]), let data = try data(arguments[1]) else {
        return nil
      }
      return Array(shape: [], type: type, isBigEndian: isBigEndian, isFortran: false, data: data)
    default: return nil
    }
  }

  /// The array of NumPy's `(version, shape, type, is in Fortran's order, data)`.
  private func array(state: Pickle.Reference) throws -> Array? {
    guard let parts = pickle.items(state), parts.count == 5, case .bool(let isFortran) = pickle[parts[3]].kind else {
      return nil
    }
    return try make(shape: parts[1], type: parts[2], data: parts[4], isFortran: isFortran)
  }

  private func make(
    shape: Pickle.Reference, type: Pickle.Reference, data: Pickle.Reference, isFortran: Bool
  ) throws -> Array? {
    guard let axes = pickle.items(shape), axes.count <= 32, case let sizes = axes.map({ pickle.int($0) ?? -1 }),
      sizes.allSatisfy({ $0 >= 0 }), let (type, isBigEndian) = try elementType(type), let data = try self.data(data)
    else { return nil }
    return Array(shape: sizes, type: type, isBigEndian: isBigEndian, isFortran: isFortran, data: data)
  }

  private func data(_ reference: Pickle.Reference) throws -> Array.Data? {
    if case .bytes(let span) = pickle[reference].kind { return .raw(span) }
    guard let (name, arguments) = pickle.call(reference) else { return nil }
    // How protocol 2 has no bytes at all.
    if name.name == "bytes", arguments.isEmpty { return .raw(Pickle.Span(offset: 0, count: 0)) }
    if name.name == "bytearray", arguments.count == 1 { return try data(ofBytes: arguments[0]) }
    guard name.name == "encode", arguments.count == 2, case .text(let span) = pickle[arguments[0]].kind,
      try pickle.text(arguments[1]) == "latin1"
    else { return nil }
    return .latin1(span)
  }

  private func data(ofBytes reference: Pickle.Reference) throws -> Array.Data? {
    if case .bytes(let span) = pickle[reference].kind { return .raw(span) }
    return nil
  }

  /// The type of `dtype('f4', False, True)` whose state begins `(3, '<', …)`; for types that NumPy does not have, with their class for a name.
  private func elementType(_ reference: Pickle.Reference) throws -> (ElementType, isBigEndian: Bool)? {
    guard let (name, arguments) = pickle.call(reference), name.name == "dtype", let first = arguments.first else {
      return nil
    }
    var isBigEndian = false
    if let state = pickle[reference].state, let parts = pickle.items(state), parts.count > 1 {
      isBigEndian = try pickle.text(parts[1]) == ">"
    }
    let code = try pickle.text(first) ?? pickle.name(first)?.name ?? ""
    let types: [String: ElementType] = [
      "f2": .float(bytes: 2, bigEndian: false), "f4": .float(bytes: 4, bigEndian: false),
      "f8": .float(bytes: 8, bigEndian: false), "b1": .bool, "bfloat16": .opaque(bytes: 2),
      "i1": .integer(bytes: 1, signed: true, bigEndian: false),
      "u1": .integer(bytes: 1, signed: false, bigEndian: false),
      "i2": .integer(bytes: 2, signed: true, bigEndian: false),
      "u2": .integer(bytes: 2, signed: false, bigEndian: false),
      "i4": .integer(bytes: 4, signed: true, bigEndian: false),
      "u4": .integer(bytes: 4, signed: false, bigEndian: false),
      "i8": .integer(bytes: 8, signed: true, bigEndian: false),
      "u8": .integer(bytes: 8, signed: false, bigEndian: false),
    ]
    guard let type = types[code] else {
      throw H5ConvError(.unsupported, "pickled weights of the type '\(code)'", at: place)
    }
    return (type, isBigEndian)
  }
}

/// Elements of `size` bytes with the bytes of each in reverse order.
private func swapped(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
  guard size > 1 else { return bytes }
  return bytes.indices.map { bytes[$0 / size * size + size - 1 - $0 % size] }
}
