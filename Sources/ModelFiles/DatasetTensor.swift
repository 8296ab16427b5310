package import H5ConvHDF5
package import H5ConvTensors

extension Dataset {
  /// Reads the dataset as a tensor of its shape, converted to float32.
  ///
  /// - Throws: `H5ConvError` of kind `badData` when the elements are damaged, not there, or no numbers.
  package func tensor() throws -> Tensor {
    try readFloats { fill in try Tensor(shape: shape, initialize: fill) }
  }
}
