import Glibc
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvTensors

/// A class and how strongly the network takes a picture for it.
public struct Prediction: Sendable {
  /// The class's number.
  public let index: Int
  /// Its name, when labels are given.
  public let label: String?
  /// What the network gives for it (after the softmax that was asked for, if any).
  public let score: Double
}

/// The best classes of a score vector.
///
/// - Parameters:
///   - scores: one number per class. A single one is taken as the probability of the second of two classes when two labels are
///     given.
///   - labels: names of the classes, by their numbers; empty for none.
///   - top: how many classes to give.
///   - softmax: whether the scores are logits that a softmax (or, for a single one, a sigmoid) makes probabilities.
/// - Returns: the best `top` classes, best first; equal ones by their numbers.
/// - Throws: `H5ConvError` of kind `usage` when the labels are not as many as the classes.
public func topPredictions(
  _ scores: [Float], labels: [String] = [], top: Int = 5, softmax: Bool = false
) throws -> [Prediction] {
  var values = scores.map { Double($0) }
  if softmax {
    if values.count == 1 {
      values[0] = 1 / (1 + exp(-values[0]))
    } else {
      let largest = values.max() ?? 0
      let exponentials = values.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      values = exponentials.map { $0 / sum }
    }
  }
  if values.count == 1, labels.count == 2 { values = [1 - values[0], values[0]] }
  guard labels.isEmpty || labels.count == values.count else {
    throw H5ConvError(.usage, "\(labels.count) labels for \(values.count) classes")
  }
  let order = values.indices.sorted { a, b in
    // NaN behind everything.
    (values[a].isNaN ? -.infinity : values[a], b) > (values[b].isNaN ? -.infinity : values[b], a)
  }
  return order.prefix(max(0, top)).map { index in
    Prediction(index: index, label: labels.isEmpty ? nil : labels[index], score: values[index])
  }
}

/// Names of classes from a file: one per line, a JSON list, or a JSON object from numbers to names (or to Keras' pairs of
/// WordNet id and name).
///
/// - Throws: `H5ConvError`: `cannotRead`, or `badData` for JSON of another form.
public func readLabels(_ path: String) throws -> [String] {
  let text = String(decoding: try InputFile.bytes(path, limit: 16 << 20), as: UTF8.self)
  let start = text.first { !$0.isWhitespace }
  guard start == "[" || start == "{" else {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
      String(line.drop { $0.isWhitespace })
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
  return try naming(path) {
    let value = try JSONParser.parse(text)
    func name(_ value: JSONValue) throws -> String {
      guard let name = value.string ?? value.array?.last?.string else {
        throw H5ConvError(.badData, "the labels are not a list of names or an object from numbers to names")
      }
      return name
    }
    if let items = value.array { return try items.map(name) }
    let members = value.object?.members ?? []
    return try members.indices.map { index in
      guard let label = value[String(index)] else {
        throw H5ConvError(.badData, "the labels have no entry \"\(index)\"")
      }
      return try name(label)
    }
  }
}

/// The predictions for one image.
public struct PredictionResult: Sendable {
  /// The picture, or the array with the number of the example in it: `batch.npy[3]`.
  public let input: String
  /// What was done to the picture.
  public let preprocess: String
  /// The output of the network that they come from.
  public let output: String
  /// The best classes, best first.
  public let predictions: [Prediction]
  /// Whether the scores do not look like probabilities.
  public let looksLikeLogits: Bool
}

extension Model {
  /// Runs the whole network on `items` and gives the best classes for each.
  ///
  /// - Throws: `H5ConvError`: `usage` when an output is not a score vector or the labels do not fit, and what running throws.
  public func predict(
    _ items: [InputItem], _ options: ImageOptions = ImageOptions(), labels: [String] = [], top: Int = 5,
    softmax: Bool = false, threads: Int? = nil, progress: (Int) -> Void = { _ in }
  ) throws -> [PredictionResult] {
    let network = try slice(outputs: ["@outputs"])
    var results: [PredictionResult] = []
    try network.forEachRun(items, options, threads: threads) { place, item, loaded, outputs in
      for output in outputs {
        let batch = output.tensor.shape.first ?? 0
        let classes = output.tensor.shape.dropFirst().reduce(1, *)
        guard output.tensor.shape.dropFirst().filter({ $0 > 1 }).count <= 1, classes > 0 else {
          throw H5ConvError(
            .usage, "the output \(PartialShape(output.tensor.shape)) is not a vector of scores",
            at: "output '\(output.name)'",
            remedy: "use extract to get it as an array", file: path)
        }
        let values = output.tensor.values
        for example in 0..<batch {
          let scores = Array(values[example * classes..<(example + 1) * classes])
          let best = try naming(path) { try topPredictions(scores, labels: labels, top: top, softmax: softmax) }
          let sum = scores.reduce(0, +)
          let isProbability = scores.allSatisfy { (0...1).contains($0) } && (classes == 1 || abs(sum - 1) < 0.01)
          results.append(
            PredictionResult(
              input: item.isBatch ? "\(item.path)[\(example)]" : item.path, preprocess: loaded.preprocess,
              output: output.name,
              predictions: best, looksLikeLogits: !softmax && !isProbability))
        }
      }
      progress(place + 1)
    }
    return results
  }
}

extension [PredictionResult] {
  /// The results as JSON, described by `schemas/predict.schema.json`.
  public var json: String {
    let results: [JSONValue] = map { result in
      [
        "input": .string(result.input), "preprocess": .string(result.preprocess), "output": .string(result.output),
        "predictions": .array(
          result.predictions.map { prediction in
            ["index": .int(prediction.index), "label": .optional(prediction.label), "score": .double(prediction.score)]
          }),
      ]
    }
    return (["version": 1, "results": .array(results)] as JSONValue).text(pretty: true)
  }

  /// The results as a table for people.
  public var text: String {
    map { result in
      let width = result.predictions.map { $0.name.count }.max() ?? 0
      let lines = result.predictions.map { "  \($0.name.padded(to: width))  \($0.score.shortText)" }
      return ([result.input] + lines).map(\.escapedForTerminal).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension Prediction {
  fileprivate var name: String { label.map { "\($0) (\(index))" } ?? "class \(index)" }
}
