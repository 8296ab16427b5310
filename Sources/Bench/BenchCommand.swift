import ArgumentParser
import Glibc
import H5Conv

/// `h5conv-bench MODEL`: how long loading and running take, measured as tools/bench_peers.py measures other engines.
@main
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "h5conv-bench", abstract: "Time a model on random input; prints one line of JSON.",
    discussion: """
      load_ms is from opening the file to the first result, median_ms and min_ms are of running, with the outputs in memory. Two \
      runs are not counted; then there are at least 5, and more until the seconds are over, 200 at most. cpu_ms is the mean processor time of a run, over all threads; peak_mb is the most memory \
      that the process had in use, the model's file among it.
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "model")) var model: String
  @Option(name: .shortAndLong, help: "Layers to compute, as in h5conv extract: @outputs, type:Conv2D, …")
  var outputs = ["@outputs"]
  @Option(help: "Number of threads; one per processor by default.") var threads: Int?
  @Option(help: "Images at a time.") var batch = 1
  @Option(help: "Height and width where the model takes any.") var side = 224
  @Option(help: "How long to measure.") var seconds = 3.0
  @Flag(help: "Compute every layer as it stands.") var exact = false
  @Flag(help: "Print before it what each operation took in its fastest run.") var profile = false

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    var model = try Model(contentsOf: model)
    model.isExact = exact
    model.profile = profile ? Profile() : nil
    let inputs = try model.inputs.map { input in
      try Tensor.random(shape: [batch] + input.shape.dropFirst().map { $0 ?? side })
    }
    let slice = try model.slice(outputs: outputs)
    var results = try slice.run(inputs, threads: threads)
    let load = clock.now - start
    results = []
    results = try slice.run(inputs, threads: threads)
    var times: [Duration] = []
    let before = BenchCommand.processorMilliseconds
    let begin = clock.now
    while times.count < 5 || (times.count < 200 && clock.now - begin < .seconds(seconds)) {
      // The results before are not wanted any more; their memory would count twice.
      results = []
      let elapsed = try clock.measure { results = try slice.run(inputs, threads: threads) }
      times.append(elapsed)
    }
    let processor = (BenchCommand.processorMilliseconds - before) / Double(times.count)
    if let profile = model.profile { print(try profile.text(ofFastest: true)) }
    times.sort()
    let median = times[times.count / 2]
    print(
      """
      {"load_ms": \(load.milliseconds), "median_ms": \(median.milliseconds), "min_ms": \(times[0].milliseconds), \
      "cpu_ms": \(processor), "runs": \(times.count), "outputs": \(results.count), "peak_mb": \(BenchCommand.peakMegabytes)}
      """)
  }
}

extension BenchCommand {
  /// Processor time of all threads of this process so far.
  fileprivate static var processorMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
  }

  /// The most memory that this process had in use.
  fileprivate static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}

extension Duration {
  /// In milliseconds, to a microsecond.
  fileprivate var milliseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds * 1_000_000 + attoseconds / 1_000_000_000_000) / 1000
  }
}

extension Tensor {
  /// Numbers in 0 ..< 1, the same every time.
  fileprivate static func random(shape: [Int]) throws -> Tensor {
    var state: UInt32 = 7
    let values = (0..<shape.reduce(1, *)).map { _ -> Float in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(state >> 8) / 16_777_216
    }
    return try Tensor(shape: shape, values: values)
  }
}
