import H5ConvDiagnostics

/// NumPy's `.npy`: a magic, a Python literal that tells type, order and shape, then the elements.
enum NPYFormat {
  static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

  /// The header of a float32 array of `shape` in row-major order, a multiple of 64 bytes long.
  static func header(shape: [Int], type: String = "<f4") -> [UInt8] {
    let sizes = shape.count == 1 ? "(\(shape[0]),)" : "(\(shape.map(String.init).joined(separator: ", ")))"
    var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(sizes), }".utf8)
    // Version 1 has two bytes for the length, version 2 four: a strange file's weight may have thousands of axes.
    let isLong = text.count > 65_000
    let rest = (magic.count + (isLong ? 6 : 4) + text.count + 1) % 64
    text += Array(repeating: UInt8(ascii: " "), count: rest == 0 ? 0 : 64 - rest) + [UInt8(ascii: "\n")]
    let length = (0..<(isLong ? 4 : 2)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return magic + [isLong ? 2 : 1, 0] + length + text
  }

  /// The array in `bytes` as float32, in row-major order.
  ///
  /// Reads floating point of 2, 4 and 8 bytes, integers and booleans, either byte order, C and Fortran order.
  /// - Throws: ``H5ConvError`` of kind `badData`, or `unsupported` for another type.
  static func tensor(_ bytes: [UInt8]) throws -> Tensor {
    let header = try NPYHeader(of: bytes)
    let start = header.dataOffset
    guard let count = Tensor.elementCount(of: header.shape) else {
      throw H5ConvError(.limit, "an array of shape \(header.shape)")
    }
    let data = bytes[start...]
    guard count <= data.count / header.size else {
      throw H5ConvError(
        .badData, "the array has \(data.count) bytes where \(count) elements of \(header.size) were expected")
    }
    let tensor = try Tensor(shape: header.isFortran ? header.shape.reversed() : header.shape) { target in
      bytes.withUnsafeBytes { header.convert($0[start...], into: target) }
    }
    return header.isFortran ? try tensor.reversedAxes() : tensor
  }
}

/// What the Python literal of a `.npy` file tells.
package struct NPYHeader {
  /// NumPy's kind: `f`, `i`, `u` or `b`.
  package let kind: Character
  /// Bytes of one element.
  package let size: Int
  package let isBigEndian: Bool
  package let isFortran: Bool
  package let shape: [Int]
  /// Where the elements begin.
  package let dataOffset: Int

  /// Bytes of a file in which a header can end.
  static let longest: UInt64 = 12 + 1 << 20

  /// Refuses a file of another size than the header tells.
  func check(byteCount: UInt64) throws {
    guard let count = Tensor.elementCount(of: shape) else { throw H5ConvError(.limit, "an array of shape \(shape)") }
    let (data, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, UInt64(data) == byteCount - UInt64(dataOffset) else {
      throw H5ConvError(
        .badData,
        "the array has \(byteCount - UInt64(dataOffset)) bytes where \(count) elements of \(size) were expected")
    }
  }

  /// - Parameter bytes: the file, at least its header.
  package init(of bytes: [UInt8]) throws {
    let (text, dataOffset) = try NPYHeader.literal(of: bytes)
    try self.init(text, dataOffset: dataOffset)
  }

  /// Where the pickle of a single Python object begins.
  ///
  /// - Parameter bytes: the file, at least its header.
  /// - Throws: ``H5ConvError`` of kind `badData` when the file holds something else.
  package static func objectOffset(in bytes: [UInt8]) throws -> Int {
    let (text, dataOffset) = try literal(of: bytes)
    guard text.contains("'descr': '|O'"), text.contains("'shape': ()") else {
      throw H5ConvError(.badData, "this is no pickled object")
    }
    return dataOffset
  }

  /// The header's text, and where it ends.
  private static func literal(of bytes: [UInt8]) throws -> (text: String, end: Int) {
    guard bytes.starts(with: NPYFormat.magic), bytes.count >= 12, (1...3).contains(bytes[6]) else {
      throw H5ConvError(.badData, "this is not a .npy array")
    }
    let isLong = bytes[6] > 1
    let start = isLong ? 12 : 10
    let length =
      isLong
      ? bytes[8..<12].reversed().reduce(0) { $0 << 8 | Int($1) } : Int(bytes[8]) | Int(bytes[9]) << 8
    guard length <= 1 << 20, start + length <= bytes.count else {
      throw H5ConvError(.badData, "the header is cut short", reason: .truncated)
    }
    return (String(decoding: bytes[start..<start + length], as: UTF8.self), start + length)
  }

  /// The header of an array of `shape` in row-major order with elements of NumPy's `type`, as `<f4`.
  package static func bytes(shape: [Int], type: String) -> [UInt8] { NPYFormat.header(shape: shape, type: type) }

  private init(_ text: String, dataOffset: Int) throws {
    self.dataOffset = dataOffset
    func value(_ key: String) throws -> Substring {
      guard let range = text.firstRange(of: "'\(key)':") else {
        throw H5ConvError(.badData, "the header does not tell '\(key)'")
      }
      return text[range.upperBound...].drop { $0 == " " }
    }
    let type = try value("descr")
    guard type.first == "'", let end = type.dropFirst().firstIndex(of: "'") else {
      throw H5ConvError(.unsupported, "an array of records")
    }
    let name = type[type.index(after: type.startIndex)..<end]
    let code = name.drop { "<>|=".contains($0) }
    let sizes: [Character: [Int]] = ["f": [2, 4, 8], "i": [1, 2, 4, 8], "u": [1, 2, 4, 8], "b": [1]]
    guard let kind = code.first, let size = Int(code.dropFirst()), sizes[kind]?.contains(size) == true else {
      throw H5ConvError(.unsupported, "an array of type '\(name)'", remedy: "save it as float32")
    }
    self.kind = kind
    self.size = size
    isBigEndian = name.first == ">"
    isFortran = try value("fortran_order").hasPrefix("True")
    let tuple = try value("shape")
    guard tuple.first == "(", let close = tuple.firstIndex(of: ")") else {
      throw H5ConvError(.badData, "the header's shape is damaged")
    }
    let items = tuple[tuple.index(after: tuple.startIndex)..<close].split(separator: ",").map { item in
      item.filter { $0 != " " && $0 != "L" }
    }
    shape = try items.filter { !$0.isEmpty }.map { item in
      guard let size = Int(item), size >= 0 else { throw H5ConvError(.badData, "the header's shape is damaged") }
      return size
    }
  }

  func convert(_ bytes: Slice<UnsafeRawBufferPointer>, into target: UnsafeMutableBufferPointer<Float>) {
    let raw = UnsafeRawBufferPointer(rebasing: bytes)
    func load<Bits: FixedWidthInteger>(_ type: Bits.Type, _ place: Int) -> Bits {
      let bits = raw.loadUnaligned(fromByteOffset: place * size, as: Bits.self)
      return isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits)
    }
    func each(_ value: (Int) -> Float) { for place in target.indices { target[place] = value(place) } }
    switch (kind, size) {
    case ("f", 2): each { Float(halfBits: load(UInt16.self, $0)) }
    case ("f", 4): each { Float(bitPattern: load(UInt32.self, $0)) }
    case ("f", 8): each { Float(Double(bitPattern: load(UInt64.self, $0))) }
    case ("i", 1): each { Float(load(Int8.self, $0)) }
    case ("i", 2): each { Float(load(Int16.self, $0)) }
    case ("i", 4): each { Float(load(Int32.self, $0)) }
    case ("i", _): each { Float(load(Int64.self, $0)) }
    case ("u", 2): each { Float(load(UInt16.self, $0)) }
    case ("u", 4): each { Float(load(UInt32.self, $0)) }
    case ("u", 8): each { Float(load(UInt64.self, $0)) }
    default: each { Float(load(UInt8.self, $0)) }
    }
  }
}

extension Float {
  /// The value of an IEEE half-precision number.
  fileprivate init(halfBits bits: UInt16) {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1f)
    let fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: self = sign * fraction * 0x1p-24
    case 31: self = fraction == 0 ? sign * .infinity : .nan
    default: self = sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

extension Tensor {
  /// The tensor with its axes in the opposite order.
  fileprivate func reversedAxes() throws -> Tensor {
    let target = Array(shape.reversed())
    return try Tensor(shape: target) { buffer in
      withUnsafeElements { source in
        var steps = Array(repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { steps[axis] = steps[axis + 1] * shape[axis + 1] }
        steps.reverse()
        for place in buffer.indices {
          var rest = place
          var from = 0
          for axis in target.indices.reversed() {
            from += rest % target[axis] * steps[axis]
            rest /= target[axis]
          }
          buffer[place] = source[from]
        }
      }
    }
  }
}
