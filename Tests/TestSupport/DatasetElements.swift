package import H5ConvHDF5

extension Dataset {
  /// All elements as float32, in row-major order.
  package func readFloats() throws -> [Float] {
    try readFloats { fill in
      var values = [Float](repeating: 0, count: try elementCount())
      try values.withUnsafeMutableBufferPointer { try fill($0) }
      return values
    }
  }
}
