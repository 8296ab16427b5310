import H5ConvDiagnostics
import H5ConvFiles
import H5ConvImages
import H5ConvInference
public import H5ConvTensors
import H5ConvVisualization

/// One item of what a command was given: a picture, or arrays for some images at once.
public struct InputItem: Sendable {
  /// Where it is.
  public let path: String
  /// Number of images in it.
  public let count: Int
  let arrays: [Tensor]?

  /// Whether it is an array with several examples.
  var isBatch: Bool { arrays != nil && count > 1 }
}

/// The network's inputs for an item, what was done to it, and the picture of which they are made; nil for arrays.
package typealias LoadedItem = (inputs: [Tensor], preprocess: String, picture: PreparedImage?)

extension Model {
  /// Resolves pictures, folders of pictures, `.npy` and `.npz` files to items that ``load(_:_:)`` reads one by one.
  ///
  /// - Parameters:
  ///   - paths: what was given; a folder stands for the PNG and JPEG files in it, sorted by name.
  ///   - sample: how many of a folder's pictures to pick at random; nil for all.
  ///   - seed: begins the random choice, which is the same for the same seed.
  /// - Throws: `H5ConvError`: `cannotRead` for something missing or a folder without pictures, `usage` for arrays that do not fit.
  public func inputItems(_ paths: [String], sample: Int? = nil, seed: UInt64 = 0) throws -> [InputItem] {
    try paths.flatMap { path -> [InputItem] in
      if InputFile.isFolder(path) {
        var names = try InputFile.names(inFolder: path).filter { name in
          let lower = name.lowercased()
          return lower.hasSuffix(".png") || lower.hasSuffix(".jpg") || lower.hasSuffix(".jpeg")
        }
        if names.isEmpty { throw H5ConvError(.cannotRead, "the folder has no PNG or JPEG files", file: path) }
        if let sample { names = names.sampled(sample, seed: seed) }
        let folder = path.hasSuffix("/") ? path : path + "/"
        return names.map { InputItem(path: folder + $0, count: 1, arrays: nil) }
      }
      guard ArrayFile.isArray(path) else { return [InputItem(path: path, count: 1, arrays: nil)] }
      let arrays = try arrays(path)
      return [InputItem(path: path, count: arrays.first?.shape.first ?? 0, arrays: arrays)]
    }
  }

  /// The network's inputs for an item, and what was done to it; arrays are changed only by a preprocessing that is asked for.
  public func load(_ item: InputItem, _ options: ImageOptions = ImageOptions()) throws -> (
    inputs: [Tensor], preprocess: String
  ) {
    let (inputs, preprocess, _) = try loadWithPicture(item, options)
    return (inputs, preprocess)
  }

  /// The same with the picture, of which the tensor is made; nil for arrays.
  func loadWithPicture(
    _ item: InputItem, _ options: ImageOptions, withOverview: Bool = false
  ) throws -> LoadedItem {
    if let arrays = item.arrays {
      guard options.preprocess != "auto" else { return (arrays, "none (arrays are taken as they are)", nil) }
      let preprocessing = try Preprocessing.parse(options.preprocess)
      let inputs = try naming(item.path) {
        try arrays.map { try preprocessing.apply($0, channelsFirst: isChannelsFirst) }
      }
      return (inputs, "\(preprocessing) (as asked for)", nil)
    }
    let image = try prepare(image: item.path, options, withOverview: withOverview)
    return ([image.tensor], image.preprocess, image)
  }

  /// The arrays of a `.npy` or `.npz` file, one for each input of the network.
  private func arrays(_ path: String) throws -> [Tensor] {
    let inputs = inputs
    if path.hasSuffix(".npy") {
      let tensor = try ArrayFile.npy(path)
      guard let input = inputs.first, inputs.count == 1 else {
        throw H5ConvError(
          .usage, "one array where the model has \(inputs.count) inputs",
          remedy: "give a .npz keyed by input-layer names",
          file: path)
      }
      // A single example without its batch axis.
      let isSingle = !input.shape.isEmpty && tensor.shape.count == input.shape.count - 1
      return [isSingle ? try tensor.reshaped(to: [1] + tensor.shape) : tensor]
    }
    let found = try ArrayFile.npz(path)
    if inputs.count == 1, found.count == 1 { return [found[0].tensor] }
    return try inputs.map { input in
      guard let match = found.first(where: { $0.name == input.name }) else {
        throw H5ConvError(
          .usage, "no array is named after the input '\(input.name)'",
          at: "arrays: \(found.map(\.name).joined(separator: ", "))",
          remedy: "name the arrays \(inputs.map(\.name).joined(separator: ", "))", file: path)
      }
      return match.tensor
    }
  }
}

extension SubModel {
  /// Loads `items`, computes the outputs for each, and gives them to `body` in order, a few at a time in memory.
  ///
  /// Each thread loads an item and computes its outputs alone, for which no thread waits for another. The first items, and those of
  /// networks whose activations are large, are computed by all threads together.
  package func forEachRun(
    _ items: [InputItem], _ options: ImageOptions, threads: Int?,
    _ body: (_ place: Int, _ item: InputItem, _ loaded: LoadedItem, _ activations: [Activation]) throws -> Void
  ) throws {
    // Large pictures on many processors must not fill the memory.
    let count = min(8, Threads(threads).count)
    var start = 0
    // More at a time where nobody waits for another: then those whose items take longer do not wait either.
    var areAlone = false
    while start < items.count {
      let kept = areAlone ? 4 * count : count
      let some = Array(items[start..<min(start + kept, items.count)])
      let done = try concurrentMap(some, threads: count) { item in
        Result {
          let loaded = try model.loadWithPicture(item, options)
          return (loaded, count > 1 ? try runAlone(loaded.inputs, ofAtOnce: count, keeping: 4 * count) : nil)
        }
      }
      areAlone = done.allSatisfy { (try? $0.get())?.1 != nil }
      // Those before one that fails have been used.
      for (place, result) in done.enumerated() {
        let (loaded, activations) = try result.get()
        try body(start + place, some[place], loaded, try activations ?? run(loaded.inputs, threads: threads))
      }
      start += some.count
    }
  }

  /// Computes the outputs for the picture at `path`.
  public func run(
    image path: String, _ options: ImageOptions = ImageOptions(), threads: Int? = nil
  ) throws -> (activations: [Activation], image: PreparedImage) {
    let image = try model.prepare(image: path, options)
    return (try run([image.tensor], threads: threads), image)
  }
}

extension [String] {
  /// `count` elements picked at random without repetition, in their order; the same for the same seed (SplitMix64).
  fileprivate func sampled(_ count: Int, seed: UInt64) -> [String] {
    var generator = SplitMix64(state: seed)
    return indices.shuffled(using: &generator).prefix(Swift.max(0, count)).sorted().map { self[$0] }
  }
}

/// Steele, Lea and Flood 2014: a small generator whose sequence is the same everywhere.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
