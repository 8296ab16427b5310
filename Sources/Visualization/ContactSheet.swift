import H5ConvDiagnostics

/// The page that shows a folder of pictures: `index.html`, beside the files it shows.
///
/// It needs no network and runs nothing; its policy allows pictures of its own folder and its own style sheet only. Names
/// come from strangers and are escaped wherever they stand.
package struct ContactSheet: Sendable {
  private let manifest: Manifest
  private let hasReport: Bool

  /// - Parameter hasReport: whether a `report.html` is beside it.
  package init(_ manifest: Manifest, hasReport: Bool) {
    self.manifest = manifest
    self.hasReport = hasReport
  }

  /// The page, in UTF-8.
  package var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src 'self' file:; style-src '\(StyleSheet.hash)'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(manifest.model.inHTML) – feature maps</title>
    <style>\(StyleSheet.css)</style>
    </head>
    <body>
    <header>
    <h1>\(manifest.model.inHTML)</h1>
    <p>Feature maps of \(count(manifest.layers.count, "layer")) for <b>\(manifest.image.inHTML)</b></p>
    \(hasReport ? Self.link : "")\
    <dl>
    <dt>Input</dt><dd>\(manifest.inputWidth) × \(manifest.inputHeight) pixels</dd>
    <dt>Preprocessing</dt><dd>\(manifest.preprocess.inHTML)</dd>
    \(scales)<dt>Made by</dt><dd>h5conv \(manifest.h5convVersion.inHTML); <a href="manifest.json">manifest.json</a></dd>
    </dl>
    </header>
    <main>
    \(animation)\(explanations)\(table)\(manifest.layers.enumerated().map(section).joined())</main>
    </body>
    </html>

    """
  }

  private static let link = """
    <p><a href="./report.html">report.html</a> shows every channel with its values, and can be mailed by itself.</p>

    """

  private var scales: String {
    let names = manifest.layers.map(\.scale.explanation).reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    return names.isEmpty ? "" : "<dt>Scale</dt><dd>\(names.joined(separator: "; ").inHTML)</dd>\n"
  }

  private var animation: String {
    guard let animation = manifest.animation else { return "" }
    return """
      <section id="animation">
      <h2>Layer by layer</h2>
      <figure>
      <a href="\(Animation.fileName.inURL)"><img src="\(Animation.fileName.inURL)" width="\(animation.width)" \
      height="\(animation.height)" alt="The strongest channels of \(count(animation.frames, "layer")), one after the other"></a>
      <figcaption><a href="\(Animation.fileName.inURL)">\(Animation.fileName)</a></figcaption>
      </figure>
      </section>

      """
  }

  private var explanations: String {
    guard !manifest.explanations.isEmpty else { return "" }
    let figures = manifest.explanations.map { picture in
      """
      <figure>
      <a href="\(picture.fileName.inURL)"><img loading="lazy" class="fit" src="\(picture.fileName.inURL)" \
      width="\(picture.width)" height="\(picture.height)" alt="\("\(picture.map.name) over the picture".inHTML)"></a>
      <figcaption>\(([picture.map.name] + picture.facts).joined(separator: " · ").inHTML), \(picture.colorMap.name), \
      <a href="\(picture.fileName.inURL)">\(picture.fileName.inHTML)</a></figcaption>
      </figure>

      """
    }
    return """
      <section id="explanations">
      <h2>What counts for the class</h2>
      <p>Left what the network saw, right the same with \(Int((ExplanationPicture.opacity * 100).rounded())) % of the map's colour; the \
      bar has the map's own numbers.</p>
      \(figures.joined())</section>

      """
  }

  private var table: String {
    let headings = StatisticsTable.headings.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let rows = manifest.layers.enumerated().map { place, layer in
      let cells = StatisticsTable.cells(layer).enumerated().map { column, cell in
        column == 1
          ? "<th scope=\"row\"><a href=\"#layer\(place)\">\(cell.inHTML)</a></th>" : "<td>\(cell.inHTML)</td>"
      }
      return "<tr>\(cells.joined())</tr>\n"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Statistics">
      <table>
      <thead><tr>\(headings)</tr></thead>
      <tbody>
      \(rows.joined())</tbody>
      </table>
      </div>

      """
  }

  private func section(_ place: Int, _ layer: RenderedLayer) -> String {
    let statistics = layer.statistics
    var facts = [
      layer.className + (layer.isBeforeActivation ? " before its activation" : ""), shapeText(layer.shape),
      "\(statistics.flatChannels.count) of \(statistics.channelCount) flat",
    ]
    if !statistics.isFinite {
      facts.append("\(statistics.nanCount) NaN and \(statistics.infinityCount) infinite activations")
    }
    let figures = layer.pictures.map { picture in
      """
      <figure>
      <a href="\(picture.fileName.inURL)"><img\(isReduced(picture) ? " class=\"fit\"" : "") loading="lazy" src="\(picture.fileName.inURL)" \
      width="\(picture.width)" height="\(picture.height)" alt="\(alternative(layer, picture).inHTML)"></a>
      <figcaption>\(picture.style.rawValue), \(picture.colorMap.name), \
      <a href="\(picture.fileName.inURL)">\(picture.fileName.inHTML)</a></figcaption>
      </figure>

      """
    }
    return """
      <section id="layer\(place)">
      <h2>\(layer.name.inHTML)</h2>
      <p>\(facts.joined(separator: " · ").inHTML)</p>
      \(figures.joined())\(papers(layer))\(kernel(of: layer))</section>

      """
  }

  private func kernel(of layer: RenderedLayer) -> String {
    guard let kernel = manifest.kernels.first(where: { $0.source.name == layer.name }) else { return "" }
    return """
      <figure>
      <a href="\(kernel.fileName.inURL)"><img\(kernel.width > 1200 ? " class=\"fit\"" : "") loading="lazy" src="\(kernel.fileName.inURL)" \
      width="\(kernel.width)" height="\(kernel.height)" alt="\("\(layer.name): kernel".inHTML)"></a>
      <figcaption>kernel, <a href="\(kernel.fileName.inURL)">\(kernel.fileName.inHTML)</a></figcaption>
      </figure>

      """
  }

  /// The figures for papers: shown where there is no PNG of the same style, else as links.
  private func papers(_ layer: RenderedLayer) -> String {
    let shown = Set(layer.pictures.map(\.style))
    let images = layer.figures.filter { $0.format == .svg && !shown.contains($0.style) }.map { figure in
      """
      <figure><a href="\(figure.fileName.inURL)"><img\(figure.style == .grid ? " class=\"fit\"" : "") loading="lazy" src="\(figure.fileName.inURL)" \
      alt="\("\(layer.name): \(count(layer.statistics.channelCount, "channel")) (\(figure.style.rawValue))".inHTML)"></a></figure>

      """
    }
    let links = layer.figures.map { "<a href=\"\($0.fileName.inURL)\">\($0.fileName.inHTML)</a>" }
    return images.joined() + (links.isEmpty ? "" : "<p>\(links.joined(separator: " · "))</p>\n")
  }

  /// Whether a picture is shown reduced to the page's width, to be seen as a whole, rather than scrolled.
  private func isReduced(_ picture: RenderedPicture) -> Bool { picture.style == .grid && picture.width > 1200 }

  private func alternative(_ layer: RenderedLayer, _ picture: RenderedPicture) -> String {
    let tiles = picture.tiles
    return "\(layer.name): \(count(tiles.count, "channel")) \(tiles.height / tiles.cell)×\(tiles.width / tiles.cell), "
      + "\(layer.statistics.flatChannels.count) flat (\(picture.style.rawValue))"
  }

  private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension String {
  /// The text for HTML, between tags or within quoted attributes; control characters are made visible.
  var inHTML: String {
    escapedForTerminal.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  /// The file name as a relative address.
  fileprivate var inURL: String {
    "./"
      + utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
          UInt8(ascii: "~"):
          String(Unicode.Scalar(byte))
        default: percentEscape(byte)
        }
      }.joined()
  }
}
