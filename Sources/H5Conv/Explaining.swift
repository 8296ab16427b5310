import H5ConvAttribution
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvInference
public import H5ConvTensors

/// How it is found out which places of a picture count for a class.
public struct ExplanationOptions: Sendable {
  /// `gradcam`, `hirescam`, `layercam`, `gradcam++`, `eigencam`, `scorecam`, `occlusion`, `saliency`, `smoothgrad` or `ig` (Integrated
  /// Gradients).
  public var method = "gradcam"
  /// The layer whose feature maps the CAM methods look at; nil for the last convolution.
  public var layer: String?
  /// The class, by its number; nil for the one with the highest score.
  public var classIndex: Int?
  /// Pictures that SmoothGrad averages over.
  public var samples = 50
  /// Standard deviation of SmoothGrad's noise, in parts of the distance from the input's smallest number to its largest.
  public var noise: Float = 0.15
  /// Where SmoothGrad's noise begins.
  public var seed: UInt64 = 0
  /// Steps of Integrated Gradients, from an input of zeros.
  public var steps = 64
  /// Sides and distance of occlusion's patches, in pixels of the network's input.
  public var (patch, stride) = (16, 8)

  /// Grad-CAM at the last convolution for the best class.
  public init() {}

  /// The names of the methods.
  public static let methods =
    ClassActivation.allCases.map(\.rawValue) + ["eigencam", "scorecam", "occlusion", "saliency", "smoothgrad", "ig"]
}

/// Which places of a picture count for a class.
public struct Explanation: Sendable {
  /// The method, as in ``ExplanationOptions/method``.
  public let method: String
  /// The layer that was looked at; nil where it was the input.
  public let layer: String?
  /// The class; nil for a method that looks at none.
  public let classIndex: Int?
  /// The class's score before softmax or sigmoid; of a network with a single output its negative for class 0.
  public let score: Float
  /// How much each place counts, (height, width): of the layer's feature maps for CAM methods, else of the input.
  ///
  /// Larger counts more for the class; occlusion and Integrated Gradients also have negative numbers, which count against it.
  public let map: Tensor
  /// Integrated Gradients: the map's sum less the difference of the scores that it should be, in parts of the latter.
  public let completenessGap: Double?
  /// What one should know: why a map is empty, which noise was used.
  public let notes: [String]
}

extension Model {
  /// Explains the score of a class for one picture.
  ///
  /// The score is what the network's last softmax or sigmoid is computed of. A single output with a sigmoid stands for two classes: 1 and,
  /// with the negative score, 0.
  ///
  /// - Parameters:
  ///   - input: the network's input for one picture, of batch size 1, as ``load(_:_:)`` gives it.
  ///   - options: the method and what belongs to it.
  ///   - threads: number of threads; nil for one per processor.
  /// - Throws: `H5ConvError`: `usage` for an unknown method, layer or class, and for networks that are no classifiers of one picture;
  ///   `unsupported` naming a layer without a derivative.
  public func explain(
    _ input: Tensor, _ options: ExplanationOptions = ExplanationOptions(), threads: Int? = nil
  ) throws -> Explanation {
    let all = try explain(input, [options], threads: threads)
    guard let explanation = all.first else { throw H5ConvError(.internalFault, "no explanation was made") }
    return explanation
  }

  /// Explains the score of a class for one picture in several ways.
  ///
  /// What they have in common is computed once: the gradients of all layers that the CAM methods look at come from one pass.
  ///
  /// - Parameter progress: is told before each.
  /// - Throws: `H5ConvError` as ``explain(_:_:threads:)``.
  public func explain(
    _ input: Tensor, _ options: [ExplanationOptions], threads: Int? = nil, progress: () -> Void = {}
  ) throws -> [Explanation] {
    try naming(path) {
      let network = try ScoreNetwork(self, input, threads: Threads(threads))
      var targets: [Int?: ScoreNetwork.Target] = [:]
      var evidence: [Int?: ScoreNetwork.Evidence] = [:]
      return try options.map { one in
        progress()
        let target = try targets[one.classIndex] ?? network.score(of: input, choosing: one.classIndex)
        targets[one.classIndex] = target
        guard let method = ClassActivation(rawValue: one.method) else { return try network.explain(target, one) }
        let layer = try network.layer(one.layer)
        let known =
          try evidence[one.classIndex]
          ?? network.evidence(
            target,
            options.filter { $0.classIndex == one.classIndex && ClassActivation(rawValue: $0.method) != nil }.map {
              try network.layer($0.layer)
            })
        evidence[one.classIndex] = known
        return try network.activation(target, method, layer, known)
      }
    }
  }
}

extension ScoreNetwork {
  /// Explains by a method that needs no gradients at a layer.
  fileprivate func explain(_ target: Target, _ options: ExplanationOptions) throws -> Explanation {
    switch options.method {
    case "saliency", "smoothgrad", "ig": return try attribute(target, options)
    case "occlusion": return try occlude(target, options)
    case "eigencam":
      let layer = try layer(options.layer)
      return explanation(target, options.method, layer.key, EigenCAM.map(try maps(layer)), hasClass: false)
    case "scorecam": return try scoreCAM(target, try layer(options.layer))
    default:
      throw H5ConvError(
        .usage, "there is no method '\(options.method)'",
        remedy: "use one of \(ExplanationOptions.methods.joined(separator: ", "))")
    }
  }
}
