import H5ConvFiles

/// What a command reads and writes: all that its worker may touch.
package struct Job: Sendable {
  /// Where results go.
  package enum Output: Sendable {
    /// Nowhere but to stdout.
    case none
    /// Into this file.
    case file(String)
    /// Into this folder, which need not exist yet, and folders in it.
    case folder(String)
    /// Into folders of the working directory whose names begin so.
    case folders(beginning: String)
  }

  /// The file that messages are about.
  package let file: String
  /// Files and folders that are read.
  package let inputs: [String]
  /// Where results go.
  package let output: Output
  /// Whether the model is run, which takes more memory and time than reading it.
  package let runsModel: Bool

  package init(file: String, inputs: [String], output: Output = .none, runsModel: Bool = false) {
    self.file = file
    self.inputs = inputs
    self.output = output
    self.runsModel = runsModel
  }
}

extension Job.Output {
  /// The folder in which the names of results appear; nil when there are none.
  var folder: String? {
    switch self {
    case .none: nil
    case .file(let path): OutputFile.split(Job.Output.withoutSlashes(path)).folder
    case .folder(let path): InputFile.isFolder(path) ? path : OutputFile.split(Job.Output.withoutSlashes(path)).folder
    case .folders: "."
    }
  }

  /// What messages call it.
  var path: String? {
    switch self {
    case .none, .folders: nil
    case .file(let path), .folder(let path): path
    }
  }

  /// Whether a result may have the name `path`.
  package func allows(_ path: String) -> Bool {
    switch self {
    case .none: return false
    case .file(let output): return path == output
    case .folder(let output):
      let root = Job.Output.withoutSlashes(output)
      guard path.hasPrefix(root + "/") else { return path == root || path == output }
      return Job.Output.staysInside(path.dropFirst(root.count))
    case .folders(let beginning): return path.hasPrefix(beginning) && Job.Output.staysInside(path[...])
    }
  }

  /// Whether a path without its root has no component that leads out of it.
  static func staysInside(_ path: Substring) -> Bool { !path.split(separator: "/").contains("..") }

  private static func withoutSlashes(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }
}
