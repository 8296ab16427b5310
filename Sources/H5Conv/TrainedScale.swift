import Glibc
import H5ConvConfig
import H5ConvGraph
import H5ConvImages
import H5ConvTensors

/// What the statistics of the first batch normalization tell of the pictures that a network was trained on.
///
/// Training leaves the mean and variance of the first convolution's output in the batch normalization behind it. Photos have
/// a known mean and variance, and neighbouring pixels that agree; so each preprocessing predicts those statistics, and the one
/// that was used predicts them far better than the others.
struct TrainedScale {
  /// The preprocessing that fits best, clearly better than any other.
  let preprocessing: Preprocessing
  /// The batch normalization that tells.
  let layer: String
}

/// A preprocessing as what it makes of photos: mean and standard deviation per channel of the network's input.
private struct Candidate {
  let preprocessing: Preprocessing
  let means: [Double]
  let deviations: [Double]
}

/// Means and standard deviations of ImageNet's photos, red, green and blue, in 0…255.
private let photoMeans = [123.7, 116.3, 103.5]
private let photoDeviations = [58.4, 57.1, 57.4]

extension Model {
  /// The preprocessing that the first batch normalization gives away; nil when there is none, it was never trained, or no
  /// preprocessing fits much better than the others.
  var trainedScale: TrainedScale? {
    guard let pair = firstNormalizedConvolution, let kernel = try? weights.tensor(layer: pair.convolution, "kernel"),
      kernel.shape.count == 4, kernel.shape[2] == 1 || kernel.shape[2] == 3, kernel.shape[0] * kernel.shape[1] <= 121,
      let means = try? weights.tensor(layer: pair.normalization, "moving_mean").values,
      let variances = try? weights.tensor(layer: pair.normalization, "moving_variance").values,
      means.count == kernel.shape[3], variances.count == means.count, means.contains(where: { $0 != 0 })
    else { return nil }
    let bias = (try? weights.tensor(layer: pair.convolution, "bias").values) ?? Array(repeating: 0, count: means.count)
    guard bias.count == means.count else { return nil }
    let correlated = CorrelatedKernel(kernel)
    let scores = TrainedScale.candidates(channels: kernel.shape[2]).map { candidate in
      (candidate, correlated.misfit(candidate, bias: bias, means: means, variances: variances))
    }.sorted { $0.1 < $1.1 }
    guard let best = scores.first, best.1 <= 0.25, scores[1].1 >= 3 * best.1 + 0.2 else { return nil }
    return TrainedScale(preprocessing: best.0.preprocessing, layer: graph.layers[pair.normalization].name)
  }

  /// The first convolution that sees the picture itself, when a batch normalization follows it at once.
  private var firstNormalizedConvolution: (convolution: Int, normalization: Int)? {
    for (place, call) in graph.calls.enumerated() {
      let layer = graph.layers[call.layer]
      switch layer.className {
      case "InputLayer", "ZeroPadding2D", "Dropout", "GaussianNoise": continue
      case "Conv2D":
        guard layer.config["activation"]?.string ?? "linear" == "linear", layer.config["groups"]?.integer ?? 1 == 1,
          let next = graph.calls.first(where: { $0.inputs == [TensorID(call: place, output: 0)] }),
          graph.layers[next.layer].className.hasPrefix("BatchNormalization")
        else { return nil }
        return (call.layer, next.layer)
      default: return nil
      }
    }
    return nil
  }
}

extension TrainedScale {
  fileprivate static func candidates(channels: Int) -> [Candidate] {
    let (means, deviations) =
      channels == 3
      ? (photoMeans, photoDeviations)
      : ([photoMeans.reduce(0, +) / 3], [photoDeviations.reduce(0, +) / 3])
    func make(_ preprocessing: Preprocessing, _ scale: (Int) -> Double, _ shift: (Int) -> Double) -> Candidate {
      Candidate(
        preprocessing: preprocessing, means: means.indices.map { means[$0] * scale($0) + shift($0) },
        deviations: deviations.indices.map { deviations[$0] * scale($0) })
    }
    var candidates = [
      make(.none, { _ in 1 }, { _ in 0 }), make(.rescale, { _ in 1 / 255 }, { _ in 0 }),
      make(.tf, { _ in 1 / 127.5 }, { _ in -1 }),
    ]
    guard channels == 3 else { return candidates }
    let (torchMeans, torchDeviations) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    candidates.append(
      make(.torch, { 1 / 255 / torchDeviations[$0] }, { -torchMeans[$0] / torchDeviations[$0] }))
    candidates.append(
      Candidate(preprocessing: .caffe, means: [0, 0, 0], deviations: deviations.reversed()))
    return candidates
  }
}

/// A kernel with how much each two of its taps agree in photos.
private struct CorrelatedKernel {
  /// Taps × filters.
  private let taps: [[Double]]
  /// The input channel of each tap.
  private let channels: [Int]
  private let correlations: [[Double]]

  /// - Parameter kernel: (height, width, channels, filters).
  init(_ kernel: Tensor) {
    let (width, channelCount, filters) = (kernel.shape[1], kernel.shape[2], kernel.shape[3])
    let values = kernel.values
    let count = filters == 0 ? 0 : values.count / filters
    taps = (0..<count).map { tap in values[tap * filters..<(tap + 1) * filters].map { Double($0) } }
    channels = (0..<count).map { $0 % channelCount }
    let places = (0..<count).map { tap in
      let pixel = tap / channelCount
      return (y: Double(pixel / width), x: Double(pixel % width))
    }
    let channels = channels
    // Pixels d apart agree by 0.95^d, colours of a pixel by 0.9.
    correlations = places.indices.map { a in
      places.indices.map { b in
        pow(0.95, hypot(places[a].y - places[b].y, places[a].x - places[b].x)) * (channels[a] == channels[b] ? 1 : 0.9)
      }
    }
  }

  /// The median over the filters of the Kullback–Leibler divergence between the normal distribution that the candidate predicts
  /// of the filter's output and the one that the batch normalization has seen.
  func misfit(_ candidate: Candidate, bias: [Float], means: [Float], variances: [Float]) -> Double {
    let divergences = means.indices.map { filter -> Double in
      let scaled = taps.indices.map { taps[$0][filter] * candidate.deviations[channels[$0]] }
      var mean = Double(bias[filter])
      var variance = 1e-12
      for a in taps.indices {
        mean += taps[a][filter] * candidate.means[channels[a]]
        for b in taps.indices { variance += scaled[a] * correlations[a][b] * scaled[b] }
      }
      let seen = max(Double(variances[filter]), 1e-9)
      let distance = mean - Double(means[filter])
      return 0.5 * (variance / seen + distance * distance / seen - 1 - log(max(variance, 1e-12) / seen))
    }
    return divergences.sorted()[divergences.count / 2]
  }
}
