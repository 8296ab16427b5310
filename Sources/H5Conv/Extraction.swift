import H5ConvDiagnostics
import H5ConvFiles
import H5ConvHDF5
import H5ConvTensors

extension SubModel {
  /// Writes the outputs for all `items` to one file, stacked along the batch, in constant memory.
  ///
  /// - Parameters:
  ///   - output: `.npz` or `.h5` (one array per output, keyed by its name), or `.npy` (one output only).
  ///   - replaces: whether an existing file may be replaced.
  ///   - progress: called after each item with the number of items done, and what was done to it.
  /// - Throws: ``H5ConvError``: `usage` for a name with another ending, `cannotWrite`, `inputOutput`, and what running throws.
  public func extract(
    _ items: [InputItem], to output: String, _ options: ImageOptions = ImageOptions(), threads: Int? = nil,
    replaces: Bool = false, progress: (_ done: Int, _ preprocess: String) -> Void = { _, _ in }
  ) throws {
    let total = items.reduce(0) { $0 + $1.count }
    let writer = try ActivationWriter(output, names: outputNames, total: total, replaces: replaces)
    for (place, item) in items.enumerated() {
      let (inputs, preprocess) = try model.load(item, options)
      let activations = try run(inputs, threads: threads)
      try reporting(item, output) { try writer.append(activations) }
      progress(place + 1, preprocess)
    }
    try reporting(nil, output) { try writer.finish() }
  }

  /// Lets errors of writing name the output, not its temporary file, and those of an item that does not fit the item.
  private func reporting(_ item: InputItem?, _ output: String, _ body: () throws -> Void) throws {
    do { try body() } catch let error as H5ConvError {
      let file = error.kind == .usage ? item?.path ?? output : output
      throw H5ConvError(error.kind, error.what, at: error.place, remedy: error.remedy, file: file)
    }
  }
}

/// Writes activations of one image after the other.
private final class ActivationWriter {
  private enum Kind: String { case npz, npy, h5 }

  private let output: OutputFile
  private let kind: Kind
  private let names: [String]
  private let total: Int
  private var rowShapes: [[Int]] = []
  private var rowCount = 0
  // .npz and .npy
  private var parts: [OutputFile] = []
  private var arrays: [NPYWriter] = []
  // .h5
  private var file: File?
  private var rows: [RowWriter] = []

  init(_ path: String, names: [String], total: Int, replaces: Bool) throws {
    let ending = path.split(separator: ".").last.map(String.init) ?? ""
    guard let kind = Kind(rawValue: ending == "hdf5" ? "h5" : ending) else {
      throw H5ConvError(.usage, "the output's name must end in .npz, .h5 or .npy", file: path)
    }
    if kind == .npy, names.count != 1 {
      throw H5ConvError(
        .usage, "a .npy file holds one array, and \(names.count) layers are chosen",
        remedy: "write a .npz, or choose one layer",
        file: path)
    }
    self.kind = kind
    self.names = names
    self.total = total
    output = try OutputFile(path, replaces: replaces)
  }

  func append(_ activations: [Activation]) throws {
    if rowShapes.isEmpty { try begin(activations) }
    for (place, activation) in activations.enumerated() {
      let row = Array(activation.tensor.shape.dropFirst())
      guard row == rowShapes[place] else {
        throw H5ConvError(
          .usage,
          "'\(activation.name)' has the shape \(row) here and \(rowShapes[place]) before, which cannot be stacked",
          remedy: "bring all pictures to one size with --size")
      }
      if kind == .h5 {
        try activation.tensor.withUnsafeElements { try rows[place].append($0, after: rowCount) }
      } else {
        try arrays[place].append(activation.tensor)
      }
    }
    rowCount += activations.first?.tensor.shape.first ?? 0
  }

  private func begin(_ activations: [Activation]) throws {
    rowShapes = activations.map { Array($0.tensor.shape.dropFirst()) }
    if kind == .h5 {
      let file = try File.create(output.temporaryPath)
      self.file = file
      rows = try zip(names, rowShapes).map { try file.root.makeRows($0, rowShape: $1) }
      return
    }
    parts = try rowShapes.map { _ in try OutputFile(output.path, replaces: true) }
    arrays = try zip(parts, rowShapes).map { part, row in
      try NPYWriter(kind == .npy ? output.temporaryPath : part.temporaryPath, shape: [total] + row)
    }
  }

  func finish() throws {
    switch kind {
    case .h5:
      try file?.flush()
      rows = []
      file = nil
    case .npy: try arrays[0].close()
    case .npz:
      for array in arrays { try array.close() }
      try NPZWriter.write(
        output.temporaryPath, members: zip(names, parts).map { (name: $0, file: $1.temporaryPath) })
    }
    try output.commit()
  }
}
