import CReport
import H5ConvConfig
import H5ConvDiagnostics
import H5ConvImages
import Mustache

extension Report {
  /// A page that is ready to be written.
  package struct Page: Sendable {
    /// The file, in UTF-8.
    package let html: [UInt8]
    /// What had to be left out to keep it small, in words; empty when nothing was.
    package let notes: [String]
  }

  /// The report as one HTML file that needs nothing else: no network, no server, no other file.
  ///
  /// Its policy lets nothing run but its own script and style, and nothing be fetched. Names come from strangers: those in the text are
  /// escaped by the template library, those in the data stand in JSON that the page only parses.
  ///
  /// - Parameter maxBytes: bytes that the page may have; large maps become thumbnails until it does.
  /// - Throws: ``H5ConvError`` of kind `limit` when even thumbnails are too large, and `internalFault` when a template does not render.
  package func page(maxBytes: Int = .max, threads: Int = 1) throws -> Page {
    var shown = self
    shown.keepKernels(in: 0)
    var sprites = try shown.sprites(threads: threads)
    let bare = size(sprites) + shown.textSize
    shown = self
    shown.keepKernels(in: min(maxBytes - bare, Report.room(besides: bare)))
    sprites.layers = try shown.kernelSprites(threads: threads)
    let (all, left) = (kernelCount, kernelCount - shown.kernelCount)
    let leftOut =
      left > 0 ? ["The kernels of \(left) of \(all) deeper layers are left out, since the maps fill the page."] : []
    let whole = try shown.assembled(sprites, notes: leftOut)
    if whole.count <= maxBytes { return Page(html: whole, notes: leftOut) }
    // And what the note will take that says so.
    let rest = whole.count - size(sprites) + 1000
    shown.keepKernels(in: 0)
    sprites.layers = try shown.kernelSprites(threads: threads)
    for longest in [112, 56, 28, 14, 7] where size(sprites) + rest > maxBytes {
      for run in runs.indices {
        shown.runs[run].maps = runs[run].maps.map { $0?.thumbnails(longest: longest) }
        for place in runs[run].explanations.indices {
          shown.runs[run].explanations[place].bytes = runs[run].explanations[place].bytes.thumbnails(longest: longest)
        }
      }
      sprites = try shown.sprites(threads: threads)
    }
    guard size(sprites) + rest <= maxBytes else {
      throw H5ConvError(
        .limit, "the report has \((size(sprites) + rest).inMegabytes) even with thumbnails",
        remedy: "choose fewer layers with --layers, or a larger --max-html")
    }
    let notes = shown.reductionNotes(maxBytes, hadKernels: kernelCount > 0)
    return Page(html: try shown.assembled(sprites, notes: notes), notes: notes)
  }

  /// About how many bytes the page has besides what is kept in 8 bits, rather more than fewer.
  private var textSize: Int {
    let pictures = runs.reduce(0) { sum, run in
      sum + [run.picture, run.original?.picture].reduce(0) { $0 + ($1?.pixels.count ?? 0) * 4 / 3 }
    }
    let channels = runs.flatMap(\.maps).reduce(0) { $0 + ($1?.channels ?? 0) }
    return 150_000 + pictures + 80 * channels
  }

  /// Bytes that kernels may take besides a page of so many: what it leaves of 10 MB, or a tenth of a larger one.
  private static func room(besides bytes: Int) -> Int {
    let comfortable = 10_000_000
    return bytes < comfortable ? comfortable - bytes : bytes / 10
  }

  /// The pictures that hold bytes.
  private typealias Sprites = ReportParts<[[UInt8]]>

  private func sprites(threads: Int) throws -> Sprites {
    let parts = ReportParts(
      runs: runs.map { run in
        ReportParts<[UInt8]>.Run(
          layers: run.maps.map { $0?.bytes ?? [] }, explanations: run.explanations.map(\.bytes.bytes))
      }, layers: kernelBytes)
    var made = try concurrentMap(parts.all, threads: threads) { try MapSprites.make($0) }[...]
    return parts.map { _ in made.removeFirst() }
  }

  private func kernelSprites(threads: Int) throws -> [[[[UInt8]]]] {
    try concurrentMap(kernelBytes, threads: threads) { try $0.map { try MapSprites.make($0) } }
  }

  private func size(_ sprites: Sprites) -> Int { sprites.all.joined().reduce(0) { $0 + $1.count + 64 } }

  /// What was left out or made smaller, and how.
  private func reductionNotes(_ maxBytes: Int, hadKernels: Bool) -> [String] {
    let left =
      hadKernels ? ["To keep this page below \(maxBytes.inMegabytes), the kernels of deeper layers are left out."] : []
    let reduced = layers.indices.filter { layer in runs.contains { ($0.maps[layer]?.reduction ?? 1) > 1 } }
    guard !reduced.isEmpty else { return left }
    let largest = runs.flatMap(\.maps).reduce(1) { max($0, $1?.reduction ?? 1) }
    return left + [
      """
      To keep this page below \(maxBytes.inMegabytes), the maps of \(reduced.count) of \(layers.count) layers are thumbnails: each of \
      their pixels is the strongest of up to \(largest)×\(largest) activations. Statistics are of all activations.
      """
    ]
  }

  private func assembled(_ sprites: Sprites, notes: [String]) throws -> [UInt8] {
    var number = 0
    let ids = sprites.map { pictures in
      pictures.map { _ in
        defer { number += 1 }
        return "bytes-\(number)"
      }
    }
    let data = try ReportData.json(self, ids: ids, notes: notes).text().inScript
    let text = try template(data: data, notes: notes).utf8
    var html: [UInt8] = []
    html.reserveCapacity(text.count + size(sprites) + ReportText.script.utf8.count + 100)
    html += text
    for (id, picture) in zip(ids.all.joined(), sprites.all.joined()) {
      html += "<script type=\"text/plain\" id=\"\(id)\">".utf8
      html += picture
      html += "</script>\n".utf8
    }
    html += "<script>\(ReportText.script)</script>\n".utf8
    return html
  }

  private func template(data: String, notes: [String]) throws -> String {
    let template: MustacheTemplate
    do { template = try MustacheTemplate(string: ReportText.template) } catch {
      throw H5ConvError(.internalFault, "the report's template is wrong: \(error)")
    }
    let rows = layers.enumerated().map { place, layer -> [String: Any] in
      let maps = runs.lazy.compactMap { $0.maps[place] }.first
      return [
        "number": place, "name": layer.name.escapedForTerminal, "class": layer.className.escapedForTerminal,
        "shape": shapeText(layer.shape), "flat": maps?.layer.flatChannels.count ?? 0, "channels": maps?.channels ?? 0,
        "min": maps?.layer.minimum.inCaption(4) ?? "", "max": maps?.layer.maximum.inCaption(4) ?? "",
        "mean": maps?.layer.mean.inCaption(4) ?? "", "std": maps?.layer.standardDeviation.inCaption(4) ?? "",
        "zeros": ((maps?.layer.zeroFraction ?? 0) * 100).inPlaces(1),
      ]
    }
    let context: [String: Any] = [
      "title": title,
      "models": models.map { ["name": $0.name.escapedForTerminal, "path": $0.path.escapedForTerminal] },
      "images": unique(runs.map(\.image)).map { ["image": $0.escapedForTerminal] }, "preprocesses": preprocesses,
      "layers": rows, "notes": notes, "command": command.escapedForTerminal, "version": h5convVersion,
      "diagrams": models.map { ["name": $0.name.escapedForTerminal, "svg": $0.diagram.svg] },
      "style": ReportText.style, "styleHash": sha256Source(ReportText.style),
      "scriptHash": sha256Source(ReportText.script), "data": data,
    ]
    return template.render(context)
  }

  /// What was done to the pictures, each only once; of several models which did it.
  private var preprocesses: [String] {
    let isSame = Set(runs.map(\.preprocess)).count == 1
    return unique(
      runs.map { run in
        let whose = models.count > 1 && !isSame ? "\(models[run.model].path): " : ""
        return (whose + run.preprocess).escapedForTerminal
      })
  }

  private func unique(_ texts: [String]) -> [String] {
    texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The model's name, or the files of several, whose names are often the same.
  private var title: String {
    guard models.count > 1 else { return models.first?.name.escapedForTerminal ?? "" }
    return unique(models.map { ($0.path.split(separator: "/").last.map(String.init) ?? $0.path).escapedForTerminal })
      .joined(separator: " and ")
  }
}

/// Something for each piece of a report that is kept in 8 bits.
struct ReportParts<Part> {
  struct Run {
    var layers: [Part]
    var explanations: [Part]
  }

  var runs: [Run]
  /// For each layer its kernel's, and those of the same layer in other models.
  var layers: [[Part]]

  var all: [Part] { runs.flatMap { $0.layers + $0.explanations } + layers.joined() }

  /// The same with something else in each place, taken in the order of ``all``.
  func map<Other>(_ change: (Part) -> Other) -> ReportParts<Other> {
    let runs = runs.map {
      ReportParts<Other>.Run(layers: $0.layers.map(change), explanations: $0.explanations.map(change))
    }
    return ReportParts<Other>(runs: runs, layers: layers.map { $0.map(change) })
  }
}

extension Int {
  /// As `9.1 MB`.
  package var inMegabytes: String { (Double(self) / 1e6).inPlaces(1) + " MB" }
}

/// A source expression of a Content-Security-Policy that allows exactly `text`.
private func sha256Source(_ text: String) -> String {
  "sha256-" + String(decoding: base64(sha256(Array(text.utf8))), as: UTF8.self)
}

extension String {
  /// JSON that may stand in a script element: no `<` begins a tag or a comment there, and nothing is hidden from who reads the file.
  fileprivate var inScript: String {
    // A page has megabytes of plain text.
    if utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "<") }) { return self }
    var text = self
    return text.withUTF8 { bytes in
      var result: [UInt8] = []
      result.reserveCapacity(bytes.count + bytes.count / 64)
      var rest = bytes[...]
      // What needs no escape is copied at once.
      while let place = rest.firstIndex(where: { !(0x20..<0x7f).contains($0) || $0 == UInt8(ascii: "<") }) {
        result += rest[..<place]
        let length = max(1, (~rest[place]).leadingZeroBitCount)
        let scalar = rest[place...].prefix(length)
        rest = rest[(place + scalar.count)...]
        let value = String(decoding: scalar, as: UTF8.self).unicodeScalars.first
        guard let value, value == "<" || value.isHiddenControl else {
          result += scalar
          continue
        }
        let digits = String(value.value, radix: 16)
        result += "\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".utf8
      }
      result += rest
      return String(decoding: result, as: UTF8.self)
    }
  }
}

/// Template, style and script of the page, which the target CReport embeds from `Sources/CReport/page`.
enum ReportText {
  static var template: String { text(h5conv_report_template()) }
  static var style: String { text(h5conv_report_style()) }
  static var script: String { text(h5conv_report_script()) }

  private static func text(_ text: h5conv_report_text) -> String {
    String(decoding: UnsafeBufferPointer(start: text.bytes, count: text.size), as: UTF8.self)
  }
}
