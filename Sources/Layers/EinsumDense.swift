import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// einsum(x, kernel) + bias: a dense layer whose equation says which axes it sums over.
///
/// The kernel has the sizes of its labels, taken from the output's where they are there, else from the input's.
struct EinsumDense: Layer {
  private let equation: Einsum
  private let input: [Character]
  private let kernel: [Character]
  private let output: [Character]
  private let elidesLeft: Bool
  private let elides: Bool
  private let outputSizes: [Int?]
  private let biasAxes: [Character]
  private let activation: Activation
  private let generation: Int

  init(_ config: ConfigReader) throws {
    let text = try config.string("equation").filter { $0 != " " }
    do { equation = try Einsum(text) } catch let error as H5ConvError {
      throw config.error("equation", error.what, kind: error.kind)
    }
    let sides = text.split(separator: ">", omittingEmptySubsequences: false)
    let operands = sides[0].dropLast().split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count == 2, operands.count == 2, !operands[1].contains(".") else {
      throw config.error("equation", "'\(text)' is not of the form input,kernel->output")
    }
    input = operands[0].filter(\.isLetter)
    kernel = operands[1].filter(\.isLetter)
    output = sides[1].filter(\.isLetter)
    (elidesLeft, elides) = (operands[0].hasPrefix("."), operands[0].contains("."))
    guard elides == sides[1].contains("."), elidesLeft == sides[1].hasPrefix("."),
      Set(kernel).isSubset(of: input + output),
      elides ? elidesLeft != operands[0].hasSuffix(".") : true
    else { throw config.error("equation", "'\(text)' is not of the form input,kernel->output") }
    outputSizes = try EinsumDense.sizes(config)
    biasAxes = config.has("bias_axes") ? Array(try config.string("bias_axes")) : []
    guard Set(biasAxes).isSubset(of: output) else { throw config.error("bias_axes", "are not axes of the output") }
    activation = try config.activation()
    generation = config.generation
  }

  /// `output_shape`: sizes without the batch, null for those that the input decides.
  private static func sizes(_ config: ConfigReader) throws -> [Int?] {
    guard let value = config["output_shape"] else { throw config.error("output_shape", "is missing") }
    let items = ConfigReader.unwrapped(value).array ?? [value]
    return try items.map { item in
      if item.isNull { return nil }
      guard let size = item.integer, (1...sizeLimit).contains(size) else {
        throw config.error("output_shape", "has a size that is not a whole number above 0")
      }
      return size
    }
  }

  /// Sizes of the kernel's and the bias's axes.
  private func shapes(_ inputs: [PartialShape]) throws -> (kernel: PartialShape, bias: PartialShape) {
    let shape = try single(inputs)
    let elided = shape.rank - input.count
    guard elided >= 0, elides || elided == 0, elided > 0 || !elidesLeft else {
      throw H5ConvError(.badData, "an input of shape \(shape) does not fit the equation")
    }
    // Keras counts the batch among the axes that the ellipsis on the left stands for.
    let first = elidesLeft ? elided : 0
    var sizes: [Character: Int?] = [:]
    for (place, label) in input.enumerated() { sizes[label] = shape[first + place] }
    let given = [nil] + outputSizes
    let offset = elidesLeft ? 1 : 0
    for (place, label) in output.enumerated() where given.indices.contains(place + offset) {
      if let size = given[place + offset] { sizes[label] = size }
    }
    let start = output.firstIndex { biasAxes.contains($0) } ?? 0
    var bias: [Int?] = biasAxes.isEmpty ? [] : output[start...].map { biasAxes.contains($0) ? sizes[$0] ?? nil : 1 }
    if !elidesLeft, !biasAxes.isEmpty { bias += Array(repeating: 1, count: elided) }
    return (PartialShape(kernel.map { sizes[$0] ?? nil }), PartialShape(bias))
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    var sizes = try computedShapes(for: inputs)[0].sizes
    // Keras 3 declares the axes that the ellipsis stands for, but for the batch, in the opposite order.
    let elided = try single(inputs).rank - input.count
    if generation >= 3, elidesLeft, elided > 2 { sizes[1..<elided].reverse() }
    return [PartialShape(sizes)]
  }

  func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let shape = try single(inputs)
    return [try equation.shape([shape, try shapes(inputs).kernel])]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let shapes = try shapes(inputs)
    return [WeightSpec("kernel", shapes.kernel)] + (biasAxes.isEmpty ? [] : [WeightSpec("bias", shapes.bias)])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let shapes = try shapes(inputs.map { PartialShape($0.shape) })
    guard try computedShapes(for: inputs.map { PartialShape($0.shape) })[0].known != nil else {
      throw H5ConvError(.badData, "output_shape does not tell the size of every axis that the kernel makes")
    }
    _ = try knownOutputShape(for: inputs)
    guard let sizes = shapes.kernel.known, Tensor.elementCount(of: sizes.filter { $0 > 0 }) != nil else {
      throw H5ConvError(.limit, "a kernel of shape \(shapes.kernel) has too many elements")
    }
    let kernel = lowering.stored("kernel", shape: sizes)
    var value = try equation.lower([inputs[0], kernel], to: &lowering)
    if !biasAxes.isEmpty {
      let bias = lowering.stored("bias", shape: shapes.bias.known ?? [])
      value = lowering.emit(.binary(.add), [value, bias], shape: value.shape)
    }
    return [try lowering.activate(value, activation)]
  }
}
