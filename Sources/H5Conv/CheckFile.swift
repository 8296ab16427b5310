import Glibc
import H5ConvDiagnostics
import H5ConvHDF5
import H5ConvModelFiles

/// Checks what a file is made of: links, storage, lists of names, sizes.
struct FileCheck {
  private(set) var findings: [Finding] = []
  private let file: ModelFile

  init(_ file: ModelFile) {
    self.file = file
    if file.kerasVersion == nil, file.container != .npz, file.container != .keras3Weights {
      findings.append(Finding(.info, "no_keras_version", "the file does not say which Keras wrote it"))
    }
    if file.container == .legacyModel || file.container == .keras, file.trainingConfig == nil {
      findings.append(
        Finding(.info, "not_compiled", "the file has no training configuration: fit() needs compile() first"))
    }
    walk()
    if case .legacy(let weights) = file.weights { lists(weights) }
  }

  /// The finding for a file that cannot be opened.
  static func finding(for error: H5ConvError) -> Finding {
    let code = error.kind == .limit ? "limit" : error.reason?.rawValue ?? "damaged"
    return Finding(.error, code, at: error.place ?? "file", error.what, remedy: error.remedy)
  }

  private mutating func add(
    _ severity: Finding.Severity, _ code: String, at place: String = "file", _ message: String, remedy: String? = nil
  ) { findings.append(Finding(severity, code, at: place, message, remedy: remedy)) }

  // MARK: - HDF5

  /// Looks at every object of the HDF5 file.
  private mutating func walk() {
    guard let hdf5 = file.hdf5 else { return }
    var found: [Finding] = []
    var backslashes: [String] = []
    var bytes = (all: 0, optimizer: 0)
    do {
      try HDF5Tree.walk(hdf5.root) { _, name, item in
        switch item {
        case .group:
          if name.contains("\\") { backslashes.append(name) }
        case .other: return
        case .link(let kind):
          let isExternal = kind == .external
          found.append(
            Finding(
              isExternal ? .error : .warning, isExternal ? "external_link" : "soft_link", at: name,
              "a \(kind.rawValue), not followed; Keras since 3.13 refuses it",
              remedy: isExternal ? "do not trust the file" : nil))
        case .dataset(let dataset):
          let size = (try? dataset.elementCount().multipliedReportingOverflow(by: dataset.elementType.byteCount ?? 0))
          let count = size.map { $0.overflow ? 0 : $0.partialValue } ?? 0
          do {
            _ = try dataset.fileRange()
            bytes.all = bytes.all.clampedSum(count)
            let isOptimizer = ["/optimizer_weights/", "/optimizer/"].contains { dataset.path.hasPrefix($0) }
            if isOptimizer { bytes.optimizer = bytes.optimizer.clampedSum(count) }
          } catch { if let error = error as? H5ConvError { found.append(FileCheck.storage(dataset, error)) } }
        }
      }
    } catch {
      found.append(Finding(.error, "damaged", "file", error))
    }
    findings += found
    if !backslashes.isEmpty {
      findings.append(
        Finding(
          .error, "backslash_paths", at: backslashes,
          "groups are named with backslashes, as Keras did on Windows; no version finds the weights in them"))
    }
    if bytes.optimizer > 0 {
      add(
        .info, "optimizer_state",
        "\(bytes.optimizer.grouped) of \(bytes.all.grouped) bytes of data are the optimizer's, which only training needs"
      )
    }
    var status = stat()
    let size = stat(file.path, &status) == 0 && file.container != .keras ? Int(status.st_size) : 0
    if size > 1 << 20, size / 2 > bytes.all {
      add(
        .info, "unused_space", "\((size - bytes.all).grouped) of \(size.grouped) bytes of the file are no data",
        remedy: "h5repack, or saving it again, makes it smaller")
    }
  }

  private static func storage(_ dataset: Dataset, _ error: H5ConvError) -> Finding {
    let place = String(dataset.path.dropFirst())
    if error.reason == .externalStorage {
      return Finding(.error, "external_storage", at: place, error.what, remedy: "do not trust the file")
    }
    if error.kind == .unsupported {
      return Finding(.error, "unknown_filter", at: place, error.what, remedy: error.remedy)
    }
    return Finding(.error, "unreadable_weight", at: place, error.what, remedy: error.remedy)
  }

  // MARK: - Lists of names

  /// Holds the lists of a legacy file against what is there.
  private mutating func lists(_ weights: LegacyWeights) {
    guard let root = file.hdf5?.root else { return }
    let group = (try? root.group("model_weights")) ?? root
    ambiguity(group, "layer_names", at: "file")
    for layer in weights.layerNames {
      guard let own = try? group.group(layer) else {
        add(
          .error, "missing_group", at: layer, "the layer is listed in layer_names but has no group",
          remedy: "the file was edited or is damaged")
        continue
      }
      ambiguity(own, "weight_names", at: layer)
      do {
        let listed = try weights.weightNames(layer) ?? []
        let missing = listed.filter { (try? weights.tensor(layer, $0)) == nil && !isLink(own, $0) }
        if !missing.isEmpty {
          findings.append(
            Finding(
              .error, "listed_weight_missing", at: missing.map { "\(layer)/\($0)" },
              "weight_names lists what is not in the file", remedy: "the file was edited or is damaged"))
        }
      } catch { findings.append(Finding(.error, "damaged", layer, error)) }
    }
    if let names = try? group.memberNames() {
      // A layer called a/b is in the group of a.
      let known = Set(weights.layerNames.map { $0.prefix { $0 != "/" } })
      let ours: Set<Substring> = ["top_level_model_weights", "optimizer_weights", "model_weights"]
      let unlisted = names.filter { !known.contains($0[...]) && !ours.contains($0[...]) }
      if !unlisted.isEmpty, weights.layerNames.first?.hasPrefix("layer_") != true {
        findings.append(
          Finding(.warning, "unlisted_group", at: unlisted, "layer_names does not list it, so that nobody reads it"))
      }
    }
  }

  private func isLink(_ group: Group, _ path: String) -> Bool {
    guard let name = path.split(separator: "/").last.map(String.init) else { return false }
    let owner = path.split(separator: "/").dropLast().joined(separator: "/")
    guard let parent = owner.isEmpty ? group : try? group.group(owner) else { return true }
    if case .link = try? parent.member(name) { return true }
    return false
  }

  private mutating func ambiguity(_ group: Group, _ name: String, at place: String) {
    guard (try? group.hasAttribute(name)) == true, (try? group.hasAttribute(name + "0")) == true else { return }
    add(
      .warning, "ambiguous_names", at: place,
      "there is both \(name) and \(name)0, which Keras writes for long lists; it reads the first, which may be older")
  }
}

extension Finding {
  init(_ severity: Severity, _ code: String, _ place: String, _ error: any Error) {
    let known = error as? H5ConvError
    self.init(
      severity, code, at: known?.place ?? place, known?.what ?? "\(error)", remedy: known?.remedy)
  }
}
