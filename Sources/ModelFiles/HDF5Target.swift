import Glibc
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvHDF5

/// An HDF5 file that weights are written into.
///
/// Bytes that lie in the source as they shall lie in the target are copied by the kernel after HDF5 has laid the file out, so that
/// a large model needs no memory.
final class HDF5Target {
  private let path: String
  private var file: File?
  private let options: StorageOptions
  private var copies: [Copy] = []
  /// Where the HDF5 file begins in the file.
  private let offset: Int

  private struct Copy {
    let source: OpenFile
    let offset: Int
    let count: Int
    let target: Int
  }

  let root: Group

  /// A file of its own.
  init(_ path: String, _ options: StorageOptions) throws {
    self.path = path
    self.options = options
    offset = 0
    let file = try naming(path) { try File.create(path) }
    self.file = file
    root = file.root
  }

  /// The rest of the file at `path`, which `descriptor` is open on, from `offset`.
  init(_ path: String, descriptor: Int32, offset: Int, _ options: StorageOptions) throws {
    self.path = path
    self.options = options
    self.offset = offset
    let file = try naming(path) { try File.create(descriptor: descriptor, offset: offset) }
    self.file = file
    root = file.root
  }

  /// Writes `tensor` as the dataset `name` of `group`.
  ///
  /// - Parameter marksType: whether bfloat16 is marked by an attribute, as Keras 3's layout does.
  func write(_ tensor: StoredTensor, _ name: String, in group: Group, marksType: Bool = false) throws {
    let tensor = tensor.converted(to: options.type)
    let dataset = try group.makeDataset(name, shape: tensor.shape, type: tensor.type, gzip: options.gzip)
    if marksType, tensor.type == .opaque(bytes: 2) { try dataset.writeAttribute("dtype", "bfloat16") }
    if options.gzip == nil, let range = try tensor.fileRange(), let target = dataset.fileOffset() {
      copies.append(Copy(source: range.file, offset: range.offset, count: range.count, target: target))
      return
    }
    let bytes = try tensor.bytes()
    try naming(path) { try bytes.withUnsafeBytes { try dataset.write($0) } }
  }

  /// Writes what is left.
  ///
  /// No group of the file may be in use any more.
  ///
  /// - Parameter isSummed: whether checksums are wanted.
  /// - Returns: the ranges of the file that were copied, if their checksums are wanted.
  @discardableResult
  func finish(isSummed: Bool = false) throws -> [SummedRange] {
    try naming(path) { try file?.flush() }
    file = nil
    guard !copies.isEmpty else { return [] }
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw OutputFile.failure(.cannotWrite, path) }
    var ranges: [SummedRange] = []
    for copy in copies {
      do {
        let crc = try copyBytes(
          from: copy.source, at: copy.offset, count: copy.count, to: descriptor, at: offset + copy.target,
          targetPath: path, isSummed: isSummed)
        ranges.append(SummedRange(offset: offset + copy.target, count: copy.count, checksum: crc))
      } catch {
        close(descriptor)
        throw error
      }
    }
    guard close(descriptor) == 0 else { throw OutputFile.failure(.inputOutput, path) }
    return isSummed ? ranges : []
  }
}
