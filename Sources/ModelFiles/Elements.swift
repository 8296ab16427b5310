package import H5ConvDiagnostics
package import H5ConvHDF5

/// Conversions between element types.
package enum Elements {
  /// Converts little-endian `bytes` of `type` to float32.
  ///
  /// - Throws: ``H5ConvError`` of kind `unsupported` for a type that is not read.
  package static func convert(
    _ bytes: [UInt8], _ type: ElementType, to target: UnsafeMutableBufferPointer<Float>, path: String
  ) throws(H5ConvError) {
    let failure = H5ConvError(.unsupported, "elements of type \(type) are not read", at: path)
    guard let size = type.byteCount, bytes.count == target.count * size else { throw failure }
    let isRead = bytes.withUnsafeBytes { source -> Bool in
      func each<Stored>(_ stored: Stored.Type, _ convert: (Stored) -> Float) -> Bool {
        for place in target.indices {
          target[place] = convert(source.loadUnaligned(fromByteOffset: place * size, as: stored))
        }
        return true
      }
      switch type {
      case .float(2, _): return each(UInt16.self) { half(UInt16(littleEndian: $0)) }
      case .float(4, _): return each(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
      case .float(8, _): return each(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
      case .opaque(2): return each(UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
      case .integer(1, true, _): return each(Int8.self) { Float($0) }
      case .integer(1, false, _): return each(UInt8.self) { Float($0) }
      case .integer(2, true, _): return each(Int16.self) { Float(Int16(littleEndian: $0)) }
      case .integer(2, false, _): return each(UInt16.self) { Float(UInt16(littleEndian: $0)) }
      case .integer(4, true, _): return each(Int32.self) { Float(Int32(littleEndian: $0)) }
      case .integer(4, false, _): return each(UInt32.self) { Float(UInt32(littleEndian: $0)) }
      case .integer(8, true, _): return each(Int64.self) { Float(Int64(littleEndian: $0)) }
      case .integer(8, false, _): return each(UInt64.self) { Float(UInt64(littleEndian: $0)) }
      case .bool: return each(Int8.self) { $0 == 0 ? 0 : 1 }
      default: return false
      }
    }
    if !isRead { throw failure }
  }

  /// The value of an IEEE half-precision number (5 bits of exponent, 10 of fraction).
  package static func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1f)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0: return Float(sign: sign == 0 ? .plus : .minus, exponent: -24, significand: Float(fraction))
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The nearest half-precision number, ties to even, as NumPy's `astype(float16)`.
  package static func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16 & 0x8000)
    let magnitude = bits & 0x7fff_ffff
    // NaN keeps its upper payload, and stays one.
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 | UInt16(truncatingIfNeeded: magnitude >> 13 & 0x1ff) }
    if magnitude >= 0x4780_0000 { return sign | 0x7c00 }
    if magnitude >= 0x3880_0000 {
      let rounded = magnitude - 0x3800_0000 + 0xfff + (magnitude >> 13 & 1)
      return sign | UInt16(truncatingIfNeeded: rounded >> 13)
    }
    // Below the normal numbers: multiples of 2⁻²⁴.
    let steps = (Float(bitPattern: magnitude) * 16_777_216).rounded(.toNearestOrEven)
    return sign | UInt16(steps)
  }

  /// The nearest bfloat16 number, ties to even.
  package static func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }
}
