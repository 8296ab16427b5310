import CKernels
import Glibc
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

/// How much each input cell counts for an output cell, along one axis.
struct ResizeWeights {
  /// First input cell of each output cell, and the weights of it and those behind it.
  var starts: [Int] = []
  var weights: [[Float]] = []

  /// `tf.image.resize` with half-pixel centres: nearest takes ⌊(i + ½)·n/m⌋, the others their kernel around (i + ½)·n/m − ½,
  /// normalised over the cells inside the image (bilinear repeats the border instead); `antialias` widens the kernel when the
  /// image shrinks.
  init(_ method: ResizeMethod, from length: Int, to target: Int, antialias: Bool) {
    let scale = Double(length) / Double(target)
    for place in 0..<target {
      let center = (Double(place) + 0.5) * scale
      switch method {
      case .nearest:
        starts.append(min(length - 1, Int(Float(Float(place) + 0.5) * Float(scale))))
        weights.append([1])
      case .area:
        add(area: Double(place) * scale, to: Double(place + 1) * scale, length: length)
      case .bicubic where !antialias: add(cubicAt: center - 0.5, length: length)
      case .bilinear where !antialias: add(linearAt: center - 0.5, length: length)
      case .bilinear, .bicubic, .lanczos3, .lanczos5, .gaussian, .mitchellcubic:
        add(method, center: center, widening: antialias ? max(1, scale) : 1, length: length)
      }
    }
  }

  /// How much each output cell counts for an input cell, for the gradient: the transposed matrix.
  ///
  /// - Parameter length: number of input cells.
  func transposed(length: Int) -> ResizeWeights {
    var first = Array(repeating: starts.count, count: length)
    var rows = Array(repeating: [Float](), count: length)
    for (output, start) in starts.enumerated() {
      for (place, weight) in weights[output].enumerated() {
        let input = min(length - 1, start + place)
        if rows[input].isEmpty { first[input] = output }
        let gap = output - first[input] - rows[input].count
        rows[input] += Array(repeating: 0, count: max(0, gap))
        if gap < 0 { rows[input][output - first[input]] += weight } else { rows[input].append(weight) }
      }
    }
    return ResizeWeights(starts: first.map { min($0, starts.count - 1) }, weights: rows)
  }

  private init(starts: [Int], weights: [[Float]]) { (self.starts, self.weights) = (starts, weights) }

  private mutating func add(area start: Double, to end: Double, length: Int) {
    let first = Int(start.rounded(.down))
    let last = min(length, Int(end.rounded(.up)))
    let parts = (first..<max(first + 1, last)).map { cell in
      Float((min(Double(cell + 1), end) - max(Double(cell), start)) / (end - start))
    }
    starts.append(first)
    weights.append(parts)
  }

  /// Two neighbours; beyond the border the border cell counts.
  private mutating func add(linearAt place: Double, length: Int) {
    let below = place.rounded(.down)
    let first = min(length - 1, max(0, Int(below)))
    let second = min(length - 1, max(0, Int(below) + 1))
    let fraction = Float(place - below)
    starts.append(first)
    weights.append(first == second ? [1] : [1 - fraction, fraction])
  }

  /// Four neighbours, those outside left out; TensorFlow looks its weights up in a table of 1024 steps.
  private mutating func add(cubicAt place: Double, length: Int) {
    let below = place.rounded(.down)
    let fraction = ((place - below) * 1024).rounded(.toNearestOrEven) / 1024
    let cells = (Int(below) - 1...Int(below) + 2).filter { (0..<length).contains($0) }
    let parts = cells.map { ResizeMethod.bicubic.weight(abs(Double($0) - below - fraction)) }
    let sum = parts.reduce(0, +)
    starts.append(cells.first ?? 0)
    weights.append(parts.map { Float($0 / sum) })
  }

  private mutating func add(_ method: ResizeMethod, center: Double, widening: Double, length: Int) {
    let reach = method.radius * widening
    let first = max(0, Int((center - reach - 0.5).rounded(.up)))
    let last = min(length - 1, Int((center + reach - 0.5).rounded(.down)))
    var parts = (first...max(first, last)).map { cell in method.weight(abs(Double(cell) + 0.5 - center) / widening) }
    let sum = parts.reduce(0, +)
    if sum != 0 { parts = parts.map { $0 / sum } }
    starts.append(min(first, length - 1))
    weights.append(parts.map { Float($0) })
  }
}

extension ResizeMethod {
  /// Distance in cells within which the kernel is not 0.
  fileprivate var radius: Double {
    switch self {
    case .nearest, .area: 0.5
    case .bilinear: 1
    case .gaussian: 1.5
    case .bicubic, .mitchellcubic: 2
    case .lanczos3: 3
    case .lanczos5: 5
    }
  }

  /// The kernel at distance `x` ≥ 0: triangle, Keys' cubic (a = −0.5), Lanczos, Gaussian (σ = 0.5), Mitchell's cubic.
  fileprivate func weight(_ x: Double) -> Double {
    switch self {
    case .nearest, .area: return x <= 0.5 ? 1 : 0
    case .bilinear: return max(0, 1 - x)
    case .bicubic:
      if x >= 2 { return 0 }
      return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2
    case .mitchellcubic:
      if x >= 2 { return 0 }
      return x < 1
        ? (7 * x * x * x - 12 * x * x + 16.0 / 3) / 6
        : (-7.0 / 3 * x * x * x + 12 * x * x - 20 * x + 32.0 / 3) / 6
    case .gaussian: return x >= 1.5 ? 0 : exp(-x * x / 0.5)
    case .lanczos3, .lanczos5:
      if x >= radius { return 0 }
      if x < 1e-3 { return 1 }
      return radius * sin(Double.pi * x) * sin(Double.pi * x / radius) / (Double.pi * Double.pi * x * x)
    }
  }
}

extension PlanStep {
  func resize(_ input: Tensor, _ method: ResizeMethod, antialias: Bool, _ threads: Threads) throws -> Tensor {
    let (from, to) = (input.shape[1...2], output.shape[1...2])
    guard !from.contains(0) else { throw H5ConvError(.badData, "an image of \(from[1])×\(from[2]) cannot be resized") }
    let tables = from.indices.map { ResizeWeights(method, from: from[$0], to: to[$0], antialias: antialias) }
    return try resize(input, vertical: tables[0], horizontal: tables[1], threads)
  }

  /// Each output pixel is the sum of input pixels with the weights of its row and its column.
  func resize(
    _ input: Tensor, vertical: ResizeWeights, horizontal: ResizeWeights, _ threads: Threads
  ) throws -> Tensor {
    let shape = output.shape
    let (images, height, width, channels) = (input.shape[0], input.shape[1], input.shape[2], input.shape[3])
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress, channels > 0 else { return }
      input.withBase { source in
        threads.forEach(images * shape[1]) { line in
          let (image, y) = line.quotientAndRemainder(dividingBy: shape[1])
          // Rows first: one line of the input's width.
          let row = UnsafeMutablePointer<Float>.allocate(capacity: width * channels)
          defer { row.deallocate() }
          row.update(repeating: 0, count: width * channels)
          for (place, weight) in vertical.weights[y].enumerated() {
            let from = source + (image * height + min(height - 1, vertical.starts[y] + place)) * width * channels
            for x in 0..<width * channels { row[x] += from[x] * weight }
          }
          let to = target + line * shape[2] * channels
          to.update(repeating: 0, count: shape[2] * channels)
          for x in 0..<shape[2] {
            for (place, weight) in horizontal.weights[x].enumerated() {
              let from = row + min(width - 1, horizontal.starts[x] + place) * channels
              for channel in 0..<channels { to[x * channels + channel] += from[channel] * weight }
            }
          }
        }
      }
    }
  }
}
