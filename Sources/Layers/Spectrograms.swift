import Glibc
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvTensors

/// Short-time Fourier transforms of a signal: convolutions whose kernels are cosines and sines under a window.
///
/// Input (batch, time, channels), or (batch, channels, time) when channels_first; the channels are transformed by themselves. The
/// kernels, (frame_length, 1, fft_length / 2 + 1), are weights, so that the window and its scale need not be known.
struct STFTSpectrogram: Layer {
  private enum Mode: String { case log, magnitude, psd, real, imag, angle, stft }

  private let mode: Mode
  private let frameLength: Int
  private let frameStep: Int
  private let bins: Int
  private let padding: Padding
  private let expandsDims: Bool
  private let format: DataFormat

  init(_ config: ConfigReader) throws {
    let name = try config.string("mode", default: "log")
    guard let mode = Mode(rawValue: name) else {
      throw config.error("mode", "'\(name)' is none of log, magnitude, psd, real, imag, angle, stft")
    }
    self.mode = mode
    frameLength = try config.int("frame_length", default: 256, in: 1...sizeLimit)
    frameStep = try config.int("frame_step", default: max(1, frameLength / 2), in: 1...frameLength)
    let length = try config.int("fft_length", default: powerOfTwo(atLeast: frameLength), in: frameLength...sizeLimit)
    bins = length / 2 + 1
    padding = try config.padding()
    if padding == .causal { throw config.error("padding", "'causal' is not for this layer") }
    expandsDims = try config.bool("expand_dims", default: false)
    format = try config.dataFormat()
  }

  /// Numbers for each channel and frame.
  private var features: Int { mode == .stft ? 2 * bins : bins }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = format.channelsLastShape(try single(inputs, rank: 3))
    let frames = try Sliding.outputLength(input[1], extent: frameLength, stride: frameStep, padding: padding)
    if expandsDims {
      return [
        format == .channelsLast
          ? [input[0], frames, features, input[2]] : [input[0], input[2], frames, features]
      ]
    }
    let columns = try input[2].map { try elementCount([$0, features]) }
    return [format == .channelsLast ? [input[0], frames, columns] : [input[0], columns, frames]]
  }

  func weights(for inputs: [PartialShape]) throws -> [WeightSpec] {
    let shape: PartialShape = [frameLength, 1, bins]
    return (mode == .imag ? [] : [WeightSpec("real_kernel", shape)])
      + (mode == .real ? [] : [WeightSpec("imag_kernel", shape)])
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let target = try knownOutputShape(for: inputs)
    let signal = inputs[0].shape
    let (batch, channels) = (signal[0], signal[format.channelAxis(rank: 3)])
    let length = signal[format.firstSpatialAxis]
    let turned =
      format == .channelsLast
      ? lowering.emit(.transpose(axes: [0, 2, 1]), inputs, shape: [batch, channels, length]) : inputs[0]
    let rows = lowering.emit(.reshape, [turned], shape: [try elementCount([batch, channels]), length, 1])
    let frames = target[format.firstSpatialAxis]
    let window = Window(
      size: [frameLength], strides: [frameStep], dilation: [1],
      before: [Sliding.before(length, extent: frameLength, stride: frameStep, padding: padding)])
    func part(_ kernel: String) -> Value {
      lowering.emit(
        .convolution(window, groups: 1, kernel: lowering.weight(kernel), bias: nil, .linear), [rows],
        shape: [rows.shape[0], frames, bins])
    }
    let result = try spectrum(
      real: mode == .imag ? nil : part("real_kernel"), imaginary: mode == .real ? nil : part("imag_kernel"),
      in: &lowering)
    let parts = lowering.emit(.reshape, [result], shape: [batch, channels, frames, features])
    let axes =
      switch (format, expandsDims) {
      case (.channelsLast, true): [0, 2, 3, 1]
      case (.channelsLast, false): [0, 2, 1, 3]
      case (.channelsFirst, true): [0, 1, 2, 3]
      case (.channelsFirst, false): [0, 1, 3, 2]
      }
    let ordered = lowering.emit(.transpose(axes: axes), [parts], shape: axes.map { parts.shape[$0] })
    return [lowering.emit(.reshape, [ordered], shape: target)]
  }

  /// What `mode` makes of both parts, each (signals, frames, bins).
  private func spectrum(real: Value?, imaginary: Value?, in lowering: inout Lowering) throws -> Value {
    guard let real, let imaginary else {
      guard let only = real ?? imaginary else { throw H5ConvError(.internalFault, "a spectrum without parts") }
      return only
    }
    let shape = real.shape
    switch mode {
    case .angle: return try lowering.combine(.arctangent2, imaginary, real)
    case .stft:
      return lowering.emit(
        .concatenate(axis: 2), [real, imaginary], shape: [shape[0], shape[1], features])
    case .real, .imag, .log, .magnitude, .psd: break
    }
    let power = try lowering.power(real, imaginary)
    if mode == .psd {
      // The bins between the first and the last stand for two frequencies.
      let factors = (0..<bins).map { Float($0 == 0 || $0 == bins - 1 ? 1 : 2) }
      return try lowering.binary(.multiply, power, lowering.constant(factors, shape: [bins]))
    }
    let epsilon = lowering.number(1e-7)
    let magnitude = lowering.map(try lowering.binary(.maximum, power, epsilon), .squareRoot)
    guard mode == .log else { return magnitude }
    return lowering.map(try lowering.binary(.maximum, magnitude, epsilon), .logarithm)
  }
}

/// Energies of a signal in bands that are equally wide on the mel scale, over time.
///
/// Input (batch, samples), result (batch, num_mel_bins, frames). The scale is HTK's: mel = 1127 · ln(1 + f / 700).
struct MelSpectrogram: Layer {
  private let fftLength: Int
  private let sequenceLength: Int
  private let stride: Int
  private let window: [Double]
  private let melBins: Int
  private let samplingRate: Float
  private let frequencies: ClosedRange<Float>
  private let exponent: Float
  private let decibels: Decibels?

  private struct Decibels: Sendable {
    let range: Float
    let minimumPower: Float
    let referencePower: Float
  }

  init(_ config: ConfigReader) throws {
    // The kernels grow with the square of the length.
    fftLength = try config.int("fft_length", default: 2048, in: 2...4096)
    sequenceLength = try config.int("sequence_length", default: fftLength, in: 1...fftLength)
    stride = try config.int("sequence_stride", default: 512, in: 1...sizeLimit)
    window = try config.window(length: sequenceLength)
    melBins = try config.int("num_mel_bins", default: 128, in: 1...4096)
    let rate = try config.float("sampling_rate", default: 16000)
    let lowest = try config.float("min_freq", default: 20)
    let highest = config.has("max_freq") ? try config.float("max_freq") : (rate / 2).rounded(.towardZero)
    guard rate > 0 else { throw config.error("sampling_rate", "is \(rate)") }
    guard lowest >= 0, highest > lowest else {
      throw config.error("min_freq", "is \(lowest), not between 0 and the highest frequency \(highest)")
    }
    samplingRate = Float(rate)
    frequencies = Float(lowest)...Float(highest)
    exponent = Float(try config.float("mag_exp", default: 2))
    decibels =
      try config.bool("power_to_db", default: true)
      ? Decibels(
        range: Float(try config.float("top_db", default: 80)),
        minimumPower: Float(try config.float("min_power", default: 1e-10)),
        referencePower: Float(try config.float("ref_power", default: 1))) : nil
  }

  /// Frames that there are: the signal is continued by half a frame at both ends.
  private func frames(_ samples: Int) throws -> Int {
    let padded = samples + fftLength / 2 * 2
    guard samples > fftLength / 2, padded >= fftLength else {
      throw H5ConvError(.badData, "a signal of \(samples) samples for frames of \(fftLength)")
    }
    return (padded - fftLength) / stride + 1
  }

  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = try single(inputs, rank: 2)
    if let samples = input[1] { _ = try frames(samples) }
    // Keras declares one frame too many when one more sample would make one.
    return [[input[0], melBins, input[1].map { ($0 + stride + 1) / stride }]]
  }

  func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] {
    let input = try single(inputs, rank: 2)
    return [[input[0], melBins, try input[1].map(frames)]]
  }

  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value] {
    let (batch, samples) = (inputs[0].shape[0], inputs[0].shape[1])
    let (frames, bins, half) = (try frames(samples), fftLength / 2 + 1, fftLength / 2)
    let places = (-half..<samples + half).map { place in
      place < 0 ? -place : place < samples ? place : 2 * (samples - 1) - place
    }
    let padded = lowering.emit(
      .tensor(.take(axis: 1, places: places)), inputs, shape: [batch, places.count])
    let rows = lowering.emit(.reshape, [padded], shape: [batch, places.count, 1])
    let step = Window(size: [fftLength], strides: [stride], dilation: [1], before: [0])
    let parts = kernels(bins).map { kernel in
      lowering.emit(
        .convolution(
          step, groups: 1, kernel: .constant(kernel, shape: [fftLength, 1, bins]), bias: nil, .linear), [rows],
        shape: [batch, frames, bins])
    }
    var power = try lowering.power(parts[0], parts[1])
    if exponent != 2 {
      power = try lowering.combine(.power, lowering.map(power, .squareRoot), lowering.number(exponent))
    }
    var bands = lowering.emit(
      .dense(kernel: .constant(melWeights(bins), shape: [bins, melBins]), bias: nil, .linear), [power],
      shape: [batch, frames, melBins])
    if let decibels { bands = try self.decibels(bands, decibels, in: &lowering) }
    return [lowering.emit(.transpose(axes: [0, 2, 1]), [bands], shape: [batch, melBins, frames])]
  }

  /// 10 · log₁₀(power / reference), nothing lower than `range` below the loudest.
  private func decibels(_ bands: Value, _ scale: Decibels, in lowering: inout Lowering) throws -> Value {
    let bounded = try lowering.binary(.maximum, bands, lowering.number(scale.minimumPower))
    let reference = 10 * log10(max(abs(scale.referencePower), scale.minimumPower))
    let values = lowering.scaled(lowering.map(bounded, .logarithm10), by: 10, plus: -reference)
    let loudest = lowering.reduced(values, .maximum, axes: Array(values.shape.indices))
    return try lowering.binary(.maximum, values, lowering.scaled(loudest, by: 1, plus: -scale.range))
  }

  /// Cosines and sines under the window, which stands in the middle of a frame: each (fft_length, 1, bins).
  private func kernels(_ bins: Int) -> [[Float]] {
    let before = (fftLength - sequenceLength) / 2
    let angles = (0..<fftLength).map { -2 * Double.pi * Double($0) / Double(fftLength) }
    return [angles.map { cos($0) }, angles.map { sin($0) }].map { waves in
      (0..<fftLength).flatMap { time -> [Float] in
        guard window.indices.contains(time - before) else { return Array(repeating: 0, count: bins) }
        let weight = window[time - before]
        return (0..<bins).map { Float(weight * waves[time * $0 % fftLength]) }
      }
    }
  }

  /// Triangles from band to band, (bins, melBins), in float32 as Keras computes them; the first bin counts for none.
  private func melWeights(_ bins: Int) -> [Float] {
    func mel(_ frequency: Float) -> Float { 1127 * log(1 + frequency / 700) }
    func spread(_ first: Float, _ last: Float, _ count: Int) -> [Float] {
      let step = (last - first) / Float(max(1, count - 1))
      return (0..<count).map { $0 == count - 1 ? last : first + step * Float($0) }
    }
    let edges = spread(mel(frequencies.lowerBound), mel(frequencies.upperBound), melBins + 2)
    return spread(0, samplingRate / 2, bins).enumerated().flatMap { bin, frequency -> [Float] in
      guard bin > 0 else { return Array(repeating: 0, count: melBins) }
      let place = mel(frequency)
      return (0..<melBins).map { band in
        let rising = (place - edges[band]) / (edges[band + 1] - edges[band])
        let falling = (edges[band + 2] - place) / (edges[band + 2] - edges[band + 1])
        return max(0, min(rising, falling))
      }
    }
  }
}

extension Lowering {
  /// The squared magnitude of complex numbers.
  fileprivate mutating func power(_ real: Value, _ imaginary: Value) throws -> Value {
    try binary(.add, map(real, .square), map(imaginary, .square))
  }
}

extension ConfigReader {
  /// `window`: the name of a periodic window, its numbers, or none.
  fileprivate func window(length: Int) throws -> [Double] {
    guard has("window") else {
      return object["window"] == nil ? raisedCosine(length, 0.5) : Array(repeating: 1, count: length)
    }
    switch self["window"]?.string {
    case "hann"?: return raisedCosine(length, 0.5)
    case "hamming"?: return raisedCosine(length, 0.54)
    case let name?: throw error("window", "'\(name)' is neither hann nor hamming")
    case nil:
      let numbers = try floats("window")
      guard numbers.count == length else {
        throw error("window", "has \(numbers.count) numbers where \(length) were expected")
      }
      return numbers
    }
  }
}

/// a − (1 − a) · cos(2π n / N), the periodic Hann (a = 0.5) or Hamming (a = 0.54) window; even lengths as TensorFlow makes them.
private func raisedCosine(_ length: Int, _ a: Double) -> [Double] {
  // TensorFlow's periodic window of an odd length is its symmetric one of that length.
  let period = length % 2 == 0 ? length : max(1, length - 1)
  return (0..<length).map { length == 1 ? 1 : a - (1 - a) * cos(2 * Double.pi * Double($0) / Double(period)) }
}

private func powerOfTwo(atLeast number: Int) -> Int {
  var power = 1
  while power < number { power *= 2 }
  return power
}
