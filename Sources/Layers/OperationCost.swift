import H5ConvTensors

extension Step {
  /// Multiply-accumulate operations of the step: those of convolutions and matrix products.
  ///
  /// So they are counted in papers and, times two, by TensorFlow's profiler. Biases, activations, normalizations, pooling and other
  /// elementwise work are not among them.
  ///
  /// - Parameter inputs: shapes of the step's inputs, batch first.
  /// - Returns: nil when the number is larger than an Int.
  package func multiplyAccumulates(inputs: [[Int]]) -> Int? {
    let output = self.output.shape
    func product(_ factors: [Int]...) -> Int? { Tensor.elementCount(of: factors.flatMap { $0 }) }
    guard let first = inputs.first, let last = first.last else { return 0 }
    switch operation {
    case .convolution(let window, let groups, _, _, _): return product(output, window.size, [last / max(1, groups)])
    case .depthwiseConvolution(let window, _, _, _): return product(output, window.size)
    case .transposedConvolution(let window, _, _, _): return product(first, window.size, [output.last ?? 1])
    case .locallyConnected(let window, _, _, _): return product(output, window.size, [last])
    case .dense: return product(output, [last])
    case .tensor(.matrixProduct): return product(output, [last])
    case .tensor(.recurrence(let recurrence)):
      guard first.count == 3 else { return nil }
      return product([first[0], first[1], recurrence.units, recurrence.units, recurrence.cell.gates])
    case .tensor(.convolutionalRecurrence(let recurrence, let window)):
      guard first.count == 6 else { return nil }
      let cells = [first[0], first[1], recurrence.units, recurrence.cell.gates]
      // The recurrent kernel has the input kernel's size, and as many input channels as it has units.
      return product(cells, window.outputSize, window.size, [last.clampedSum(recurrence.units)])
    default: return 0
    }
  }
}
