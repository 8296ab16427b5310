/// The one error of h5conv: what is wrong, where, and what to do about it.
///
/// Every failure that a user can cause or meet ends in one of these; the command line prints it as
/// `h5conv: FILE: what is wrong (where): what to do` and exits with ``Kind-swift.enum/rawValue``.
public struct H5ConvError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The class of a failure; the raw value is the exit code of the command line (sysexits).
  public enum Kind: Int32, Sendable {
    /// Wrong usage, or a layer that the model does not have.
    case usage = 64
    /// The file is damaged, unsafe, or not a model.
    case badData = 65
    /// The file cannot be read: missing, a folder, no permission.
    case cannotRead = 66
    /// A layer or feature that is not supported.
    case unsupported = 69
    /// A fault of h5conv itself.
    case internalFault = 70
    /// The output cannot be written.
    case cannotWrite = 73
    /// Input or output failed midway.
    case inputOutput = 74
    /// A limit was hit.
    case limit = 75
  }

  /// What is wrong, for programs that treat some failures apart; the raw value is the code of a check's finding.
  public enum Reason: String, Sendable {
    case emptyFile = "empty_file"
    /// The file ends before what it says it holds.
    case truncated
    /// A pointer of Git LFS instead of the file.
    case gitLFSPointer = "git_lfs_pointer"
    case webPage = "web_page"
    /// Some other kind of file.
    case notAModel = "not_a_model"
    case damagedArchive = "damaged_archive"
    case zipBomb = "zip_bomb"
    /// JSON that cannot be read, or is no config of a model.
    case damagedConfig = "damaged_config"
    /// Pickled weights that cannot be read.
    case damagedPickle = "damaged_pickle"
    /// Pickled weights that would call functions which weights have no use for.
    case pickledCode = "pickled_code"
    /// Data in other files, which are never opened.
    case externalStorage = "external_storage"
    /// A weight that the file lists and does not have.
    case listedWeightMissing = "listed_weight_missing"
    /// A weight that a layer needs and the file does not have.
    case missingWeight = "missing_weight"
  }

  /// The class of the failure.
  public let kind: Kind
  /// What is wrong, where programs ask for it.
  public let reason: Reason?
  /// What is wrong, without the file's name.
  public let what: String
  /// The place in the file: a layer, a field, a dataset.
  public let place: String?
  /// What the user can do about it.
  public let remedy: String?
  /// The file that the error is about.
  public private(set) var file: String?

  /// An error of `kind`, saying `what` is wrong, at which `place`, and what to do.
  public init(
    _ kind: Kind, _ what: String, at place: String? = nil, remedy: String? = nil, file: String? = nil,
    reason: Reason? = nil
  ) {
    self.kind = kind
    self.reason = reason
    self.what = what
    self.place = place
    self.remedy = remedy
    self.file = file
  }

  /// The same error, about `file` unless it already names one.
  public func about(_ file: String) -> H5ConvError {
    var copy = self
    copy.file = copy.file ?? file
    return copy
  }

  /// `FILE: what is wrong (where): what to do`, on one line, with control characters escaped.
  public var description: String {
    var text = file.map { "\($0): " } ?? ""
    text += what
    if let place { text += " (\(place))" }
    if let remedy { text += ": \(remedy)" }
    return text.escapedForTerminal
  }
}

/// Runs `body`, and lets an ``H5ConvError`` that it throws say that it is about `file`.
package func naming<Result>(_ file: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as H5ConvError { throw error.about(file) }
}
