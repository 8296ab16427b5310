import H5ConvConfig
import H5ConvDiagnostics
import H5ConvFiles
import H5ConvImages
import H5ConvVisualization

/// How the pictures that activate channels most are shown.
public struct TopSheetOptions: Sendable {
  /// `patches` (what the strongest place sees), `pictures` (the whole picture, with that framed), or one of them.
  public var styles = ["patches", "pictures"]
  /// Side of a picture in the sheet, in pixels.
  public var tile = 48
  /// Channels in a row.
  public var columns = 8

  /// Both sheets.
  public init() {}

  func resolved() throws -> [TopSheetStyle] {
    try styles.map { name in
      guard let style = TopSheetStyle(rawValue: name) else {
        throw H5ConvError(.usage, "there is no style '\(name)'", remedy: "use patches, pictures, or both")
      }
      return style
    }
  }
}

enum TopSheetStyle: String { case patches, pictures }

/// A folder of sheets that was made.
public struct TopSheetsResult: Sendable {
  /// Where it is.
  public let folder: String
  /// The layers and their best channels as a table for people.
  public let table: String
  /// The folder's `top.json`, described by `schemas/top.schema.json`.
  public let json: String
  /// Number of sheets.
  public let sheetCount: Int
}

extension TopActivations {
  /// Bytes of sheets that are drawn at the same time; pictures are read once for each such lot.
  private static let drawnAtOnce = 256 << 20

  /// Draws the pictures and writes a folder of sheets with `top.json`.
  ///
  /// The pictures that are shown are read again.
  ///
  /// - Parameters:
  ///   - folder: where it goes.
  ///   - options: how the sheets look.
  ///   - replaces: whether files in an existing folder may be replaced.
  ///   - progress: is told before each picture that is read.
  /// - Throws: `H5ConvError`: `usage` for impossible options, `limit` for a sheet that would be too large, `cannotWrite`, and what
  ///   reading pictures throws.
  public func writeSheets(
    to folder: String, _ options: TopSheetOptions = TopSheetOptions(), replaces: Bool = false,
    progress: () -> Void = {}
  ) throws -> TopSheetsResult {
    let styles = try options.resolved()
    let output = try OutputFolder(folder, replaces: replaces)
    let names = PictureNames.make(for: layers.map { ($0.index, $0.name) })
    var files = layers.map { _ in [JSONValue]() }
    var lot: [Sheet] = []
    var bytes = 0
    func finishLot() throws {
      try draw(&lot, progress)
      for sheet in lot {
        let name = "\(names[sheet.layer]).\(sheet.style.rawValue).png"
        try output.write(name, try sheet.sheet.encoded())
        files[sheet.layer].append(sheet.json(name))
      }
      (lot, bytes) = ([], 0)
    }
    for layer in layers.indices {
      for style in styles {
        let sheet = try Sheet(self, layer, style, options)
        let size = 3 * sheet.sheet.width * sheet.sheet.height
        if bytes + size > TopActivations.drawnAtOnce { try finishLot() }
        lot.append(sheet)
        bytes += size
      }
    }
    try finishLot()
    let json = json(files: files)
    try output.write("top.json", Array(json.utf8))
    try output.commit()
    return TopSheetsResult(
      folder: output.path, table: table, json: json, sheetCount: files.reduce(0) { $0 + $1.count })
  }

  /// Draws the pictures of some sheets, reading each picture once.
  private func draw(_ sheets: inout [Sheet], _ progress: () -> Void) throws {
    var wanted: [Int: [(sheet: Int, block: Int, place: Int)]] = [:]
    for (number, sheet) in sheets.enumerated() {
      for (block, channel) in layers[sheet.layer].channels.enumerated() {
        for (place, match) in channel.matches.enumerated() {
          wanted[match.picture, default: []].append((number, block, place))
        }
      }
    }
    for picture in wanted.keys.sorted() {
      progress()
      let raster = try subModel.model.prepare(image: pictures[picture], image).raster
      for (number, block, place) in wanted[picture] ?? [] {
        let match = layers[sheets[number].layer].channels[block].matches[place]
        try sheets[number].put(raster, match, block: block, place: place)
      }
    }
  }
}

/// A sheet that is being drawn.
private struct Sheet {
  let layer: Int
  let style: TopSheetStyle
  var sheet: TopSheet

  init(_ top: TopActivations, _ number: Int, _ style: TopSheetStyle, _ options: TopSheetOptions) throws {
    let layer = top.layers[number]
    (self.layer, self.style) = (number, style)
    var facts = [
      layer.className + (top.subModel.point == .pre ? " before its activation" : ""),
      "(" + layer.shape.map(String.init).joined(separator: ", ") + ")",
      "for each channel the \(min(top.options.count, top.pictures.count)) of \(top.pictures.count) pictures with its greatest "
        + (top.options.by == "max" ? "activation" : "mean"),
    ]
    if layer.channels.count < layer.channelCount {
      facts.append("the strongest \(layer.channels.count) of \(layer.channelCount) channels")
    }
    let fields = Set(layer.channels.flatMap(\.matches).map { [$0.field.width, $0.field.height] })
    if fields.count == 1, let field = fields.first { facts.append("an activation sees \(field[0])×\(field[1]) pixels") }
    facts.append(
      style == .patches
        ? "what the strongest place sees; grey lies beyond the picture" : "what the strongest place sees is framed")
    sheet = try TopSheet(
      title: layer.name, facts: facts, labels: layer.channels.map(\.label),
      tiles: min(top.options.count, max(1, top.pictures.count)), tile: options.tile, columns: options.columns)
  }

  mutating func put(_ picture: Raster, _ match: TopActivations.Match, block: Int, place: Int) throws {
    let field = match.field
    switch style {
    case .patches:
      let patch = try picture.cut(
        x: field.x, y: field.y, width: field.width, height: field.height, outside: TopSheet.outside)
      try sheet.put(patch, block: block, place: place)
    case .pictures:
      let box = PixelRectangle(x: field.x, y: field.y, width: field.width, height: field.height)
      let isWhole = field.x == 0 && field.y == 0 && field.width == picture.width && field.height == picture.height
      try sheet.put(picture, block: block, place: place, framing: isWhole ? nil : box)
    }
  }

  func json(_ name: String) -> JSONValue {
    let layout = sheet.layout
    return [
      "style": .string(style.rawValue), "path": .string(name), "width": .int(sheet.width),
      "height": .int(sheet.height), "origin": ["x": .int(layout.x), "y": .int(layout.y)], "tile": .int(layout.tile),
      "tile_step": .int(layout.tileStep), "tile_columns": .int(layout.columns),
      "block": ["width": .int(layout.blockWidth), "height": .int(layout.blockHeight)],
      "columns": .int(layout.blockColumns),
    ]
  }
}
