import CReport
import H5ConvConfig
import H5ConvDiagnostics
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
    var sprites = try shown.sprites(threads: threads)
    let whole = try shown.assembled(sprites, notes: [])
    if whole.count <= maxBytes { return Page(html: whole, notes: []) }
    // And what the note will take that says so.
    let rest = whole.count - size(sprites) + 1000
    for longest in [112, 56, 28, 14, 7] where size(sprites) + rest > maxBytes {
      shown = self
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
    let notes = shown.reductionNotes(maxBytes)
    return Page(html: try shown.assembled(sprites, notes: notes), notes: notes)
  }

  /// The pictures that hold the bytes of each run's maps.
  private typealias Sprites = [RunParts<[[UInt8]]>]

  private func sprites(threads: Int) throws -> Sprites {
    let all = runs.map { run in run.maps.map { $0?.bytes } + run.explanations.map { $0.bytes.bytes } }
    let places = all.indices.flatMap { run in all[run].indices.map { (run, $0) } }
    var flat = try concurrentMap(places, threads: threads) { run, place in
      try all[run][place].map { try MapSprites.make($0) } ?? []
    }[...]
    return runs.map { run in
      let parts = RunParts(
        layers: Array(flat.prefix(layers.count)),
        explanations: Array(flat.dropFirst(layers.count).prefix(run.explanations.count)))
      flat = flat.dropFirst(layers.count + run.explanations.count)
      return parts
    }
  }

  private func size(_ sprites: Sprites) -> Int {
    sprites.flatMap { $0.layers + $0.explanations }.joined().reduce(0) { $0 + $1.count + 64 }
  }

  /// What was made smaller, and how.
  private func reductionNotes(_ maxBytes: Int) -> [String] {
    let reduced = layers.indices.filter { layer in runs.contains { ($0.maps[layer]?.reduction ?? 1) > 1 } }
    guard !reduced.isEmpty else { return [] }
    let largest = runs.flatMap(\.maps).reduce(1) { max($0, $1?.reduction ?? 1) }
    return [
      """
      To keep this page below \(maxBytes.inMegabytes), the maps of \(reduced.count) of \(layers.count) layers are thumbnails: each of \
      their pixels is the strongest of up to \(largest)×\(largest) activations. Statistics are of all activations.
      """
    ]
  }

  private func assembled(_ sprites: Sprites, notes: [String]) throws -> [UInt8] {
    var elements: [UInt8] = []
    elements.reserveCapacity(size(sprites))
    func write(_ pictures: [[UInt8]], _ name: String) -> [String] {
      pictures.enumerated().map { number, text in
        let id = "\(name)-\(number)"
        elements += "<script type=\"text/plain\" id=\"\(id)\">".utf8
        elements += text
        elements += "</script>\n".utf8
        return id
      }
    }
    let ids = sprites.enumerated().map { run, parts in
      RunParts(
        layers: parts.layers.enumerated().map { write($1, "maps-\(run)-\($0)") },
        explanations: parts.explanations.enumerated().map { write($1, "explain-\(run)-\($0)") })
    }
    let data = try ReportData.json(self, maps: ids, notes: notes).text().inScript
    var html = Array(try template(data: data, notes: notes).utf8)
    html += elements
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
      "images": runs.map { ["image": $0.image.escapedForTerminal] }, "preprocesses": preprocesses,
      "layers": rows, "notes": notes, "command": command.escapedForTerminal, "version": h5convVersion,
      "diagrams": models.map { ["name": $0.name.escapedForTerminal, "svg": $0.diagram.svg] },
      "style": ReportText.style, "styleHash": sha256Source(ReportText.style),
      "scriptHash": sha256Source(ReportText.script), "data": data,
    ]
    return template.render(context)
  }

  /// What was done to the pictures, each only once.
  private var preprocesses: [String] {
    runs.map(\.preprocess.escapedForTerminal).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private var title: String { models.map { $0.name.escapedForTerminal }.joined(separator: " and ") }
}

/// Something for each of the maps that a run has.
struct RunParts<Part> {
  var layers: [Part]
  var explanations: [Part]
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
    return unicodeScalars.reduce(into: "") { text, scalar in
      guard scalar == "<" || scalar.isHiddenControl else {
        text.unicodeScalars.append(scalar)
        return
      }
      let digits = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
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
