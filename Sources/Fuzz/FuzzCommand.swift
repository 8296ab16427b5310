import CLibFuzzer
import Glibc
import H5Conv
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvGraph
import H5ConvImages
import H5ConvModelFiles
import H5ConvTensors

/// `h5conv-fuzz READER FOLDER… -OPTIONS OF LIBFUZZER`, which `tools/fuzz` builds and runs.
///
/// Each reader is given bytes that libFuzzer changes so that they reach ever more of the code. Errors are answers; a trap, an endless loop
/// and too much memory are findings.
@main
enum FuzzCommand {
  private static let readers: [String: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32] = [
    "config": { FuzzCommand.answer($0, $1, FuzzCommand.config) },
    "container": { FuzzCommand.answer($0, $1) { try FuzzCommand.file($0, hasHDF5: false) } },
    "hdf5": { FuzzCommand.answer($0, $1) { try FuzzCommand.file($0, hasHDF5: true) } },
    "array": { FuzzCommand.answer($0, $1) { try FuzzCommand.array($0) } },
    "picture": { FuzzCommand.answer($0, $1, FuzzCommand.picture) },
  ]

  /// In the environment, because libFuzzer starts the program anew with its own arguments alone (`-fork`).
  private static let readerVariable = "H5CONV_FUZZ_READER"

  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    if count > 1, readers[CommandLine.arguments[1]] != nil {
      setenv(readerVariable, CommandLine.arguments[1], 1)
      arguments?[1] = CommandLine.unsafeArgv[0]
      arguments = arguments.map { $0 + 1 }
      count -= 1
    }
    guard let name = getenv(readerVariable), let read = readers[String(cString: name)] else {
      print("usage: h5conv-fuzz \(readers.keys.sorted().joined(separator: "|")) FOLDER… -OPTIONS OF LIBFUZZER")
      exit(64)
    }
    exit(LLVMFuzzerRunDriver(&count, &arguments, read))
  }

  private static func answer(
    _ bytes: UnsafePointer<UInt8>?, _ count: Int, _ read: ([UInt8]) throws -> Void
  ) -> Int32 {
    try? read(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }

  /// JSON, the dialects of the config, the graph with its shapes, and what `convert` makes of it.
  private static func config(_ bytes: [UInt8]) throws {
    let value = try JSONParser.parse(bytes)
    let version = value["keras_version"]?.string
    let architecture = try ArchitectureReader.read(value["model_config"] ?? value, kerasVersion: version)
    let graph = try Graph(architecture)
    _ = Summary(architecture, graph, WeightTable(graph, architecture, nil))
    _ = try graph.select(["*"])
    let translated = ModelTranslator.translate(architecture)
    _ = ArchitectureWriter(translated.dialect).config(translated.architecture).pythonText
  }

  /// A model file with all its weights.
  private static func file(_ bytes: [UInt8], hasHDF5: Bool) throws {
    let (file, path) = try unnamed(bytes)
    // What libhdf5 makes of damage is the worker's business.
    guard hasHDF5 == (bytes.count > 8 && bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) || isWithHDF5(file)) else {
      return
    }
    let model = try ModelFile(path: path)
    for weight in try model.weightGroups().flatMap(\.weights) where (try? weight.byteCount()) ?? 0 < 1 << 24 {
      _ = try? weight.tensor()
    }
    _ = try Inspection(contentsOf: path).text()
    _ = try ModelCheck(contentsOf: path)
  }

  /// The bytes as a file in memory, which is there as long as it is open.
  private static func unnamed(_ bytes: [UInt8]) throws -> (file: OpenFile, path: String) {
    let file = try OpenFile(unnamed: "fuzzed") { descriptor in
      try bytes.withUnsafeBytes { try writeBytes($0, to: descriptor, at: 0, path: "fuzzed") }
    }
    return (file, "/proc/self/fd/\(file.descriptor)")
  }

  private static func isWithHDF5(_ file: OpenFile) -> Bool {
    guard let archive = try? ZipArchive(file) else { return false }
    return archive.members.contains { $0.name == "model.weights.h5" }
  }

  private static func array(_ bytes: [UInt8]) throws {
    let (file, path) = try unnamed(bytes)
    try withExtendedLifetime(file) { _ = try ArrayFile.npy(path) }
  }

  private static func picture(_ bytes: [UInt8]) throws {
    let image = try DecodedImage.decode(mendingChecksums(bytes), maxPixels: 1 << 20)
    _ = try image.raster(as: .rgb)
  }

  /// A PNG file with the right checksum behind each chunk: nothing that is changed would get past them.
  private static func mendingChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var mended = bytes
    var place = 8
    while bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]), place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { break }
      let end = place + 8 + length
      let sum = checksum(of: Array(bytes[place + 4..<end]))
      for byte in 0..<4 { mended[end + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * byte)) }
      place = end + 4
    }
    return mended
  }
}

/// What libFuzzer's own main function would call; that is linked all the same, and never runs.
@_cdecl("LLVMFuzzerTestOneInput")
func neverRun(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 { 0 }
