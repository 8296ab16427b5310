import H5ConvDiagnostics
import H5ConvHDF5
package import H5ConvLayers
import H5ConvTensors

/// What becomes of the weights of a layer, or of a part of it, so that another class or function gives the same numbers.
package struct WeightChange: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Each gate's columns are multiplied by a factor.
    case scaled([Float])
    /// From the form of CuDNNLSTM and CuDNNGRU to that of LSTM and GRU.
    case fromCuDNN(gates: Int)
  }

  /// Attributes that lead to the part; empty for the whole layer.
  package let owner: [String]
  package let kind: Kind

  /// The weight `spec` as it is to be stored.
  ///
  /// - Throws: ``H5ConvError`` of kind `badData` when its shape is not one that such a weight has.
  package func applied(to tensor: StoredTensor, _ spec: WeightSpec) throws -> StoredTensor {
    guard spec.owner.starts(with: owner) else { return tensor }
    switch kind {
    case .scaled(let factors):
      guard let size = tensor.shape.last, size > 0, size % factors.count == 0 else { throw unexpected(tensor) }
      let units = size / factors.count
      return tensor.scaledOnLastAxis { factors[$0 / units] }
    case .fromCuDNN(let gates):
      return spec.name.hasSuffix("bias") ? try bias(tensor, gates) : try kernel(tensor, gates)
    }
  }

  /// A kernel whose gates each lie in memory as (units, rows).
  ///
  /// Source: `_convert_rnn_weights` in keras/saving/legacy/hdf5_format.py, `kernel.T.reshape(kernel.shape, order="F")` for each
  /// gate; a recurrent kernel, which is square, is simply transposed by that.
  private func kernel(_ tensor: StoredTensor, _ gates: Int) throws -> StoredTensor {
    guard tensor.shape.count == 2, tensor.shape[1] % gates == 0 else { throw unexpected(tensor) }
    let (rows, units) = (tensor.shape[0], tensor.shape[1] / gates)
    return tensor.reshaped(to: [rows, gates, units]).permuted([1, 0, 2]).reshaped(to: [gates, units, rows])
      .permuted([2, 0, 1]).reshaped(to: tensor.shape)
  }

  /// Two biases, one for the input and one for the state: an LSTM has their sum, a GRU has them one below the other.
  private func bias(_ tensor: StoredTensor, _ gates: Int) throws -> StoredTensor {
    guard tensor.shape.count == 1, tensor.shape[0] % (2 * gates) == 0 else { throw unexpected(tensor) }
    let columns = tensor.shape[0] / 2
    let pair = tensor.reshaped(to: [2, columns])
    guard gates == 4 else { return pair }
    let type = ElementType.float(bytes: 4, bigEndian: false)
    return StoredTensor(
      tensor.path, shape: [columns], type: type,
      MadeSource {
        let values = try tensor.tensor().values
        let sums = (0..<columns).map { values[$0] + values[columns + $0] }
        return try Elements.bytes(of: try Tensor(shape: [columns], values: sums), as: type, path: tensor.path)
      })
  }

  private func unexpected(_ tensor: StoredTensor) -> H5ConvError {
    H5ConvError(
      .badData, "a weight of shape \(tensor.shape) where that of a recurrent layer was expected", at: tensor.path)
  }
}
