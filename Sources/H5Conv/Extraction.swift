import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvHDF5
import H5ConvTensors

extension SubModel {
  /// Writes the outputs for all `items` to one file, stacked along the batch, in constant memory.
  ///
  /// - Parameters:
  ///   - items: what to run on, from ``Model/inputItems(_:sample:seed:)``.
  ///   - options: how pictures become inputs.
  ///   - threads: number of threads; nil for one per processor.
  ///   - output: `.npz` or `.h5` (one array per output, keyed by its name), or `.npy` (one output only).
  ///   - replaces: whether an existing file may be replaced.
  ///   - progress: called after each item with the number of items done, and what was done to it.
  /// - Returns: what was written.
  /// - Throws: `H5ConvError`: `usage` for a name with another ending, `cannotWrite`, `inputOutput`, and what running throws.
  @discardableResult
  public func extract(
    _ items: [InputItem], to output: String, _ options: ImageOptions = ImageOptions(), threads: Int? = nil,
    replaces: Bool = false, progress: (_ done: Int, _ preprocess: String) -> Void = { _, _ in }
  ) throws -> ExtractionResult {
    let total = items.reduce(0) { $0 + $1.count }
    let writer = try ActivationWriter(
      output, names: outputNames, total: items.count > 1 ? total : nil, replaces: replaces)
    var notes: [String] = []
    try forEachRun(items, options, threads: threads) { place, item, loaded, activations in
      if !notes.contains(loaded.preprocess) { notes.append(loaded.preprocess) }
      try reporting(item, output) { try writer.append(activations, of: item.count) }
      progress(place + 1, loaded.preprocess)
    }
    try reporting(nil, output) { try writer.finish() }
    return ExtractionResult(
      output: output, point: point, inputCount: total, preprocess: notes, arrays: writer.arrayShapes)
  }

  /// Lets errors of writing name the output, not its temporary file, and those of an item that does not fit the item.
  private func reporting(_ item: InputItem?, _ output: String, _ body: () throws -> Void) throws {
    do { try body() } catch let error as H5ConvError {
      let file = error.kind == .usage ? item?.path ?? output : output
      throw H5ConvError(error.kind, error.what, at: error.place, remedy: error.remedy, file: file)
    }
  }
}

/// What ``SubModel/extract(_:to:_:threads:replaces:progress:)`` wrote.
public struct ExtractionResult: Sendable {
  /// The file.
  public let output: String
  /// The side of the layers' activations at which the numbers were taken.
  public let point: ActivationPoint
  /// Number of images.
  public let inputCount: Int
  /// What was done to the pictures, each once.
  public let preprocess: [String]
  /// The arrays in it: keys and shapes, batch first.
  public let arrays: [(name: String, shape: [Int])]

  /// The result as JSON, described by `schemas/extract.schema.json`.
  public var json: String {
    let object: JSONValue = [
      "version": 1, "output": .string(output), "at": .string(point.rawValue), "inputs": .int(inputCount),
      "preprocess": .array(preprocess.map { .string($0) }),
      "arrays": .array(arrays.map { ["name": .string($0.name), "shape": .array($0.shape.map { .int($0) })] }),
    ]
    return object.text(pretty: true)
  }
}

/// Writes activations of one image after the other.
private final class ActivationWriter {
  private enum Kind: String { case npz, npy, h5 }

  private let output: OutputFile
  private let kind: Kind
  private let names: [String]
  /// Examples of all items; nil when there is one item, whose results are written as they are.
  private let total: Int?
  private var shapes: [[Int]] = []
  private var rowShapes: [[Int]] = []
  private var rowCount = 0
  // .npz and .npy
  private var parts: [OutputFile] = []
  private var arrays: [NPYWriter] = []
  // .h5
  private var file: File?
  private var rows: [RowWriter] = []

  init(_ path: String, names: [String], total: Int?, replaces: Bool) throws {
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

  /// Appends what was computed for `count` examples.
  func append(_ activations: [Activation], of count: Int) throws {
    if rowShapes.isEmpty { try begin(activations) }
    for (place, activation) in activations.enumerated() {
      guard total == nil || activation.tensor.shape.first == count else {
        throw H5ConvError(
          .usage,
          "'\(activation.name)' has the shape \(activation.tensor.shape), whose first axis is not that of the \(count) "
            + "examples, so that several cannot be stacked",
          remedy: "give one input, or all of them in one array")
      }
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
    rowCount += count
  }

  private func begin(_ activations: [Activation]) throws {
    rowShapes = activations.map { Array($0.tensor.shape.dropFirst()) }
    shapes = activations.map { activation in
      let shape = activation.tensor.shape
      return total.map { [$0] + shape.dropFirst() } ?? shape
    }
    if kind == .h5 {
      let file = try File.create(output.temporaryPath)
      self.file = file
      rows = try zip(pathNames, rowShapes).map { try file.root.makeRows($0, rowShape: $1) }
      return
    }
    // A .npz is put together from temporary .npy files; a .npy is one itself.
    parts = kind == .npy ? [output] : try rowShapes.map { _ in try OutputFile(output.path, replaces: true) }
    arrays = try zip(parts, shapes).map { try NPYWriter($0.temporaryPath, shape: $1) }
  }

  /// The names as paths in an HDF5 file, where nothing is both a dataset and a group: a nested model's own output stands beside
  /// its layers as `outer:0`.
  private var pathNames: [String] {
    let groups = Set(
      names.flatMap { name in
        name.indices.filter { name[$0] == "/" }.map { String(name[..<$0]) }
      })
    return names.map { groups.contains($0) ? $0 + ":0" : $0 }
  }

  /// Keys and shapes of what was written.
  var arrayShapes: [(name: String, shape: [Int])] {
    Array(zip(kind == .h5 ? pathNames : names, shapes))
  }

  func finish() throws {
    switch kind {
    case .h5:
      try file?.flush()
      rows = []
      file = nil
    case .npy, .npz:
      if kind == .npz {
        try NPZWriter.write(
          output.temporaryPath, members: zip(names, parts).map { (name: $0, file: $1.temporaryPath) })
      }
    }
    try output.commit()
  }
}
