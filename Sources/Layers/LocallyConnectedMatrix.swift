import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// A locally connected layer whose kernel is a matrix over the whole input and output (`implementation` 2), or lists the matrix'
/// connected elements, output by output (3).
///
/// Source: tf_keras/src/layers/locally_connected.
struct LocallyConnectedMatrix<let rank: Int>: Layer {
  private let config: ConvolutionConfig
  private let filters: Int
  private let listsElements: Bool

  init(_ config: ConfigReader) throws {
    listsElements = try config.int("implementation", in: 2...3) == 3
    self.config = try ConvolutionConfig(config, rank: rank)
    filters = try config.int("filters", in: 1...sizeLimit)
    if self.config.padding == .causal { throw config.error("padding", "is neither 'valid' nor 'same'") }
  }

  private func shapes(_ inputs: [PartialShape]) throws -> (input: PartialShape, output: PartialShape) {
    let input = config.format.channelsLastShape(try single(inputs, rank: rank + 2))
    return (input, try config.outputShape(input, channels: filters))
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    [config.format.shape(fromChannelsLast: try shapes(inputs).output)]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let given = try single(inputs, rank: rank + 2)
    let (input, result) = try shapes(inputs)
    let output = config.format.shape(fromChannelsLast: result)
    let bias = config.usesBias ? [WeightSpec("bias", PartialShape(Array(result.sizes[1...])))] : []
    guard listsElements else {
      return [WeightSpec("kernel", PartialShape(Array(given.sizes[1...] + output.sizes[1...])))] + bias
    }
    let cells = input.sizes[1...rank].compactMap { $0 }
    guard cells.count == rank, let channels = input[rank + 1] else { return [WeightSpec("kernel", [nil])] + bias }
    let pairs = try windows(cells).map { $0.reduce(0) { $0 + $1.count } }
    return [WeightSpec("kernel", [try elementCount((pairs + [channels, filters])[...])])] + bias
  }

  /// For each axis the places of the input that each place of the output sees: those of padding same are centred at place · stride.
  private func windows(_ cells: [Int]) throws -> [[Range<Int>]] {
    try (0..<rank).map { axis in
      let length = try Sliding.outputLength(
        cells[axis], extent: config.size[axis], stride: config.strides[axis], padding: config.padding)
      guard let length, max(length, cells[axis]) < 1 << 24 else {
        throw H5ConvError(.limit, "a locally connected layer over \(cells[axis]) places")
      }
      let shift = config.padding == .same ? config.size[axis] / 2 : 0
      return (0..<length).map { place in
        let start = place * config.strides[axis] - shift
        return max(0, start)..<max(0, start, min(cells[axis], start + config.size[axis]))
      }
    }
  }

  /// Whether cell i of the input, counted over its axes, belongs to cell j of the output: element i · (cells of the output) + j.
  private func connections(_ cells: [Int], _ outputCells: Int) throws -> [Bool] {
    let count = try elementCount([try elementCount(cells[...]), outputCells])
    guard count < 1 << 31 else { throw H5ConvError(.limit, "a kernel that joins \(cells) places to \(outputCells)") }
    let windows = try windows(cells)
    var isConnected = [Bool](repeating: false, count: count)
    for place in 0..<outputCells {
      var (rest, seen) = (place, [0])
      var ranges: [Range<Int>] = []
      for axis in (0..<rank).reversed() {
        ranges.insert(windows[axis][rest % windows[axis].count], at: 0)
        rest /= windows[axis].count
      }
      for (axis, range) in ranges.enumerated() {
        seen = seen.flatMap { before in range.map { before * cells[axis] + $0 } }
      }
      for cell in seen { isConnected[cell * outputCells + place] = true }
    }
    return isConnected
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let given = inputs[0]
    let (input, result) = try shapes([PartialShape(given.shape)])
    let shape = try knownOutputShape(for: inputs)
    let cells = input.sizes[1...rank].compactMap { $0 }
    let (inputCells, channels) = (try elementCount(cells[...]), input[rank + 1] ?? 0)
    let outputCells = try elementCount(result.sizes[1...rank].compactMap { $0 }[...])
    let (rows, columns) = (try elementCount([inputCells, channels]), try elementCount([outputCells, filters]))
    // Places of elements take more room than the elements.
    guard try elementCount([rows, columns]) < 1 << (listsElements ? 24 : 31) else {
      throw H5ConvError(.limit, "a kernel of \(rows) × \(columns) elements")
    }
    let isConnected = try connections(cells, outputCells)
    let matrix =
      listsElements
      ? listed(isConnected, [inputCells, channels, outputCells], in: &lowering)
      : try masked(isConnected, [inputCells, channels, outputCells], in: &lowering)
    let flat = lowering.emit(.reshape, [given], shape: [given.shape[0], rows])
    let product = lowering.emit(
      .tensor(.matrixProduct(transposingSecond: false)), [flat, matrix], shape: [given.shape[0], columns])
    var output = lowering.emit(.reshape, [product], shape: shape)
    if config.usesBias {
      // With channels_first Keras reads the bias' numbers as (filters, spatial axes).
      let bias = lowering.stored("bias", shape: result.sizes[1...].compactMap { $0 })
      output = try lowering.binary(.add, output, lowering.emit(.reshape, [bias], shape: [1] + shape[1...]))
    }
    return [try lowering.activate(output, config.activation)]
  }

  /// Cells and channels of the input, then of the output, in the order of the format.
  private func ordered(_ inputCells: Int, _ channels: Int, _ outputCells: Int, _ filters: Int) -> [Int] {
    config.format == .channelsFirst
      ? [channels, inputCells, filters, outputCells] : [inputCells, channels, outputCells, filters]
  }

  /// The stored matrix, 0 where cells are not connected.
  private func masked(_ isConnected: [Bool], _ counts: [Int], in lowering: inout Lowering) throws -> Value {
    let shape = ordered(counts[0], counts[1], counts[2], filters)
    let kernel = lowering.stored("kernel", shape: shape)
    let mask = lowering.constant(
      isConnected.map { $0 ? 1 : 0 }, shape: ordered(counts[0], 1, counts[2], 1))
    let product = try lowering.binary(.multiply, kernel, mask)
    return lowering.emit(.reshape, [product], shape: [shape[0] * shape[1], shape[2] * shape[3]])
  }

  /// The matrix that has the stored elements, column by column, where cells are connected, and 0 elsewhere.
  private func listed(_ isConnected: [Bool], _ counts: [Int], in lowering: inout Lowering) -> Value {
    let (rows, columns) = (counts[0] * counts[1], counts[2] * filters)
    let isFirst = config.format == .channelsFirst
    let total = isConnected.count { $0 } * counts[1] * filters
    var places = [Int](repeating: total, count: rows * columns)
    var next = 0
    for column in 0..<columns {
      let place = isFirst ? column % counts[2] : column / filters
      for row in 0..<rows where isConnected[(isFirst ? row % counts[0] : row / counts[1]) * counts[2] + place] {
        places[row * columns + column] = next
        next += 1
      }
    }
    let kernel = lowering.stored("kernel", shape: [total])
    let nothing = lowering.number(0)
    let table = lowering.emit(.concatenate(axis: 0), [kernel, nothing], shape: [total + 1])
    let elements = lowering.emit(.tensor(.take(axis: 0, places: places)), [table], shape: [rows * columns])
    return lowering.emit(.reshape, [elements], shape: [rows, columns])
  }
}
