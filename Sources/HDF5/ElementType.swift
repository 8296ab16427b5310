import CHDF5
import H5ConvDiagnostics

/// What one element of a dataset or attribute is.
package enum ElementType: Sendable, Equatable, CustomStringConvertible {
  /// IEEE floating point of so many bytes.
  case float(bytes: Int, bigEndian: Bool)
  /// Two's complement or unsigned integer of so many bytes.
  case integer(bytes: Int, signed: Bool, bigEndian: Bool)
  /// Uninterpreted bytes; two of them are how h5py stores a bfloat16.
  case opaque(bytes: Int)
  /// NumPy's bool: an enumeration of FALSE and TRUE over int8.
  case bool
  /// Text of fixed or (nil) variable length.
  case string(bytes: Int?)
  /// Anything else, by HDF5's class name.
  case other(String)

  /// NumPy's name of the type: `float32`, `int64`, `bool`.
  package var description: String {
    switch self {
    case .float(let bytes, _): "float\(bytes * 8)"
    case .integer(let bytes, let signed, _): "\(signed ? "int" : "uint")\(bytes * 8)"
    case .opaque(2): "bfloat16"
    case .opaque(let bytes): "opaque\(bytes * 8)"
    case .bool: "bool"
    case .string(nil): "string"
    case .string(let bytes?): "string\(bytes)"
    case .other(let name): name
    }
  }

  /// Bytes of one element in the file; nil for text of variable length and unknown types.
  package var byteCount: Int? {
    switch self {
    case .float(let bytes, _), .integer(let bytes, _, _), .opaque(let bytes): bytes
    case .bool: 1
    case .string(let bytes): bytes
    case .other: nil
    }
  }

  /// Whether it is a number or a boolean of known size.
  package var isNumeric: Bool {
    switch self {
    case .float, .integer, .opaque, .bool: true
    case .string, .other: false
    }
  }

  /// The type with its bytes in little-endian order, as every weight is read.
  package var littleEndian: ElementType {
    switch self {
    case .float(let bytes, _): .float(bytes: bytes, bigEndian: false)
    case .integer(let bytes, let signed, _): .integer(bytes: bytes, signed: signed, bigEndian: false)
    default: self
    }
  }

  package var isBigEndian: Bool {
    switch self {
    case .float(_, let bigEndian), .integer(_, _, let bigEndian): bigEndian
    default: false
    }
  }

  /// A type of HDF5 with these elements in little-endian order.
  func makeLittleEndianType() throws(H5ConvError) -> Handle {
    switch self {
    case .float(2, _): try Handle.type("make a type") { h5c_create_float16() }
    case .float(4, _): try Handle.type("make a type") { H5Tcopy(h5c_ieee_f32le()) }
    case .float(8, _): try Handle.type("make a type") { H5Tcopy(h5c_ieee_f64le()) }
    case .integer(let bytes, let signed, _):
      try Handle.type("make a type") { H5Tcopy(h5c_native_integer(bytes, signed ? 1 : 0)) }
    case .bool: try Handle.type("make a type") { h5c_create_bool() }
    case .opaque(let bytes): try Handle.type("make a type") { H5Tcreate(H5T_OPAQUE, bytes) }
    default: throw H5ConvError(.unsupported, "elements of type \(self) cannot be written")
    }
  }

  static func of(_ type: Handle) throws(H5ConvError) -> ElementType {
    let kind = try Library.call("read a type's class") { H5Tget_class(type.id).rawValue }
    let bytes = Int(clamping: try Library.call("read a type's size") { Int64(H5Tget_size(type.id)) })
    func isBigEndian() throws(H5ConvError) -> Bool {
      try Library.call("read a type's byte order") { H5Tget_order(type.id).rawValue } == H5T_ORDER_BE.rawValue
    }
    switch H5T_class_t(kind) {
    case H5T_FLOAT: return .float(bytes: bytes, bigEndian: try isBigEndian())
    case H5T_INTEGER:
      let sign = try Library.call("read a type's sign") { H5Tget_sign(type.id).rawValue }
      return .integer(bytes: bytes, signed: sign != H5T_SGN_NONE.rawValue, bigEndian: try isBigEndian())
    case H5T_OPAQUE: return .opaque(bytes: bytes)
    case H5T_ENUM: return bytes == 1 ? .bool : .other("enumeration")
    case H5T_STRING:
      let isVariable = try Library.call("read a text type") { H5Tis_variable_str(type.id) }
      return .string(bytes: isVariable > 0 ? nil : bytes)
    case H5T_COMPOUND: return .other("compound")
    case H5T_REFERENCE: return .other("reference")
    case H5T_VLEN: return .other("variable-length list")
    case H5T_ARRAY: return .other("array")
    case H5T_BITFIELD: return .other("bit field")
    default: return .other("time")
    }
  }
}
